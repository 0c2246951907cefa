/**
 * The fields that the JSON of the proto structs has, from the first alpha of Vitess 2.0 (June 2015) to 2.1 (2017), by message. What is
 * not here came later, and Vitess of the time drops it from a record as soon as it writes it.
 */
export const HELD_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'topodata.KeyRange': ['start', 'end'],
  'topodata.TabletAlias': ['cell', 'uid'],
  'topodata.Keyspace': ['sharding_column_name', 'sharding_column_type', 'split_shard_count', 'served_froms'],
  'topodata.Keyspace.ServedFrom': ['tablet_type', 'cells', 'keyspace'],
  'topodata.Shard': [
    'primary_alias',
    'key_range',
    'served_types',
    'source_shards',
    'cells',
    'tablet_controls',
  ],
  'topodata.Shard.ServedType': ['tablet_type', 'cells'],
  'topodata.Shard.SourceShard': ['uid', 'keyspace', 'shard', 'key_range', 'tables'],
  'topodata.Shard.TabletControl': ['tablet_type', 'cells', 'disable_query_service', 'denied_tables'],
  'topodata.Tablet': [
    ...['alias', 'hostname', 'ip', 'port_map', 'keyspace', 'shard', 'key_range', 'type'],
    ...['db_name_override', 'tags', 'health_map'],
  ],
  'topodata.ShardReplication': ['nodes'],
  'topodata.ShardReplication.Node': ['tablet_alias'],
  'topodata.SrvKeyspace': [
    ...['partitions', 'sharding_column_name', 'sharding_column_type', 'served_from', 'split_shard_count'],
  ],
  'topodata.SrvKeyspace.KeyspacePartition': ['served_type', 'shard_references'],
  'topodata.SrvKeyspace.ServedFrom': ['tablet_type', 'keyspace'],
  'topodata.ShardReference': ['name', 'key_range'],
  'topodata.SrvShard': ['name', 'key_range', 'master_cell'],
  'topodata.EndPoints': ['entries'],
  'topodata.EndPoint': ['uid', 'host', 'port_map', 'health_map'],
  'vschema.Keyspace': ['sharded', 'vindexes', 'tables'],
  'vschema.Vindex': ['type', 'params', 'owner'],
  'vschema.Table': ['type', 'column_vindexes', 'auto_increment'],
  'vschema.ColumnVindex': ['column', 'name'],
  'vschema.AutoIncrement': ['column', 'sequence'],
  'vschema.SrvVSchema': ['keyspaces'],
};

/** Names that fields had at the time, by `message.field`. */
export const NAMES_THEN: Readonly<Record<string, string>> = {
  'topodata.Shard.primary_alias': 'master_alias',
  'topodata.Shard.is_primary_serving': 'is_master_serving',
  'topodata.Shard.primary_term_start_time': 'master_term_start_time',
  'topodata.Shard.TabletControl.denied_tables': 'blacklisted_tables',
  'topodata.Tablet.primary_term_start_time': 'master_term_start_time',
};

/** Further names that some weeks of 2015 had. */
export const OTHER_NAMES: Readonly<Record<string, string>> = {
  'topodata.Shard.served_types': 'served_type_map',
  'topodata.Shard.tablet_controls': 'tablet_control_map',
  'topodata.Keyspace.served_froms': 'served_from_map',
  'topodata.ShardReplication.nodes': 'replication_links',
};
