import { property } from '../graph/shards.js';
import type { Change } from '../topo/changes.js';
import { decode, encode, reencode } from '../topo/codec.js';
import type { Json } from '../topo/codec-json.js';
import type { CallOptions, Value } from '../topo/connection.js';
import type { TabletAlias } from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import { findLocal, replicationPath } from './records.js';

/** A tablet of a shard, whose entry is in ShardReplication of its cell. */
export interface ReplicationEntry {
  readonly alias: TabletAlias;
  readonly keyspace: string;
  readonly shard: string;
}

/** What adds a tablet to its shard's ShardReplication; nothing when it is there. NoCell; Corrupt. */
export async function planAddReplication(
  topology: Topology,
  entry: ReplicationEntry,
  options: CallOptions,
): Promise<Change[]> {
  const before = await replicationOf(topology, entry, options);
  const node = { tablet_alias: { ...entry.alias } };
  if (before === undefined) return [changed(entry, before, encode(REPLICATION, { nodes: [node] }))];
  const nodes = nodesOf(before);
  if (nodes.some((each) => isNodeOf(each, entry))) return [];
  return [changed(entry, before, withNodes(before, [...nodes, node]))];
}

/** What takes a tablet from a shard's ShardReplication; nothing when it is not there. NoCell; Corrupt. */
export async function planRemoveReplication(
  topology: Topology,
  entry: ReplicationEntry,
  options: CallOptions,
): Promise<Change[]> {
  const before = await replicationOf(topology, entry, options);
  if (before === undefined) return [];
  const nodes = nodesOf(before);
  const left = nodes.filter((each) => !isNodeOf(each, entry));
  return left.length === nodes.length ? [] : [changed(entry, before, withNodes(before, left))];
}

/** Whether a TabletAlias in JSON is this one. */
export function isNamed(json: unknown, { cell, uid }: TabletAlias): boolean {
  return property(json, 'cell') === cell && Number(property(json, 'uid') ?? 0) === uid;
}

const REPLICATION = 'topodata.ShardReplication';

function replicationOf(
  topology: Topology,
  { alias, keyspace, shard }: ReplicationEntry,
  options: CallOptions,
): Promise<Value | undefined> {
  return findLocal(topology, alias.cell, replicationPath(keyspace, shard), REPLICATION, options);
}

function changed(
  { alias, keyspace, shard }: ReplicationEntry,
  before: Value | undefined,
  after: Uint8Array,
): Change {
  return { scope: alias.cell, path: replicationPath(keyspace, shard), before, after };
}

function isNodeOf(node: Json, { alias }: ReplicationEntry): boolean {
  return isNamed(property(node, 'tablet_alias'), alias);
}

function nodesOf({ bytes }: Value): Json[] {
  const { nodes } = decode(REPLICATION, bytes).json;
  return Array.isArray(nodes) ? nodes : [];
}

function withNodes({ bytes }: Value, nodes: Json[]): Uint8Array {
  return reencode(REPLICATION, bytes, (json) => ({ ...json, nodes }));
}
