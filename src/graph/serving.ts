import { readFields } from '../topo/codec.js';
import { list, property, readShard, type ShardInfo, type ShardRecord } from './shards.js';
import { isAtLeast, type Target } from './target.js';

/** What can be said of the serving flag of a shard that has none set. */
export interface ServingFlag {
  readonly shard: string;
  /** What the flag stands for; undefined: nothing tells, somebody has to say it. */
  readonly serving: boolean | undefined;
  /** Where that was read. */
  readonly from: 'served_types' | 'serving graph' | undefined;
  /** Why, in one sentence without a full stop. */
  readonly reason: string;
}

/**
 * Shards without is_primary_serving, which Vitess 3 and older do not write and Vitess 12 and newer read as not serving, and whether
 * they serve: by served_types of the Shard, else by the PRIMARY partition of the keyspace's SrvKeyspace in any cell. A shard that Vitess 4
 * and newer does not let serve has neither, or is not in that partition. A cell without that partition tells nothing: in old serving graphs it
 * has no primary. Nor does it tell that a shard does not serve where it names shards that there are not: it is of the time before the last
 * resharding. In the order of the shards. Corrupt, InvalidPath.
 */
export function servingFlags(
  shards: readonly ShardRecord[],
  /** SrvKeyspace of the keyspace, by cell. */
  srvKeyspaces: ReadonlyMap<string, Uint8Array>,
  /** Names of all shards of the keyspace. */
  known: ReadonlySet<string> = new Set(shards.map(({ name }) => name)),
): ServingFlag[] {
  const served = [...srvKeyspaces].flatMap(([cell, bytes]) => {
    const names = primaryShards(bytes);
    const isOld = names?.some((name) => !known.has(name)) === true;
    return names === undefined ? [] : [{ cell, names: new Set(names), isOld }];
  });
  return shards.flatMap((record): ServingFlag[] => {
    const { name, isPrimaryServing, servedTypes } = readShard(record);
    if (isPrimaryServing) return [];
    if (servedTypes.length > 0) return [byServedTypes(name, servedTypes)];
    const namesOf = (some: typeof served) => some.map(({ cell }) => cell);
    const without = served.filter(({ names }) => !names.has(name));
    return [
      byGraph(name, {
        cells: namesOf(served.filter(({ names }) => names.has(name))),
        others: namesOf(without.filter(({ isOld }) => !isOld)),
        old: namesOf(without.filter(({ isOld }) => isOld)),
      }),
    ];
  });
}

const PRIMARY = 1;

function byServedTypes(shard: string, types: ShardInfo['servedTypes']): ServingFlag {
  const serving = types.some(({ tablet_type }) => tablet_type === PRIMARY);
  return {
    shard,
    serving,
    from: 'served_types',
    reason: `served_types of the Shard has ${serving ? '' : 'no '}PRIMARY`,
  };
}

/** Cells whose PRIMARY partition has a shard, has it not, and has it not and names shards that there are not. */
interface Partitions {
  readonly cells: readonly string[];
  readonly others: readonly string[];
  readonly old: readonly string[];
}

function byGraph(shard: string, { cells, others, old }: Partitions): ServingFlag {
  const not = others.join(', ');
  if (cells.length > 0) {
    const but = others.length > 0 ? `, though not of ${not}` : '';
    return {
      shard,
      serving: true,
      from: 'serving graph',
      reason: `the PRIMARY partition of ${cells.join(', ')} has it${but}`,
    };
  }
  if (others.length > 0)
    return {
      shard,
      serving: false,
      from: 'serving graph',
      reason: `the PRIMARY partition of ${not} does not have it`,
    };
  const reason =
    old.length > 0
      ? `the PRIMARY partition of ${old.join(', ')} names shards that there are not, and nothing else says anything`
      : 'neither served_types of the Shard nor a PRIMARY partition of any cell’s SrvKeyspace says anything';
  return { shard, serving: undefined, from: undefined, reason };
}

/**
 * Names of shards that serve by their served_types and will not under a version of Vitess, which looks at is_primary_serving
 * alone. Corrupt, InvalidPath.
 */
export function lostServing(shards: readonly ShardRecord[], target: Target): string[] {
  if (!isAtLeast(target, 12)) return [];
  return servingFlags(shards, new Map()).flatMap(({ shard, serving }) => (serving === true ? [shard] : []));
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

/** Shards in the PRIMARY partition; undefined: there is no such partition. */
function primaryShards(srvKeyspace: Uint8Array): string[] | undefined {
  const partitions = list(readFields('topodata.SrvKeyspace', srvKeyspace)['partitions']).filter(
    (partition) => property(partition, 'served_type') === PRIMARY,
  );
  if (partitions.length === 0) return undefined;
  return partitions
    .flatMap((partition) => list(property(partition, 'shard_references')))
    .map((reference) => String(property(reference, 'name') ?? ''));
}
