import type { Field, Type } from 'protobufjs';
import type { Json, JsonObject } from '../../src/topo/codec-json.js';
import { messageName, submessage } from '../../src/topo/codec-schema.js';
import { formatTabletAlias } from '../../src/topo/names.js';
import { EMPTY_AS_ABSENT, UNORDERED } from './expected.js';
import { leaf } from './full-record.js';

/** A field that differs: where, and its name without keys. */
export interface Place {
  readonly path: string;
  readonly names: string;
}

/** A record changed in one place. */
export interface Mutation {
  readonly what: string;
  readonly changed: JsonObject;
  /** Fields that differ by it; none: the records mean the same. */
  readonly places: readonly Place[];
}

/** Messages that people read as one value. */
const ONE_VALUE = new Set(['TabletAlias', 'KeyRange', 'Time']);
/** For values that no record has. */
const NEW = 7_001;

/** Every field of a record, and of the messages in it, changed, removed, added and reordered, one at a time. */
export function mutate(type: Type, json: JsonObject, at: Place = { path: '', names: '' }): Mutation[] {
  return type.fieldsArray.flatMap((field) => {
    const value = json[field.name];
    if (value === undefined) return [];
    const here = inside(at, field.name);
    return changes(type, field, value, here).map(({ what, value: other, places }) => {
      const { [field.name]: _, ...rest } = json;
      const changed = other === undefined ? rest : { ...json, [field.name]: other };
      return { what, changed, places };
    });
  });
}

interface Change {
  readonly what: string;
  readonly value: Json | undefined;
  readonly places: readonly Place[];
}

function changes(type: Type, field: Field, value: Json, at: Place): Change[] {
  if (field.map && isObject(value)) return mapChanges(field, value, at);
  if (Array.isArray(value)) return listChanges(type, field, value, at);
  const removed: Change = {
    what: `${at.path} removed`,
    value: undefined,
    places: removedPlaces(type, field, value, at),
  };
  return [...valueChanges(field, value, at), removed];
}

function mapChanges(field: Field, value: JsonObject, at: Place): Change[] {
  const [first = ''] = Object.keys(value);
  const { [first]: gone = null, ...rest } = value;
  const changed = valueChanges(field, gone, element(at, first)).map((change) => ({
    ...change,
    value: { ...value, [first]: change.value ?? null },
  }));
  const reversed = Object.fromEntries(Object.entries(value).reverse());
  return [
    ...changed,
    { what: `${at.path} without an entry`, value: rest, places: [element(at, first)] },
    {
      what: `${at.path} with another entry`,
      value: { ...value, added: gone },
      places: [element(at, 'added')],
    },
    { what: `${at.path} in another order`, value: reversed, places: [] },
  ];
}

function listChanges(type: Type, field: Field, value: Json[], at: Place): Change[] {
  const key = UNORDERED[shortName(type, field)];
  const inner = submessage(field);
  if (inner === undefined) {
    return [
      { what: `${at.path} with another value`, value: [...value, leaf(field, NEW)], places: [at] },
      { what: `${at.path} without a value`, value: value.slice(1), places: [at] },
      {
        what: `${at.path} in another order`,
        value: value.toReversed(),
        places: key === undefined && value.length > 1 ? [at] : [],
      },
    ];
  }
  const elements = value.filter(isObject);
  const place = (each: JsonObject, index: number) =>
    element(at, key === undefined ? String(index) : keyOf(key, each));
  const [first = {}] = elements;
  const last = elements.length - 1;
  const inFirst = mutate(inner, first, place(first, 0)).flatMap(({ what, changed, places }): Change[] => {
    const renamed = key !== undefined && keyOf(key, changed) !== keyOf(key, first);
    // Two of one name are another matter.
    if (renamed && elements.slice(1).some((each) => keyOf(key, each) === keyOf(key, changed))) return [];
    const both = [place(first, 0), place(changed, 0)];
    return [{ what, value: value.with(0, changed), places: renamed ? both : places }];
  });
  const other = {
    ...first,
    ...Object.fromEntries((key ?? []).map((name) => [name, newKey(inner, name, elements)])),
  };
  const reordered = key !== undefined || elements.length < 2 ? [] : reorderedPlaces(inner, elements, at);
  const named = (key ?? []).map((name): Change => {
    const changed = { ...first, [name]: newKey(inner, name, elements) };
    return {
      what: `${at.path} with another ${name}`,
      value: value.with(0, changed),
      places: [place(first, 0), place(changed, 0)],
    };
  });
  return [
    ...inFirst,
    ...named,
    {
      what: `${at.path} with another element`,
      value: [...value, other],
      places: [place(other, elements.length)],
    },
    {
      what: `${at.path} without the last element`,
      value: value.slice(0, -1),
      places: [place(elements[last] ?? {}, last)],
    },
    ...(elements.length < 2 || (key === undefined && reordered.length === 0)
      ? []
      : [{ what: `${at.path} in another order`, value: value.toReversed(), places: reordered }]),
  ];
}

