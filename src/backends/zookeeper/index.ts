import type { StoreAddress } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import type { Connection } from '../../topo/connection.js';
import type { StoreHealth } from '../../topo/health.js';
import { connectStore } from '../../znodes/connect.js';
import { health } from '../../znodes/health.js';
import { openNative } from '../../znodes/native.js';
import { whatReads } from '../../znodes/open.js';
import { zookeeperConnection } from './connection.js';
import { layoutOf } from './layout.js';
import { LegacyStore } from './legacy-store.js';
import { Places } from './places.js';

/** Vitess's `zookeeper` of 2012 to 2017: JSON in znodes below `/zk/<cell>/vt`. */
export const backend: Backend = { implementation: 'zookeeper', connect, openNative, health: healthOf };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  const places = Places.of(address);
  const { store, close } = await connectStore(address, settings, layoutOf(places));
  const legacy = new LegacyStore(store, places, settings);
  return zookeeperConnection(legacy, async () => {
    await Promise.all([legacy.close(), close()]);
  });
}

async function healthOf(address: StoreAddress, settings: ConnectSettings): Promise<StoreHealth> {
  const [found, readThrough] = await Promise.all([health(address, settings), whatReads(address, settings)]);
  return { ...found, readThrough };
}
