import type { StoreAddress } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { ConsulClient } from './client.js';
import { consulConnection } from './connection.js';
import { health } from './health.js';
import { isPlain } from './keys.js';
import { openNative } from './native.js';
import { probe } from './probe.js';

/** Consul's KV, through its HTTP API. Servers 1.8 and newer. */
export const backend: Backend = { implementation: 'consul', connect, openNative, health };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  if (!isPlain(address.root)) {
    const message = 'a Consul root has letters, digits and signs of ASCII only: Consul’s URLs take no others';
    throw new TopologyError(ErrorCode.InvalidAddress, message);
  }
  const client = new ConsulClient(address, settings);
  try {
    await probe(client, settings.connectTimeoutMs);
    return consulConnection(client, address.root);
  } catch (error) {
    await client.close();
    throw error;
  }
}
