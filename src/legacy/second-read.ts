import protobuf, { type Field, type Type } from 'protobufjs';
import type { Json, JsonObject } from '../topo/codec-json.js';
import { messageName, messageType, submessage } from '../topo/codec-schema.js';
import { showKey } from '../topo/diff-show.js';
import { NAMES_THEN, OTHER_NAMES } from './held-fields.js';
import { isObject, nameOf } from './json-text.js';
import type { Reading } from './reading.js';
import { misfit, readScalar } from './second-scalars.js';
import { typeNumber } from './tablet-types.js';

/**
 * Generation 2 → protobuf's canonical JSON: the JSON that Go's encoding/json or jsonpb wrote of the proto structs. Names are those of
 * then or of today, in any case and with or without `_`, as Go reads them; enums are numbers or words, bytes base64, null is nothing.
 * A list keyed by tablet type may be an object, a map a list of `{key, value}`. Unknown names and types of tablets without counterpart
 * are losses. `prefix` is where
 * the message is, for the names of fields. Corrupt, naming the field, for values that a field cannot have.
 */
export function readSecond(message: string, json: JsonObject, reading: Reading, prefix = ''): JsonObject {
  return readMessage(messageType(message), json, prefix, reading);
}

function readMessage(type: Type, json: JsonObject, prefix: string, reading: Reading): JsonObject {
  const fields = fieldsByName(type);
  const read = new Map<string, Json>();
  for (const [name, value] of Object.entries(json)) {
    if (value === null) continue;
    const at = `${prefix}${name}`;
    const field = fields.get(bare(name));
    if (field === undefined || read.has(field.name)) {
      reading.losses.push({ kind: 'unknown-field', path: reading.path, field: at, value });
      continue;
    }
    const found = readField(field, value, at, reading);
    if (found !== undefined) read.set(field.name, found);
  }
  return Object.fromEntries(read);
}

function readField(field: Field, value: Json, at: string, reading: Reading): Json | undefined {
  if (field.map) {
    const entries = entriesOf(value, at);
    return Object.fromEntries(
      entries.map(([key, each]) => [key, readElement(field, each, `${at}[${showKey([key])}]`, reading)]),
    );
  }
  if (!field.repeated) return readValue(field, value, at, reading);
  const elements = Array.isArray(value) ? value : keyedElements(field, value, at);
  return elements.map((each, index) => readElement(field, each, `${at}[${index}]`, reading));
}

function readElement(field: Field, value: Json, at: string, reading: Reading): Json {
  if (value === null) throw misfit(at, 'a value is wanted, and there is null');
  return readValue(field, value, at, reading);
}

function readValue(field: Field, value: Json, at: string, reading: Reading): Json {
  const inner = submessage(field);
  if (inner !== undefined) {
    if (isObject(value)) return readMessage(inner, value, `${at}.`, reading);
    throw misfit(at, `an object is wanted, and there is ${nameOf(value)}`);
  }
  return isTabletType(field) ? typeNumber(value, at, reading) : readScalar(field, value, at);
}

/** Whether a field holds a type of tablet. */
export function isTabletType(field: Field): boolean {
  return (
    field.resolvedType instanceof protobuf.Enum && field.resolvedType.fullName === '.topodata.TabletType'
  );
}

/** The entries of a map, which may be a list of them. */
function entriesOf(value: Json, at: string): [string, Json][] {
  if (isObject(value)) return Object.entries(value);
  if (!Array.isArray(value)) throw misfit(at, `an object is wanted, and there is ${nameOf(value)}`);
  return value.map((entry, index) => {
    const key = isObject(entry) ? entry['key'] : undefined;
    if (!isObject(entry) || typeof key !== 'string')
      throw misfit(`${at}[${index}]`, 'an entry with key and value is wanted');
    return [key, entry['value'] ?? null];
  });
}

/** The elements of a list that is written as an object, its keys the types of tablets that name them. */
function keyedElements(field: Field, value: Json, at: string): Json[] {
  const key = submessage(field)?.fieldsArray.find(isTabletType);
  if (key === undefined || !isObject(value))
    throw misfit(at, `a list is wanted, and there is ${nameOf(value)}`);
  return Object.entries(value).map(([type, element]) => {
    const name = /^\d+$/.test(type) ? Number(type) : type;
    if (typeof element === 'string') return { [key.name]: name, keyspace: element };
    if (isObject(element)) return { [key.name]: name, ...element };
    throw misfit(`${at}[${showKey([type])}]`, `an object is wanted, and there is ${nameOf(element)}`);
  });
}

const byName = new WeakMap<Type, ReadonlyMap<string, Field>>();

function fieldsByName(type: Type): ReadonlyMap<string, Field> {
  let found = byName.get(type);
  if (found === undefined) {
    found = new Map(
      type.fieldsArray.flatMap((field) => {
        const rule = `${messageName(type)}.${field.name}`;
        const names = [field.name, NAMES_THEN[rule], OTHER_NAMES[rule]];
        return names.flatMap((name) => (name === undefined ? [] : [[bare(name), field] as const]));
      }),
    );
    byName.set(type, found);
  }
  return found;
}

/** A name as Go compares it: `master_alias`, `masterAlias` and `MasterAlias` are one. */
function bare(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
