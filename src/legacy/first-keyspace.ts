import type { Json, JsonObject } from '../topo/codec-json.js';
import type { FirstObject } from './first-object.js';
import { misfit, readText } from './second-scalars.js';

/** A Keyspace of generation 1, in canonical JSON. ServedFromMap, later than ServedFrom, names the cells and counts where both are there. */
export function readFirstKeyspace(keyspace: FirstObject): JsonObject {
  const everywhere = servedFrom(keyspace);
  const byType = keyspace.byType('ServedFromMap', (tablet_type, value, at): JsonObject => {
    const from = keyspace.inside(at, value);
    const served = { tablet_type, cells: from.texts('Cells'), keyspace: from.text('Keyspace') };
    from.rest();
    return served;
  });
  keyspace.derive('TabletTypes', 'types of the tablets that the keyspace has');
  const json = { ...shardingColumn(keyspace), served_froms: byType ?? everywhere };
  keyspace.rest();
  return json;
}

/** The field ServedFrom, which maps types of tablets to keyspaces. */
export function servedFrom(object: FirstObject): JsonObject[] {
  const read = (tablet_type: number, value: Json, at: string): JsonObject => ({
    tablet_type,
    keyspace: readText(value, at),
  });
  return object.byType('ServedFrom', read) ?? [];
}

/** The fields that Keyspace and SrvKeyspace have of the column by which rows are sharded. */
export function shardingColumn(object: FirstObject): JsonObject {
  const name = object.text('ShardingColumnName');
  const type = COLUMN_TYPES.get(object.text('ShardingColumnType'));
  if (type === undefined) throw misfit(object.at('ShardingColumnType'), 'it is no type of a keyspace id');
  return {
    sharding_column_name: name,
    sharding_column_type: type,
    split_shard_count: object.integer('SplitShardCount', -(2 ** 31), 2 ** 31 - 1),
  };
}

/** topodata.KeyspaceIdType, by the words of go/vt/key. */
const COLUMN_TYPES: ReadonlyMap<string, number> = new Map([
  ['', 0],
  ['uint64', 1],
  ['bytes', 2],
]);
