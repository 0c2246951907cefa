import type { CallOptions } from '../topo/connection.js';
import type { StoreIdentity } from '../topo/identity.js';
import type { Store } from './store.js';

/** The servers have no name of their own; no two znodes came to be at the same zxid and moment, not even in unlike ensembles. */
export async function identity(store: Store, options: CallOptions): Promise<StoreIdentity> {
  const { stat } = await store.read(undefined, options, (client, request) =>
    client.exists(store.root, request),
  );
  const holds = stat !== undefined && stat.numChildren > 0;
  return { servers: 'ZooKeeper', root: holds ? `${stat.czxid}@${stat.ctime}` : undefined };
}
