import { type Change, checkTakes } from '../topo/changes.js';
import { readFields } from '../topo/codec.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { checkDecodes, find, findDecodable } from '../topo/find.js';
import { compareBytewise } from '../topo/paths.js';
import { type Cell, GLOBAL, type Topology } from '../topo/topology.js';
import { type DerivedRecord, derivedRecord, isRecord, isStale } from './derived.js';
import { writeDerived } from './serving-store.js';
import { list, property, readShard, type ShardRecord } from './shards.js';
import { rebuildSrvKeyspace } from './srv-keyspace.js';
import { rebuildSrvVSchema } from './srv-vschema.js';
import { isAtLeast, type Target } from './target.js';

/** Which part of the serving graph, and how Vitess of which version would make it. */
export interface GraphOptions extends CallOptions {
  readonly target: Target;
  /** Cells to look at; empty: all that the topology has. NoCell for one that it has not. */
  readonly cells: readonly string[];
}

/** {@link GraphOptions} of one keyspace. */
export interface KeyspaceGraphOptions extends GraphOptions {
  readonly allowPartial: boolean;
}

/**
 * What RebuildKeyspaceGraph would write: the SrvKeyspace of each cell beside what is there. Writes nothing. Fails as
 * {@link rebuildSrvKeyspace}; NoNode for a keyspace without Keyspace record, but from Vitess 22 on the records of such a keyspace
 * are deleted in the cells that are named.
 */
export async function planKeyspaceGraph(
  topology: Topology,
  keyspace: string,
  options: KeyspaceGraphOptions,
): Promise<DerivedRecord[]> {
  const { global } = topology;
  const stores = await cellStores(topology, options);
  const path = `keyspaces/${keyspace}/SrvKeyspace`;
  const records = await Promise.all(
    stores.map(async ({ cell, store }) => ({
      cell,
      before: await findDecodable(store, path, 'topodata.SrvKeyspace', options),
    })),
  );
  const place = (cell: string) => ({ cell, path, kind: 'SrvKeyspace' }) as const;
  const record = await findDecodable(global, `keyspaces/${keyspace}/Keyspace`, 'topodata.Keyspace', options);
  if (record === undefined) {
    if (!isAtLeast(options.target, 22) || options.cells.length === 0) throw noKeyspace(global, keyspace);
    return records.map(({ cell, before }) => derivedRecord(place(cell), before, undefined));
  }
  const current = new Map(
    records.flatMap(({ cell, before }) => (before ? [[cell, before.bytes] as const] : [])),
  );
  const made = rebuildSrvKeyspace(
    {
      keyspace: record.bytes,
      shards: await shardsOf(global, keyspace, options),
      cells: stores.map(({ cell }) => cell),
      current,
      allowPartial: options.allowPartial,
      servedFromCells: await servedFromCells(global, record.bytes, options),
    },
    options.target,
  );
  return records.flatMap(({ cell, before }) => {
    const after = made.get(cell);
    return after === undefined ? [] : [derivedRecord(place(cell), before, after)];
  });
}

/** Cells of the shards of keyspaces that a keyspace is served from, which Vitess 3 and older counts as its own. */
async function servedFromCells(
  global: Connection,
  keyspace: Uint8Array,
  options: GraphOptions,
): Promise<string[]> {
  if (isAtLeast(options.target, 4)) return [];
  const froms = list(readFields('topodata.Keyspace', keyspace)['served_froms']);
  const names = new Set(froms.map((entry) => String(property(entry, 'keyspace') ?? '')));
  const shards = await Promise.all([...names].map((name) => shardsOf(global, name, options)));
  return shards.flat().flatMap((shard) => readShard(shard).cells);
}

/**
 * What RebuildVSchemaGraph would write: the SrvVSchema of each cell beside what is there. `pending`: changes to global records that
 * are to be made before. Writes nothing. Corrupt.
 */
export async function planVSchemaGraph(
  topology: Topology,
  options: GraphOptions,
  pending: readonly Change[] = [],
): Promise<DerivedRecord[]> {
  const { global } = topology;
  const stores = await cellStores(topology, options);
  const changed = new Map(pending.filter(({ scope }) => scope === GLOBAL).map((each) => [each.path, each]));
  const bytesOf = async (path: string, message: string) => {
    const change = changed.get(path);
    return change === undefined ? (await findDecodable(global, path, message, options))?.bytes : change.after;
  };
  const keyspaces = await keyspacesAfter(topology, changed.values(), options);
  const vschemas = await Promise.all(
    keyspaces.map(
      async (name) => [name, await bytesOf(`keyspaces/${name}/VSchema`, 'vschema.Keyspace')] as const,
    ),
  );
  const [routingRules, shardRoutingRules, keyspaceRoutingRules, mirrorRules] = await Promise.all([
    bytesOf('RoutingRules', 'vschema.RoutingRules'),
    bytesOf('ShardRoutingRules', 'vschema.ShardRoutingRules'),
    bytesOf('routing_rules/keyspace/Rules', 'vschema.KeyspaceRoutingRules'),
    bytesOf('MirrorRules', 'vschema.MirrorRules'),
  ]);
  const after = rebuildSrvVSchema(
    { vschemas: new Map(vschemas), routingRules, shardRoutingRules, keyspaceRoutingRules, mirrorRules },
    options.target,
  );
  return Promise.all(
    stores.map(async ({ cell, store }) => {
      const before = await find(store, 'SrvVSchema', options);
      return derivedRecord({ cell, path: 'SrvVSchema', kind: 'SrvVSchema' }, before, after);
    }),
  );
}

