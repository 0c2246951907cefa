import { type Change, cellStore } from '../topo/changes.js';
import type { CallOptions, Value } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { findDecodable } from '../topo/find.js';
import { formatTabletAlias, type TabletAlias } from '../topo/names.js';
import { GLOBAL, type Topology } from '../topo/topology.js';

/** Path of a keyspace's record in the global store. */
export function keyspacePath(keyspace: string): string {
  return `keyspaces/${keyspace}/Keyspace`;
}

/** Path of a keyspace's VSchema in the global store. */
export function vschemaPath(keyspace: string): string {
  return `keyspaces/${keyspace}/VSchema`;
}

/** Path of a shard's record in the global store. */
export function shardPath(keyspace: string, shard: string): string {
  return `keyspaces/${keyspace}/shards/${shard}/Shard`;
}

/** Path of a tablet's record in its cell. */
export function tabletPath(alias: TabletAlias): string {
  return `tablets/${formatTabletAlias(alias)}/Tablet`;
}

/** Path of the list of a shard's tablets in a cell. */
export function replicationPath(keyspace: string, shard: string): string {
  return `keyspaces/${keyspace}/shards/${shard}/ShardReplication`;
}

/** A record of the global store, undefined when there is none. Corrupt when it does not decode. */
export function findGlobal(
  topology: Topology,
  path: string,
  message: string,
  options: CallOptions,
): Promise<Value | undefined> {
  return findDecodable(topology.global, path, message, options);
}

/** A record of a cell's store, undefined when there is none. NoCell; Corrupt when it does not decode. */
export async function findLocal(
  topology: Topology,
  cell: string,
  path: string,
  message: string,
  options: CallOptions,
): Promise<Value | undefined> {
  return findDecodable(await cellStore(topology, cell, options), path, message, options);
}

/** A Keyspace record. NoNode for an unknown keyspace. */
export async function keyspaceOf(topology: Topology, keyspace: string, options: CallOptions): Promise<Value> {
  const path = keyspacePath(keyspace);
  const found = await findGlobal(topology, path, 'topodata.Keyspace', options);
  if (found !== undefined) return found;
  throw missing(topology, path, `there is no keyspace ${keyspace}`, 'CreateKeyspace makes it');
}

/** A Shard record. NoNode for an unknown shard. */
export async function shardOf(
  topology: Topology,
  keyspace: string,
  shard: string,
  options: CallOptions,
): Promise<Value> {
  const path = shardPath(keyspace, shard);
  const found = await findGlobal(topology, path, 'topodata.Shard', options);
  if (found !== undefined) return found;
  throw missing(topology, path, `there is no shard ${keyspace}/${shard}`, 'CreateShard makes it');
}

/** A change of the global store. */
export function globalChange(path: string, before: Value | undefined, after: Uint8Array | undefined): Change {
  return { scope: GLOBAL, path, before, after };
}

/** NoNode, for a record of the global store. */
export function missing(topology: Topology, path: string, message: string, hint: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, message, { path, store: topology.global.store, hint });
}

/** NodeExists, for a record of the global store or a cell. */
export function exists(store: string, path: string, message: string, hint: string): TopologyError {
  return new TopologyError(ErrorCode.NodeExists, message, { path, store, hint });
}
