import { decode, readFields, writeFields } from '../topo/codec.js';
import type { MessageFields } from '../topo/codec-schema.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { byName, orderAndCheck, type Reference } from './partition.js';
import {
  list,
  property,
  readShard,
  SERVING_TYPES,
  type ShardInfo,
  type ShardRecord,
  typeName,
} from './shards.js';
import { isAtLeast, type Target } from './target.js';

/** What RebuildKeyspaceGraph reads. */
export interface KeyspaceGraphInput {
  /** The Keyspace record. */
  readonly keyspace: Uint8Array;
  readonly shards: readonly ShardRecord[];
  /** Cells to rebuild. */
  readonly cells: readonly string[];
  /** SrvKeyspace records of these cells, where there are any. */
  readonly current: ReadonlyMap<string, Uint8Array>;
  /** Accept a snapshot keyspace whose shards do not cover everything (Vitess 9 and newer). */
  readonly allowPartial: boolean;
  /** Vitess 3 and older: cells of the shards of keyspaces that `served_froms` names. Default: none. */
  readonly servedFromCells?: readonly string[] | undefined;
}

/**
 * The SrvKeyspace that each cell must hold, by cell: RebuildKeyspaceGraph of a version of Vitess
 * (go/vt/topotools/rebuild_keyspace.go), without its lock and its writing.
 *
 * Guard, in Vitess's own words, when the shards leave a gap or overlap, or a migration is on its way; InvalidPath for an
 * illegal shard name; Corrupt.
 */
export function rebuildSrvKeyspace(input: KeyspaceGraphInput, target: Target): Map<string, Uint8Array> {
  const keyspace = readFields('topodata.Keyspace', input.keyspace);
  const shards = byName(input.shards).map(readShard);
  const cells = isAtLeast(target, 4) ? input.cells : cellsOfShards(shards, input);
  for (const cell of cells) checkNoMigration(cell, input.current.get(cell), target);
  const isSnapshot = keyspace['keyspace_type'] === SNAPSHOT;
  const check = !(isSnapshot && input.allowPartial && isAtLeast(target, 9));
  return new Map(
    cells.map((cell) => [
      cell,
      writeFields(SRV_KEYSPACE, srvKeyspace(cell, keyspace, shards, check, target)),
    ]),
  );
}

const SRV_KEYSPACE = 'topodata.SrvKeyspace';
/** In topodata.KeyspaceType. */
const SNAPSHOT = 1;

function srvKeyspace(
  cell: string,
  keyspace: MessageFields,
  shards: readonly ShardInfo[],
  check: boolean,
  target: Target,
): MessageFields {
  const partitions = new Map<number, Reference[]>();
  for (const shard of shards) {
    for (const type of typesServed(shard, cell, target)) {
      const references = partitions.get(type) ?? [];
      references.push({ name: shard.name, key_range: shard.keyRange });
      partitions.set(type, references);
    }
  }
  const made: MessageFields = {
    partitions: [...partitions].map(([type, references]) => ({
      served_type: type,
      shard_references: check ? orderAndCheck(references, { type, cell }, target) : references,
    })),
  };
  for (const name of copiedFields(target)) if (keyspace[name] !== undefined) made[name] = keyspace[name];
  if (!isAtLeast(target, 19)) made['served_from'] = servedFrom(keyspace, cell);
  return made;
}

/** Types that a shard serves in a cell, in the order in which the version meets them. */
function typesServed(shard: ShardInfo, cell: string, target: Target): readonly number[] {
  if (isAtLeast(target, 12)) return shard.isPrimaryServing ? SERVING_TYPES : [];
  const served = shard.servedTypes;
  if (isAtLeast(target, 4))
    return shard.isPrimaryServing || served.some(({ tablet_type }) => tablet_type === 1) ? SERVING_TYPES : [];
  return served
    .filter(({ cells }) => cells.length === 0 || cells.includes(cell))
    .map(({ tablet_type }) => tablet_type);
}

/** Fields of Keyspace that stand in SrvKeyspace as they are. */
function copiedFields(target: Target): readonly string[] {
  return [
    ...(isAtLeast(target, 15) ? [] : ['sharding_column_name', 'sharding_column_type']),
    ...(isAtLeast(target, 16, 0, 1) ? ['throttler_config'] : []),
  ];
}

function servedFrom(keyspace: MessageFields, cell: string): unknown[] {
  return list(keyspace['served_froms'])
    .filter((entry) => {
      const cells = list(property(entry, 'cells'));
      return cells.length === 0 || cells.includes(cell);
    })
    .map((entry) => ({ tablet_type: property(entry, 'tablet_type'), keyspace: property(entry, 'keyspace') }));
}

/** Vitess 3 and older know where a keyspace is served only by the cells of its shards. */
function cellsOfShards(
  shards: readonly ShardInfo[],
  { cells, servedFromCells = [] }: KeyspaceGraphInput,
): string[] {
  const known = new Set([...shards.flatMap((shard) => shard.cells), ...servedFromCells]);
  return [...known].filter((cell) => cells.length === 0 || cells.includes(cell)).sort();
}

function checkNoMigration(cell: string, current: Uint8Array | undefined, target: Target): void {
  if (current === undefined || !isAtLeast(target, 4)) return;
  const { json } = decode(SRV_KEYSPACE, current);
  for (const partition of list(json['partitions'])) {
    const controls = list(property(partition, 'shard_tablet_controls'));
    const stops = isAtLeast(target, 10)
      ? controls.some((control) => property(control, 'query_service_disabled') === true)
      : controls.length > 0;
    if (!stops) continue;
    const type = property(partition, 'served_type');
    throw new TopologyError(
      ErrorCode.Guard,
      `can't rebuild serving keyspace while a migration is on going. TabletControls is set for partition ` +
        `${typeof type === 'string' ? type : typeName(0)} in cell ${cell}`,
      {
        hint: 'finish or cancel the resharding first: a rebuild would let the queries through that it holds back',
      },
    );
  }
}
