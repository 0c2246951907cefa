import type { Kind } from '../topo/kinds.js';

/** What is done to a record. */
export type Deed = 'create' | 'update' | 'delete';

/**
 * What is true of a record and its surroundings where a row of the table asks for it; with each goes who or what it is.
 * `primary`: its shard names it as primary. `blanked`: a hostname that was set is set no longer. `shards`, `tablets`: these are
 * still there. `unseen`: that could not be found out. `lost`: fields that the schema does not know are gone. `unplaced`: the record
 * of a retired format has it, and a record of today has no place for it.
 */
export type Fact = 'primary' | 'blanked' | 'shards' | 'tablets' | 'unseen' | 'lost' | 'unplaced';

/** What a person must say for it: nothing, --yes, or --yes and --force. */
export type Need = 'nothing' | 'yes' | 'force';

/** One row: what a running cluster makes of a change. */
export interface Effect {
  /** Undefined: any kind. */
  readonly kind: Kind | undefined;
  readonly on: readonly Deed[];
  /** The row holds when one of these changes; absent: whatever changes. */
  readonly fields?: readonly string[];
  /** The row holds where this is true; its details follow the reason. */
  readonly fact?: Fact;
  readonly needs: Need;
  readonly reason: string;
}

const WRITTEN: readonly Deed[] = ['create', 'update'];
const UPDATED: readonly Deed[] = ['update'];
const DELETED: readonly Deed[] = ['delete'];
const ANY: readonly Deed[] = ['create', 'update', 'delete'];

type RowExtras = Pick<Effect, 'fields' | 'fact'>;

function row(
  kind: Kind | undefined,
  on: readonly Deed[],
  needs: Need,
  reason: string,
  extras: RowExtras = {},
): Effect {
  return { kind, on, needs, reason, ...extras };
}

const REBUILD = 'gates see it with the next rebuild of SrvVSchema, not before (topo2topo graph rebuild)';
const RULES_GONE = 'from the next rebuild of SrvVSchema on, queries go where they went before the rules';

