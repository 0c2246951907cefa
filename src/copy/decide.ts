import { decodeProblem, readCellInfo, rewriteCellInfo } from '../topo/codec.js';
import type { StoredRecord } from '../topo/connection.js';
import { diffRecords } from '../topo/diff.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Pair } from '../topo/join.js';
import { classify, type KindRow, notCopiedReason } from '../topo/kinds.js';
import { type Carried, carry, isTranscoded } from '../verify/carried.js';
import { type PlanContext, scopeKind } from './context.js';
import { Decoded } from './decoded.js';
import type { Action, Entry, WriteAction } from './entries.js';
import { type Finding, findingsOf, type Problem } from './findings.js';
import { keyspaceOf } from './shards.js';

/** What becomes of one path, and what a person should know of it. */
export interface Decision {
  readonly entry: Entry;
  readonly findings: readonly Finding[];
  /** What both sides hold, the source's as the destination is to hold it; undefined: nothing. */
  readonly source: Decoded | undefined;
  readonly existing: Decoded | undefined;
  /** What becomes of a record of the source that is a part of the copy, and is not left out. */
  readonly carried?: Carried | undefined;
}

const NOTHING: Uint8Array = new Uint8Array();
const NO_FINDINGS: readonly Finding[] = [];

/**
 * Decides what becomes of what two stores hold at one path. Undefined where the destination alone holds something that no copy
 * looks at: a lock, a kind that was not asked for. Guard for a CellInfo that cannot be rewritten.
 */
export function decide({ path, a, b }: Pair, context: PlanContext): Decision | undefined {
  if (a !== undefined) return decideOnSource(a, b, context);
  return b === undefined ? undefined : decideOnExtra(path, b, context);
}

function decideOnSource(
  source: StoredRecord,
  existing: StoredRecord | undefined,
  context: PlanContext,
): Decision {
  const row = classify(scopeKind(context.scope), source.path, source.ephemeral);
  const a = new Decoded(row, source);
  const b = existing === undefined ? undefined : new Decoded(row, existing);
  const left = notAsked(a, context);
  if (left !== undefined) return skipped(a, b, left, NO_FINDINGS);
  const { carrying } = context;
  const rewritten = wanted(source, existing, row, context);
  const carried = carrying && carry(row, { ...source, bytes: rewritten }, carrying);
  const made = carried === undefined ? a : new Decoded(row, { ...source, bytes: carried.bytes });
  const isIdentical = existing !== undefined && Buffer.compare(made.record.bytes, existing.bytes) === 0;
  const findings = findingsOf(made, b, isIdentical, context, carried);
  const out = findings.length === 0 ? undefined : findings.find(({ problem }) => LEFT_OUT.has(problem));
  if (out !== undefined) return skipped(a, b, out.detail, findings);
  const bytes = carried?.bytes ?? rewritten;
  // What was compared already is nearly always what the destination is to hold.
  const isSame =
    existing !== undefined &&
    ((isIdentical && bytes === made.record.bytes) || isEqual(bytes, existing, row, context));
  const action = isSame ? 'same' : writing(row, existing, context);
  const entry = entryOf(action, row, source, existing, '', isSame ? NOTHING : bytes);
  const fixed = isSame ? undefined : existing?.fixed;
  const all = fixed === undefined ? findings : [...findings, fixedFinding(entry, fixed)];
  return { entry, findings: all, source: made, existing: b, carried };
}

function skipped(
  source: Decoded,
  existing: Decoded | undefined,
  reason: string,
  findings: readonly Finding[],
): Decision {
  const entry = entryOf('skip', source.row, source.record, existing?.record, reason);
  return { entry, findings, source, existing };
}

function fixedFinding({ path, kind }: Entry, detail: string): Finding {
  return { path, kind, problem: 'fixed', detail };
}

/** Problems for which a record stays where it is. */
const LEFT_OUT: ReadonlySet<Problem> = new Set<Problem>(['blank tablet', 'unreadable', 'configured cell']);

/** Whether the destination holds what it is to hold: where records change their form, in whatever encoding. */
function isEqual(
  bytes: Uint8Array,
  existing: StoredRecord,
  { kind, message }: KindRow,
  { carrying }: PlanContext,
): boolean {
  if (Buffer.compare(existing.bytes, bytes) === 0) return true;
  if (!isTranscoded(kind, carrying) || message === null) return false;
  const isReadable = [bytes, existing.bytes].every((each) => decodeProblem(message, each) === undefined);
  return isReadable && diffRecords(message, bytes, existing.bytes).length === 0;
}

/** How a record is written. */
function writing(row: KindRow, existing: StoredRecord | undefined, { carrying }: PlanContext): WriteAction {
  if (row.copied === 'rewritten') return 'rewrite';
  if (isTranscoded(row.kind, carrying)) return 'transcode';
  return existing === undefined ? 'create' : 'update';
}

