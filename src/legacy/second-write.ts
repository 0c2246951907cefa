import protobuf, { type Field, type Type } from 'protobufjs';
import { readFields } from '../topo/codec.js';
import { type Json, type JsonObject, valueToJson } from '../topo/codec-json.js';
import {
  elements,
  entries,
  hasPresence,
  isFields,
  isSet,
  type MessageFields,
  messageName,
  messageType,
  submessage,
} from '../topo/codec-schema.js';
import { ownUnknownFields } from '../topo/codec-wire.js';
import { showKey } from '../topo/diff-show.js';
import { compareBytewise } from '../topo/paths.js';
import type { Loss } from '../topo/told.js';
import { HELD_FIELDS, NAMES_THEN } from './held-fields.js';
import { writeJsonText } from './json-text.js';
import type { Numbering } from './reading.js';
import { isTabletType } from './second-read.js';
import { numberOfType } from './tablet-types.js';

/** A record in an old form. */
export interface Written {
  readonly value: Uint8Array;
  /** What has no place in it; it is not in {@link value}. */
  readonly losses: readonly Loss[];
}

/** What a record is written for. */
export interface WriteOptions {
  readonly path: string;
  readonly numbering: Numbering;
}

/**
 * Protobuf → generation 2: the JSON that Vitess 2.0 and 2.1 wrote and read, with the names that fields had then, enums as numbers, bytes as base64,
 * what is at its default left out. Corrupt when the bytes are no such message.
 */
export function writeSecond(message: string, bytes: Uint8Array, options: WriteOptions): Written {
  const losses: Loss[] = [];
  const json = writeMessage(messageType(message), readFields(message, bytes), '', { ...options, losses });
  return { value: writeJsonText(json), losses };
}

interface Writing extends WriteOptions {
  readonly losses: Loss[];
}

function writeMessage(type: Type, message: MessageFields, prefix: string, writing: Writing): JsonObject {
  const held = HELD_FIELDS[messageName(type)] ?? [];
  const written: [string, Json][] = [];
  for (const field of type.fieldsArray) {
    if (!isGiven(field, message)) continue;
    const at = `${prefix}${field.name}`;
    if (!held.includes(field.name)) {
      writing.losses.push({
        kind: 'newer-field',
        path: writing.path,
        field: at,
        value: shown(field, message),
      });
      continue;
    }
    const value = writeField(field, message, at, writing);
    const name = NAMES_THEN[`${messageName(type)}.${field.name}`] ?? field.name;
    if (value !== undefined) written.push([name, value]);
  }
  for (const { path: field, bytes } of ownUnknownFields(message, prefix)) {
    const value = Buffer.from(bytes).toString('base64');
    writing.losses.push({ kind: 'newer-field', path: writing.path, field, value });
  }
  return Object.fromEntries(written);
}

/** Whether a field says anything: an old record may spell a default out. */
function isGiven(field: Field, message: MessageFields): boolean {
  if (!isSet(field, message)) return false;
  if (field.map || field.repeated || hasPresence(field)) return true;
  const value = message[field.name];
  return value !== '' && value !== false && !(value instanceof Uint8Array && value.byteLength === 0);
}

function shown(field: Field, message: MessageFields): Json {
  if (field.map)
    return Object.fromEntries(entries(field, message).map(([key, each]) => [key, valueToJson(field, each)]));
  if (field.repeated) return elements(field, message).map((each) => valueToJson(field, each));
  return valueToJson(field, message[field.name]);
}

function writeField(field: Field, message: MessageFields, at: string, writing: Writing): Json | undefined {
  if (field.map) {
    const sorted = entries(field, message).sort(([a], [b]) => compareBytewise(a, b));
    return Object.fromEntries(
      sorted.map(([key, each]) => [key, writeValue(field, each, `${at}[${showKey([key])}]`, writing)]),
    );
  }
  if (!field.repeated) return writeValue(field, message[field.name], at, writing);
  return elements(field, message).map((each, index) => writeValue(field, each, `${at}[${index}]`, writing));
}

function writeValue(field: Field, value: unknown, at: string, writing: Writing): Json {
  const inner = submessage(field);
  if (inner !== undefined) return writeMessage(inner, isFields(value) ? value : {}, `${at}.`, writing);
  if (!(field.resolvedType instanceof protobuf.Enum)) return valueToJson(field, value);
  const number = Number(value);
  if (!isTabletType(field)) return number;
  const old = numberOfType(number, writing.numbering);
  if (old === undefined)
    writing.losses.push({
      kind: 'tablet-type',
      path: writing.path,
      field: at,
      value: valueToJson(field, value),
    });
  return old ?? 0;
}