/** Fields in which elements differ from those in their places after their list was turned round. */
function reorderedPlaces(inner: Type, elements: readonly JsonObject[], at: Place): Place[] {
  return elements.flatMap((each, index) => {
    const other = elements.at(-1 - index) ?? {};
    return leaves(inner, each, other, element(at, String(index)));
  });
}

function leaves(type: Type, a: JsonObject, b: JsonObject, at: Place): Place[] {
  return type.fieldsArray.flatMap((field): Place[] => {
    const [x, y] = [a[field.name], b[field.name]];
    const here = inside(at, field.name);
    if (JSON.stringify(x) === JSON.stringify(y)) return [];
    const inner = submessage(field);
    if (inner === undefined || !Array.isArray(x) || !Array.isArray(y)) return [here];
    const [xs, ys] = [x.filter(isObject), y.filter(isObject)];
    return xs.flatMap((each, index) => leaves(inner, each, ys[index] ?? {}, element(here, String(index))));
  });
}

function valueChanges(field: Field, value: Json, at: Place): Change[] {
  const message = submessage(field);
  if (message === undefined) {
    const other = value === true ? false : value === false ? true : otherLeaf(field, value);
    return [{ what: `${at.path} changed`, value: other, places: [at] }];
  }
  if (!isObject(value)) return [];
  return mutate(message, value, at).map(({ what, changed, places }) => ({
    what,
    value: changed,
    places: isOne(message) ? [at] : places,
  }));
}

function otherLeaf(field: Field, value: Json): Json {
  // An enum may have no other value than that: it gets one of a version to come.
  return [NEW, NEW + 1].map((number) => leaf(field, number)).find((each) => each !== value) ?? 77;
}

function removedPlaces(type: Type, field: Field, value: Json, at: Place): readonly Place[] {
  const message = submessage(field);
  if (message === undefined || !isObject(value) || !EMPTY_AS_ABSENT.has(shortName(type, field))) return [at];
  return message.fieldsArray.flatMap((inner) => {
    const own = value[inner.name];
    const here = inside(at, inner.name);
    if (inner.map && isObject(own)) return Object.keys(own).map((key) => element(here, key));
    const key = UNORDERED[shortName(message, inner)] ?? [];
    return Array.isArray(own) ? own.filter(isObject).map((each) => element(here, keyOf(key, each))) : [here];
  });
}

function keyOf(key: readonly string[], each: JsonObject): string {
  return key
    .map((name) => {
      const value = each[name];
      if (name.endsWith('_alias')) {
        const { cell = '', uid = 0 } = isObject(value) ? value : {};
        return formatTabletAlias({ cell: String(cell), uid: Number(uid) });
      }
      const text = String(value ?? (name.endsWith('_type') ? 'unknown' : name === 'uid' ? 0 : ''));
      return name.endsWith('_type') ? text.toLowerCase() : text;
    })
    .join(',')
    .replace(/^$/, '""');
}

function newKey(type: Type, name: string, elements: readonly JsonObject[]): Json {
  const field = type.fields[name];
  if (field === undefined) throw new Error(`no field ${name}`);
  if (submessage(field) !== undefined) return { cell: 'another', uid: NEW };
  if (!name.endsWith('_type')) return leaf(field, NEW);
  return (
    ['SPARE', 'BACKUP', 'DRAINED'].find((each) => elements.every((element) => element[name] !== each)) ?? 0
  );
}

function shortName(type: Type, field: Field): string {
  return `${type.name}.${field.name}`;
}

function isOne(type: Type): boolean {
  return ONE_VALUE.has(messageName(type).split('.').at(-1) ?? '');
}

function inside({ path, names }: Place, name: string): Place {
  return path === '' ? { path: name, names: name } : { path: `${path}.${name}`, names: `${names}.${name}` };
}

function element({ path, names }: Place, key: string): Place {
  return { path: `${path}[${key}]`, names };
}

function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
