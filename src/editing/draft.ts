import { isDeepStrictEqual } from 'node:util';
import { decode, encode, reencode } from '../topo/codec.js';
import type { Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { classify, type KindRow } from '../topo/kinds.js';
import { readJsonObject } from './json-text.js';
import type { Target } from './target.js';

/** A record that is there, and is to be edited. */
export type EditTarget = Target & { readonly before: Value };

/**
 * A record as text for an editor: a head of comments that says what it is, then JSON with proto field names, or the record's own text
 * where its kind has no message. Corrupt for a record that does not decode; Unsupported for raw bytes that are no text.
 */
export function draftOf(target: EditTarget): string {
  const record = body(target);
  return `${head(target)}\n${record}`;
}

function head(target: EditTarget): string {
  const { row, path, scope, store, before } = target;
  const where = scope === 'global' ? 'the global store' : `cell ${scope}`;
  const lines = [`${row.kind} ${path}, in ${where}`, store.store, `${VERSION}${before.version.token}`];
  if (row.message === null) return comment([...lines, ...RAW_NOTES, CUT]);
  const { unknown } = decode(row.message, before.bytes);
  const kept =
    unknown.length === 0
      ? []
      : [`kept as they are: unknown fields ${unknown.map(({ path: at }) => at).join(', ')}`];
  return comment([...lines, ...kept, ...JSON_NOTES]);
}

const VERSION = 'version: ';
const CUT = '---------- the record begins on the next line ----------';
const JSON_NOTES = ['Lines that begin with # or // do not count. Left as it is, nothing is written.'];
const RAW_NOTES = [
  'Left as it is, nothing is written. Where the record has no line feed at its end,',
  'one that the editor adds there is taken off.',
];

function body({ row, path, store, before }: EditTarget): string {
  if (row.message !== null)
    return `${JSON.stringify(decodeWell(row.message, before, path, store.store), null, 2)}\n`;
  try {
    return decodeText(before.bytes);
  } catch (error) {
    throw new TopologyError(ErrorCode.Unsupported, 'the record is no text', {
      path,
      store: store.store,
      hint:
        elsewhere(row, path) ?? 'save it with cat --raw, change it with a tool for it, and write it with put',
      cause: error,
    });
  }
}

/** What to do when a path that means nothing in the global store is one of a cell. */
function elsewhere({ kind }: KindRow, path: string): string | undefined {
  const { kind: inCell } = classify('cell', path, false);
  if (kind !== 'Unknown' || inCell === 'Unknown') return undefined;
  return `a ${inCell} stands there in a cell's store: give the address of the global store, and --cell NAME`;
}

function decodeWell(message: string, { bytes }: Value, path: string, store: string) {
  try {
    return decode(message, bytes).json;
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    throw new TopologyError(error.code, error.message, {
      path,
      store,
      hint: 'it cannot be edited; put replaces it as a whole',
      cause: error,
    });
  }
}

/**
 * The bytes that an edited text stands for; undefined where it says what the record says already. Usage for what is no such
 * record; BadVersion for a text that was made from another version of it.
 */
export function readDraft(target: EditTarget, edited: string): Uint8Array | undefined {
  const { row, before, path, store } = target;
  const version = new RegExp(`^# ${VERSION}(.*)$`, 'm').exec(headOf(edited))?.[1];
  if (version !== undefined && version.trim() !== before.version.token)
    throw new TopologyError(
      ErrorCode.BadVersion,
      `this text was made from version ${version.trim()}, and the record has ${before.version.token} now`,
      { path, store: store.store, hint: 'edit the record anew' },
    );
  if (row.message === null) return differing(before, rawBytes(edited, before));
  const { message } = row;
  const json = readJsonObject(edited);
  const bytes = fitting(() => reencode(message, before.bytes, () => json));
  const same = isDeepStrictEqual(decode(message, bytes).json, decode(message, before.bytes).json);
  return same ? undefined : bytes;
}

function differing({ bytes }: Value, edited: Uint8Array): Uint8Array | undefined {
  return Buffer.compare(bytes, edited) === 0 ? undefined : edited;
}

function rawBytes(edited: string, { bytes }: Value): Uint8Array {
  const cut = new RegExp(`^# ${CUT}\\r?\\n`, 'm').exec(edited);
  if (cut === null)
    throw new TopologyError(ErrorCode.Usage, 'the line that the record begins behind is gone', {
      hint: `put it back: # ${CUT}`,
    });
  const record = edited.slice(cut.index + cut[0].length);
  const bare = bytes.at(-1) === LINE_FEED ? record : record.replace(/\n$/, '');
  return Buffer.from(bare);
}

const LINE_FEED = 10;

/** A text with the reason why it was not taken at its top, in place of an earlier one. */
export function withReason(edited: string, error: TopologyError): string {
  const said = [error.message, ...(error.hint === undefined ? [] : [error.hint])];
  const earlier = new RegExp(`^(?:${REASON}.*\\n)*`).exec(edited)?.[0] ?? '';
  const moved = said.length - earlier.split('\n').length + 1;
  const marked = said.map((line) => `${REASON}${movedLine(line, moved).replace(/\s+/g, ' ')}\n`);
  return `${marked.join('')}${edited.slice(earlier.length)}`;
}

/** The number of a line as it is when others have come before it. */
function movedLine(said: string, by: number): string {
  return said.replace(/\(line (\d+)\)/, (_, line: string) => `(line ${Number(line) + by})`);
}

const REASON = '# !! ';

/** The comments that a text begins with. */
function headOf(edited: string): string {
  return /^(?:\s*(?:#|\/\/).*\r?\n)*/.exec(edited)?.[0] ?? '';
}

function comment(lines: readonly string[]): string {
  // A name may hold whatever it likes, an end of line too.
  return lines.map((line) => `# ${line.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')}`).join('\n');
}

/** Text as it is: a mark of byte order, too, is part of a record. Usage for bytes that are no UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new TopologyError(ErrorCode.Usage, 'the text is not UTF-8', {
      hint: 'save it as UTF-8',
      cause: error,
    });
  }
}

/** The bytes of JSON that a person wrote for a new record, or for one that it replaces. Usage. */
export function encodeWritten({ row, path, store }: Target, written: Uint8Array): Uint8Array {
  if (row.message === null)
    throw new TopologyError(ErrorCode.Usage, `there is no JSON form of records here (${row.kind})`, {
      path,
      store: store.store,
      hint: 'check the path and --cell; to write the bytes as they are, leave out --json',
    });
  const { message } = row;
  const json = readJsonObject(decodeText(written));
  return fitting(() => encode(message, json));
}

/** With what to do, for JSON that does not fit its message. */
export function fitting(work: () => Uint8Array): Uint8Array {
  try {
    return work();
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Usage) || error.hint !== undefined) throw error;
    throw error.withHint(
      'take names and values as cat shows them; docs/records.md says where the fields are declared',
    );
  }
}
