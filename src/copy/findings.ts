import type { StoredRecord } from '../topo/connection.js';
import { classify, type Kind } from '../topo/kinds.js';
import { parseTabletAlias } from '../topo/names.js';
import { termOf } from '../topo/term.js';
import { type Loss, type LossKind, showLoss } from '../topo/told.js';
import { GLOBAL } from '../topo/topology.js';
import type { Carried } from '../verify/carried.js';
import type { PlanContext } from './context.js';
import { scopeKind } from './context.js';
import type { Decoded } from './decoded.js';

/** What can be the matter with a record that is to be copied. Some are told, others stop the copy ({@link checkPlan}). */
export type Problem =
  /** Told: no file of Vitess. */
  | 'unknown'
  /** Told: does not decode. */
  | 'undecodable'
  /** Left out: it is in no form that is known. */
  | 'unreadable'
  /** Left out: the destination's cells are in its configuration. */
  | 'configured cell'
  /** The destination's form has no place for it. */
  | 'not held'
  /** The destination does not write over what it has there. */
  | 'fixed'
  /** The destination does not delete what it has there. */
  | 'stays'
  /** Nothing tells whether the shard serves. */
  | 'serving'
  /** A value has no place in the destination: told of records that are looked at one by one. */
  | 'loss'
  /** Left out: the tablet was stopped in the source, and is filled in the destination. */
  | 'blank tablet'
  | 'too large'
  | 'path too long'
  | 'path refused'
  /** The destination's record belongs to a session or lease, and will go away with it. */
  | 'leased'
  /** A tablet of another cell: the cell's address is that of another one. */
  | 'other cell'
  /** A Shard, or what a ShardReplication is made of, names cells which the client configuration of the source lacks. */
  | 'of unknown cells'
  /** Somebody else wrote or deleted the destination's record since the copy that is resumed began. */
  | 'foreign'
  /** The destination's primary is newer: it is, or was, in use. */
  | 'older primary';

/** Something a person should know about a record that is to be copied. */
export interface Finding {
  readonly path: string;
  readonly kind: Kind;
  readonly problem: Problem;
  readonly detail: string;
  /** Kind of a loss. */
  readonly loss?: LossKind | undefined;
}

/** A loss as something that is the matter with its record. */
export function lossFinding(kind: Kind, loss: Loss): Finding {
  return { path: loss.path, kind, problem: 'loss', detail: showLoss(loss), loss: loss.kind };
}

/**
 * Everything that is the matter with a record of the source, given what the destination has in its place. `isIdentical`: that has the same
 * bytes.
 */
export function findingsOf(
  source: Decoded,
  existing: Decoded | undefined,
  isIdentical: boolean,
  context: PlanContext,
  carried: Carried | undefined,
): readonly Finding[] {
  const { row, record } = source;
  const { path } = record;
  const out = leftOut(source, context, carried);
  if (out !== undefined) return [{ path, kind: row.kind, ...out }];
  let found = NOTHING;
  found = more(found, source, 'not held', carried?.refused?.sentence);
  const flag = carried?.serving;
  if (flag !== undefined && flag.serving === undefined) found = more(found, source, 'serving', flag.reason);
  if (row.kind === 'Unknown')
    found = more(found, source, 'unknown', 'not a file of Vitess: copied byte for byte');
  const undecodable = source.problem;
  if (undecodable !== undefined)
    found = more(found, source, 'undecodable', `${undecodable}: copied byte for byte`);
  found = more(found, source, 'too large', sizeProblem(record, context));
  found = more(found, source, 'path too long', lengthProblem(path, context));
  found = more(found, source, 'path refused', context.capabilities.pathProblem?.(path));
  found = more(found, source, 'path refused', lockProblem(path, context));
  if (row.kind === 'Tablet') found = more(found, source, 'other cell', cellProblem(path, context));
  if (row.kind === 'Shard' || row.kind === 'ShardReplication')
    found = more(found, source, 'of unknown cells', unknownCells(source, context));
  if (existing?.record.ephemeral === true)
    found = more(found, source, 'leased', 'it belongs to a session or lease in the destination');
  if (existing === undefined && context.ledger?.isDeleted(path) === true)
    found = more(found, source, 'foreign', 'it was there when the copy began, and somebody deleted it');
  if (existing !== undefined && !isIdentical) {
    const { token } = existing.record.version;
    if (context.ledger?.isForeign(path, token) === true)
      found = more(
        found,
        source,
        'foreign',
        'neither the copy wrote it, nor was it there when the copy began',
      );
    if (row.kind === 'Tablet' && undecodable === undefined)
      found = more(found, source, 'blank tablet', blankProblem(source, existing));
    // What this copy wrote there is not newer: the source has no primary any more, or was taken back.
    const isOurs = context.ledger?.owns(path, token) === true;
    if (row.kind === 'Shard' && !isOurs && undecodable === undefined)
      found = more(found, source, 'older primary', termProblem(source, existing));
  }
  return found;
}

