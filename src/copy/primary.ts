import type { CallOptions, Connection, StoredRecord } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import type { Topology } from '../topo/topology.js';
import { Decoded } from './decoded.js';
import { primaryOf } from './plan.js';
import { shardOf } from './shards.js';

/** Both topologies of a copy. */
export interface Sides {
  readonly source: Topology;
  readonly destination: Topology;
}

/**
 * Refuses to delete the Tablet that its Shard names as the primary: Guard when the source's does; Unavailable when only the
 * destination's does, which is about to learn of another one.
 */
export async function checkNoPrimary(
  tablet: StoredRecord,
  { source, destination }: Sides,
  call: CallOptions,
): Promise<void> {
  const shard = shardOf(new Decoded(classify('cell', tablet.path, false), tablet));
  if (shard === undefined) return;
  const path = `keyspaces/${shard.keyspace}/shards/${shard.shard}/Shard`;
  const names = async (global: Connection) => {
    const record = await find(global, path, call);
    if (record === undefined) return false;
    const decoded = new Decoded(classify('global', path, false), { path, ...record });
    return primaryOf(decoded) === tablet.path.split('/')[1];
  };
  if (await names(source.global))
    throw new TopologyError(ErrorCode.Guard, 'the primary of a shard would be deleted', {
      path: tablet.path,
      store: source.global.store,
      hint: 'a Tablet that a Shard names is never deleted: the source lost it, or it is about to change its primary',
    });
  if (await names(destination.global))
    throw new TopologyError(ErrorCode.Unavailable, 'the destination’s Shard still names this tablet', {
      path: tablet.path,
      store: destination.global.store,
      hint: 'its Tablet is deleted once the Shard names another one',
    });
}
