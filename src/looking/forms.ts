import { decode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { UnknownField } from '../topo/codec-wire.js';
import type { StoredRecord, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { classify, KINDS, type Kind } from '../topo/kinds.js';
import { baseName, compareBytewise } from '../topo/paths.js';
import { type TextOptions, toText } from '../topo/text-format.js';
import { GLOBAL } from '../topo/topology.js';

/** Kind of a record of a scope: `global`, or a cell's name. */
export function kindOf(scope: string, { path, ephemeral }: Pick<StoredRecord, 'path' | 'ephemeral'>): Kind {
  return rowOf(scope, path, ephemeral).kind;
}

/** Message of a record by its place in the tree; null for raw bytes. */
export function messageOf(scope: string, record: Pick<StoredRecord, 'path' | 'ephemeral'>): string | null {
  return rowOf(scope, record.path, record.ephemeral).message;
}

function rowOf(scope: string, path: string, ephemeral: boolean) {
  return classify(scope === GLOBAL ? 'global' : 'cell', path, ephemeral);
}

/** A record as this tool shows it by itself. */
export interface ShownRecord {
  readonly kind: Kind;
  /** Bytes. */
  readonly size: number;
  /** Protobuf's canonical JSON. Absent for raw bytes, and where the record does not decode. */
  readonly json?: JsonObject;
  readonly unknownFields?: readonly UnknownField[];
  /** In place of `json`: the bytes, when they are UTF-8. */
  readonly text?: string;
  /** In place of `json`: the bytes, when they are not. */
  readonly base64?: string;
  /** Why the record does not decode. */
  readonly problem?: string;
}

/** Decodes a record to show it. Never fails: what does not decode is shown as bytes, with the reason. */
export function shownRecord(scope: string, record: StoredRecord): ShownRecord {
  const row = rowOf(scope, record.path, record.ephemeral);
  const base = { kind: row.kind, size: record.bytes.byteLength };
  if (row.message === null) return { ...base, ...rawForm(record.bytes) };
  const unreadable = record.told?.unreadable?.sentence;
  if (unreadable !== undefined) return { ...base, ...rawForm(record.bytes), problem: unreadable };
  try {
    const decoded = decode(row.message, record.bytes);
    return decoded.unknown.length === 0
      ? { ...base, json: decoded.json }
      : { ...base, json: decoded.json, unknownFields: decoded.unknown };
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
    return { ...base, ...rawForm(record.bytes), problem: error.message };
  }
}

/** Bytes as text where they are UTF-8, otherwise as base64. */
export function rawForm(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

/**
 * A record as Vitess's TopoCat --decode_proto prints it, and in GetTopologyPath's `data`: protobuf's text format in one
 * line. undefined: raw bytes, which Vitess prints as they are. All kinds are decoded, also those that Vitess does not.
 * Corrupt when it does not decode.
 */
export function textForm(scope: string, record: StoredRecord, options: TextOptions = {}): string | undefined {
  const message = printedMessage(scope, record);
  if (message === null) return undefined;
  checkReadable(record);
  return toText(message, record.bytes, options);
}

/**
 * A record as GetTopologyPath --data-as-json prints it: protobuf's canonical JSON with proto field names. Raw bytes, of
 * which Vitess prints nothing, are `{"__text"}` or `{"__base64"}`. Corrupt when it does not decode.
 */
export function jsonForm(scope: string, record: StoredRecord, options: TextOptions = {}): JsonObject {
  const message = printedMessage(scope, record);
  if (message === null) {
    const raw = rawForm(record.bytes);
    return 'text' in raw ? { __text: raw.text } : { __base64: raw.base64 };
  }
  checkReadable(record);
  const { json, unknown } = decode(message, record.bytes);
  if (options.unknownFields !== true || unknown.length === 0) return json;
  const __unknown = unknown.map(({ path, wireType, bytes }) => ({
    path,
    wireType,
    bytes: Buffer.from(bytes).toString('base64'),
  }));
  return { ...json, __unknown };
}

/** Bytes that are in no form that their store knows are those of the store, and mean nothing here. */
function checkReadable({ told }: StoredRecord): void {
  if (told?.unreadable !== undefined) throw new TopologyError(ErrorCode.Corrupt, told.unreadable.sentence);
}

/**
 * Objects as TopoCat --decode_proto_json prints them: one line, an array, keys in byte order, as Go's encoding/json
 * writes it.
 */
export function jsonLine(objects: readonly JsonObject[]): string {
  return JSON.stringify(objects, (_, value: unknown) => sortedKeys(value)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sortedKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareBytewise(a, b)));
}

/** What {@link jsonForm} gets in addition with TopoCat's --long. `path`: as it was given. */
export function longKeys(path: string, value: Value): JsonObject {
  return { __path: path, __version: vitessVersion(value) };
}

/** The line before a record with TopoCat's --long. */
export function longLine(path: string, value: Value): string {
  return `path=${path} version=${vitessVersion(value)}`;
}

/** A version as Vitess prints it: of ZooKeeper's the data version, of which alone Vitess knows. */
export function vitessVersion({ version }: Value): string {
  return version.token.split(':')[0] ?? '';
}

/** Message by place; for a file that is out of its place, by its name alone, as Vitess goes by. */
function printedMessage(scope: string, record: StoredRecord): string | null {
  const row = rowOf(scope, record.path, record.ephemeral);
  return row.kind === 'Unknown' ? (BY_NAME.get(baseName(record.path)) ?? null) : row.message;
}

/** Records that Vitess knows by their file's name; `Rules` and names that people choose are not among them. */
const BY_NAME: ReadonlyMap<string, string> = new Map(
  KINDS.flatMap(({ kind, pattern, message }) =>
    message !== null && baseName(pattern) === kind ? [[kind, message]] : [],
  ),
);
