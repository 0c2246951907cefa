import { decodeProblem, readCellInfo, rewriteCellInfo } from '../topo/codec.js';
import type { Capabilities, StoredRecord } from '../topo/connection.js';
import type { Pair, ScanSpan } from '../topo/join.js';
import { classify, type Kind, type KindRow, notCopiedReason } from '../topo/kinds.js';
import { type Cell, GLOBAL } from '../topo/topology.js';
import type { Version } from '../topo/version.js';

/** A record to write. Its bytes are the source's own, but for CellInfo, which gets the destination's address. */
export interface WriteStep {
  readonly action: 'create' | 'update';
  readonly path: string;
  readonly kind: Kind;
  readonly bytes: Uint8Array;
  /** State of the destination's record that an update replaces. */
  readonly version: Version | undefined;
}

/** A record that is left where it is, and why: a lock, an election, a kind that was not asked for … */
export interface SkipStep {
  readonly path: string;
  readonly kind: Kind;
  readonly reason: string;
}

/** Something a person should know about a record that is copied or stands in its way. */
export interface Finding {
  readonly path: string;
  readonly kind: Kind;
  readonly problem: 'undecodable' | 'unknown' | 'too large' | 'path too long';
  readonly detail: string;
}

/** How many records of one kind, and how many bytes, each action concerns. */
export interface KindCounts {
  create: number;
  update: number;
  same: number;
  skip: number;
  extra: number;
  /** Of created and updated records. */
  bytes: number;
}

/** What copying one scope (the global store, or one cell's) will do. Nothing of it is done yet. */
export interface ScopePlan {
  readonly scope: string;
  /** Names of both stores. */
  readonly from: string;
  readonly to: string;
  readonly writes: WriteStep[];
  readonly skipped: SkipStep[];
  /** Records that only the destination has: left alone, and named. */
  readonly extra: SkipStep[];
  readonly findings: Finding[];
  readonly counts: Map<Kind, KindCounts>;
  /** Records read from the source. */
  read: number;
  source: ScanSpan;
  destination: ScanSpan;
}

/** The whole copy: global part and one part a cell. */
export interface Plan {
  readonly scopes: readonly ScopePlan[];
  /** Cells, with the addresses that the destination's CellInfo will name. */
  readonly cells: readonly Cell[];
}

/** What planning one scope depends on, apart from the records. */
export interface PlanContext {
  readonly scope: string;
  readonly from: string;
  readonly to: string;
  /** The destination's. */
  readonly capabilities: Capabilities;
  /** The destination's root, which counts towards the length of its paths. */
  readonly root: string;
  /** Kinds to copy; undefined: all. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  /** Where the destination's cells are; used for CellInfo. */
  readonly cells: ReadonlyMap<string, Cell>;
}

/** An empty plan for {@link addPairs} to fill. */
export function emptyScopePlan(context: PlanContext): ScopePlan {
  return {
    scope: context.scope,
    from: context.from,
    to: context.to,
    writes: [],
    skipped: [],
    extra: [],
    findings: [],
    counts: new Map(),
    read: 0,
    source: { first: 0n, last: 0n },
    destination: { first: 0n, last: 0n },
  };
}

/** Decides what becomes of each pair. Pure but for `plan`, which it grows. */
export function addPairs(plan: ScopePlan, pairs: readonly Pair[], context: PlanContext): void {
  for (const { path, a, b } of pairs) {
    if (a !== undefined) planRecord(plan, a, b, context);
    else if (b !== undefined) planExtra(plan, path, b, context);
  }
}

function planRecord(
  plan: ScopePlan,
  source: StoredRecord,
  existing: StoredRecord | undefined,
  context: PlanContext,
): void {
  plan.read += 1;
  const { path } = source;
  const row = classify(scopeKind(context), path, source.ephemeral);
  const counts = countsOf(plan, row.kind);
  const reason = skipReason(row, context);
  if (reason !== undefined) {
    counts.skip += 1;
    plan.skipped.push({ path, kind: row.kind, reason });
    return;
  }
  plan.findings.push(...findings(source, row, context));
  const bytes = wanted(source, existing, row, context);
  if (existing !== undefined && equalBytes(existing.bytes, bytes)) {
    counts.same += 1;
    return;
  }
  const action = existing === undefined ? 'create' : 'update';
  counts[action] += 1;
  counts.bytes += bytes.byteLength;
  plan.writes.push({ action, path, kind: row.kind, bytes, version: existing?.version });
}

function planExtra(plan: ScopePlan, path: string, existing: StoredRecord, context: PlanContext): void {
  const row = classify(scopeKind(context), path, existing.ephemeral);
  if (row.copied === false || (context.kinds !== undefined && !context.kinds.has(row.kind))) return;
  countsOf(plan, row.kind).extra += 1;
  plan.extra.push({ path, kind: row.kind, reason: 'only in the destination' });
}

function skipReason(row: KindRow, context: PlanContext): string | undefined {
  if (row.copied === false) return notCopiedReason(row.kind);
  if (context.kinds !== undefined && !context.kinds.has(row.kind)) return 'kind not asked for';
  return undefined;
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
  if (cell === undefined || cell.source === 'store') return source.bytes;
  const { server, root } = cell.address;
  const kept =
    cell.source === 'CellInfo' && existing !== undefined ? readCellInfo(existing.bytes) : undefined;
  return rewriteCellInfo(source.bytes, kept ?? { serverAddress: server, root });
}

function findings(record: StoredRecord, row: KindRow, context: PlanContext): Finding[] {
  const { path } = record;
  const { maxValueBytes, maxPathBytes } = context.capabilities;
  const found: Finding[] = [];
  const add = (problem: Finding['problem'], detail: string) =>
    found.push({ path, kind: row.kind, problem, detail });
  if (row.kind === 'Unknown') add('unknown', 'not a file of Vitess: copied byte for byte');
  const problem = row.message === null ? undefined : decodeProblem(row.message, record.bytes);
  if (problem !== undefined) add('undecodable', `${problem}: copied byte for byte`);
  const size = record.bytes.byteLength;
  if (size > maxValueBytes) {
    add('too large', `${size} bytes, the destination takes ${maxValueBytes}`);
  }
  const pathBytes = Buffer.byteLength(`${context.root}/${path}`);
  if (pathBytes > maxPathBytes)
    add('path too long', `${pathBytes} bytes with the root, the destination takes ${maxPathBytes}`);
  return found;
}

function countsOf(plan: ScopePlan, kind: Kind): KindCounts {
  let counts = plan.counts.get(kind);
  if (counts === undefined) {
    counts = { create: 0, update: 0, same: 0, skip: 0, extra: 0, bytes: 0 };
    plan.counts.set(kind, counts);
  }
  return counts;
}

function scopeKind(context: PlanContext): 'global' | 'cell' {
  return context.scope === GLOBAL ? 'global' : 'cell';
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
