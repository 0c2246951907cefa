import { rangesIntersect } from '../graph/key-range.js';
import { shardsOf } from '../graph/rebuild.js';
import { readShard, SERVING_TYPES, typeName } from '../graph/shards.js';
import type { Change } from '../topo/changes.js';
import { encode, reencode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { CallOptions } from '../topo/connection.js';
import { checkShardName, keyRangeOfShard } from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import { planMissingKeyspace } from './keyspace.js';
import { exists, findGlobal, globalChange, keyspaceOf, shardOf, shardPath } from './records.js';

/** Options of {@link planCreateShard}. */
export interface ShardOptions extends CallOptions {
  /** Change nothing when there is such a shard already. */
  readonly force: boolean;
  /** Make the keyspace, too, when it is missing. */
  readonly parent: boolean;
}

/**
 * What CreateShard writes: Shard, with the key range in its name, serving unless a shard that is there has no key range or one
 * with keyspace ids in common. To be planned and made while the keyspace is locked, where there is one. InvalidPath for an
 * illegal name; NoNode for an unknown keyspace; NodeExists, unless forced.
 */
export async function planCreateShard(
  topology: Topology,
  keyspace: string,
  shard: string,
  options: ShardOptions,
): Promise<Change[]> {
  checkShardName(shard);
  const above = options.parent
    ? await planMissingKeyspace(topology, keyspace, { ...options, vschema: false })
    : [];
  if (!options.parent) await keyspaceOf(topology, keyspace, options);
  const path = shardPath(keyspace, shard);
  if ((await findGlobal(topology, path, 'topodata.Shard', options)) !== undefined) {
    if (options.force) return above;
    const message = `there is a shard ${keyspace}/${shard} already`;
    throw exists(topology.global.store, path, message, 'with -force it is left alone');
  }
  const after = encode('topodata.Shard', await newShard(topology, keyspace, shard, options));
  return [...above, globalChange(path, undefined, after)];
}

/**
 * The record of a shard that is to be made, in JSON. Vitess of the time of the retired formats gave it the types of tablets that no
 * shard with keyspace ids in common serves.
 */
export async function newShard(
  topology: Topology,
  keyspace: string,
  shard: string,
  options: CallOptions,
): Promise<JsonObject> {
  const range = keyRangeOfShard(shard);
  const others = (await shardsOf(topology.global, keyspace, options))
    .map(readShard)
    .filter(({ keyRange }) => keyRange === undefined || rangesIntersect(keyRange, range));
  if (topology.global.capabilities.form === undefined)
    return { ...keyRangeJson(shard), is_primary_serving: others.length === 0 };
  const served = new Set(others.flatMap(({ servedTypes }) => servedTypes.map((each) => each.tablet_type)));
  const free = SERVING_TYPES.filter((type) => !served.has(type));
  return { ...keyRangeJson(shard), served_types: free.map((type) => ({ tablet_type: typeName(type) })) };
}

/** The field key_range of a record of the shard: absent where its name has none. */
export function keyRangeJson(shard: string): JsonObject {
  const range = keyRangeOfShard(shard);
  if (range === undefined) return {};
  const [start, end] = [range.start, range.end].map((bytes) => Buffer.from(bytes).toString('base64'));
  return { key_range: { start: start ?? '', end: end ?? '' } };
}

/** What SetShardIsPrimaryServing writes; nothing where nothing changes. To be made while the keyspace is locked. NoNode. */
export async function planShardServing(
  topology: Topology,
  keyspace: string,
  shard: string,
  isServing: boolean,
  options: CallOptions,
): Promise<Change[]> {
  const before = await shardOf(topology, keyspace, shard, options);
  const { isPrimaryServing } = readShard({ name: shard, bytes: before.bytes });
  if (isPrimaryServing === isServing) return [];
  const after = reencode('topodata.Shard', before.bytes, (json) => ({
    ...json,
    is_primary_serving: isServing,
  }));
  return [globalChange(shardPath(keyspace, shard), before, after)];
}
