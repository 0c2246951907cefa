import { createHash } from 'node:crypto';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/** The file of a tree that says what the others are. Written last: without it there is no tree. */
export const MANIFEST = 'manifest.jsonl';

const FORMAT = 'topo2topo tree';
const VERSION = 1;

/** The first line. */
export interface ManifestHead {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly tool: string;
  /** ISO 8601, UTC. */
  readonly exported: string;
  /** Address of the global store, without credentials. */
  readonly from: string;
  /** Identities of the stores, by scope. */
  readonly identities: Readonly<Record<string, string>>;
  /** Positions before and after the reading, by scope. */
  readonly positions: Readonly<Record<string, readonly [first: string, last: string]>>;
  /** Records left out, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  readonly records: number;
}

/** One record, and its file. */
export interface ManifestRecord {
  /** Below the tree's root, with `/`. */
  readonly file: string;
  readonly scope: string;
  readonly path: string;
  readonly kind: string;
  /** Of the record's bytes, in hexadecimal. */
  readonly sha256: string;
  /** The record's bytes in base64, where its JSON does not give the same ones. */
  readonly original?: string;
  /** The text in the file ends without a line feed. */
  readonly bare?: true;
}

/** Everything that a manifest says. */
export interface Manifest {
  readonly head: ManifestHead;
  readonly records: readonly ManifestRecord[];
}

/** A manifest as text: one line for itself, and one for each record. */
export function formatManifest(
  head: Omit<ManifestHead, 'format' | 'version' | 'records'>,
  records: readonly ManifestRecord[],
): string {
  const first: ManifestHead = { format: FORMAT, version: VERSION, ...head, records: records.length };
  return [first, ...records].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Reads a manifest. Usage when it is none, or not whole; Unsupported for another version. `file`: for messages. */
export function parseManifest(text: string, file: string): Manifest {
  const [head, ...records] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => parseLine(line, file, index + 1));
  if (!isHead(head)) throw notOurs(file, 'is no manifest of an exported tree');
  if (head.version !== VERSION)
    throw new TopologyError(
      ErrorCode.Unsupported,
      `the tree has version ${String(head.version)}, and this program knows ${VERSION}`,
      { hint: 'use the version of topo2topo that exported it, or a newer one' },
    );
  if (head.records !== records.length || !records.every(isRecord))
    throw notOurs(file, `names ${records.length} records, and says that there are ${head.records}`);
  return { head, records };
}

/** As {@link ManifestRecord.sha256} has it. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function parseLine(line: string, file: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw notOurs(file, `is cut off or altered: line ${number} is no JSON`);
  }
}

function isHead(line: unknown): line is ManifestHead {
  return typeof line === 'object' && line !== null && 'format' in line && line.format === FORMAT;
}

function isRecord(line: unknown): line is ManifestRecord {
  return (
    typeof line === 'object' &&
    line !== null &&
    ['file', 'scope', 'path', 'kind', 'sha256'].every((name) => typeof Reflect.get(line, name) === 'string')
  );
}

function notOurs(file: string, why: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, `the file ${file} ${why}`, {
    hint: 'give the folder that topo2topo export made, with everything in it; the manifest is not for editing',
  });
}
