/**
 * What the comparison must find, written by hand from what Vitess makes of the fields (which lists are sets, what names an
 * element, what processes read a field for), and on purpose not taken from the tables of the product.
 */

/** What names the elements of a list whose order means nothing, by `message.field`; an empty list: a set of plain values. */
export const UNORDERED: Readonly<Record<string, readonly string[]>> = {
  'CellsAlias.cells': [],
  'Keyspace.served_froms': ['tablet_type'],
  'ServedFrom.cells': [],
  'MetricNames.names': [],
  'Shard.served_types': ['tablet_type'],
  'ServedType.cells': [],
  'Shard.source_shards': ['uid'],
  'SourceShard.tables': [],
  'Shard.cells': [],
  'Shard.tablet_controls': ['tablet_type'],
  'TabletControl.cells': [],
  'TabletControl.denied_tables': [],
  'ShardReplication.nodes': ['tablet_alias'],
  'SrvKeyspace.partitions': ['served_type'],
  'SrvKeyspace.served_from': ['tablet_type'],
  'KeyspacePartition.shard_references': ['name'],
  'KeyspacePartition.shard_tablet_controls': ['name'],
  'RoutingRules.rules': ['from_table'],
  'ShardRoutingRules.rules': ['from_keyspace', 'shard'],
  'KeyspaceRoutingRules.rules': ['from_keyspace'],
  'MirrorRules.rules': ['from_table'],
};

/** Messages that mean the same absent and empty: without one, what was in it is missing, and not the message. */
export const EMPTY_AS_ABSENT: ReadonlySet<string> = new Set([
  'SrvVSchema.routing_rules',
  'SrvVSchema.shard_routing_rules',
  'SrvVSchema.keyspace_routing_rules',
  'SrvVSchema.mirror_rules',
  'Config.tablet_strategy_config',
]);

/** By rule; the longest that fits counts. Every field of a record stands here by itself, those of messages in it where they differ from it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  dangerous: [
    // Who the primary is, and since when; which part of the keyspace a shard has; what it serves, and what it refuses.
    'shard.primary_alias',
    'shard.primary_term_start_time',
    'shard.key_range',
    'shard.served_types',
    'shard.source_shards',
    'shard.tablet_controls',
    'shard.is_primary_serving',
    // Whose queries a tablet gets.
    'tablet.alias',
    'tablet.keyspace',
    'tablet.shard',
    'tablet.key_range',
    'tablet.type',
    'tablet.primary_term_start_time',
    // The list from which an emergency reparent chooses, and when a commit counts.
    'shard_replication.nodes',
    'keyspace.durability_policy',
    // Where queries go.
    'keyspace.served_froms',
    'srv_keyspace.partitions',
    'srv_keyspace.served_from',
    'routing_rules.rules',
    'shard_routing_rules.rules',
    'keyspace_routing_rules.rules',
    'srv_vschema.routing_rules',
    'srv_vschema.shard_routing_rules',
    'srv_vschema.keyspace_routing_rules',
    // To which shard a row is written, and which number it gets.
    ...['vschema', 'srv_vschema.keyspaces'].flatMap((at) => [
      `${at}.sharded`,
      `${at}.vindexes`,
      `${at}.tables`,
      `${at}.require_explicit_routing`,
      `${at}.multi_tenant_spec`,
    ]),
    'srv_vschema.keyspaces',
  ],
  // Only in records that a rebuild makes anew.
  stale: [
    'srv_keyspace.sharding_column_name',
    'srv_keyspace.sharding_column_type',
    'srv_keyspace.split_shard_count',
    'srv_keyspace.throttler_config',
    'srv_vschema.mirror_rules',
    'srv_vschema.keyspaces.foreign_key_mode',
    'srv_vschema.keyspaces.tables.columns',
    'srv_vschema.keyspaces.tables.column_list_authoritative',
  ],
  repairable: [
    'cell_info.region',
    'cells_alias.cells',
    'keyspace.sharding_column_name',
    'keyspace.sharding_column_type',
    'keyspace.split_shard_count',
    'keyspace.keyspace_type',
    'keyspace.base_keyspace',
    'keyspace.snapshot_time',
    'keyspace.throttler_config',
    'keyspace.sidecar_db_name',
    'keyspace.vtorc_state',
    'keyspace.query_throttler_config',
    'shard.cells',
    'shard.vtorc_state',
    'tablet.hostname',
    'tablet.ip',
    'tablet.port_map',
    'tablet.db_name_override',
    'tablet.tags',
    'tablet.health_map',
    'tablet.mysql_hostname',
    'tablet.mysql_port',
    'tablet.db_server_version',
    'tablet.default_conn_collation',
    'tablet.tablet_start_time',
    'tablet.tablet_shutdown_time',
    // A rebuild would lose it.
    'srv_keyspace.query_throttler_config',
    'vschema.foreign_key_mode',
    'vschema.tables.columns',
    'vschema.tables.column_list_authoritative',
    'mirror_rules.rules',
    'external_vitess_cluster.topo_config',
    ...[
      'uuid',
      'factory_name',
      'name',
      'state',
      'data',
      'error',
      'start_time',
      'end_time',
      'create_time',
    ].map((name) => `workflow.${name}`),
  ],
};

/** Kinds whose records nobody may be without. */
export const NEEDED: ReadonlySet<string> = new Set([
  'Keyspace',
  'VSchema',
  'Shard',
  'Tablet',
  'ShardReplication',
  'SrvKeyspace',
  'SrvVSchema',
  'RoutingRules',
  'ShardRoutingRules',
  'KeyspaceRoutingRules',
]);

/** The class of a difference in a field; fails for one that nobody has thought of. */
export function expectedClass(rule: string): string {
  const fitting = Object.entries(EXPECTED)
    .flatMap(([name, rules]) => rules.map((each) => ({ name, each })))
    .filter(({ each }) => rule === each || rule.startsWith(`${each}.`))
    .sort((a, b) => b.each.length - a.each.length)[0];
  const isOwn = fitting !== undefined && (fitting.each.split('.').length > 1 || rule === fitting.each);
  if (!isOwn) throw new Error(`nobody has said what a difference in ${rule} means`);
  return fitting.name;
}