/** The table. To add a reason, add a row; every row that holds is shown. */
export const EFFECTS: readonly Effect[] = [
  row(undefined, UPDATED, 'force', 'loses fields of a version that this one does not know', { fact: 'lost' }),
  row(undefined, UPDATED, 'force', 'loses what records of today have no place for', { fact: 'unplaced' }),
  row(undefined, DELETED, 'yes', 'undo does not bring back what records of today have no place for', {
    fact: 'unplaced',
  }),

  row(
    'Tablet',
    UPDATED,
    'force',
    'a blank hostname is how a stopped tablet looks: gates drop it, and its process does not heal the record',
    {
      fact: 'blanked',
    },
  ),
  row(
    'Tablet',
    UPDATED,
    'yes',
    'gates and reparents reach the tablet there; its process does not heal an overwritten record before it restarts',
    {
      fields: ['hostname', 'port_map', 'mysql_hostname', 'mysql_port'],
    },
  ),
  row(
    'Tablet',
    UPDATED,
    'yes',
    'gates, VTOrc and reparents go by the type in the record; the process itself stays what it is',
    {
      fields: ['type'],
    },
  ),
  row('Tablet', UPDATED, 'yes', 'of two primaries the one with the later term wins', {
    fields: ['primary_term_start_time'],
  }),
  row('Tablet', UPDATED, 'yes', 'the tablet is counted to another keyspace, shard or range from now on', {
    fields: ['alias', 'keyspace', 'shard', 'key_range', 'db_name_override'],
  }),
  row('Tablet', DELETED, 'force', 'is the primary that its shard names', { fact: 'primary' }),
  row('Tablet', DELETED, 'force', 'whether a shard names it as primary cannot be told', { fact: 'unseen' }),
  row('Tablet', DELETED, 'yes', 'a vttablet that finds its own record gone ends itself'),

  row('ShardReplication', UPDATED, 'yes', 'emergency reparents choose among the tablets listed here', {
    fields: ['nodes'],
  }),
  row(
    'ShardReplication',
    DELETED,
    'force',
    'emergency reparents choose among the tablets listed here, and take a missing list for an empty one',
  ),

  row(
    'Shard',
    WRITTEN,
    'yes',
    'a primary that is not named here steps down, and replicas follow the one that is',
    {
      fields: ['primary_alias', 'primary_term_start_time'],
    },
  ),
  row('Shard', UPDATED, 'yes', 'the next rebuild of SrvKeyspace serves other shards', {
    fields: ['is_primary_serving', 'served_types', 'key_range'],
  }),
  row('Shard', UPDATED, 'yes', 'primaries refuse or accept queries by it as soon as they read it', {
    fields: ['tablet_controls'],
  }),
  row('Shard', UPDATED, 'yes', 'a resharding goes by it', { fields: ['source_shards'] }),
  row('Shard', DELETED, 'force', 'still has tablets', { fact: 'tablets' }),
  row('Shard', DELETED, 'force', 'whether it still has tablets cannot be told', { fact: 'unseen' }),

  row('Keyspace', UPDATED, 'yes', 'reparents and VTOrc go by it from now on', {
    fields: ['durability_policy'],
  }),
  row('Keyspace', UPDATED, 'yes', 'vttablets look for their own tables in the database named here', {
    fields: ['sidecar_db_name'],
  }),
  row('Keyspace', UPDATED, 'yes', 'the next rebuild of SrvKeyspace hands it to gates and tablets', {
    fields: ['keyspace_type', 'base_keyspace', 'served_froms', 'throttler_config', 'query_throttler_config'],
  }),
  row('Keyspace', DELETED, 'force', 'still has shards', { fact: 'shards' }),
  row('Keyspace', DELETED, 'force', 'still has tablets', { fact: 'tablets' }),
  row('Keyspace', DELETED, 'force', 'whether it still has tablets cannot be told', { fact: 'unseen' }),

  row('VSchema', WRITTEN, 'nothing', REBUILD),
  row(
    'VSchema',
    DELETED,
    'force',
    'the next rebuild of SrvVSchema takes the keyspace for one without vindexes and tables',
  ),
  row('RoutingRules', WRITTEN, 'nothing', REBUILD),
  row('RoutingRules', DELETED, 'force', RULES_GONE),
  row('ShardRoutingRules', WRITTEN, 'nothing', REBUILD),
  row('ShardRoutingRules', DELETED, 'force', RULES_GONE),
  row('KeyspaceRoutingRules', WRITTEN, 'nothing', REBUILD),
  row('KeyspaceRoutingRules', DELETED, 'force', RULES_GONE),
  row('MirrorRules', WRITTEN, 'nothing', REBUILD),
  row('MirrorRules', DELETED, 'force', 'mirroring ends with the next rebuild of SrvVSchema'),

  row('SrvKeyspace', WRITTEN, 'yes', 'gates of the cell route by it at once; a rebuild overwrites it', {
    fields: ['partitions', 'served_from'],
  }),
  row('SrvKeyspace', WRITTEN, 'yes', 'tablets of the cell throttle by it at once; a rebuild overwrites it', {
    fields: ['throttler_config', 'query_throttler_config'],
  }),
  row('SrvKeyspace', DELETED, 'force', 'gates of the cell stop serving the keyspace at once'),
  row('SrvVSchema', WRITTEN, 'yes', 'gates of the cell plan queries by it at once; a rebuild overwrites it'),
  row('SrvVSchema', DELETED, 'force', 'gates of the cell lose all routing at once'),

  row(
    'CellInfo',
    WRITTEN,
    'yes',
    'every process finds the cell’s store by it (cell update looks whether it answers)',
  ),
  row(
    'CellInfo',
    DELETED,
    'force',
    'no process finds the cell any more; topo2topo cell remove looks first whether it is in use',
  ),
  row(
    'CellsAlias',
    ANY,
    'yes',
    'gates route to, and reparents choose from, the cells of one alias (see topo2topo cell alias)',
  ),
  row(
    'ExternalVitessCluster',
    UPDATED,
    'yes',
    'workflows from the mounted cluster read it there from now on',
  ),
  row(
    'ExternalVitessCluster',
    DELETED,
    'force',
    'workflows from the mounted cluster do not find it any more',
  ),

  row('Unknown', WRITTEN, 'nothing', 'Vitess has no record at such a path, and reads none there'),
];

/** A change as the table looks at it. */
export interface Judged {
  readonly kind: Kind;
  readonly deed: Deed;
  /** Top-level fields that change; undefined: that cannot be told, and any may. */
  readonly fields: ReadonlySet<string> | undefined;
  /** What holds, and who or what it is; empty where there is nothing to add. */
  readonly facts: ReadonlyMap<Fact, string>;
}

/** The rows that hold for a change, with the details of their facts. Pure. */
export function effectsOf({
  kind,
  deed,
  fields,
  facts,
}: Judged): { readonly reason: string; readonly needs: Need }[] {
  return EFFECTS.flatMap((effect) => {
    const applies =
      (effect.kind === undefined || effect.kind === kind) &&
      effect.on.includes(deed) &&
      (effect.fields === undefined ||
        fields === undefined ||
        effect.fields.some((field) => fields.has(field))) &&
      (effect.fact === undefined || facts.has(effect.fact));
    if (!applies) return [];
    const details = effect.fact === undefined ? '' : (facts.get(effect.fact) ?? '');
    return [{ reason: details === '' ? effect.reason : `${effect.reason}: ${details}`, needs: effect.needs }];
  });
}
