import fc from 'fast-check';
import protobuf, { type Field, type Type } from 'protobufjs';
import type { Json, JsonObject } from '../../src/topo/codec-json.js';
import { hasPresence, messageName, submessage } from '../../src/topo/codec-schema.js';
import { EMPTY_IS_ABSENT, LIST_RULES, type ListRule } from '../../src/topo/diff-rules.js';
import { isOneValue, showKey, showValue } from '../../src/topo/diff-show.js';

/** Records of any message in canonical JSON, made from the schema: no field holds its default value where that means absent. */
export function arbitraryRecord(type: Type): fc.Arbitrary<JsonObject> {
  const fields = Object.fromEntries(
    type.fieldsArray.map((field) => [field.name, arbitraryField(type, field)]),
  );
  return fc
    .record(fields, { requiredKeys: [] })
    .map((record) =>
      Object.fromEntries(
        Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
    );
}

function arbitraryField(type: Type, field: Field): fc.Arbitrary<Json> {
  if (field.map) {
    const options = { minKeys: 1, maxKeys: 3, noNullPrototype: true };
    return fc.dictionary(arbitraryText, arbitraryValue(field), options);
  }
  if (!field.repeated) {
    const value = arbitraryValue(field);
    return hasPresence(field) ? value : value.filter((json) => !isDefault(json));
  }
  const rule = ruleOf(type, field);
  const options = { minLength: 1, maxLength: 3 };
  if (rule === undefined) return fc.array(arbitraryValue(field), options);
  return fc.uniqueArray(arbitraryValue(field), {
    ...options,
    selector: (element) => (isObject(element) ? elementKey(field, rule, element) : JSON.stringify(element)),
  });
}

const arbitraryText = fc.string({ unit: 'grapheme', maxLength: 8 });

function arbitraryValue(field: Field): fc.Arbitrary<Json> {
  const message = submessage(field);
  if (message !== undefined) return arbitraryRecord(message);
  if (field.resolvedType instanceof protobuf.Enum)
    return fc.constantFrom(...Object.values(field.resolvedType.valuesById), 1234, -5);
  switch (field.type) {
    case 'string':
      return arbitraryText;
    case 'bytes':
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'bool':
      return fc.boolean();
    case 'double':
      return fc.double().map((value) => (Number.isFinite(value) ? value + 0 : String(value)));
    case 'float':
      return fc.integer({ min: 0, max: 800 }).map((eighths) => eighths / 8);
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    case 'uint32':
      return fc.nat({ max: 2 ** 32 - 1 });
    default:
      return fc.integer();
  }
}

function isDefault(json: Json): boolean {
  return (
    json === '' ||
    json === 0 ||
    json === '0' ||
    json === false ||
    ZERO_NAMES.has(typeof json === 'string' ? json : '')
  );
}

/** First names of the enums' zero values. Texts of these names are left out too, which does no harm. */
const ZERO_NAMES = new Set([
  'UNKNOWN',
  'NORMAL',
  'UNSET',
  'NULL_TYPE',
  'NotStarted',
  'TaskNotStarted',
  'unspecified',
]);

/** A record changed in one place, and the paths that a comparison with the original must name. */
export interface Mutation {
  readonly changed: JsonObject;
  readonly paths: readonly string[];
}

/** All records that differ in one place from a given one. */
export function mutations(type: Type, json: JsonObject, path = ''): Mutation[] {
  return type.fieldsArray.flatMap((field) => {
    const at = path === '' ? field.name : `${path}.${field.name}`;
    const value = json[field.name];
    const withValue = (other: Json | undefined): JsonObject => {
      const { [field.name]: _, ...rest } = json;
      return other === undefined ? rest : { ...rest, [field.name]: other };
    };
    const changes = value === undefined ? additions(type, field, at) : changesOf(type, field, value, at);
    return changes.map(({ value: other, paths }) => ({ changed: withValue(other), paths }));
  });
}

/** Another value of a field (undefined: none), and the paths that name the difference. */
interface Change {
  readonly value: Json | undefined;
  readonly paths: readonly string[];
}

function additions(type: Type, field: Field, at: string): Change[] {
  if (field.map || field.repeated) return [];
  if (submessage(field) !== undefined) return [{ value: {}, paths: emptyIsAbsent(type, field) ? [] : [at] }];
  return hasPresence(field) ? [{ value: false, paths: [at] }] : [];
}

function changesOf(type: Type, field: Field, value: Json, at: string): Change[] {
  if (field.map && isObject(value)) return mapChanges(field, value, at);
  if (Array.isArray(value)) return listChanges(type, field, value, at);
  const removal = emptyIsAbsent(type, field) ? [] : [{ value: undefined, paths: [at] }];
  return [...valueChanges(field, value, at), ...removal];
}

function mapChanges(field: Field, value: JsonObject, at: string): Change[] {
  return Object.entries(value).flatMap(([key, entry]): Change[] => {
    const here = `${at}[${showKey([key])}]`;
    const rest = Object.entries(value).filter(([other]) => other !== key);
    const changed = valueChanges(field, entry, here).map((change) => ({
      value: Object.fromEntries([...rest, [key, change.value ?? null]]),
      paths: change.paths,
    }));
    return [...changed, { value: Object.fromEntries(rest), paths: [here] }];
  });
}

function listChanges(type: Type, field: Field, value: Json[], at: string): Change[] {
  const rule = ruleOf(type, field);
  if (submessage(field) === undefined) {
    const added = [...value, differentLeaf(field, value.at(-1) ?? '')];
    const repeated = value.some((element) => JSON.stringify(element) === JSON.stringify(added.at(-1)));
    return [
      { value: added, paths: repeated && rule !== undefined ? [] : [at] },
      { value: value.slice(1), paths: [at] },
    ];
  }
  return value.flatMap((element, index): Change[] => {
    if (!isObject(element)) return [];
    const here = `${at}[${rule === undefined ? index : elementKey(field, rule, element)}]`;
    const changed = valueChanges(field, element, here, rule?.key ?? []).map((change) => ({
      value: value.with(index, change.value ?? null),
      paths: change.paths,
    }));
    const inert = rule?.inertWithout !== undefined && element[rule.inertWithout] !== true;
    const removed = { value: value.toSpliced(index, 1), paths: inert ? [] : [here] };
    const twice = { value: [...value, element], paths: rule?.as === 'set' ? [] : [`${here}[1]`] };
    // Without names, removing one moves all behind it.
    if (rule === undefined) return index === value.length - 1 ? [...changed, removed] : changed;
    return [...changed, removed, twice];
  });
}

function valueChanges(field: Field, value: Json, at: string, keys: readonly string[] = []): Change[] {
  const message = submessage(field);
  if (message === undefined) return [{ value: differentLeaf(field, value), paths: [at] }];
  if (!isObject(value)) return [];
  const inner = mutations(message, value, at).filter(({ changed }) =>
    keys.every((key) => JSON.stringify(changed[key]) === JSON.stringify(value[key])),
  );
  return inner.map(({ changed, paths }) => ({ value: changed, paths: isOneValue(message) ? [at] : paths }));
}

function differentLeaf(field: Field, value: Json): Json {
  if (typeof value === 'boolean') return !value;
  if (field.type === 'string') return `${value}x`;
  if (field.type === 'bytes') return value === 'AQ==' ? 'Ag==' : 'AQ==';
  // No enum has these numbers.
  return String(value) === '7777' ? 7778 : 7777;
}

/** The record with the entries of its maps, and the elements whose order means nothing, in another order. */
export function shuffled(type: Type, json: JsonObject): JsonObject {
  const fields = type.fieldsArray.flatMap((field): [string, Json][] => {
    const value = json[field.name];
    return value === undefined ? [] : [[field.name, shuffledField(type, field, value)]];
  });
  return Object.fromEntries(fields.reverse());
}

function shuffledField(type: Type, field: Field, value: Json): Json {
  const message = submessage(field);
  const inner = (part: Json) => (message !== undefined && isObject(part) ? shuffled(message, part) : part);
  if (Array.isArray(value)) {
    const parts = value.map(inner);
    return ruleOf(type, field) === undefined ? parts : parts.reverse();
  }
  if (!field.map || !isObject(value)) return inner(value);
  const entries = Object.entries(value).map(([key, part]): [string, Json] => [key, inner(part)]);
  return Object.fromEntries(entries.reverse());
}

function elementKey(field: Field, rule: ListRule, element: JsonObject): string {
  const type = submessage(field);
  const parts = (rule.key ?? []).map((name) => {
    const key = type?.fields[name];
    const value = element[name];
    if (key === undefined) throw new Error(`no field ${name}`);
    if (key.resolvedType instanceof protobuf.Type) return showValue(key, value ?? {});
    if (key.resolvedType instanceof protobuf.Enum)
      return String(value ?? key.resolvedType.valuesById[0]).toLowerCase();
    return String(value ?? key.typeDefault);
  });
  return showKey(parts);
}

function ruleOf(type: Type, field: Field): ListRule | undefined {
  return LIST_RULES[`${messageName(type)}.${field.name}`];
}

function emptyIsAbsent(type: Type, field: Field): boolean {
  return EMPTY_IS_ABSENT.has(`${messageName(type)}.${field.name}`);
}

function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
