import pLimit from 'p-limit';
import { interrupted } from '../topo/calls.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import type { Kind } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import { type Batch, cutBatches } from './batches.js';
import { isConflict, metRecreation, recreationMet } from './conflicts.js';
import { DELETES, goesLast, type WriteAction, type WriteEntry } from './entries.js';
import type { Ledger } from './ledger.js';
import { writeOne } from './mirror.js';
import type { Pace } from './pace.js';
import type { Plan, ScopePlan } from './plan.js';

/** What {@link applyPlan} needs beside the plan. */
export interface ApplyOptions extends CallOptions {
  /** The destination's store of a scope. */
  readonly connection: (scope: string) => Promise<Connection>;
  /** Cells written at the same time. */
  readonly concurrency: number;
  readonly pace: Pace;
  /** What is written becomes ours. */
  readonly ledger: (scope: string) => Ledger;
  /**
   * Decides an entry whose write was refused, or whose answer was lost: makes the path right, which the ledger is told, or throws.
   */
  readonly settle: (scope: string, entry: WriteEntry, error: unknown) => Promise<void>;
  /** Called before a transaction is sent, and waited for. */
  readonly beforeWrite?: ((scope: string, entries: readonly WriteEntry[]) => Promise<void>) | undefined;
  /** Called after each transaction is acknowledged, and waited for. It does not throw. */
  readonly afterWrite?: ((scope: string, entries: readonly WriteEntry[]) => Promise<void>) | undefined;
  /** Called after each transaction with what it wrote. */
  readonly onWritten?: ((scope: string, batch: Batch) => void) | undefined;
}

/**
 * Writes a plan: every cell's records, then the global records, and CellInfo last as the commit, since a Vitess process
 * that finds a half-copied destination must not be able to start on it. Deletions come after the writes of their scope, Keyspaces after what is in them.
 * Every write is conditional on the state that the plan saw.
 */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<void> {
  const limit = pLimit(options.concurrency);
  const cells = plan.scopes.filter((scope) => scope.scope !== GLOBAL);
  const stop = new AbortController();
  const settled = await Promise.allSettled(
    cells.map((scope) =>
      limit(() => applyScope(scope, [PUTS, REMOVALS], options, stop.signal)).catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
    ),
  );
  raiseWorst(settled);
  for (const scope of plan.scopes.filter((each) => each.scope === GLOBAL)) {
    await applyScope(scope, [DATA, ...GLOBAL_REMOVALS, COMMIT], options, stop.signal);
  }
}

/** Entries that are written in any order. */
interface Round {
  readonly actions: ReadonlySet<WriteAction>;
  /** Whether those of a kind are among them. Default: all are. */
  readonly has?: (kind: Kind) => boolean;
}
const PUTS: Round = { actions: new Set(['create', 'update', 'transcode', 'rewrite']) };
const DATA: Round = { actions: new Set(['create', 'update', 'transcode']) };
const COMMIT: Round = { actions: new Set(['rewrite']) };
const REMOVALS: Round = { actions: DELETES };
const GLOBAL_REMOVALS: readonly Round[] = [
  { actions: DELETES, has: (kind) => !goesLast(kind) },
  { actions: DELETES, has: goesLast },
];

/** Writes the entries of a scope in rounds, each begun when the one before is acknowledged. */
async function applyScope(
  scope: ScopePlan,
  rounds: readonly Round[],
  options: ApplyOptions,
  stop: AbortSignal,
): Promise<void> {
  if (scope.toWrite === 0) return;
  const connection = await options.connection(scope.scope);
  for (const round of rounds) await applyRound(scope, round, connection, options, stop);
}

async function applyRound(
  scope: ScopePlan,
  round: Round,
  connection: Connection,
  options: ApplyOptions,
  stop: AbortSignal,
): Promise<void> {
  const { batch: limits } = connection.capabilities;
  const cut = { ...limits, maxOps: Math.min(limits.maxOps, options.pace.atOnce) };
  const batches = cutBatches(entriesOf(scope, round), connection.store, cut);
  let failed = false;
  const worker = async () => {
    for (const batch of batches) {
      if (failed || stop.aborted) return;
      if (options.signal?.aborted === true)
        throw interrupted({ store: scope.to }, undefined, options.signal.reason);
      try {
        await options.pace.take(batch.ops.length, options.signal);
        await options.beforeWrite?.(scope.scope, batch.entries);
        await writeBatch(scope, connection, batch, options);
      } catch (error) {
        failed = true;
        throw error;
      }
      options.onWritten?.(scope.scope, batch);
      await options.afterWrite?.(scope.scope, batch.entries);
    }
  };
  raiseWorst(await Promise.allSettled(Array.from({ length: workersFor(limits.maxOps) }, worker)));
}

function* entriesOf(scope: ScopePlan, { actions, has }: Round): Generator<WriteEntry> {
  for (const entry of scope.writes(actions)) if (has === undefined || has(entry.kind)) yield entry;
}

async function writeBatch(
  { scope, to }: ScopePlan,
  connection: Connection,
  batch: Batch,
  options: ApplyOptions,
): Promise<void> {
  const { ops, entries } = batch;
  const ledger = options.ledger(scope);
  const note = (entry: WriteEntry, version: string | undefined) => {
    if (version === undefined) ledger.forget(entry.path);
    else ledger.own(entry.path, version);
  };
  // Without the signal: a transaction that is under way is waited for, so that its outcome is known.
  const call = { deadline: options.deadline };
  try {
    const [entry] = entries;
    // One record goes by itself: it may be larger than a transaction takes, and not every store has transactions.
    if (entries.length === 1 && entry !== undefined) note(entry, await writeOne(connection, entry, call));
    else {
      const versions = await connection.write(ops, call);
      for (let i = 0; i < entries.length; i++) {
        const each = entries[i];
        if (each !== undefined) note(each, versions[i]?.token);
      }
    }
  } catch (error) {
    if (metRecreation(error)) throw recreationMet(to, error.path ?? entries[0]?.path ?? '', error);
    if (!isConflict(error) && !isTopologyError(error, ErrorCode.OutcomeUnknown)) throw error;
    if (!isConflict(error))
      for (const { path, action, bytes } of entries)
        ledger.meant(path, action === 'delete' ? undefined : bytes);
    for (const entry of entries) await options.settle(scope, entry, error);
  }
}

/** Enough in flight to keep a store busy while the next transactions are encoded; many where each holds little. */
function workersFor(maxOps: number): number {
  return maxOps >= 64 ? 8 : 64;
}

/** Raises the worst of what failed: a write whose outcome is unknown is not hidden behind another failure. */
function raiseWorst(results: readonly PromiseSettledResult<void>[]): void {
  const failures: unknown[] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  const worst = failures.find((error) => isTopologyError(error, ErrorCode.OutcomeUnknown)) ?? failures[0];
  if (worst !== undefined) throw worst;
}
