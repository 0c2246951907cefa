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
  const source: Source = { bytes: buffer, text: buffer.toString('latin1'), at: 0 };
  const plain = renderFields(tableOf(type), source, buffer.length, MAX_DEPTH);
  return plain ?? JSON.stringify(toJson(type, decodeMessage(type, bytes)));
}

/** A record that is read from its beginning to its end. */
interface Source {
  readonly bytes: Buffer;
  /** A character for each byte. Parts of one text cost less than texts made of parts of a buffer. */
  readonly text: string;
  /** Where the last value ended; -1: it is one for the decoder. */
  at: number;
}

/** Of messages in messages: far less than what the decoder takes. */
const MAX_DEPTH = 16;
const MORE = 0x80;

/** The fields from here to another place as a JSON object; undefined: the decoder is to see to them. */
function renderFields(table: Table, source: Source, to: number, depth: number): string | undefined {
  if (depth === 0) return undefined;
  let text = '{';
  let last: Row | undefined;
  let entries: Map<string, string> | undefined;
  while (source.at < to) {
    const row = table[readNumber(source, to)];
    // Fields in another order, and what stands twice, are put together by the decoder.
    if (row === undefined || source.at < 0 || (last !== undefined && row.place < last.place))
      return undefined;
    const goesOn = row === last;
    if (goesOn && !row.repeated) return undefined;
    if (!goesOn) {
      text += endOf(last, entries);
      last = row;
      entries = row.reading === 'map' ? new Map() : undefined;
    }
    const value = entries === undefined ? readValue(row, source, to, depth) : undefined;
    if (entries === undefined ? value === undefined : !readEntry(row, source, to, entries, depth))
      return undefined;
    if (goesOn) text += value === undefined ? '' : `,${value}`;
    else if (row.shown || row.repeated || value !== row.default) {
      if (text.length > 1) text += ',';
      text += row.name;
      if (value !== undefined) text += row.repeated ? `[${value}` : value;
    }
  }
  return source.at === to ? `${text}${endOf(last, entries)}}` : undefined;
}

/** What comes after all elements of a list, and all entries of a map. */
function endOf(row: Row | undefined, entries: Map<string, string> | undefined): string {
  if (entries !== undefined) return entriesText(entries);
  return row?.repeated === true ? ']' : '';
}

/** A value as JSON text; undefined: it is one for the decoder. */
function readValue(row: Row, source: Source, to: number, depth: number): string | undefined {
  const number = readNumber(source, to);
  if (source.at < 0) return undefined;
  switch (row.reading) {
    case 'bool':
      return number > 1 ? undefined : number === 1 ? 'true' : 'false';
    case 'enum':
      return number > MAX_INT32 ? undefined : (row.names?.[number] ?? String(number));
    case 'int32':
      return number > MAX_INT32 ? undefined : String(number);
    case 'uint32':
      return number > MAX_UINT32 ? undefined : String(number);
    case 'int64':
      return `"${number}"`;
    default: {
      const from = source.at;
      const end = from + number;
      if (end > to) return undefined;
      if (row.reading === 'message')
        return row.type && renderFields(tableOf(row.type), source, end, depth - 1);
      source.at = end;
      if (row.reading === 'bytes') return `"${source.bytes.toString('base64', from, end)}"`;
      return isPlain(source.bytes, from, end) ? `"${source.text.slice(from, end)}"` : undefined;
    }
  }
}

/** Reads one entry of a map, in the form that all writers give it: key, then value. */
function readEntry(
  { entry }: Row,
  source: Source,
  to: number,
  entries: Map<string, string>,
  depth: number,
): boolean {
  const length = readNumber(source, to);
  const end = source.at + length;
  if (source.at < 0 || end > to || entry === undefined || source.bytes[source.at] !== KEY_TAG) return false;
  source.at += 1;
  const keyLength = readNumber(source, end);
  const from = source.at;
  const keyEnd = from + keyLength;
  if (from < 0 || keyEnd >= end || !isPlain(source.bytes, from, keyEnd)) return false;
  const key = source.text.slice(from, keyEnd);
  source.at = keyEnd;
  if (readNumber(source, end) !== 16 + wireTypeOf(entry.reading) || source.at < 0) return false;
  const value = readValue(entry, source, end, depth);
  // JavaScript puts keys that are numbers first, in their own order.
  if (value === undefined || source.at !== end || NUMBER.test(key) || entries.has(key)) return false;
  entries.set(key, value);
  return true;
}

const KEY_TAG = 0x0a;
const NUMBER = /^\d+$/;

/** Keys are ASCII: JavaScript's order of them is that of their bytes. */
function entriesText(entries: Map<string, string>): string {
  let text = '{';
  for (const key of [...entries.keys()].sort())
    text += `${text.length > 1 ? ',' : ''}"${key}":${entries.get(key)}`;
  return `${text}}`;
}

/** A varint that a number holds and that is not negative; the place is -1 for all others. */
function readNumber(source: Source, to: number): number {
  const { bytes } = source;
  let at = source.at;
  const first = at < to ? (bytes[at++] ?? MORE) : MORE;
  if (first < MORE) {
    source.at = at;
    return first;
  }
  let value = first - MORE;
  for (let factor = MORE; at < to && factor <= LAST_FACTOR; factor *= MORE) {
    const byte = bytes[at++] ?? 0;
    value += (byte % MORE) * factor;
    if (byte >= MORE) continue;
    source.at = at;
    return value;
  }
  source.at = -1;
  return 0;
}

/** Of the seventh byte: seven times seven bits are within what a number holds. */
const LAST_FACTOR = 2 ** 42;
const MAX_INT32 = 2 ** 31 - 1;
const MAX_UINT32 = 2 ** 32 - 1;

/** Whether it is ASCII that JSON writes as it is. */
function isPlain(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 || byte >= MORE || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
