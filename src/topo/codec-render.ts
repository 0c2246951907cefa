import { toJson } from './codec-json.js';
import { type Row, type Table, tableOf, wireTypeOf } from './codec-render-rows.js';
import { messageType } from './codec-schema.js';
import { decodeMessage } from './codec-wire.js';

/**
 * A record as JSON text: what `JSON.stringify` makes of {@link toJson}. Records in the plain form that they nearly always have are
 * not decoded for it. Corrupt when it does not decode.
 */
export function renderJson(message: string, bytes: Uint8Array): string {
  const type = messageType(message);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const plain = renderFields(tableOf(type), buffer, 0, buffer.length, MAX_DEPTH);
  return plain ?? JSON.stringify(toJson(type, decodeMessage(type, bytes)));
}

/** Where the last value ended; -1: it is one for the decoder. */
interface Place {
  at: number;
  /** How many messages more may be within one another. */
  readonly depth: number;
}

/** Of messages in messages: far less than what the decoder takes. */
const MAX_DEPTH = 16;
const MORE = 0x80;

/** The fields from one place to another as a JSON object; undefined: the decoder is to see to them. */
function renderFields(
  table: Table,
  bytes: Buffer,
  from: number,
  to: number,
  depth: number,
): string | undefined {
  if (depth === 0) return undefined;
  const place: Place = { at: from, depth };
  let text = '{';
  let last: Row | undefined;
  let entries: Map<string, string> | undefined;
  const close = () => {
    if (last?.reading === 'map') text += entriesText(entries);
    else if (last?.repeated === true) text += ']';
  };
  while (place.at < to) {
    const row = table[readNumber(bytes, place, to)];
    // Fields in another order, and what stands twice, are put together by the decoder.
    if (row === undefined || place.at < 0 || (last !== undefined && row.place < last.place)) return undefined;
    const goesOn = row === last;
    if (goesOn && !row.repeated) return undefined;
    if (!goesOn) {
      close();
      last = row;
      entries = row.reading === 'map' ? new Map() : undefined;
    }
    if (row.reading === 'map') {
      if (!readEntry(row, bytes, place, to, entries)) return undefined;
      if (!goesOn) text += `${text.length > 1 ? ',' : ''}${row.name}`;
      continue;
    }
    const value = readValue(row, bytes, place, to);
    if (value === undefined) return undefined;
    if (row.repeated) text += goesOn ? `,${value}` : `${text.length > 1 ? ',' : ''}${row.name}[${value}`;
    else if (row.shown || !isDefault(row, value)) text += `${text.length > 1 ? ',' : ''}${row.name}${value}`;
  }
  if (place.at !== to) return undefined;
  close();
  return `${text}}`;
}

/** A value as JSON text; undefined: it is one for the decoder. */
function readValue(row: Row, bytes: Buffer, place: Place, to: number): string | undefined {
  const number = readNumber(bytes, place, to);
  if (place.at < 0) return undefined;
  switch (row.reading) {
    case 'bool':
      return number > 1 ? undefined : number === 1 ? 'true' : 'false';
    case 'enum':
      return number > MAX_INT32 ? undefined : (quoted(row.names?.[number]) ?? String(number));
    case 'int32':
      return number > MAX_INT32 ? undefined : String(number);
    case 'uint32':
      return number > MAX_UINT32 ? undefined : String(number);
    case 'int64':
      return `"${number}"`;
    default: {
      const from = place.at;
      const end = from + number;
      if (end > to) return undefined;
      place.at = end;
      if (row.reading === 'text') {
        const text = plainText(bytes, from, end);
        return text === undefined ? undefined : `"${text}"`;
      }
      if (row.reading === 'bytes') return `"${bytes.toString('base64', from, end)}"`;
      return row.type === undefined
        ? undefined
        : renderFields(tableOf(row.type), bytes, from, end, place.depth - 1);
    }
  }
}

/** Reads one entry of a map, in the form that all writers give it: key, then value. */
function readEntry(
  { entry }: Row,
  bytes: Buffer,
  place: Place,
  to: number,
  entries: Map<string, string> | undefined,
): boolean {
  const length = readNumber(bytes, place, to);
  const end = place.at + length;
  if (place.at < 0 || end > to || entry === undefined || bytes[place.at] !== KEY_TAG) return false;
  place.at += 1;
  const keyLength = readNumber(bytes, place, end);
  const from = place.at;
  if (from < 0 || from + keyLength >= end) return false;
  const key = plainText(bytes, from, from + keyLength);
  place.at = from + keyLength;
  const isValue = readNumber(bytes, place, end) === 16 + wireTypeOf(entry.reading);
  const value = isValue && place.at >= 0 ? readValue(entry, bytes, place, end) : undefined;
  // JavaScript puts keys that are numbers first, in their own order.
  if (key === undefined || value === undefined || place.at !== end || NUMBER.test(key) || entries?.has(key))
    return false;
  entries?.set(key, value);
  return true;
}

const KEY_TAG = 0x0a;
const NUMBER = /^\d+$/;

/** Keys are ASCII: JavaScript's order of them is that of their bytes. */
function entriesText(entries: Map<string, string> | undefined): string {
  const keys = [...(entries?.keys() ?? [])].sort();
  return `{${keys.map((key) => `"${key}":${entries?.get(key)}`).join(',')}}`;
}

/** A varint that a number holds and that is not negative; the place is -1 for all others. */
function readNumber(bytes: Buffer, place: Place, to: number): number {
  let value = 0;
  for (let factor = 1, at = place.at; at < to && factor <= LAST_FACTOR; factor *= MORE) {
    const byte = bytes[at++] ?? 0;
    value += (byte % MORE) * factor;
    if (byte < MORE) {
      place.at = at;
      return value;
    }
  }
  place.at = -1;
  return 0;
}

/** Of the seventh byte: seven times seven bits are within what a number holds. */
const LAST_FACTOR = 2 ** 42;
const MAX_INT32 = 2 ** 31 - 1;
const MAX_UINT32 = 2 ** 32 - 1;

/** Text; undefined: there is something in it that is not ASCII, or that JSON writes otherwise. */
function plainText(bytes: Buffer, from: number, to: number): string | undefined {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 || byte >= MORE || byte === QUOTE || byte === BACKSLASH) return undefined;
  }
  return bytes.toString('latin1', from, to);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text);
}

function isDefault({ reading, names }: Row, value: string): boolean {
  switch (reading) {
    case 'text':
    case 'bytes':
      return value === '""';
    case 'bool':
      return value === 'false';
    case 'int64':
      return value === '"0"';
    case 'enum':
      return value === (quoted(names?.[0]) ?? '0');
    case 'message':
    case 'map':
      return false;
    default:
      return value === '0';
  }
}
