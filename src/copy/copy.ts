import pLimit from 'p-limit';
import { checkKeyspaces } from '../verify/narrowing.js';
import { primariesBeside, withBeside } from './beside.js';
import { checkPass } from './guard-passes.js';
import { checkPlan } from './guards.js';
import type { CopyOptions, Totals } from './options.js';
import { type Parts, partsOf } from './parts.js';
import { movedParts, planPart, writePass } from './pass.js';
import type { Plan } from './plan.js';
import { noteSharedNumbers } from './transcoded.js';

/** A plan, and what it takes to carry it out. */
export interface PreparedCopy extends Pick<Parts, 'parts' | 'global' | 'cells' | 'openCells'> {
  readonly plan: Plan;
}

/** What a copy did. */
export interface CopyResult extends Readonly<Totals> {
  readonly plan: Plan;
  /** Times both sides were read. */
  readonly passes: number;
  /** Whether the source stood still from the last reading on. */
  readonly settled: boolean;
}

/**
 * Reads both topologies and decides what to do; writes nothing. Everything that can be refused is refused here: NoCell,
 * Usage, Guard, and whatever the stores answer.
 */
export async function planCopy(options: CopyOptions): Promise<PreparedCopy> {
  const found = await partsOf(options);
  const { parts, global, cells, openCells } = found;
  await options.onParts?.(found);
  await checkNamedKeyspaces(found, options);
  const limit = pLimit(options.concurrency);
  const scopes = await Promise.all(
    parts.map((part) => limit(() => planPart(part, options, options.onEntry))),
  );
  noteSharedNumbers(scopes);
  const plan = await withBeside(scopes, found, cells, options);
  checkPlan(plan, options.overrules ?? {}, options);
  return { parts, global, cells, openCells, plan };
}

/** Refuses keyspaces that neither side has: Usage. One that a cell lacks may be asked for there: a cell need not have them all. */
async function checkNamedKeyspaces({ parts, global }: Parts, options: CopyOptions): Promise<void> {
  if (options.keyspaces === undefined) return;
  const asked = [global, ...parts.filter((part) => part !== global)];
  const stores = await Promise.all(asked.flatMap((part) => [part.from(), part.to()]));
  await checkKeyspaces(options, stores, { signal: options.signal, deadline: options.deadline });
}

/**
 * Writes a plan made by {@link planCopy} with the same options, then reads again what moved in the source meanwhile, until it
 * stands still. See {@link applyPlan} for the order.
 */
export async function applyCopy(prepared: PreparedCopy, options: CopyOptions): Promise<CopyResult> {
  const { parts, global, cells } = prepared;
  const totals: Totals = { written: 0, bytes: 0 };
  let { plan } = prepared;
  const most = options.onConflict === 'stop' ? 1 : (options.passes ?? 3);
  for (let passes = 1; ; passes++) {
    await writePass(plan, parts, options, totals);
    const moved = await movedParts(plan, parts, options);
    if (moved.length === 0 || passes >= most)
      return { plan: prepared.plan, ...totals, passes, settled: moved.length === 0 };
    const before = plan;
    const scopes = await Promise.all(moved.map((part) => planPart(part, options)));
    plan = { scopes, cells, primaries: await primariesBeside(scopes, global, options) };
    checkPass(plan, before, parts, options.overrules ?? {});
  }
}
