import type { StoreAddress } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import type { Connection } from '../../topo/connection.js';
import { EtcdClient } from './client.js';
import { etcdConnection } from './connection.js';
import { health } from './health.js';
import { openNative } from './native.js';
import { probe } from './probe.js';

/** etcd, through its v3 API. Servers 3.3 and newer. */
export const backend: Backend = { implementation: 'etcd2', connect, openNative, health };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  const client = new EtcdClient(address, settings);
  try {
    await probe(client, settings.connectTimeoutMs);
    return etcdConnection(client, address.root);
  } catch (error) {
    client.close();
    throw error;
  }
}
