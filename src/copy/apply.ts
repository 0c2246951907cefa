import pLimit from 'p-limit';
import { interrupted } from '../topo/calls.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { GLOBAL } from '../topo/topology.js';
import { type Batch, cutBatches } from './batches.js';
import type { Plan, ScopePlan, WriteStep } from './plan.js';

/** What {@link applyPlan} needs beside the plan. */
export interface ApplyOptions extends CallOptions {
  /** The destination's store of a scope. */
  readonly connection: (scope: string) => Promise<Connection>;
  /** Cells written at the same time. */
  readonly concurrency: number;
  /** Called after each transaction with what it wrote. */
  readonly onWritten?: ((scope: string, records: number, bytes: number) => void) | undefined;
}

/**
 * Writes a plan: every cell's records, then the global records, and CellInfo last as the commit, since a Vitess process
 * that finds a half-copied destination must not be able to start on it. Every write is conditional on the state that the
 * plan saw; a record that changed since stops the copy (Guard) and is named. What was written stays, and running again goes on.
 */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<void> {
  const limit = pLimit(options.concurrency);
  const cells = plan.scopes.filter((scope) => scope.scope !== GLOBAL);
  const stop = new AbortController();
  const settled = await Promise.allSettled(
    cells.map((scope) =>
      limit(() => applyWrites(scope, scope.writes, options, stop.signal)).catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
    ),
  );
  raiseWorst(settled);
  for (const scope of plan.scopes.filter((each) => each.scope === GLOBAL)) {
    const [records, commit] = splitCommit(scope.writes);
    await applyWrites(scope, records, options, stop.signal);
    await applyWrites(scope, commit, options, stop.signal);
  }
}

function splitCommit(writes: readonly WriteStep[]): [WriteStep[], WriteStep[]] {
  const isCommit = (step: WriteStep) => step.kind === 'CellInfo';
  return [writes.filter((step) => !isCommit(step)), writes.filter(isCommit)];
}

async function applyWrites(
  scope: ScopePlan,
  writes: readonly WriteStep[],
  options: ApplyOptions,
  stop: AbortSignal,
): Promise<void> {
  if (writes.length === 0) return;
  const connection = await options.connection(scope.scope);
  const { batch: limits } = connection.capabilities;
  const batches = cutBatches(writes, limits);
  let failed = false;
  const worker = async () => {
    for (const batch of batches) {
      if (failed || stop.aborted) return;
      if (options.signal?.aborted === true)
        throw interrupted({ store: scope.to }, undefined, options.signal.reason);
      try {
        // Without the signal: a transaction that is under way is waited for, so that its outcome is known.
        await writeBatch(connection, batch, { deadline: options.deadline });
      } catch (error) {
        failed = true;
        throw conflict(scope, batch, error);
      }
      options.onWritten?.(scope.scope, batch.ops.length, batch.bytes);
    }
  };
  raiseWorst(await Promise.allSettled(Array.from({ length: workersFor(limits.maxOps) }, worker)));
}

/** One record goes by itself: it may be larger than a transaction takes, and not every store has transactions. */
async function writeBatch(connection: Connection, { ops }: Batch, options: CallOptions): Promise<void> {
  const [op] = ops;
  if (ops.length > 1 || op === undefined) await connection.write(ops, options);
  else if (op.type === 'update') await connection.update(op.path, op.bytes, op.version, options);
  else await connection.create(op.path, op.bytes, options);
}

/** Enough in flight to keep a store busy while the next transactions are encoded; many where each holds little. */
function workersFor(maxOps: number): number {
  return maxOps >= 64 ? 4 : 64;
}

/** Raises the worst of what failed: a write whose outcome is unknown is not hidden behind another failure. */
function raiseWorst(results: readonly PromiseSettledResult<void>[]): void {
  const failures: unknown[] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  const worst = failures.find((error) => isTopologyError(error, ErrorCode.OutcomeUnknown)) ?? failures[0];
  if (worst !== undefined) throw worst;
}

function conflict(scope: ScopePlan, batch: Batch, error: unknown): unknown {
  if (!isTopologyError(error, ErrorCode.NodeExists, ErrorCode.BadVersion, ErrorCode.NoNode)) return error;
  const path = error.path ?? batch.ops[error.index ?? 0]?.path;
  return new TopologyError(
    ErrorCode.Guard,
    'a record of the destination changed after the plan was made; the copy stopped there',
    {
      path,
      store: scope.to,
      hint: 'find out who writes to the destination, then run the copy again: what is written already is not written twice',
      cause: error,
    },
  );
}