/**
 * Writes what a plan says, where it changes what a record means; nothing where {@link checkGraph} refuses a record. Each write depends on the state
 * that the plan saw: BadVersion, NodeExists or NoNode when a record moved. Answers with what was written.
 */
export async function applyGraph(
  topology: Topology,
  planned: readonly DerivedRecord[],
  options: GraphOptions,
): Promise<DerivedRecord[]> {
  const stores = await checkGraph(topology, planned, options);
  const stale = planned.filter(isStale);
  for (const record of stale) {
    const store = stores.get(record.cell);
    if (store !== undefined) await writeDerived(store, record, options);
  }
  return stale;
}

/** Refuses what the stores of the cells do not take, as {@link checkTakes} does, before anything is written. Answers with these stores. */
export async function checkGraph(
  topology: Topology,
  planned: readonly DerivedRecord[],
  options: GraphOptions,
): Promise<ReadonlyMap<string, Connection>> {
  const stores = new Map((await cellStores(topology, options)).map(({ cell, store }) => [cell, store]));
  for (const record of planned.filter(isStale)) {
    const store = stores.get(record.cell);
    if (store !== undefined && isRecord(record)) checkTakes(store, record);
  }
  return stores;
}

/** Keyspaces of a topology: directories below `keyspaces`, also those without a Keyspace record. */
export function keyspacesOf(topology: Topology, options: CallOptions): Promise<string[]> {
  return namesIn(topology.global, 'keyspaces', options);
}

/** {@link keyspacesOf}, once changes are made that create records. */
async function keyspacesAfter(
  topology: Topology,
  changes: Iterable<Change>,
  options: CallOptions,
): Promise<string[]> {
  const created = [...changes].flatMap(({ path, after }) => {
    const [, name] = /^keyspaces\/([^/]+)\//.exec(path) ?? [];
    return name === undefined || after === undefined ? [] : [name];
  });
  return [...new Set([...(await keyspacesOf(topology, options)), ...created])].sort(compareBytewise);
}

async function namesIn(store: Connection, dir: string, options: CallOptions): Promise<string[]> {
  try {
    const entries = await store.listDirFull(dir, options);
    return entries.filter(({ type }) => type === 'directory').map(({ name }) => name);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  }
}

/** Shards of a keyspace that have a Shard record. Corrupt, naming it, for one that does not decode. */
export async function shardsOf(
  global: Connection,
  keyspace: string,
  options: CallOptions,
): Promise<ShardRecord[]> {
  const dir = `keyspaces/${keyspace}/shards`;
  const shards: ShardRecord[] = [];
  for await (const { records } of global.scan(dir, options)) {
    for (const { path, ...value } of records) {
      const [name = '', file, ...deeper] = path.slice(dir.length + 1).split('/');
      if (file !== 'Shard' || deeper.length > 0) continue;
      checkDecodes(global, path, 'topodata.Shard', value);
      shards.push({ name, bytes: value.bytes });
    }
  }
  return shards;
}

/** The local stores of the cells that are asked for. NoCell for one that the topology has not. */
export async function cellStores(
  topology: Topology,
  options: Pick<GraphOptions, 'cells' | 'signal' | 'deadline'>,
): Promise<{ readonly cell: string; readonly store: Connection }[]> {
  const chosen =
    options.cells.length === 0
      ? await topology.cells(options)
      : await Promise.all(
          [...new Set(options.cells)].sort(compareBytewise).map((name) => cellNamed(topology, name, options)),
        );
  return Promise.all(chosen.map(async (cell) => ({ cell: cell.name, store: await topology.cell(cell) })));
}

/** A cell, whatever the CellInfo of the others may be. */
async function cellNamed(topology: Topology, name: string, options: CallOptions): Promise<Cell> {
  const cell = await topology.locate(name, options);
  if (cell !== undefined) return cell;
  const known = (await topology.cells(options)).map((each) => each.name);
  throw new TopologyError(ErrorCode.NoCell, `the topology has no cell ${name}`, {
    store: topology.global.store,
    hint: `it has ${known.join(', ') || 'no cells at all'}`,
  });
}

function noKeyspace(global: Connection, keyspace: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such keyspace', {
    path: `keyspaces/${keyspace}/Keyspace`,
    store: global.store,
    hint: 'topo2topo ls ADDRESS keyspaces lists them',
  });
}
