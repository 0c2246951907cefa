import { decode, decodeProblem } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { StoredRecord } from '../topo/connection.js';
import type { Kind, KindRow } from '../topo/kinds.js';
import { parseTabletAlias } from '../topo/names.js';
import { GLOBAL } from '../topo/topology.js';
import type { PlanContext } from './context.js';

/** What can be the matter with a record that is to be copied. Some are told, others stop the copy ({@link checkPlan}). */
export type Problem =
  /** Told: no file of Vitess. */
  | 'unknown'
  /** Told: does not decode. */
  | 'undecodable'
  /** Left out: the tablet was stopped in the source, and is filled in the destination. */
  | 'blank tablet'
  | 'too large'
  | 'path too long'
  | 'path refused'
  /** The destination's record belongs to a session or lease, and will go away with it. */
  | 'leased'
  /** A tablet of another cell: the cell's address is that of another one. */
  | 'other cell'
  /** The destination's primary is newer: it is, or was, in use. */
  | 'older primary';

/** Something a person should know about a record that is to be copied. */
export interface Finding {
  readonly path: string;
  readonly kind: Kind;
  readonly problem: Problem;
  readonly detail: string;
}

/** Everything that is the matter with a record of the source, given what the destination has in its place. */
export function findingsOf(
  source: StoredRecord,
  existing: StoredRecord | undefined,
  row: KindRow,
  context: PlanContext,
): Finding[] {
  const { path } = source;
  const found: Finding[] = [];
  const add = (problem: Problem, detail: string | undefined) => {
    if (detail !== undefined) found.push({ path, kind: row.kind, problem, detail });
  };
  if (row.kind === 'Unknown') add('unknown', 'not a file of Vitess: copied byte for byte');
  const undecodable = row.message === null ? undefined : decodeProblem(row.message, source.bytes);
  if (undecodable !== undefined) add('undecodable', `${undecodable}: copied byte for byte`);
  add('too large', sizeProblem(source, context));
  add('path too long', lengthProblem(path, context));
  add('path refused', context.capabilities.pathProblem?.(path));
  if (row.kind === 'Tablet') add('other cell', cellProblem(path, context));
  if (existing?.ephemeral === true) add('leased', 'it belongs to a session or lease in the destination');
  if (
    existing !== undefined &&
    undecodable === undefined &&
    Buffer.compare(source.bytes, existing.bytes) !== 0
  ) {
    if (row.kind === 'Tablet') add('blank tablet', blankProblem(row, source, existing));
    if (row.kind === 'Shard') add('older primary', termProblem(row, source, existing));
  }
  return found;
}

function sizeProblem({ bytes }: StoredRecord, { capabilities }: PlanContext): string | undefined {
  const { maxValueBytes } = capabilities;
  return bytes.byteLength > maxValueBytes
    ? `${bytes.byteLength} bytes, the destination takes ${maxValueBytes}`
    : undefined;
}

function lengthProblem(path: string, { capabilities, root }: PlanContext): string | undefined {
  const bytes = Buffer.byteLength(`${root}/${path}`);
  return bytes > capabilities.maxPathBytes
    ? `${bytes} bytes with the root, the destination takes ${capabilities.maxPathBytes}`
    : undefined;
}

function cellProblem(path: string, { scope }: PlanContext): string | undefined {
  if (scope === GLOBAL) return undefined;
  try {
    const { cell } = parseTabletAlias(path.split('/')[1] ?? '');
    return cell === scope ? undefined : `a tablet of cell ${cell}`;
  } catch {
    return undefined;
  }
}

function blankProblem(row: KindRow, source: StoredRecord, existing: StoredRecord): string | undefined {
  const isBlank = (record: StoredRecord) => fields(row, record)['hostname'] === undefined;
  return isBlank(source) && !isBlank(existing)
    ? 'blank in the source, since its tablet was stopped, and filled in the destination'
    : undefined;
}

function termProblem(row: KindRow, source: StoredRecord, existing: StoredRecord): string | undefined {
  const [ours, theirs] = [termOf(fields(row, source)), termOf(fields(row, existing))];
  return ours < theirs ? 'the destination has a primary of a later term' : undefined;
}

/** Start of a primary's term in nanoseconds; 0 without one, which is older than any. */
function termOf(shard: JsonObject): bigint {
  const time = shard['primary_term_start_time'];
  if (typeof time !== 'object' || time === null || Array.isArray(time)) return 0n;
  const { seconds = '0', nanoseconds = 0 } = time;
  return BigInt(String(seconds)) * 1_000_000_000n + BigInt(String(nanoseconds));
}

/** Decoded fields; none where the record does not decode. */
function fields(row: KindRow, record: StoredRecord): JsonObject {
  if (row.message === null || decodeProblem(row.message, record.bytes) !== undefined) return {};
  return decode(row.message, record.bytes).json;
}