const NOTHING: readonly Finding[] = [];

/** With one more, where there is a detail. With nearly all records nothing is the matter: they cost no list. */
function more(
  found: readonly Finding[],
  { row, record }: Decoded,
  problem: Problem,
  detail: string | undefined,
): readonly Finding[] {
  return detail === undefined ? found : [...found, { path: record.path, kind: row.kind, problem, detail }];
}

/** Why a record stays where it is, whatever else is the matter with it. */
function leftOut(
  { row, record }: Decoded,
  { cells }: PlanContext,
  carried: Carried | undefined,
): Pick<Finding, 'problem' | 'detail'> | undefined {
  if (carried?.unreadable !== undefined)
    return { problem: 'unreadable', detail: carried.unreadable.sentence };
  const isConfigured =
    row.kind === 'CellInfo' && cells.get(record.path.split('/')[1] ?? '')?.source === 'config';
  return isConfigured ? { problem: 'configured cell', detail: CONFIGURED } : undefined;
}

const CONFIGURED = 'the destination has its cells in its client configuration';

function sizeProblem({ bytes }: StoredRecord, { capabilities }: PlanContext): string | undefined {
  const { maxValueBytes } = capabilities;
  return bytes.byteLength > maxValueBytes
    ? `${bytes.byteLength} bytes, the destination takes ${maxValueBytes}`
    : undefined;
}

function lengthProblem(path: string, { capabilities, root }: PlanContext): string | undefined {
  // No character takes more than three bytes for each of its units: almost no path needs to be measured.
  if (3 * (root.length + 1 + path.length) <= capabilities.maxPathBytes) return undefined;
  const bytes = Buffer.byteLength(root) + 1 + Buffer.byteLength(path);
  return bytes > capabilities.maxPathBytes
    ? `${bytes} bytes with the root, the destination takes ${capabilities.maxPathBytes}`
    : undefined;
}

function lockProblem(path: string, { capabilities: { lockRecord }, scope }: PlanContext): string | undefined {
  if (lockRecord === undefined || !path.endsWith(`/${lockRecord}`)) return undefined;
  const isLock = classify(scopeKind(scope), path, true).kind === 'Lock';
  return isLock ? 'there nobody could lock its directory while it exists' : undefined;
}

function cellProblem(path: string, { scope }: PlanContext): string | undefined {
  if (scope === GLOBAL) return undefined;
  const alias = path.slice(path.indexOf('/') + 1, path.lastIndexOf('/'));
  // What almost every tablet is: looked at without taking it apart.
  if (alias.lastIndexOf('-') === scope.length && alias.startsWith(scope)) return undefined;
  try {
    const { cell } = parseTabletAlias(alias);
    return cell === scope ? undefined : `a tablet of cell ${cell}`;
  } catch {
    return undefined;
  }
}

function unknownCells(record: Decoded, { configuredCells }: PlanContext): string | undefined {
  if (configuredCells === undefined) return undefined;
  const named = record.row.kind === 'Shard' ? cellsOf(record) : (record.record.told?.cells ?? []);
  const unknown = named.filter(
    (cell) => typeof cell === 'string' && cell !== '' && !configuredCells.has(cell),
  );
  return unknown.length === 0 ? undefined : [...new Set(unknown)].join(', ');
}

function cellsOf(shard: Decoded): unknown[] {
  const { cells } = shard.fields;
  return [shard.message('primary_alias')?.['cell'], ...(Array.isArray(cells) ? cells : [])];
}

function blankProblem(source: Decoded, existing: Decoded): string | undefined {
  const isBlank = (tablet: Decoded) => tablet.text('hostname') === undefined;
  return isBlank(source) && !isBlank(existing)
    ? 'blank in the source, since its tablet was stopped, and filled in the destination'
    : undefined;
}

function termProblem(source: Decoded, existing: Decoded): string | undefined {
  const term = (shard: Decoded) => termOf(shard.message('primary_term_start_time'));
  return term(source) < term(existing) ? 'the destination has a primary of a later term' : undefined;
}
