import type { Field, Type } from 'protobufjs';
import { type JsonObject, toJson, valueToJson } from './codec-json.js';
import { isFields, type MessageFields, messageName, submessage } from './codec-schema.js';
import { formatKeyRange, formatTabletAlias } from './names.js';

/** Messages that people read as one value, and how it is written. */
const AS_ONE: Readonly<Record<string, (json: JsonObject) => string>> = {
  'topodata.KeyRange': ({ start, end }) => formatKeyRange({ start: bytesOf(start), end: bytesOf(end) }),
  'topodata.TabletAlias': ({ cell, uid }) =>
    formatTabletAlias({ cell: String(cell ?? ''), uid: Number(uid ?? 0) }),
  'vttime.Time': ({ seconds, nanoseconds }) =>
    formatTime(BigInt(String(seconds ?? 0)), Number(nanoseconds ?? 0)),
};

/** Whether a message is shown, and compared, as one value: key ranges, aliases, times. */
export function isOneValue(type: Type): boolean {
  return Object.hasOwn(AS_ONE, messageName(type));
}

/**
 * One value of a field as text for people: `40-80`, `zone1-0000000100`, a time as RFC 3339, strings in quotes, bytes as
 * base64, enums by name, other messages and lists as JSON.
 */
export function showValue(field: Field, value: unknown): string {
  const message = submessage(field);
  if (message !== undefined) return showMessage(message, isFields(value) ? value : {});
  const json = valueToJson(field, value);
  return field.type === 'string' || typeof json !== 'string' ? JSON.stringify(json) : json;
}

function showMessage(type: Type, message: MessageFields): string {
  const json = toJson(type, message);
  return AS_ONE[messageName(type)]?.(json) ?? JSON.stringify(json);
}

/** What names an element of a list, or an entry of a map, in a path: quoted where it would be misread. */
export function showKey(parts: readonly string[]): string {
  const text = parts.join(',');
  return text === '' || /[\s\p{C}[\]"]/u.test(text) ? JSON.stringify(text) : text;
}

function bytesOf(base64: unknown): Uint8Array {
  return Buffer.from(typeof base64 === 'string' ? base64 : '', 'base64');
}

function formatTime(seconds: bigint, nanoseconds: number): string {
  const wholeNanoseconds = nanoseconds >= 0 && nanoseconds < 1e9;
  if (!wholeNanoseconds || seconds < FIRST_SECOND || seconds > LAST_SECOND)
    return `${seconds} s ${nanoseconds} ns since 1970`;
  const moment = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return `${moment}${fraction}Z`;
}

/** The years 0001 to 9999, which RFC 3339 can write. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;
