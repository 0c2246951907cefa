import protobuf, { type Field, type Type } from 'protobufjs';
import protojson from 'protobufjs/ext/protojson.js';
import {
  elements,
  entries,
  isFields,
  isSet,
  type MessageFields,
  messageName,
  submessage,
} from './codec-schema.js';
import { ErrorCode, TopologyError } from './errors.js';
import { compareBytewise } from './paths.js';

/** A value of JSON. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  [name: string]: Json;
}

/**
 * A message in protobuf's canonical JSON, with proto field names: fields that are not set left out, enums by their first
 * name or, where they have none, as numbers, bytes as base64, 64-bit integers as strings, `"NaN"` and `"Infinity"`.
 * Fields come in the order of the schema, map entries in byte order of their keys. Unknown fields have no place in it.
 */
export function toJson(type: Type, message: MessageFields): JsonObject {
  // protojson.toJson would do, but for proto names and for 32-bit floats, which it prints with the digits of a double.
  const properties = type.fieldsArray
    .filter((field) => isSet(field, message))
    .map((field): [string, Json] => [field.name, fieldToJson(field, message)]);
  return Object.fromEntries(properties);
}

function fieldToJson(field: Field, message: MessageFields): Json {
  if (field.map) {
    const sorted = entries(field, message).sort(([a], [b]) => compareBytewise(a, b));
    return Object.fromEntries(sorted.map(([key, value]) => [key, valueToJson(field, value)]));
  }
  if (field.repeated) return elements(field, message).map((element) => valueToJson(field, element));
  return valueToJson(field, message[field.name]);
}

/** One value of a field (an element of a list, the value of a map's entry) as {@link toJson} gives it. */
export function valueToJson(field: Field, value: unknown): Json {
  const message = submessage(field);
  if (message !== undefined) return toJson(message, isFields(value) ? value : {});
  if (field.resolvedType instanceof protobuf.Enum) {
    const number = Number(value);
    return field.resolvedType.valuesById[number] ?? number;
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return String(value);
    return field.type === 'float' ? shortestFloat(value) : value + 0;
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return String(value);
}

/** The shortest decimal that a 32-bit float of this value is read back from. */
export function shortestFloat(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    // Shortening the largest float rounds it up to what protojson holds for too large.
    if (Math.fround(shorter) === value && Math.abs(shorter) <= LARGEST_FLOAT) return shorter;
  }
  return value;
}

const LARGEST_FLOAT = 2 ** 128 - 2 ** 104;

/**
 * Reads {@link toJson}'s form, and that with camelCase names. Usage, naming the path of the field, for what does not fit
 * the message: unknown names, unknown enum names, values of a wrong type or out of range.
 */
export function fromJson(type: Type, json: JsonObject): MessageFields {
  const fault = refusal(type, json);
  if (fault === undefined) return fieldsOf(protojson.fromJson(type, json));
  const path = faultPath(type, json, '');
  throw new TopologyError(
    ErrorCode.Usage,
    `not a ${messageName(type)}: ${path === '' ? '' : `${path}: `}${fault}`,
  );
}

/** Why protojson refuses some JSON, without the value that its own message quotes; undefined when it does not. */
function refusal(type: Type, json: Json): string | undefined {
  try {
    protojson.fromJson(type, json);
    return undefined;
  } catch (error) {
    const [first = '', reason] = error instanceof Error ? error.message.split(': ') : [];
    return reason ?? first;
  }
}

/** Path of the innermost part that is refused, found by offering the parts one by one. */
function faultPath(type: Type, json: Json, path: string): string {
  if (!isObject(json)) return path;
  for (const [name, value] of Object.entries(json)) {
    if (refusal(type, { [name]: value }) === undefined) continue;
    const here = path === '' ? name : `${path}.${name}`;
    const field = type.fieldsArray.find((one) => one.name === name || one.jsonName === name);
    return field === undefined ? here : partPath(type, field, value, here);
  }
  return path;
}

function partPath(type: Type, field: Field, json: Json, path: string): string {
  const message = submessage(field);
  const parts: [string, Json, Json][] = Array.isArray(json)
    ? json.map((element, index) => [`[${index}]`, element, [element]])
    : field.map && isObject(json)
      ? Object.entries(json).map(([key, value]) => [`[${key}]`, value, { [key]: value }])
      : [];
  const bad = parts.find(([, , alone]) => refusal(type, { [field.name]: alone }) !== undefined);
  if (bad !== undefined) {
    const [place, part] = bad;
    return message === undefined ? `${path}${place}` : faultPath(message, part, `${path}${place}`);
  }
  return message === undefined || field.repeated || field.map ? path : faultPath(message, json, path);
}

function isObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function fieldsOf(message: unknown): MessageFields {
  return isFields(message) ? message : {};
}
