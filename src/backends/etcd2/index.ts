import type { StoreAddress } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import { EtcdClient } from './client.js';
import { EtcdConnection } from './connection.js';
import { probe } from './probe.js';

/** etcd, through its v3 API. Servers 3.3 and newer. */
export const backend: Backend = { implementation: 'etcd2', connect };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<EtcdConnection> {
  const client = new EtcdClient(address, settings);
  try {
    await probe(client, settings.connectTimeoutMs);
    return new EtcdConnection(client, address.root);
  } catch (error) {
    client.close();
    throw error;
  }
}
