import type { Json, JsonObject } from '../topo/codec-json.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/**
 * Reads a value as Go's encoding/json does: UTF-8, one JSON object and nothing behind it. No bytes at all are an object without
 * fields, as Vitess of the time took them. Corrupt, with the reason, otherwise.
 */
export function readJsonText(bytes: Uint8Array): JsonObject {
  if (bytes.byteLength === 0) return {};
  const value = parsed(bytes);
  // Go leaves a struct as it is when it reads null.
  if (value === null) return {};
  if (isObject(value)) return value;
  throw notJson(`an object is wanted, and there is ${nameOf(value)}`);
}

/** The keyspace that a record of either generation says it is of, such as a Tablet; undefined: it says none. */
export function keyspaceIn(bytes: Uint8Array): string | undefined {
  const { Keyspace: first, keyspace = first } = readJsonText(bytes);
  return typeof keyspace === 'string' && keyspace !== '' ? keyspace : undefined;
}

function parsed(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw notJson('it is not UTF-8', cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notJson(`it is not JSON${where(cause)}`, cause);
  }
}

/** Where parsing failed, without what V8's message quotes of the text. */
function where(error: unknown): string {
  const [, position] = /at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
  return position === undefined ? '' : ` from character ${position} on`;
}

/** Writes an object as Go's json.MarshalIndent of the time did, by two spaces. */
export function writeJsonText(json: JsonObject): Uint8Array {
  return Buffer.from(JSON.stringify(json, null, 2).replace(ESCAPED_BY_GO, (found) => escaped(found)));
}

/** Go writes what HTML and JavaScript would trip over as code points. A backslash stands with what it escapes. */
const ESCAPED_BY_GO = /\\\\|\\[bf]|[<>&\u2028\u2029]/g;

function escaped(found: string): string {
  if (found === '\\\\') return found;
  const code = found === '\\b' ? 0x08 : found === '\\f' ? 0x0c : found.charCodeAt(0);
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Whether a value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a name begins with a capital letter, as those of the first Go structs do. */
export function isCapital(name: string): boolean {
  return /^[A-Z]/.test(name);
}

/** What a value is called in messages. */
export function nameOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { object: 'an object', string: 'a text', number: 'a number', boolean: 'true or false' }[
    typeof value as 'object' | 'string' | 'number' | 'boolean'
  ];
}

function notJson(reason: string, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.Corrupt, reason, { cause });
}
