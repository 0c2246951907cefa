import { list, property } from '../graph/shards.js';
import { type Change, cellStore } from '../topo/changes.js';
import { decode } from '../topo/codec.js';
import type { CallOptions, Connection, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { checkDecodes, find, findDecodable } from '../topo/find.js';
import { formatTabletAlias } from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import type { CellOptions } from './info.js';
import { getCellInfo, namesIn } from './read.js';
import { planRemoveServing } from './remove-serving.js';

/** Options of the plans that take a keyspace or a shard from a cell. */
export interface RemoveOptions extends CellOptions {
  /** Delete the tablets' records, too. */
  readonly recursive: boolean;
}

/**
 * What RemoveShardCell writes: the ShardReplication of the shard in the cell is deleted, with `recursive` the Tablet records, too;
 * then the shard is taken from the cell's SrvKeyspace, for which Vitess locks the keyspace. NoCell;
 * NoNode for an unknown shard; Guard when the shard's primary is in the cell, or, without `recursive`, tablets are;
 * Unavailable … when the cell's store does not answer, in which case nothing is left to delete when forced.
 */
export async function planRemoveShardCell(
  topology: Topology,
  keyspace: string,
  shard: string,
  cell: string,
  options: RemoveOptions,
): Promise<Change[]> {
  await getCellInfo(topology, cell, options);
  if (!(await checkPrimary(topology, keyspace, shard, cell, options))) {
    const path = `keyspaces/${keyspace}/shards/${shard}/Shard`;
    throw unknown(topology.global, path, `there is no shard ${keyspace}/${shard}`);
  }
  const store = await storeUnlessGone(topology, cell, options);
  if (store === undefined) return [];
  const tablets = await tabletsOf(store, keyspace, options);
  return [
    ...(await planShardRecords(store, cell, keyspace, shard, tablets, options)),
    ...(await planRemoveServing(store, cell, keyspace, shard, options)),
  ];
}

/**
 * What RemoveKeyspaceCell deletes: the same records of every shard, and the SrvKeyspace of the keyspace in the cell. NoNode for an
 * unknown keyspace; the rest as {@link planRemoveShardCell}.
 */
export async function planRemoveKeyspaceCell(
  topology: Topology,
  keyspace: string,
  cell: string,
  options: RemoveOptions,
): Promise<Change[]> {
  await getCellInfo(topology, cell, options);
  const { global } = topology;
  const dir = `keyspaces/${keyspace}`;
  const shards = await namesIn(global, `${dir}/shards`, options);
  const path = `${dir}/Keyspace`;
  // Shards whose keyspace has no record are what a failed deletion leaves behind.
  if (shards.length === 0 && (await find(global, path, options)) === undefined)
    throw unknown(global, path, `there is no keyspace ${keyspace}`);
  for (const shard of shards) await checkPrimary(topology, keyspace, shard, cell, options);
  const store = await storeUnlessGone(topology, cell, options);
  if (store === undefined) return [];
  const tablets = await tabletsOf(store, keyspace, options);
  // The cell may know shards that the global store has no longer.
  const local = await namesIn(store, `${dir}/shards`, options);
  const changes: Change[] = [];
  for (const shard of new Set([...shards, ...local]))
    changes.push(...(await planShardRecords(store, cell, keyspace, shard, tablets, options)));
  const serving = await find(store, `${dir}/SrvKeyspace`, options);
  return serving === undefined
    ? changes
    : [...changes, { scope: cell, path: `${dir}/SrvKeyspace`, before: serving, after: undefined }];
}

/** A Tablet record of a cell. */
export interface FoundTablet {
  readonly shard: string;
  readonly path: string;
  readonly value: Value;
}

/**
 * What is deleted of a shard in a cell: the records of its tablets, and its ShardReplication. Guard, without `recursive`, when there
 * are tablets; Corrupt.
 */
export async function planShardRecords(
  store: Connection,
  cell: string,
  keyspace: string,
  shard: string,
  tablets: readonly FoundTablet[],
  options: Pick<RemoveOptions, 'recursive' | 'signal' | 'deadline'>,
): Promise<Change[]> {
  const path = `keyspaces/${keyspace}/shards/${shard}/ShardReplication`;
  const replication = await findDecodable(store, path, 'topodata.ShardReplication', options);
  const own = tablets.filter((tablet) => tablet.shard === shard);
  const listed = replication === undefined ? [] : nodesOf(replication);
  const names = new Set([...own.map((tablet) => tablet.path.split('/')[1] ?? ''), ...listed]);
  if (names.size > 0 && !options.recursive) {
    throw new TopologyError(
      ErrorCode.Guard,
      `shard ${keyspace}/${shard} has ${names.size} tablets in cell ${cell}: ${[...names].slice(0, 5).join(', ')}${names.size > 5 ? ' …' : ''}`,
      {
        store: store.store,
        hint: 'stop and delete them first; --recursive deletes their records, after which a vttablet that runs ends itself',
      },
    );
  }
  const deleted = own.map(({ path: of, value }) => ({ path: of, before: value }));
  if (replication !== undefined) deleted.push({ path, before: replication });
  return deleted.map((record) => ({ scope: cell, ...record, after: undefined }));
}

/** Tablets that a ShardReplication names, whether they have a record or not. */
function nodesOf({ bytes }: Value): string[] {
  const { json } = decode('topodata.ShardReplication', bytes);
  return list(json['nodes']).map((node) => {
    const alias = property(node, 'tablet_alias');
    return formatTabletAlias({
      cell: String(property(alias, 'cell') ?? ''),
      uid: Number(property(alias, 'uid') ?? 0),
    });
  });
}

/** Tablets of a keyspace by their own records: one that no ShardReplication names is a tablet, too. */
export async function tabletsOf(
  store: Connection,
  keyspace: string,
  options: CallOptions,
): Promise<FoundTablet[]> {
  const found: FoundTablet[] = [];
  for await (const { records } of store.scan('tablets', options)) {
    for (const { path, ...value } of records) {
      if (!/^tablets\/[^/]+\/Tablet$/.test(path)) continue;
      checkDecodes(store, path, 'topodata.Tablet', value);
      const { json } = decode('topodata.Tablet', value.bytes);
      if (json['keyspace'] === keyspace) found.push({ shard: String(json['shard'] ?? ''), path, value });
    }
  }
  return found;
}

/** Guard when the shard's primary is in the cell. Answers whether there is such a shard. */
async function checkPrimary(
  topology: Topology,
  keyspace: string,
  shard: string,
  cell: string,
  options: RemoveOptions,
): Promise<boolean> {
  const path = `keyspaces/${keyspace}/shards/${shard}/Shard`;
  const { global } = topology;
  const record = await findDecodable(global, path, 'topodata.Shard', options);
  // A shard directory without record is what a failed deletion leaves behind.
  if (record === undefined) return false;
  const { json } = decode('topodata.Shard', record.bytes);
  if (property(json['primary_alias'], 'cell') !== cell) return true;
  throw new TopologyError(ErrorCode.Guard, `the primary of shard ${keyspace}/${shard} is in cell ${cell}`, {
    path,
    store: global.store,
    hint: 'make a tablet of another cell the primary first (PlannedReparentShard)',
  });
}

/** The cell's store; undefined when it does not answer and that is accepted. */
async function storeUnlessGone(
  topology: Topology,
  cell: string,
  options: RemoveOptions,
): Promise<Connection | undefined> {
  try {
    return await cellStore(topology, cell, options);
  } catch (error) {
    if (options.force && isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout, ErrorCode.NoCell))
      return undefined;
    throw error;
  }
}

function unknown(store: Connection, path: string, message: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, message, {
    path,
    store: store.store,
    hint: 'topo2topo ls ADDRESS keyspaces lists them',
  });
}
