/**
 * How fields are compared where protobuf's own rules (lists are ordered, absent is not empty) differ from what Vitess
 * does with them. A field without a rule follows protobuf. To add a rule, add a row.
 */

/** How a repeated field is compared; without a rule, as an ordered list. */
export interface ListRule {
  /**
   * `set`: order and repetition mean nothing. `map`: elements are named by `key`, and their order means nothing; but of
   * several of one name readers differ in which one counts, so those are compared in their order.
   */
  readonly as: 'set' | 'map';
  /** Fields that name an element, where elements are messages. */
  readonly key?: readonly string[];
  /** Flag without which an element equals none. */
  readonly inertWithout?: string;
}

const SET: ListRule = { as: 'set' };

/** By `message.field`. */
export const LIST_RULES: Readonly<Record<string, ListRule>> = {
  'topodata.CellsAlias.cells': SET,
  'topodata.Keyspace.served_froms': { as: 'map', key: ['tablet_type'] },
  'topodata.Keyspace.ServedFrom.cells': SET,
  'topodata.ThrottlerConfig.MetricNames.names': SET,
  'topodata.Shard.served_types': { as: 'map', key: ['tablet_type'] },
  'topodata.Shard.ServedType.cells': SET,
  'topodata.Shard.source_shards': { as: 'map', key: ['uid'] },
  'topodata.Shard.SourceShard.tables': SET,
  'topodata.Shard.cells': SET,
  'topodata.Shard.tablet_controls': { as: 'map', key: ['tablet_type'] },
  'topodata.Shard.TabletControl.cells': SET,
  'topodata.Shard.TabletControl.denied_tables': SET,
  'topodata.ShardReplication.nodes': { as: 'set', key: ['tablet_alias'] },
  'topodata.SrvKeyspace.partitions': { as: 'map', key: ['served_type'] },
  'topodata.SrvKeyspace.served_from': { as: 'map', key: ['tablet_type'] },
  'topodata.SrvKeyspace.KeyspacePartition.shard_references': { as: 'map', key: ['name'] },
  'topodata.SrvKeyspace.KeyspacePartition.shard_tablet_controls': {
    as: 'map',
    key: ['name'],
    inertWithout: 'query_service_disabled',
  },
  'vschema.RoutingRules.rules': { as: 'map', key: ['from_table'] },
  'vschema.ShardRoutingRules.rules': { as: 'map', key: ['from_keyspace', 'shard'] },
  'vschema.KeyspaceRoutingRules.rules': { as: 'map', key: ['from_keyspace'] },
  'vschema.MirrorRules.rules': { as: 'map', key: ['from_table'] },
};

/** Messages that mean the same absent and empty, by `message.field`. */
export const EMPTY_IS_ABSENT: ReadonlySet<string> = new Set([
  'topodata.Shard.key_range',
  'topodata.Shard.SourceShard.key_range',
  'topodata.Tablet.key_range',
  'topodata.ShardReference.key_range',
  'topodata.ShardTabletControl.key_range',
  'topodata.SrvShard.key_range',
  'vschema.SrvVSchema.routing_rules',
  'vschema.SrvVSchema.shard_routing_rules',
  'vschema.SrvVSchema.keyspace_routing_rules',
  'vschema.SrvVSchema.mirror_rules',
  'querythrottler.Config.tablet_strategy_config',
]);
