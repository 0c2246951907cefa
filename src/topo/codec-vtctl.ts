import protobuf, { type Field, type Type } from 'protobufjs';
import { type Json, type JsonObject, valueToJson } from './codec-json.js';
import {
  elements,
  entries,
  hasPresence,
  isFields,
  isSet,
  type MessageFields,
  messageType,
  submessage,
} from './codec-schema.js';
import { decodeMessage } from './codec-wire.js';
import { compareBytewise } from './paths.js';

/**
 * How Vitess's vtctl prints a record, its fields under their proto names, enums as numbers. `all`: fields that are not set,
 * too, but for those that Vitess has dropped, and messages that are not there as null; `set`: as Go prints its own structures,
 * what is set alone, 64-bit integers as numbers.
 */
export type VtctlForm = 'all' | 'set';

/** A record as vtctl's Get commands print it. Corrupt, with the reason, when it does not decode. */
export function toVtctlJson(message: string, bytes: Uint8Array, form: VtctlForm): JsonObject {
  const type = messageType(message);
  return messageJson(type, decodeMessage(type, bytes), form);
}

function messageJson(type: Type, message: MessageFields, form: VtctlForm): JsonObject {
  const properties = type.fieldsArray.flatMap((field): [string, Json][] => {
    if (isSet(field, message)) return [[field.name, fieldJson(field, message, form)]];
    const isLeftOut = form === 'set' || field.options?.['deprecated'] === true || isOptional(field);
    return isLeftOut ? [] : [[field.name, unset(field)]];
  });
  return Object.fromEntries(properties);
}

/** A scalar that tells absent from its default value is printed only where it is there. */
function isOptional(field: Field): boolean {
  return submessage(field) === undefined && !field.repeated && !field.map && hasPresence(field);
}

function fieldJson(field: Field, message: MessageFields, form: VtctlForm): Json {
  if (field.map) {
    const sorted = entries(field, message).sort(([a], [b]) => compareBytewise(a, b));
    return Object.fromEntries(sorted.map(([key, value]) => [key, partJson(field, value, form)]));
  }
  if (field.repeated) return elements(field, message).map((element) => partJson(field, element, form));
  return partJson(field, message[field.name], form);
}

function partJson(field: Field, value: unknown, form: VtctlForm): Json {
  const message = submessage(field);
  if (message !== undefined) return messageJson(message, isFields(value) ? value : {}, form);
  if (field.resolvedType instanceof protobuf.Enum) return Number(value);
  const json = valueToJson(field, value);
  return form === 'set' && WIDE.has(field.type) ? Number(json) : json;
}

function unset(field: Field): Json {
  if (field.map) return {};
  if (field.repeated) return [];
  if (submessage(field) !== undefined) return null;
  if (field.type === 'bool') return false;
  if (field.type === 'string' || field.type === 'bytes') return '';
  return WIDE.has(field.type) ? '0' : 0;
}

const WIDE: ReadonlySet<string> = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);
