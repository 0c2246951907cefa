import type { Type } from 'protobufjs';
import type { Json, JsonObject } from '../../src/topo/codec-json.js';
import { messageName, submessage } from '../../src/topo/codec-schema.js';
import { showKey } from '../../src/topo/diff-show.js';

/**
 * Fields that JSON of the proto structs has, written by hand from the field tables of Vitess 2.0 and 2.1 and on purpose not taken from the product's
 * own table: by message without package, with the names of today.
 */
export const HELD: Readonly<Record<string, string>> = {
  'topodata.KeyRange': 'start end',
  'topodata.TabletAlias': 'cell uid',
  'topodata.Keyspace': 'sharding_column_name sharding_column_type split_shard_count served_froms',
  'topodata.Keyspace.ServedFrom': 'tablet_type cells keyspace',
  'topodata.Shard': 'primary_alias key_range served_types source_shards cells tablet_controls',
  'topodata.Shard.ServedType': 'tablet_type cells',
  'topodata.Shard.SourceShard': 'uid keyspace shard key_range tables',
  'topodata.Shard.TabletControl': 'tablet_type cells disable_query_service denied_tables',
  'topodata.Tablet':
    'alias hostname ip port_map keyspace shard key_range type db_name_override tags health_map',
  'topodata.ShardReplication': 'nodes',
  'topodata.ShardReplication.Node': 'tablet_alias',
  'topodata.SrvKeyspace':
    'partitions sharding_column_name sharding_column_type served_from split_shard_count',
  'topodata.SrvKeyspace.KeyspacePartition': 'served_type shard_references',
  'topodata.SrvKeyspace.ServedFrom': 'tablet_type keyspace',
  'topodata.ShardReference': 'name key_range',
  'topodata.SrvShard': 'name key_range master_cell',
  'topodata.EndPoints': 'entries',
  'topodata.EndPoint': 'uid host port_map health_map',
  'vschema.Keyspace': 'sharded vindexes tables',
  'vschema.Vindex': 'type params owner',
  'vschema.Table': 'type column_vindexes auto_increment',
  'vschema.ColumnVindex': 'column name',
  'vschema.AutoIncrement': 'column sequence',
  'vschema.SrvVSchema': 'keyspaces',
};

/** A record without the fields that came later, and the paths of those that were taken out. */
export function heldPart(type: Type, json: JsonObject, prefix = ''): { held: JsonObject; newer: string[] } {
  const names = (HELD[messageName(type)] ?? '').split(' ');
  const newer: string[] = [];
  const held = Object.entries(json).flatMap(([name, value]): [string, Json][] => {
    if (!names.includes(name)) {
      newer.push(`${prefix}${name}`);
      return [];
    }
    const field = type.fields[name];
    const inner = field === undefined ? undefined : submessage(field);
    if (field === undefined || inner === undefined) return [[name, value]];
    const part = (each: Json, at: string): Json => {
      if (typeof each !== 'object' || each === null || Array.isArray(each))
        throw new Error(`${at} is no message`);
      const found = heldPart(inner, each, `${at}.`);
      newer.push(...found.newer);
      return found.held;
    };
    const at = `${prefix}${name}`;
    if (Array.isArray(value)) return [[name, value.map((each, i) => part(each, `${at}[${i}]`))]];
    if (!field.map) return [[name, part(value, at)]];
    const entries = Object.entries(value ?? {}).map(([key, each]) => [
      key,
      part(each, `${at}[${showKey([key])}]`),
    ]);
    return [[name, Object.fromEntries(entries)]];
  });
  return { held: Object.fromEntries(held), newer };
}
