import { planShardRecords, tabletsOf } from '../cells/remove.js';
import { cellStores, shardsOf } from '../graph/rebuild.js';
import { list, property } from '../graph/shards.js';
import type { Change } from '../topo/changes.js';
import { decode } from '../topo/codec.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { find, findDecodable } from '../topo/find.js';
import type { Topology } from '../topo/topology.js';
import { globalChange, keyspaceOf, keyspacePath, shardOf, shardPath, vschemaPath } from './records.js';

/** Options of {@link planDeleteShard}. */
export interface DeleteShardOptions extends CallOptions {
  /** Delete the records of its tablets, too. */
  readonly recursive: boolean;
  /** Delete it although a cell's SrvKeyspace names it. */
  readonly evenIfServing: boolean;
}

/**
 * What DeleteShard deletes: in every cell the shard's ShardReplication and, when recursive, its tablets' records; last the
 * Shard. SrvKeyspace stays as it is. To be made while the shard is locked. NoNode; Guard when it serves or has tablets;
 * Unavailable … when a cell does not answer.
 */
export async function planDeleteShard(
  topology: Topology,
  keyspace: string,
  shard: string,
  options: DeleteShardOptions,
): Promise<Change[]> {
  const before = await shardOf(topology, keyspace, shard, options);
  const changes: Change[] = [];
  for (const { cell, store } of await cellStores(topology, { ...options, cells: [] })) {
    if (!options.evenIfServing) await checkNotServing(store, cell, keyspace, shard, options);
    const tablets = await tabletsOf(store, keyspace, options);
    changes.push(...(await planShardRecords(store, cell, keyspace, shard, tablets, options)));
  }
  return [...changes, globalChange(shardPath(keyspace, shard), before, undefined)];
}

/**
 * What DeleteKeyspace deletes: when recursive its shards with everything in them; in every cell its SrvKeyspace; its VSchema, and
 * last the Keyspace, so that what was stopped can be done again. SrvVSchema stays as it is. To be made while the keyspace and its shards are locked. NoNode; Guard when it has
 * shards; Unavailable … when a cell does not answer.
 */
export async function planDeleteKeyspace(
  topology: Topology,
  keyspace: string,
  options: CallOptions & { readonly recursive: boolean },
): Promise<Change[]> {
  const { global } = topology;
  const before = await keyspaceOf(topology, keyspace, options);
  const shards = await shardsOf(global, keyspace, options);
  if (shards.length > 0 && !options.recursive)
    throw new TopologyError(ErrorCode.Guard, `keyspace ${keyspace} still has ${shards.length} shards`, {
      store: global.store,
      hint: 'delete them first, or add -recursive',
    });
  const changes: Change[] = [];
  for (const { name } of shards)
    changes.push(...(await planDeleteShard(topology, keyspace, name, { ...options, evenIfServing: true })));
  for (const { cell, store } of await cellStores(topology, { ...options, cells: [] })) {
    const path = `keyspaces/${keyspace}/SrvKeyspace`;
    const serving = await find(store, path, options);
    if (serving !== undefined) changes.push({ scope: cell, path, before: serving, after: undefined });
  }
  const vschema = await find(global, vschemaPath(keyspace), options);
  if (vschema !== undefined) changes.push(globalChange(vschemaPath(keyspace), vschema, undefined));
  return [...changes, globalChange(keyspacePath(keyspace), before, undefined)];
}

async function checkNotServing(
  store: Connection,
  cell: string,
  keyspace: string,
  shard: string,
  options: CallOptions,
): Promise<void> {
  const path = `keyspaces/${keyspace}/SrvKeyspace`;
  const serving = await findDecodable(store, path, 'topodata.SrvKeyspace', options);
  if (serving === undefined) return;
  const { json } = decode('topodata.SrvKeyspace', serving.bytes);
  const names = list(json['partitions']).flatMap((partition) =>
    list(property(partition, 'shard_references')).map((reference) => property(reference, 'name')),
  );
  if (!names.includes(shard)) return;
  throw new TopologyError(ErrorCode.Guard, `shard ${keyspace}/${shard} is still serving in cell ${cell}`, {
    path,
    store: store.store,
    hint: 'take it out of the serving graph first, or add -even_if_serving',
  });
}
