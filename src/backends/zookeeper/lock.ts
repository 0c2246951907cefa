import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { LeaderEvent, Lock, LockEntry, LockRequest } from '../../topo/locks.js';
import { isBelow } from '../../topo/paths.js';
import { leader as leaderNative, watchLeader as watchLeaderNative } from '../../znodes/election.js';
import { acquire as acquireNative } from '../../znodes/lock.js';
import { entriesIn } from '../../znodes/lock-queue.js';
import { about } from './about.js';
import type { LegacyStore } from './legacy-store.js';
import { plainNative } from './sources.js';

/**
 * Keyspaces, shards and shards of the serving graph are locked as Vitess of the time did it, through their `action`, everything else as today's does. Not
 * tablets: what is in their `action` their processes took for orders.
 */
export async function acquire(
  legacy: LegacyStore,
  request: LockRequest,
  options: CallOptions | undefined,
): Promise<Lock> {
  const { dir } = request;
  const { store, places } = legacy;
  if (places.cell !== undefined && isBelow(dir, 'tablets') && places.queue(dir) !== undefined)
    throw new TopologyError(ErrorCode.Unsupported, 'tablets have no lock: their action takes orders', {
      path: dir,
      store: store.context.store,
      hint: 'lock the shard of the tablet',
    });
  return about(dir, acquireNative(store, { ...request, dir: plainNative(legacy, dir) }, options));
}

export async function lockQueue(
  legacy: LegacyStore,
  dir: string,
  options: CallOptions,
): Promise<LockEntry[]> {
  const { store, places } = legacy;
  const native = plainNative(legacy, dir);
  const queue =
    places.queue(dir) ?? store.layout.queue(native, isBelow(dir, 'elections') ? 'election' : 'directory');
  return about(dir, entriesIn(store, native, queue, options));
}

export function leader(legacy: LegacyStore, dir: string, options: CallOptions): Promise<string | undefined> {
  return about(dir, leaderNative(legacy.store, plainNative(legacy, dir), options));
}

export function watchLeader(
  legacy: LegacyStore,
  dir: string,
  options: CallOptions | undefined,
): AsyncIterable<LeaderEvent> {
  return watchLeaderNative(legacy.store, plainNative(legacy, dir), options);
}
