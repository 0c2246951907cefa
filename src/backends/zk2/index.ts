import type { StoreAddress } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import type { Connection } from '../../topo/connection.js';
import { connectStore } from '../../znodes/connect.js';
import { health } from '../../znodes/health.js';
import { openNative } from '../../znodes/native.js';
import { zk2Connection } from './connection.js';
import { LAYOUT } from './layout.js';

/** Vitess's `zk2`: ZooKeeper 3.4 and newer. */
export const backend: Backend = { implementation: 'zk2', connect, openNative, health };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  const { store, close } = await connectStore(address, settings, LAYOUT);
  return zk2Connection(store, close);
}
