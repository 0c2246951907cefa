/** What a record can be. The first group is the canonical tree of Vitess, the second is never copied. */
export type Kind =
  | 'CellInfo'
  | 'CellsAlias'
  | 'Keyspace'
  | 'VSchema'
  | 'Shard'
  | 'RoutingRules'
  | 'ShardRoutingRules'
  | 'KeyspaceRoutingRules'
  | 'MirrorRules'
  | 'ExternalVitessCluster'
  | 'Metadata'
  | 'Workflow'
  | 'Tablet'
  | 'ShardReplication'
  | 'SrvKeyspace'
  | 'SrvVSchema'
  /** A file that is no part of the canonical tree: copied byte for byte and named in reports. */
  | 'Unknown'
  /** An entry of a lock, held or left over: as plain data in another store it would hold the lock for ever. */
  | 'Lock'
  /** An entry of a leader election. */
  | 'Election'
  /** Anything else owned by a session or lease. */
  | 'Ephemeral'
  /** A record of this project's own. */
  | 'Control';

/** One row of the table of kinds: which records are of a kind, and what that means. A kind may have several rows. */
export interface KindRow {
  readonly kind: Kind;
  /** The stores in which the row holds. */
  readonly scope: 'global' | 'cell' | 'any';
  /**
   * The whole path below the store's root: literal segments, `{name}` for any one segment, and at the end `**` for any
   * number of segments, none included.
   */
  readonly pattern: string;
  /** The records the row holds for: owned by a session or lease, not owned, or both. */
  readonly holds: 'plain' | 'ephemeral' | 'both';
  /** Full name of the proto message in the record; null for raw bytes. */
  readonly message: string | null;
  /** Whether a copy carries it over: as it is, with the destination's own addresses, or not at all. */
  readonly copied: boolean | 'rewritten';
  /** Vitess can compute it from other records. */
  readonly derived: boolean;
}

type RowExtras = Partial<Pick<KindRow, 'copied' | 'derived'>>;

function record(
  kind: Kind,
  scope: 'global' | 'cell',
  pattern: string,
  message: string | null,
  extras?: RowExtras,
): KindRow {
  return { kind, scope, pattern, holds: 'plain', message, copied: true, derived: false, ...extras };
}

function excluded(kind: Kind, scope: KindRow['scope'], pattern: string, holds: KindRow['holds']): KindRow {
  return { kind, scope, pattern, holds, message: null, copied: false, derived: false };
}

/**
 * The table of kinds; the first row that fits a record decides. To add a kind, add a row.
 *
 * Names alone decide nothing: a keyspace or shard may be called `locks`, `Lock`, `elections` or `tablets`, so every
 * pattern is a full path. Everything in a `locks` directory counts for whoever waits for that lock, ephemeral or not,
 * whatever its name; a plain file called `Lock` is a lock only to Consul, whose lock keys are known by being ephemeral.
 */
export const KINDS: readonly KindRow[] = [
  excluded('Control', 'any', 'topo2topo/**', 'both'),

  excluded('Lock', 'global', 'keyspaces/{keyspace}/locks/**', 'both'),
  excluded('Lock', 'global', 'keyspaces/{keyspace}/Lock', 'ephemeral'),
  excluded('Lock', 'global', 'keyspaces/{keyspace}/_Lock', 'ephemeral'),
  excluded('Lock', 'global', 'keyspaces/{keyspace}/shards/{shard}/locks/**', 'both'),
  excluded('Lock', 'global', 'keyspaces/{keyspace}/shards/{shard}/Lock', 'ephemeral'),
  excluded('Lock', 'global', 'keyspaces/{keyspace}/shards/{shard}/_Lock', 'ephemeral'),
  excluded('Lock', 'global', 'routing_rules/locks/**', 'both'),
  excluded('Lock', 'global', 'routing_rules/Lock', 'ephemeral'),
  excluded('Lock', 'global', 'internal/named_locks/**', 'both'),
  // Stores of the retired formats: operations on tablets, and on shards of the serving graph. Vitess of today locks neither.
  excluded('Lock', 'cell', 'tablets/{alias}/locks/**', 'ephemeral'),
  excluded('Lock', 'cell', 'ns/{keyspace}/{shard}/locks/**', 'ephemeral'),
  excluded('Election', 'global', 'elections/**', 'both'),

  record('CellInfo', 'global', 'cells/{cell}/CellInfo', 'topodata.CellInfo', { copied: 'rewritten' }),
  record('CellsAlias', 'global', 'cells_aliases/{alias}/CellsAlias', 'topodata.CellsAlias'),
  record('Keyspace', 'global', 'keyspaces/{keyspace}/Keyspace', 'topodata.Keyspace'),
  record('VSchema', 'global', 'keyspaces/{keyspace}/VSchema', 'vschema.Keyspace'),
  record('Shard', 'global', 'keyspaces/{keyspace}/shards/{shard}/Shard', 'topodata.Shard'),
  record('RoutingRules', 'global', 'RoutingRules', 'vschema.RoutingRules'),
  record('ShardRoutingRules', 'global', 'ShardRoutingRules', 'vschema.ShardRoutingRules'),
  record('KeyspaceRoutingRules', 'global', 'routing_rules/keyspace/Rules', 'vschema.KeyspaceRoutingRules'),
  record('MirrorRules', 'global', 'MirrorRules', 'vschema.MirrorRules'),
  record(
    'ExternalVitessCluster',
    'global',
    'ExternalClusters/vitess/{cluster}',
    'topodata.ExternalVitessCluster',
  ),
  record('Metadata', 'global', 'metadata/{key}', null),
  record('Workflow', 'global', 'workflows/{uuid}/Workflow', 'workflow.Workflow'),

  record('Tablet', 'cell', 'tablets/{alias}/Tablet', 'topodata.Tablet'),
  record(
    'ShardReplication',
    'cell',
    'keyspaces/{keyspace}/shards/{shard}/ShardReplication',
    'topodata.ShardReplication',
    { derived: true },
  ),
  record('SrvKeyspace', 'cell', 'keyspaces/{keyspace}/SrvKeyspace', 'topodata.SrvKeyspace', {
    derived: true,
  }),
  record('SrvVSchema', 'cell', 'SrvVSchema', 'vschema.SrvVSchema', { derived: true }),
];