function decideOnExtra(path: string, existing: StoredRecord, context: PlanContext): Decision | undefined {
  const row = classify(scopeKind(context.scope), path, existing.ephemeral);
  const decoded = new Decoded(row, existing);
  if (notAsked(decoded, context) !== undefined) return undefined;
  // A cell that was added beforehand stays, whatever is deleted.
  const isOurs = context.ledger?.owns(path, existing.version.token) === true;
  // Where records are named, it may have replaced what somebody had there.
  const deletesOurs = isOurs && context.paths === undefined;
  const isDeleted = row.copied !== 'rewritten' && (context.deletes === true || deletesOurs);
  const isNormal = row.derived || row.copied === 'rewritten';
  const reason = isDeleted
    ? isOurs
      ? OWN_DELETED
      : ''
    : isNormal
      ? NORMAL_EXTRA
      : isOurs
        ? OWN_KEPT
        : EXTRA;
  return {
    entry: entryOf(isDeleted ? 'delete' : 'extra', row, undefined, existing, reason),
    findings:
      isDeleted && existing.stays !== undefined
        ? [{ path, kind: row.kind, problem: 'stays', detail: existing.stays }]
        : NO_FINDINGS,
    source: undefined,
    existing: decoded,
  };
}

/** Reason of an `extra` that is normal in a destination that was prepared: cells added beforehand, records that Vitess rebuilds. */
export const NORMAL_EXTRA =
  'only in the destination, as cells that were added and records that are rebuilt may be';
/** Reason of an `extra` that is not. */
export const EXTRA = 'only in the destination';
/** Reason of a deletion of what this copy itself had written. */
export const OWN_DELETED = 'written by this copy, and gone from the source since';

/** Reason of an `extra` that this copy has written, where nothing is deleted. */
export const OWN_KEPT = 'written by this copy, gone from the source since, and kept';

/** Reason of a `skip` where the records to copy were named, and this is none of them. */
export const NOT_NAMED = 'not among the records that were named';

/** Why a record is no part of the copy; undefined when it is. */
function notAsked(decoded: Decoded, context: PlanContext): string | undefined {
  const { row } = decoded;
  if (row.copied === false) return notCopiedReason(row.kind);
  if (context.paths?.has(decoded.record.path) === false) return NOT_NAMED;
  if (isNameOfPart(decoded, context)) return undefined;
  if (context.kinds !== undefined && !context.kinds.has(row.kind)) return 'kind not asked for';
  if (context.keyspaces === undefined || context.keyspaces.has(keyspaceOf(decoded) ?? '')) return undefined;
  return 'keyspace not asked for';
}

/** Whether a record is all that tells of a cell whose records a store keeps itself, as a file does: without it nobody finds them there. */
function isNameOfPart({ row, record }: Decoded, { cells }: PlanContext): boolean {
  return row.kind === 'CellInfo' && cells.get(record.path.split('/')[1] ?? '')?.source === 'store';
}

function entryOf(
  action: Action,
  row: KindRow,
  source: StoredRecord | undefined,
  existing: StoredRecord | undefined,
  reason: string,
  bytes: Uint8Array = NOTHING,
): Entry {
  return {
    action,
    path: (source ?? existing)?.path ?? '',
    kind: row.kind,
    bytes,
    source: source?.version.token,
    destination: existing?.version.token,
    reason,
  };
}

/** What the destination shall hold. */
function wanted(
  source: StoredRecord,
  existing: StoredRecord | undefined,
  row: KindRow,
  context: PlanContext,
): Uint8Array {
  if (row.copied !== 'rewritten') return source.bytes;
  const cell = context.cells.get(source.path.split('/')[1] ?? '');
  if (cell === undefined)
    throw new TopologyError(ErrorCode.Guard, 'the destination has no address for this cell of the source', {
      path: source.path,
      store: context.from,
      hint: 'it was added meanwhile: begin again, with its address (--to-cell)',
    });
  if (cell.source === 'store' || cell.source === 'config') return source.bytes;
  const problem = decodeProblem('topodata.CellInfo', source.bytes);
  if (problem !== undefined) {
    throw new TopologyError(
      ErrorCode.Guard,
      `the source's CellInfo does not decode, so its address cannot be replaced: ${problem}`,
      {
        path: source.path,
        store: context.from,
        hint: 'repair or remove this record in the source',
      },
    );
  }
  const { server, root } = cell.address;
  const kept =
    cell.source === 'CellInfo' && existing !== undefined ? readCellInfo(existing.bytes) : undefined;
  return rewriteCellInfo(source.bytes, kept ?? { serverAddress: server, root });
}
