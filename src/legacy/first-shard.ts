import type { Json, JsonObject } from '../topo/codec-json.js';
import { type FirstObject, MAX_UID } from './first-object.js';
import { firstRange } from './first-range.js';

/**
 * A Shard of generation 1, in canonical JSON. ServedTypesMap and TabletControlMap, later than the lists, name the cells of each type and
 * count where both are there.
 */
export function readFirstShard(shard: FirstObject, name: string): JsonObject {
  const primary = shard.alias('MasterAlias');
  const keyRange = firstRange(shard, name);
  const types = shard.types('ServedTypes').map((tablet_type): JsonObject => ({ tablet_type }));
  const byType = shard.byType('ServedTypesMap', (tablet_type, value, at): JsonObject => {
    const served = shard.inside(at, value);
    const cells = served.texts('Cells');
    served.rest();
    return { tablet_type, cells };
  });
  const json = {
    ...(primary === undefined ? {} : { primary_alias: { ...primary } }),
    ...(keyRange === undefined ? {} : { key_range: keyRange }),
    served_types: byType ?? types,
    source_shards: shard.objects('SourceShards').map(sourceShard),
    cells: shard.texts('Cells'),
    tablet_controls:
      shard.byType('TabletControlMap', (type, value, at) => control(shard, type, value, at)) ?? [],
  };
  shard.rest();
  return json;
}

function sourceShard(source: FirstObject): JsonObject {
  const name = source.text('Shard');
  const keyspace = source.text('Keyspace');
  const uid = source.integer('Uid', 0, MAX_UID);
  const tables = source.texts('Tables');
  const keyRange = firstRange(source, tables.length > 0 ? '' : name);
  source.rest();
  return { uid, keyspace, shard: name, tables, ...(keyRange === undefined ? {} : { key_range: keyRange }) };
}

function control(shard: FirstObject, tablet_type: number, value: Json, at: string): JsonObject {
  const from = shard.inside(at, value);
  const cells = from.texts('Cells');
  const disable_query_service = from.flag('DisableQueryService');
  const denied_tables = from.texts('BlacklistedTables');
  from.rest();
  return { tablet_type, cells, disable_query_service, denied_tables };
}