const EPHEMERAL = excluded('Ephemeral', 'any', '**', 'ephemeral');
const UNKNOWN: KindRow = { ...excluded('Unknown', 'any', '**', 'plain'), copied: true };

/**
 * The row of a record, by its position and by being ephemeral. Never fails: what fits no row is `Ephemeral` (not
 * copied) or `Unknown` (copied).
 */
export function classify(scope: 'global' | 'cell', path: string, ephemeral: boolean): KindRow {
  const rules = (ephemeral ? EPHEMERAL_RULES : PLAIN_RULES)[scope].get(firstSegment(path)) ?? [];
  for (const { row, fits } of rules) if (fits.test(path)) return row;
  return ephemeral ? EPHEMERAL : UNKNOWN;
}

/**
 * Whether the canonical tree has a record of a fixed name at this path, in a global or in a cell's store. Such a path
 * is never a directory: an empty node there is a record of zero bytes.
 */
export function recordFileName(path: string): boolean {
  const rules = FILE_NAMES.get(firstSegment(path)) ?? [];
  return rules.some(({ fits }) => fits.test(path));
}

/** Whether any of these kinds (undefined: all) is kept in the cells' stores. */
export function needsCells(kinds: ReadonlySet<Kind> | undefined): boolean {
  return (
    kinds === undefined ||
    kinds.has('Unknown') ||
    KINDS.some((row) => row.scope === 'cell' && kinds.has(row.kind))
  );
}

/** Why records of a kind that is never copied are left out, in a few words. */
export function notCopiedReason(kind: Kind): string {
  switch (kind) {
    case 'Lock':
      return 'entry of a lock';
    case 'Election':
      return 'entry of an election';
    case 'Control':
      return 'record of this tool';
    default:
      return 'owned by a session or lease';
  }
}

/** A row, and what fits its pattern. */
interface Rule {
  readonly row: KindRow;
  readonly fits: RegExp;
}

const RULES: readonly Rule[] = KINDS.map((row) => ({ row, fits: expressionOf(row.pattern) }));

function expressionOf(pattern: string): RegExp {
  const open = pattern.endsWith('/**');
  const segments = (open ? pattern.slice(0, -'/**'.length) : pattern).split('/');
  const fixed = segments.map((segment) => (segment.startsWith('{') ? '[^/]*' : segment)).join('/');
  return new RegExp(`^${fixed}${open ? '(?:/|$)' : '$'}`);
}

/** Some of the rules in their order, by the first segment of their patterns, which is always a literal one. */
function rulesOf(which: (row: KindRow) => boolean): ReadonlyMap<string, readonly Rule[]> {
  const byFirst = new Map<string, Rule[]>();
  for (const rule of RULES) {
    if (!which(rule.row)) continue;
    const first = firstSegment(rule.row.pattern);
    byFirst.set(first, [...(byFirst.get(first) ?? []), rule]);
  }
  return byFirst;
}

function rulesFor(
  scope: 'global' | 'cell',
  holds: 'plain' | 'ephemeral',
): ReadonlyMap<string, readonly Rule[]> {
  return rulesOf(
    (row) => (row.scope === scope || row.scope === 'any') && (row.holds === 'both' || row.holds === holds),
  );
}

function firstSegment(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

// Every record of every scan is looked up.
const PLAIN_RULES = { global: rulesFor('global', 'plain'), cell: rulesFor('cell', 'plain') };
const EPHEMERAL_RULES = { global: rulesFor('global', 'ephemeral'), cell: rulesFor('cell', 'ephemeral') };
const FILE_NAMES = rulesOf(({ holds, pattern }) => holds === 'plain' && !pattern.endsWith('}'));
