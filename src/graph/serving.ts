import { readFields } from '../topo/codec.js';
import { list, property, readShard, type ShardRecord } from './shards.js';
import { isAtLeast, type Target } from './target.js';

/** What can be said of the serving flag of a shard that has none set. */
export interface ServingFlag {
  readonly shard: string;
  /** What the flag stands for; undefined: nothing tells, somebody has to say it. */
  readonly serving: boolean | undefined;
  /** Where that was read. */
  readonly from: 'served_types' | 'serving graph' | undefined;
}

/**
 * Shards without is_primary_serving, which Vitess 3 and older do not write and Vitess 12 and newer read as not serving, and whether
 * they serve: by served_types of the Shard, else by the PRIMARY partition of the keyspace's SrvKeyspace in any cell. A shard that Vitess 4
 * and newer does not let serve has neither, or is not in that partition. In the order of the names. Corrupt, InvalidPath.
 */
export function servingFlags(
  shards: readonly ShardRecord[],
  srvKeyspaces: Iterable<Uint8Array>,
): ServingFlag[] {
  const graphs = [...srvKeyspaces];
  const served = new Set(graphs.flatMap(primaryShards));
  return shards.flatMap((record): ServingFlag[] => {
    const { name, isPrimaryServing, servedTypes } = readShard(record);
    if (isPrimaryServing) return [];
    if (servedTypes.length > 0) {
      const serving = servedTypes.some(({ tablet_type }) => tablet_type === PRIMARY);
      return [{ shard: name, serving, from: 'served_types' }];
    }
    if (graphs.length > 0) return [{ shard: name, serving: served.has(name), from: 'serving graph' }];
    return [{ shard: name, serving: undefined, from: undefined }];
  });
}

const PRIMARY = 1;

/**
 * Names of shards that serve by their served_types and will not under a version of Vitess, which looks at is_primary_serving
 * alone. Corrupt, InvalidPath.
 */
export function lostServing(shards: readonly ShardRecord[], target: Target): string[] {
  if (!isAtLeast(target, 12)) return [];
  return servingFlags(shards, []).flatMap(({ shard, serving }) => (serving === true ? [shard] : []));
}

/**
 * Names of shards that serve and have no primary. No version of Vitess refuses to rebuild them, and nobody can write to them.
 * Corrupt, InvalidPath.
 */
export function withoutPrimary(shards: readonly ShardRecord[]): string[] {
  return shards.flatMap((record) => {
    const { name, isPrimaryServing, servedTypes } = readShard(record);
    const serves = isPrimaryServing || servedTypes.some(({ tablet_type }) => tablet_type === PRIMARY);
    const primary = readFields('topodata.Shard', record.bytes)['primary_alias'];
    const cell = property(primary, 'cell') ?? '';
    return serves && cell === '' ? [name] : [];
  });
}

function primaryShards(srvKeyspace: Uint8Array): string[] {
  return list(readFields('topodata.SrvKeyspace', srvKeyspace)['partitions'])
    .filter((partition) => property(partition, 'served_type') === PRIMARY)
    .flatMap((partition) => list(property(partition, 'shard_references')))
    .map((reference) => String(property(reference, 'name') ?? ''));
}
