import type { Json, JsonObject } from '../topo/codec-json.js';
import { showKey } from '../topo/diff-show.js';
import type { FirstObject } from './first-object.js';
import { isCapital, isObject } from './json-text.js';
import { misfit, readText } from './second-scalars.js';

/**
 * A keyspace's VSchema of generation 1, in canonical JSON. Until 2016 tables named a class that had their vindexes, later they had them themselves.
 * Facts, read in go/vt/vtgate/planbuilder/schema.go of 2014 to 2016.
 */
export function readFirstVSchema(vschema: FirstObject): JsonObject {
  const sharded = vschema.flag('Sharded');
  const vindexes = vschema.map('Vindexes', (value, at) => vindex(vschema.inside(at, value)));
  const classes = new Classes(vschema);
  const tables = vschema.map('Tables', (value, at) =>
    typeof value === 'string' ? classes.table(value, at) : table(vschema.inside(at, value)),
  );
  classes.loseUnused();
  vschema.rest();
  return { sharded, vindexes, tables };
}

/** Whether an object is a VSchema of generation 1. A hand may have written it, with names in any case. */
export function isFirstVSchema(json: JsonObject): boolean {
  const names = Object.keys(json);
  const tables = Object.entries(json).find(([name]) => name.toLowerCase() === 'tables')?.[1];
  const all = isObject(tables) ? Object.values(tables) : [];
  const inner = new Set(
    all.flatMap((each) => (isObject(each) ? Object.keys(each) : [])).map((name) => name.toLowerCase()),
  );
  if (names.some((name) => name.toLowerCase() === 'classes') || all.some((each) => typeof each === 'string'))
    return true;
  if (inner.has('colvindexes') || inner.has('autoinc')) return true;
  return !inner.has('column_vindexes') && !inner.has('auto_increment') && names.some(isCapital);
}

function vindex(object: FirstObject): JsonObject {
  const made = {
    type: object.text('Type'),
    params: object.map('Params', paramText),
    owner: object.text('Owner'),
  };
  object.rest();
  return made;
}

/** Parameters were values of any kind once; text is what today's have. */
function paramText(value: Json, at: string): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return readText(value, at);
}

function table(object: FirstObject): JsonObject {
  const autoIncrement = object.object('Autoinc');
  const made = {
    type: tableType(object.text('Type')),
    column_vindexes: object.objects('ColVindexes').map((each): JsonObject => {
      const column = { column: each.text('Col'), name: each.text('Name') };
      each.rest();
      return column;
    }),
    ...(autoIncrement === undefined
      ? {}
      : { auto_increment: { column: autoIncrement.text('Col'), sequence: autoIncrement.text('Sequence') } }),
  };
  autoIncrement?.rest();
  object.rest();
  return made;
}

/** The one special type of the time had a capital letter. */
function tableType(type: string): string {
  return type === 'Sequence' ? 'sequence' : type;
}

/** The classes of a VSchema, and which of them a table has. */
class Classes {
  readonly #vschema: FirstObject;
  readonly #objects: ReadonlyMap<string, JsonObject>;
  readonly #values: ReadonlyMap<string, Json>;
  readonly #used = new Set<string>();

  constructor(vschema: FirstObject) {
    this.#vschema = vschema;
    const values = new Map<string, Json>();
    const read = vschema.map('Classes', (value, at) => {
      values.set(at, value);
      return table(vschema.inside(at, value));
    });
    this.#objects = new Map(Object.entries(read));
    this.#values = values;
  }

  /** The table of a class; without a name it has no vindexes. */
  table(name: string, at: string): JsonObject {
    if (name === '') return {};
    const found = this.#objects.get(name);
    if (found === undefined) throw misfit(at, 'there is no such class');
    this.#used.add(name);
    return found;
  }

  loseUnused(): void {
    const { path, losses } = this.#vschema.reading;
    for (const name of this.#objects.keys()) {
      const field = `${this.#vschema.at('Classes')}[${showKey([name])}]`;
      const value = this.#values.get(field) ?? null;
      if (!this.#used.has(name)) losses.push({ kind: 'unused-class', path, field, value });
    }
  }
}
