import { decodeProblem, readCellInfo, rewriteCellInfo } from '../topo/codec.js';
import type { StoredRecord } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Pair, ScanSpan } from '../topo/join.js';
import { classify, type Kind, type KindRow, notCopiedReason } from '../topo/kinds.js';
import { type Cell, GLOBAL } from '../topo/topology.js';
import type { Version } from '../topo/version.js';
import type { PlanContext } from './context.js';
import { type Finding, findingsOf } from './findings.js';

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

/** A record that only the destination has. */
export interface ExtraStep extends SkipStep {
  /** Normal in a destination that was prepared: cells added beforehand, records that Vitess rebuilds. */
  readonly normal: boolean;
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
  /** Records that only the destination has: never touched. */
  readonly extra: ExtraStep[];
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
  const found = findingsOf(source, existing, row, context);
  const reason = skipReason(row, context) ?? found.find(({ problem }) => problem === 'blank tablet')?.detail;
  if (reason !== undefined) {
    counts.skip += 1;
    plan.skipped.push({ path, kind: row.kind, reason });
    return;
  }
  plan.findings.push(...found);
  const bytes = wanted(source, existing, row, context);
  if (existing !== undefined && Buffer.compare(existing.bytes, bytes) === 0) {
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
  const normal = row.derived || row.copied === 'rewritten';
  plan.extra.push({ path, kind: row.kind, reason: 'only in the destination', normal });
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
