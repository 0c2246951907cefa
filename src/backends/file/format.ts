import { checkPath } from '../../topo/paths.js';
import { SEAL_BYTES, sealOf } from './lines.js';

/** Version of the form described in docs/file-format.md. */
const FORMAT_VERSION = 1;
const FORMAT = 'topo2topo snapshot';

/** First line of a file. */
export interface Header {
  /** Moment at which the file was begun, and at which this form of it was written: ISO 8601, UTC. */
  readonly created: string;
  readonly written: string;
  /** Number of the last change that the records below include. */
  readonly position: number;
  /** Number of the change that made each record, in the order of the record lines. */
  readonly changes: readonly Run[];
}

/** `count` records in a row made by one change. */
export type Run = readonly [change: number, count: number];

/** One record. `kind` and `json` are for readers of the file; the bytes alone count. */
export interface RecordLine {
  readonly scope: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Line that closes the sorted records. */
export interface Trailer {
  readonly records: number;
  /** SHA-256 over the record lines, line ends included, in hexadecimal. */
  readonly sha256: string;
}

/** One change after the sorted records: all of its items, or none. */
export interface Change {
  readonly change: number;
  readonly scope: string;
  readonly items: readonly ChangeItem[];
}

/** New contents of one record; undefined: it was deleted. */
export interface ChangeItem {
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
}

/** What is wrong with a line or a file, in words that follow "line 7: ". */
export class Damage extends Error {}

/** A file that is whole, and of a format version that this program does not know. */
export class UnknownFormat extends Error {}

/** Bodies of lines: what is before their checksums. */
export function headerBody(header: Header, tool: string): string {
  const { created, written, position, changes } = header;
  return bodyOf({ format: FORMAT, version: FORMAT_VERSION, tool, created, written, position, changes });
}

/** `decoded` stands beside the bytes for readers: the kind, and the record as JSON text where it decodes. */
export function recordBody(
  { scope, path, bytes }: RecordLine,
  { kind, json }: { readonly kind: string; readonly json?: string | undefined },
): string {
  const place = `{"scope":${JSON.stringify(scope)},"path":${JSON.stringify(path)},"kind":${JSON.stringify(kind)}`;
  return `${place}${json === undefined ? '' : `,"json":${json}`},"base64":"${toBase64(bytes)}"`;
}

export function trailerBody({ records, sha256 }: Trailer): string {
  return bodyOf({ records, sha256 });
}

export function changeBody({ change, scope, items }: Change): string {
  const shown = items.map(({ path, bytes }) => {
    const what = bytes === undefined ? '"deleted":true' : `"base64":"${toBase64(bytes)}"`;
    return `{"path":${JSON.stringify(path)},${what}}`;
  });
  return `{"change":${change},"scope":${JSON.stringify(scope)},"items":[${shown.join(',')}]`;
}

/** Damage; UnknownFormat for a header that is whole and of another version. */
export function parseHeader(line: Buffer): Header {
  const start = `{"format":${JSON.stringify(FORMAT)},`;
  if (line.subarray(0, start.length).toString('latin1') !== start)
    throw new Damage('this is not the first line of a topology file of topo2topo');
  const fields = unseal(line);
  if (fields.version !== FORMAT_VERSION) {
    const version = JSON.stringify(fields.version);
    throw new UnknownFormat(
      `the file has format version ${version}, this program reads version ${FORMAT_VERSION}`,
    );
  }
  return {
    created: text(fields, 'created'),
    written: text(fields, 'written'),
    position: count(fields, 'position'),
    changes: runsOf(fields),
  };
}

/** A line of the sorted part: a record, or the trailer. */
export function parseBaseLine(line: Buffer): RecordLine | Trailer {
  const body = checkedBody(line);
  const fields = glance(body) ?? whole(line);
  if ('records' in fields) return { records: count(fields, 'records'), sha256: text(fields, 'sha256') };
  return { scope: scopeOf(fields), path: pathOf(fields), bytes: bytesOf(fields) };
}

export function parseChange(line: Buffer): Change {
  const fields = unseal(line);
  const { items } = fields;
  if (!Array.isArray(items)) throw new Damage('it is not a change');
  return {
    change: count(fields, 'change'),
    scope: scopeOf(fields),
    items: items.map((item: unknown) => {
      if (!isFields(item)) throw new Damage('it is not a change');
      return { path: pathOf(item), bytes: item.deleted === true ? undefined : bytesOf(item) };
    }),
  };
}

/** Scope and path of a record line that is cut off or altered, as far as they can be read. */
export function placeOf(line: Buffer): string | undefined {
  const start = line.subarray(0, 16_384).toString('utf8');
  const match = /^\{"scope":("(?:[^"\\]|\\.)*"),"path":("(?:[^"\\]|\\.)*")/.exec(start);
  try {
    return match === null ? undefined : `${JSON.parse(match[1] ?? '')} ${JSON.parse(match[2] ?? '')}`;
  } catch {
    return undefined;
  }
}

/** Whether a line without its line end is whole. */
export function isWhole(line: Buffer): boolean {
  try {
    unseal(line);
    return true;
  } catch {
    return false;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function bodyOf(fields: Fields): string {
  return JSON.stringify(fields).slice(0, -1);
}

function unseal(line: Buffer): Fields {
  checkedBody(line);
  return whole(line);
}

/** What the checksum of a line is of. Damage when it does not fit. */
function checkedBody(line: Buffer): Buffer {
  const end = line.length - SEAL_BYTES;
  if (end < 0) throw new Damage('it is cut off or altered: it has no checksum');
  const found = line.subarray(end).toString('latin1');
  const body = line.subarray(0, end);
  if (found !== sealOf(body)) throw new Damage('it is cut off or altered: its checksum does not fit');
  return body;
}

/** A record line as this program writes it: what it begins with, and how its last field ends. */
const RECORD_BEGINS = /^\{"scope":"([^"\\\p{Cc}]+)","path":"([^"\\\p{Cc}]+)","kind":"[^"\\\p{Cc}]*",/u;
const BASE64 = '"base64":"';
const BEGINS_BYTES = 4_096;

/**
 * Scope, path and base64 of a record line in its usual form, without the JSON between them, which is for people and takes most of the time;
 * undefined: read the whole line.
 */
function glance(body: Buffer): Fields | undefined {
  const base64 = body.lastIndexOf(BASE64);
  if (base64 < 0 || body.at(-1) !== QUOTE || body.at(base64 - 1) !== COMMA) return undefined;
  const begins = RECORD_BEGINS.exec(body.toString('utf8', 0, Math.min(base64, BEGINS_BYTES)));
  if (begins === null) return undefined;
  const [, scope, path] = begins;
  const value = body.toString('latin1', base64 + BASE64.length, body.length - 1);
  return value.includes('"') ? undefined : { scope, path, base64: value };
}

const QUOTE = 0x22;
const COMMA = 0x2c;

function whole(line: Buffer): Fields {
  const fields = parseJson(line.toString('utf8'));
  if (!isFields(fields)) throw new Damage('it is no JSON object');
  return fields;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Damage('it is no JSON object');
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Damage(`its ${name} is no text`);
  return value;
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new Damage(`its ${name} is no whole number`);
  return value;
}

function runsOf(fields: Fields): Run[] {
  const { changes } = fields;
  if (!Array.isArray(changes)) throw new Damage('its changes are no list');
  return changes.map((run: unknown) => {
    if (!Array.isArray(run)) throw new Damage('its changes are no list of pairs');
    return [count({ change: run[0] }, 'change'), count({ count: run[1] }, 'count')];
  });
}

function scopeOf(fields: Fields): string {
  const scope = text(fields, 'scope');
  if (scope === '' || scope.includes('/')) throw new Damage('its scope is no name of a cell');
  return scope;
}

function pathOf(fields: Fields): string {
  const path = text(fields, 'path');
  try {
    return checkPath(path, 'record');
  } catch {
    throw new Damage('its path is not legal');
  }
}

function bytesOf(fields: Fields): Uint8Array {
  const base64 = text(fields, 'base64');
  const bytes = Buffer.from(base64, 'base64');
  if (toBase64(bytes) !== base64) throw new Damage('its base64 is not canonical');
  return bytes;
}

function toBase64(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('base64');
}
