import type { Kind } from '../topo/kinds.js';
import type { Class } from './classes.js';

/**
 * How bad it is that a field differs. A derived record of which nothing worse is said is stale: see classify.ts. Which lists are sets is
 * told in src/topo/diff-rules.ts.
 */
export interface FieldRule {
  readonly class: Extract<Class, 'repairable' | 'dangerous'>;
  /** Running processes change it on their own, as they do all of a derived record: it may have moved on since a baseline. */
  readonly moves?: true;
  /** Dangerous where one side has nothing in it. */
  readonly neverBlank?: true;
  /** Rebuilding a derived record loses it. */
  readonly notRebuilt?: true;
}

const REPAIRABLE: FieldRule = { class: 'repairable' };
/** Also in a derived record. */
const NOT_REBUILT: FieldRule = { class: 'repairable', notRebuilt: true };
const DANGEROUS: FieldRule = { class: 'dangerous' };
const moving = (rule: FieldRule): FieldRule => ({ ...rule, moves: true });

/** By message, then by field. Every field of every message that a record can hold has its rule; a test compares this with the schema. */
export const FIELD_RULES: Readonly<Record<string, Readonly<Record<string, FieldRule>>>> = {
  'topodata.CellInfo': { server_address: REPAIRABLE, root: REPAIRABLE, region: REPAIRABLE },
  'topodata.CellsAlias': { cells: REPAIRABLE },
  'topodata.Keyspace': {
    sharding_column_name: REPAIRABLE,
    sharding_column_type: REPAIRABLE,
    split_shard_count: REPAIRABLE,
    served_froms: DANGEROUS,
    keyspace_type: REPAIRABLE,
    base_keyspace: REPAIRABLE,
    snapshot_time: REPAIRABLE,
    durability_policy: DANGEROUS,
    throttler_config: REPAIRABLE,
    sidecar_db_name: moving(REPAIRABLE),
    vtorc_state: moving(REPAIRABLE),
    query_throttler_config: REPAIRABLE,
  },
  'topodata.Keyspace.ServedFrom': { tablet_type: DANGEROUS, cells: DANGEROUS, keyspace: DANGEROUS },
  'topodata.ThrottlerConfig': {
    enabled: REPAIRABLE,
    threshold: REPAIRABLE,
    custom_query: REPAIRABLE,
    check_as_check_self: REPAIRABLE,
    throttled_apps: moving(REPAIRABLE),
    app_checked_metrics: REPAIRABLE,
    metric_thresholds: REPAIRABLE,
  },
  'topodata.ThrottlerConfig.MetricNames': { names: REPAIRABLE },
  'topodata.ThrottledAppRule': {
    name: moving(REPAIRABLE),
    ratio: moving(REPAIRABLE),
    expires_at: moving(REPAIRABLE),
    exempt: moving(REPAIRABLE),
  },
  'vtorcdata.Keyspace': { disable_emergency_reparent: moving(REPAIRABLE) },
  'vtorcdata.Shard': { disable_emergency_reparent: moving(REPAIRABLE) },
  'querythrottler.Config': {
    enabled: NOT_REBUILT,
    strategy: NOT_REBUILT,
    tablet_strategy_config: NOT_REBUILT,
    dry_run: NOT_REBUILT,
  },
  'querythrottler.TabletStrategyConfig': { tablet_rules: NOT_REBUILT },
  'querythrottler.StatementRuleSet': { statement_rules: NOT_REBUILT },
  'querythrottler.MetricRuleSet': { metric_rules: NOT_REBUILT },
  'querythrottler.MetricRule': { thresholds: NOT_REBUILT },
  'querythrottler.ThrottleThreshold': { above: NOT_REBUILT, throttle: NOT_REBUILT },
  'topodata.Shard': {
    primary_alias: moving(DANGEROUS),
    primary_term_start_time: moving(DANGEROUS),
    key_range: DANGEROUS,
    served_types: DANGEROUS,
    source_shards: DANGEROUS,
    cells: REPAIRABLE,
    tablet_controls: moving(DANGEROUS),
    is_primary_serving: moving(DANGEROUS),
    vtorc_state: moving(REPAIRABLE),
  },
  'topodata.Shard.ServedType': { tablet_type: DANGEROUS, cells: DANGEROUS },
  'topodata.Shard.SourceShard': {
    uid: DANGEROUS,
    keyspace: DANGEROUS,
    shard: DANGEROUS,
    key_range: DANGEROUS,
    tables: DANGEROUS,
  },
  'topodata.Shard.TabletControl': {
    tablet_type: moving(DANGEROUS),
    cells: moving(DANGEROUS),
    disable_query_service: moving(DANGEROUS),
    denied_tables: moving(DANGEROUS),
    frozen: moving(DANGEROUS),
    allow_reads: moving(DANGEROUS),
  },
  'topodata.Tablet': {
    alias: DANGEROUS,
    hostname: { ...moving(REPAIRABLE), neverBlank: true },
    ip: moving(REPAIRABLE),
    port_map: moving(REPAIRABLE),
    keyspace: DANGEROUS,
    shard: DANGEROUS,
    key_range: DANGEROUS,
    type: moving(DANGEROUS),
    db_name_override: REPAIRABLE,
    tags: moving(REPAIRABLE),
    health_map: moving(REPAIRABLE),
    mysql_hostname: moving(REPAIRABLE),
    mysql_port: moving(REPAIRABLE),
    primary_term_start_time: moving(DANGEROUS),
    db_server_version: moving(REPAIRABLE),
    default_conn_collation: moving(REPAIRABLE),
    tablet_start_time: moving(REPAIRABLE),
    tablet_shutdown_time: moving(REPAIRABLE),
  },
  'topodata.ShardReplication': { nodes: DANGEROUS },
  'topodata.ShardReplication.Node': { tablet_alias: DANGEROUS },
  'topodata.SrvKeyspace': {
    partitions: DANGEROUS,
    sharding_column_name: REPAIRABLE,
    sharding_column_type: REPAIRABLE,
    served_from: DANGEROUS,
    split_shard_count: REPAIRABLE,
    throttler_config: REPAIRABLE,
    query_throttler_config: NOT_REBUILT,
  },
  'topodata.SrvKeyspace.KeyspacePartition': {
    served_type: DANGEROUS,
    shard_references: DANGEROUS,
    shard_tablet_controls: DANGEROUS,
  },
  'topodata.SrvKeyspace.ServedFrom': { tablet_type: DANGEROUS, keyspace: DANGEROUS },
  'topodata.ShardReference': { name: DANGEROUS, key_range: DANGEROUS },
  'topodata.ShardTabletControl': {
    name: DANGEROUS,
    key_range: DANGEROUS,
    query_service_disabled: DANGEROUS,
  },
  'topodata.ExternalVitessCluster': { topo_config: REPAIRABLE },
  'topodata.TopoConfig': { topo_type: REPAIRABLE, server: REPAIRABLE, root: REPAIRABLE },
  // By the sharding, its vindexes and where a table is, a row is written to one shard and not to another.
  'vschema.Keyspace': {
    sharded: DANGEROUS,
    vindexes: DANGEROUS,
    tables: DANGEROUS,
    require_explicit_routing: DANGEROUS,
    foreign_key_mode: REPAIRABLE,
    multi_tenant_spec: DANGEROUS,
  },
  'vschema.MultiTenantSpec': { tenant_id_column_name: DANGEROUS, tenant_id_column_type: DANGEROUS },
  'vschema.Vindex': { type: DANGEROUS, params: DANGEROUS, owner: DANGEROUS },
  'vschema.Table': {
    type: DANGEROUS,
    column_vindexes: DANGEROUS,
    auto_increment: DANGEROUS,
    columns: REPAIRABLE,
    pinned: DANGEROUS,
    column_list_authoritative: REPAIRABLE,
    source: DANGEROUS,
  },
  'vschema.ColumnVindex': { column: DANGEROUS, name: DANGEROUS, columns: DANGEROUS },
  'vschema.AutoIncrement': { column: DANGEROUS, sequence: DANGEROUS },
  'vschema.Column': {
    name: REPAIRABLE,
    type: REPAIRABLE,
    invisible: REPAIRABLE,
    default: REPAIRABLE,
    collation_name: REPAIRABLE,
    size: REPAIRABLE,
    scale: REPAIRABLE,
    nullable: REPAIRABLE,
    values: REPAIRABLE,
  },
  'vschema.SrvVSchema': {
    keyspaces: DANGEROUS,
    routing_rules: DANGEROUS,
    shard_routing_rules: DANGEROUS,
    keyspace_routing_rules: DANGEROUS,
    mirror_rules: REPAIRABLE,
  },
  'vschema.RoutingRules': { rules: DANGEROUS },
  'vschema.RoutingRule': { from_table: DANGEROUS, to_tables: DANGEROUS },
  'vschema.ShardRoutingRules': { rules: DANGEROUS },
  'vschema.ShardRoutingRule': { from_keyspace: DANGEROUS, to_keyspace: DANGEROUS, shard: DANGEROUS },
  'vschema.KeyspaceRoutingRules': { rules: DANGEROUS },
  'vschema.KeyspaceRoutingRule': { from_keyspace: DANGEROUS, to_keyspace: DANGEROUS },
  'vschema.MirrorRules': { rules: REPAIRABLE },
  'vschema.MirrorRule': { from_table: REPAIRABLE, to_table: REPAIRABLE, percent: REPAIRABLE },
  'workflow.Workflow': {
    uuid: REPAIRABLE,
    factory_name: REPAIRABLE,
    name: REPAIRABLE,
    state: REPAIRABLE,
    data: REPAIRABLE,
    error: REPAIRABLE,
    start_time: REPAIRABLE,
    end_time: REPAIRABLE,
    create_time: REPAIRABLE,
  },
};

/** Kinds that are compared. */
export type ComparedKind = Exclude<Kind, 'Lock' | 'Election' | 'Ephemeral' | 'Control'>;

/** How bad it is that only one side has a record of a kind, that one side's does not decode, or that raw contents differ. */
export const KIND_RULES: Readonly<Record<ComparedKind, FieldRule>> = {
  CellInfo: REPAIRABLE,
  CellsAlias: REPAIRABLE,
  // A starting vttablet invents the Keyspace, the VSchema and the Shard that it does not find.
  Keyspace: DANGEROUS,
  VSchema: DANGEROUS,
  Shard: DANGEROUS,
  RoutingRules: DANGEROUS,
  ShardRoutingRules: DANGEROUS,
  KeyspaceRoutingRules: DANGEROUS,
  MirrorRules: REPAIRABLE,
  ExternalVitessCluster: REPAIRABLE,
  Metadata: REPAIRABLE,
  Workflow: REPAIRABLE,
  Tablet: moving(DANGEROUS),
  ShardReplication: DANGEROUS,
  SrvKeyspace: DANGEROUS,
  SrvVSchema: DANGEROUS,
  Unknown: REPAIRABLE,
};
