import type { StoreAddress } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import type { Connection } from '../../topo/connection.js';
import { etcdConnection } from './connection.js';
import { health } from './health.js';
import { openNative } from './native.js';
import { probeStore } from './open.js';
import { EtcdStore } from './store.js';

/** The retired `etcd` of Vitess until 2017, through the v2 API of etcd 3.4 and older. */
export const backend: Backend = { implementation: 'etcd', connect, openNative, health };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  const store = new EtcdStore(address, settings);
  await probeStore(store, settings);
  return etcdConnection(store, address.root);
}
