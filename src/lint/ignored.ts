import { list, object, text } from '../editing/ranges.js';
import { isAtLeast, type Target } from '../graph/target.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { Kind } from '../topo/kinds.js';
import { found, type LintFinding, type Where } from './finding.js';

/** A field that Vitess does not read any more. */
interface IgnoredField {
  readonly kind: Kind;
  readonly field: string;
  /** First version that does not read it. */
  readonly since: readonly [major: number, minor?: number];
  /** It used to route or to stop queries. */
  readonly isSetting?: true;
  /** What takes its place, if anything. */
  readonly now?: string;
}

/** Fields of old versions. To add one, add a row. Those of SrvKeyspace show as stale: a rebuild leaves them out. */
const IGNORED: readonly IgnoredField[] = [
  { kind: 'CellInfo', field: 'region', since: [4], now: 'a CellsAlias for each region' },
  { kind: 'Keyspace', field: 'sharding_column_name', since: [15] },
  { kind: 'Keyspace', field: 'sharding_column_type', since: [15] },
  { kind: 'Keyspace', field: 'split_shard_count', since: [2] },
  { kind: 'Keyspace', field: 'served_froms', since: [19], isSetting: true, now: 'RoutingRules' },
  { kind: 'Shard', field: 'served_types', since: [12], now: 'is_primary_serving' },
  { kind: 'Shard', field: 'cells', since: [4] },
  {
    kind: 'Shard',
    field: 'tablet_controls.disable_query_service',
    since: [4],
    isSetting: true,
    now: 'shard_tablet_controls of each cell’s SrvKeyspace',
  },
  { kind: 'Tablet', field: 'ip', since: [2, 2] },
  { kind: 'Tablet', field: 'health_map', since: [2] },
  { kind: 'Tablet', field: 'db_server_version', since: [17] },
];

/** Fields of a record that this version of Vitess does not read, and records of a kind that it does not. */
export function ignored(kind: Kind, json: JsonObject, where: Where, target: Target): LintFinding[] {
  if (kind === 'Workflow' && isAtLeast(target, 16))
    return [found('ignored-record', where, `the workflow ${text(json['name'])} of the old workflow manager`)];
  const rows = IGNORED.filter(
    ({ kind: of, field, since: [major, minor] }) =>
      of === kind && isAtLeast(target, major, minor) && isSet(json, field) && !isLost(json, field),
  );
  return [
    ...of(
      'ignored-field',
      rows.filter(({ isSetting }) => isSetting !== true),
      where,
    ),
    ...of(
      'ignored-setting',
      rows.filter(({ isSetting }) => isSetting === true),
      where,
    ),
  ];
}

function of(id: 'ignored-field' | 'ignored-setting', rows: readonly IgnoredField[], where: Where) {
  if (rows.length === 0) return [];
  const fields = rows.map(({ field, since: [major, minor], now }) => {
    const version = minor === undefined ? major : `${major}.${minor}`;
    return `${field}, which nothing reads from Vitess ${version} on${now === undefined ? '' : ` (its place: ${now})`}`;
  });
  return [found(id, where, `the record has ${fields.join('; ')}`)];
}

function isSet(json: JsonObject, field: string): boolean {
  const [name = '', inner] = field.split('.');
  if (inner === undefined) return json[name] !== undefined;
  return list(json[name]).some((element) => object(element)[inner] !== undefined);
}

/** That is a finding of its own: what the field says is lost. */
function isLost(json: JsonObject, field: string): boolean {
  return (
    field === 'served_types' &&
    json['is_primary_serving'] !== true &&
    list(json[field]).some((served) => object(served)['tablet_type'] === 'PRIMARY')
  );
}
