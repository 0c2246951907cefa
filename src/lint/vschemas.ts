import { list, object, text } from '../editing/ranges.js';
import type { JsonObject } from '../topo/codec-json.js';
import { found, type LintFinding, type Where } from './finding.js';
import { missing, parseTable } from './tables.js';
import type { World } from './world.js';

/** What is wrong with VSchemas, by the rules of vtgate (BuildVSchema in go/vt/vtgate/vindexes/vschema.go). */
export function* vschemas(world: World): Generator<LintFinding> {
  for (const { name, vschema } of world.keyspaces.values()) {
    if (vschema === undefined) continue;
    const where = { path: `keyspaces/${name}/VSchema`, keyspace: name };
    yield* vindexes(vschema, where, world);
    for (const [table, json] of Object.entries(object(vschema['tables'])))
      yield* ofTable(
        { name: table, json: object(json), isSharded: vschema['sharded'] === true },
        where,
        world,
      );
  }
}

function* vindexes(vschema: JsonObject, where: Where, world: World): Generator<LintFinding> {
  const tables = object(vschema['tables']);
  const routed = new Set((world.rules.get('RoutingRules') ?? []).map((rule) => text(rule['from_table'])));
  for (const [name, json] of Object.entries(object(vschema['vindexes']))) {
    const { type, owner, params } = object(json);
    if (!VINDEX_TYPES.has(text(type)))
      yield found('vindex-type-unknown', where, `vindex ${name} is of type ${text(type) || '(none)'}`);
    if (text(owner) !== '' && !Object.hasOwn(tables, text(owner)))
      yield found('owner-gone', where, `vindex ${name} is owned by ${text(owner)}, which is no table here`);
    const lookup = text(object(params)['table']);
    // It is reached by queries, to which routing rules apply.
    const isRouted = routed.has(lookup);
    const lost = lookup === '' || isRouted ? undefined : missing(world, lookup);
    if (lost !== undefined)
      yield found('lookup-gone', where, `the lookup table of vindex ${name}: ${lost.text}`);
  }
}

/** A table of a VSchema. */
interface Table {
  readonly name: string;
  readonly json: JsonObject;
  readonly isSharded: boolean;
}

function* ofTable(table: Table, where: Where, world: World): Generator<LintFinding> {
  const { name, json } = table;
  const bad = broken(table);
  if (bad !== undefined) yield found('table-invalid', where, `table ${name}: ${bad}`);
  if (json['auto_increment'] !== undefined) {
    const lost = missing(world, text(object(json['auto_increment'])['sequence']));
    if (lost !== undefined)
      yield found('sequence-gone', where, `the sequence of table ${name}: ${lost.text}`);
  }
  const source = text(json['source']);
  if (text(json['type']) !== 'reference' || source === '') return;
  const lost =
    parseTable(source)?.keyspace === where.keyspace
      ? { text: `${source} is in the same keyspace` }
      : missing(world, source, true);
  if (lost !== undefined) yield found('source-gone', where, `the source of table ${name}: ${lost.text}`);
}

function broken({ json, isSharded }: Table): string | undefined {
  const [type, pinned] = [text(json['type']), text(json['pinned'])];
  const used = list(json['column_vindexes']).map(object);
  if (!TABLE_TYPES.has(type)) return `${type} is no type of a table`;
  if (!/^([0-9a-f]{2})*$/i.test(pinned)) return `pinned is no keyspace id in hex`;
  if (isSharded && type === 'sequence' && pinned === '')
    return 'a sequence in a sharded keyspace must be pinned';
  if (isSharded && type !== 'reference' && pinned === '' && used.length === 0)
    return 'it has no primary vindex';
  for (const { name, column, columns } of used) {
    const [one, several] = [text(column) !== '', list(columns).length > 0];
    if (one && several) return `column and columns are both set for vindex ${text(name)}`;
    if (!one && !several) return `no column is named for vindex ${text(name)}`;
  }
  const names = list(json['columns']).map((column) => text(object(column)['name']).toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : `the column ${twice} is there twice`;
}

const TABLE_TYPES: ReadonlySet<string> = new Set(['', 'sequence', 'reference']);

/** Those that Vitess comes with (go/vt/vtgate/vindexes). */
const VINDEX_TYPES: ReadonlySet<string> = new Set([
  ...['binary', 'binary_md5', 'cfc', 'hash', 'multicol', 'null', 'numeric', 'numeric_static_map'],
  ...['region_experimental', 'region_json', 'reverse_bits', 'unicode_loose_md5', 'unicode_loose_xxhash'],
  ...['xxhash', 'lookup', 'lookup_unique', 'lookup_hash', 'lookup_hash_unique'],
  ...['lookup_unicodeloosemd5_hash', 'lookup_unicodeloosemd5_hash_unique'],
  ...['consistent_lookup', 'consistent_lookup_unique'],
]);
