import { list, property, SERVING_TYPES, typeName } from '../graph/shards.js';
import type { Change } from '../topo/changes.js';
import { reencode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { findDecodable } from '../topo/find.js';

/** What the lock of the keyspace says while a shard is taken from SrvKeyspace: Vitess's own words. */
export const REMOVE_SERVING_ACTION = 'Locking keyspace to remove shard from SrvKeyspace';

/**
 * What takes a shard from the SrvKeyspace of a cell, as RemoveShardCell does (DeleteSrvKeyspacePartitions in
 * go/vt/topo/srv_keyspace.go): by its name, from the partitions of all types that are served; partitions stay, be they empty.
 * Nothing where it is in none. Corrupt; Usage when fields that this version does not know would lose their place.
 */
export async function planRemoveServing(
  store: Connection,
  cell: string,
  keyspace: string,
  shard: string,
  options: CallOptions,
): Promise<Change[]> {
  const path = `keyspaces/${keyspace}/SrvKeyspace`;
  const before = await findDecodable(store, path, SRV_KEYSPACE, options);
  if (before === undefined) return [];
  let isServing = false;
  const after = reencode(SRV_KEYSPACE, before.bytes, (json) => {
    const partitions = list(json['partitions']).filter(isObject);
    isServing = partitions.some((partition) => isServed(partition) && referencesTo(partition, shard) > 0);
    return { ...json, partitions: partitions.map((partition) => without(partition, shard)) };
  });
  return isServing ? [{ scope: cell, path, before, after }] : [];
}

const SRV_KEYSPACE = 'topodata.SrvKeyspace';
const SERVED: ReadonlySet<unknown> = new Set(SERVING_TYPES.map(typeName));

function isServed(partition: JsonObject): boolean {
  return SERVED.has(partition['served_type']);
}

function referencesTo(partition: JsonObject, shard: string): number {
  return list(partition['shard_references']).filter((each) => property(each, 'name') === shard).length;
}

function without(partition: JsonObject, shard: string): JsonObject {
  if (!isServed(partition)) return partition;
  const references = list(partition['shard_references']).filter(isObject);
  return { ...partition, shard_references: references.filter(({ name }) => name !== shard) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
