import { readFields, writeFields } from '../topo/codec.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { find, findDecodable } from '../topo/find.js';
import type { ServingGraph } from '../topo/serving-graph.js';
import type { Topology } from '../topo/topology.js';
import { type DerivedRecord, derivedRecord } from './derived.js';
import { cellStores, type GraphOptions, shardsOf } from './rebuild.js';
import { servingOf } from './serving-store.js';
import { rebuildShardGraph, type ShardCell, tabletsOf } from './shard-graph.js';
import { list, property, readShard, type ShardRecord } from './shards.js';

/** A cell, and its serving graph. */
interface ServingCell {
  readonly cell: string;
  readonly store: Connection;
  readonly serving: ServingGraph;
}

/**
 * What RebuildShardGraph would write for the shards of a keyspace: SrvShard and EndPoints in each cell that the Shard names, beside what is there. What is
 * of no use is deleted: EndPoints of types that serve no longer, and everything of a shard that has no Shard record. Writes nothing. Unsupported
 * where the stores have no such things; else as {@link rebuildShardGraph}.
 */
export async function planShardGraphs(
  topology: Topology,
  keyspace: string,
  options: GraphOptions,
): Promise<DerivedRecord[]> {
  const cells = (await cellStores(topology, options)).map((each) => ({
    ...each,
    serving: servingOf(each.store),
  }));
  const shards = await shardsOf(topology.global, keyspace, options);
  const planned: DerivedRecord[] = [];
  for (const shard of shards) planned.push(...(await planShard(cells, keyspace, shard, options)));
  const known = new Set(shards.map(({ name }) => name));
  for (const cell of cells) {
    const names = await cell.serving.list(`ns/${keyspace}`, options);
    for (const name of names)
      if (!known.has(name)) planned.push(...(await withoutShard(cell, `ns/${keyspace}/${name}`, options)));
  }
  return planned;
}

async function planShard(
  cells: readonly ServingCell[],
  keyspace: string,
  shard: ShardRecord,
  options: GraphOptions,
): Promise<DerivedRecord[]> {
  const named = new Set(readShard(shard).cells);
  const current = new Map(
    await Promise.all(
      cells
        .filter(({ cell }) => named.has(cell))
        .map(async (each) => [each.cell, await readCell(each, keyspace, shard, options)] as const),
    ),
  );
  const graphs = rebuildShardGraph({ keyspace, shard, cells: options.cells, current });
  const planned: DerivedRecord[] = [];
  for (const [cell, { records, deletions }] of graphs) {
    const serving = cells.find((each) => each.cell === cell)?.serving;
    if (serving === undefined) continue;
    for (const { path, bytes } of records)
      planned.push(derived(cell, path, await serving.read(path, options), bytes));
    for (const path of deletions) {
      const before = await serving.read(path, options);
      if (before !== undefined) planned.push(derived(cell, path, before, undefined));
    }
  }
  return planned;
}

async function readCell(
  { cell, store, serving }: ServingCell,
  keyspace: string,
  shard: ShardRecord,
  options: CallOptions,
): Promise<ShardCell> {
  const path = `keyspaces/${keyspace}/shards/${shard.name}/ShardReplication`;
  const [replication, present] = await Promise.all([
    findDecodable(store, path, 'topodata.ShardReplication', options),
    serving.list(`ns/${keyspace}/${shard.name}`, options),
  ]);
  const tablets = new Map<string, Uint8Array>();
  for (const alias of tabletsOf(cell, replication?.bytes, shard)) {
    const tablet = await find(store, `tablets/${alias}/Tablet`, options);
    if (tablet !== undefined) tablets.set(alias, tablet.bytes);
  }
  return { replication: replication?.bytes, tablets, present };
}

/** Deletions of everything of a shard that there is no more, EndPoints first. */
async function withoutShard(
  { cell, serving }: ServingCell,
  dir: string,
  options: CallOptions,
): Promise<DerivedRecord[]> {
  const types = await serving.list(dir, options);
  const paths = [...types.map((type) => `${dir}/${type}`), dir];
  const found = await Promise.all(
    paths.map(async (path) => ({ path, before: await serving.read(path, options) })),
  );
  return found.flatMap(({ path, before }) =>
    before === undefined ? [] : [derived(cell, path, before, undefined)],
  );
}

function derived(
  cell: string,
  path: string,
  before: DerivedRecord['before'],
  after: Uint8Array | undefined,
): DerivedRecord {
  const kind = path.split('/').length === 3 ? 'SrvShard' : 'EndPoints';
  return derivedRecord({ cell, path, kind }, before, after, kind === 'EndPoints' ? byUid : undefined);
}

/** EndPoints with their entries in the order of uids, as they are made here; Vitess wrote them in any. */
function byUid(bytes: Uint8Array): Uint8Array {
  const message = 'topodata.EndPoints';
  const uidOf = (entry: unknown) => Number(property(entry, 'uid') ?? 0);
  const entries = list(readFields(message, bytes)['entries']).sort((a, b) => uidOf(a) - uidOf(b));
  return writeFields(message, { entries });
}
