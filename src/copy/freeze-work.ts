import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { parentPath } from '../topo/paths.js';
import { GLOBAL } from '../topo/topology.js';
import { verify } from '../verify/verify.js';
import { applyCopy, planCopy } from './copy.js';
import type { AllLocks } from './freeze-locks.js';
import type { FreezeOptions, FreezeResult } from './freeze-options.js';
import { type SourceSeal, withSealed } from './freeze-seal.js';
import { checkMoved, checkPass } from './guard-passes.js';
import type { CopyOptions } from './options.js';
import type { Part } from './parts.js';
import type { Plan } from './plan.js';
import { Standstill } from './standstill.js';

/** What was found and done, and what is kept until all is given back. */
export interface Frozen {
  readonly result: Omit<FreezeResult, 'left' | 'sealed'>;
  readonly still: Standstill;
  readonly parts: readonly Part[];
}

/** What a freeze does once it has all locks: seal, copy, compare, check. */
export async function underLocks(locks: AllLocks, seal: SourceSeal, options: FreezeOptions): Promise<Frozen> {
  const { clock, onStep, overrules = {} } = options;
  const { since } = locks;
  const call = { signal: options.signal, deadline: options.deadline };
  const notSealed = await putOnSeal(seal, since, options);
  await onStep?.({ step: 'copying', since });
  const still = new Standstill();
  const under: CopyOptions = {
    ...options,
    // What moves now is no reason to read again, but to give up.
    passes: 1,
    ownLocks: locks.queues,
    onEntry: (scope, entry) => still.note(scope, entry),
  };
  const prepared = await planCopy(under);
  const { parts, plan } = prepared;
  checkPass(plan, options.before, parts, overrules);
  const { written, bytes } = await applyCopy(prepared, under);
  await onStep?.({ step: 'verifying', since });
  const report = await verify({
    ...call,
    source: options.source,
    destination: options.destination,
    concurrency: options.concurrency,
    allowEmptyCells: overrules.emptyCells,
    acceptedLosses: overrules.acceptedLosses,
    skipsUnreadable: overrules.skipsUnreadable,
    target: options.target,
    serving: options.serving,
  });
  await onStep?.({ step: 'checking', since });
  checkMoved(await still.moved(plan.scopes, parts, call));
  await seal.check(call);
  await locks.check(call);
  if (locks.lost.aborted) throw locks.lost.reason;
  const result = {
    report,
    plan,
    written,
    bytes,
    locked: locks.locks.map(({ dir }) => dir),
    waiting: waitingIn(plan, locks),
    tries: locks.tries,
    frozenMs: clock.now() - since,
    quiesced: seal.isOn,
    notSealed,
    exempt: seal.exempt,
  };
  return { result, still, parts };
}

/** Seals the source as is wished; why that was not done, or undefined. */
async function putOnSeal(
  seal: SourceSeal,
  since: number,
  { seal: wish = 'auto', source, onStep, signal, deadline }: FreezeOptions,
): Promise<string | undefined> {
  if (wish === 'never') return 'it was not asked for';
  await onStep?.({ step: 'sealing', since });
  try {
    await seal.putOn(source, { signal, deadline });
    return undefined;
  } catch (error) {
    // What this login may not do it cannot have done, but other stores of the source may be sealed.
    const isImpossible = isTopologyError(error, ErrorCode.Unsupported, ErrorCode.Unauthorized);
    if (!isImpossible || wish === 'always') throw error;
    const left = await seal.takeOff();
    if (left.length > 0) throw withSealed(error, left);
    return error.hint ?? error.message;
  }
}

function waitingIn(plan: Plan, locks: AllLocks): string[] {
  const own = new Set(locks.locks.map(({ entry }) => entry));
  return plan.scopes
    .filter(({ scope }) => scope === GLOBAL)
    .flatMap((scope) => [...scope.skipped()])
    .filter(({ kind, path }) => kind === 'Lock' && !own.has(path) && locks.queues.has(parentPath(path)))
    .map(({ path }) => path);
}
