import { describePlace, type OldPlace } from '../../legacy/places.js';
import type { StoredRecord, Value } from '../../topo/connection.js';
import { formatTabletAlias, parseTabletAlias } from '../../topo/names.js';
import { baseName, isBelow, joinPath } from '../../topo/paths.js';
import type { Beside, Loss } from '../../topo/told.js';
import type { Found } from '../../znodes/walk.js';
import type { Znode } from '../../znodes/znode.js';
import type { LegacyStore } from './legacy-store.js';
import { LOCKS } from './places.js';
import { rawValue } from './read.js';

/** What a znode is that needs no transcoding: a record, or something that is none; undefined: a directory. */
export function plainItem(legacy: LegacyStore, found: Found): StoredRecord | Beside | undefined {
  const { path: native } = found;
  const place = legacy.places.place(native);
  const hasData = (found.data?.byteLength ?? 0) > 0;
  switch (place.is) {
    case 'raw':
    case 'election':
      return legacy.store.layout.isRecord(native, found) ? record(legacy, place.path, found) : undefined;
    case 'lock':
      return lockItem(legacy, place.of, found);
    case 'derived':
      if (found.data === null) return undefined;
      return { ...beside(legacy, 'derived', native, place.kind), keyspace: place.keyspace };
    case 'replication-path':
      return { ...replicationItem(legacy, native, place), keyspace: place.keyspace };
    case 'directory':
      return hasData ? beside(legacy, 'left', native, 'data in a directory') : undefined;
    case 'record':
      // A node of the serving graph without data is the directory of its shards.
      return undefined;
    case 'vschemas':
      return undefined;
    default:
      return beside(legacy, 'left', native, describePlace(place));
  }
}

function lockItem(legacy: LegacyStore, of: string, found: Found): StoredRecord | Beside {
  const { path: native } = found;
  if (isEntry(legacy, found))
    return { path: joinPath(of, LOCKS, baseName(native)), ...entryValue(legacy, found) };
  return beside(legacy, 'left', native, 'left in the queue of a lock');
}

/** Whether a znode in the queue of a lock is an entry. In the serving graph one that no session owns is left over: nothing that a store of today has. */
export function isEntry(legacy: LegacyStore, found: Found): boolean {
  const { store, places } = legacy;
  if (!store.layout.isRecord(found.path, found)) return false;
  return places.cell === undefined || entryValue(legacy, found).ephemeral;
}

/** An entry. An order to a tablet passes as a lock does, though no session owns it: the tablet's process deletes it when it is carried out. */
export function entryValue(legacy: LegacyStore, found: Found): Value {
  const value = rawValue(legacy, found);
  const isOrder = legacy.places.cell !== undefined && isBelow(found.path, 'tablets');
  return { ...value, ephemeral: value.ephemeral || isOrder };
}

/** What a nested node says of who is in the shard is in the cells' ShardReplication; of who replicates from whom nothing says it any more. */
function replicationItem(
  legacy: LegacyStore,
  native: string,
  { keyspace, shard, aliases }: Extract<OldPlace, { is: 'replication-path' }>,
): Beside {
  const [alias = '', parent] = aliases.toReversed().map((each) => formatTabletAlias(parseTabletAlias(each)));
  const why = 'a path of the replication graph: ShardReplication of the cells has the tablet';
  if (parent === undefined) return beside(legacy, 'derived', native, why);
  const path = `keyspaces/${keyspace}/shards/${shard}`;
  const losses: Loss[] = [{ kind: 'parent', path, field: alias, value: parent }];
  return beside(legacy, 'lost', native, why, losses);
}

function record(legacy: LegacyStore, path: string, znode: Znode): StoredRecord {
  return { path, ...rawValue(legacy, znode) };
}

export function beside(
  { places }: LegacyStore,
  is: Beside['is'],
  native: string,
  why: string,
  losses: readonly Loss[] = [],
): Beside {
  return { is, native: places.znode(native), why, losses };
}
