import { setMaxListeners } from 'node:events';
import type { Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { makeLockContents } from '../topo/lock-contents.js';
import { alreadySealed } from '../topo/seal.js';
import { hold } from './freeze-hold.js';
import { type AllLocks, lockAll, tookTooLong, withLeft } from './freeze-locks.js';
import type { FreezeOptions, FreezeResult, FreezeState } from './freeze-options.js';
import { SourceSeal, withSealed } from './freeze-seal.js';
import { type Frozen, underLocks } from './freeze-work.js';

const NEVER_FROZEN: FreezeState = { step: 'locking', since: undefined };

/**
 * Locks the whole source as Vitess does, seals it where that is possible, copies what differs, compares both sides, and makes sure that
 * nothing of the source moved meanwhile. Seal and locks are given back on every way out.
 *
 * Guard when the locks are not to be had, a guard of the copy stops it, or somebody wrote to the source who does not mind locks, also
 * while it was only kept; NodeExists when the source is sealed already; LockLost, of a seal too; Timeout when it takes too long. Nothing is certified then, and what was written to the
 * destination stays.
 */
export async function freeze(options: FreezeOptions): Promise<FreezeResult> {
  const { clock, timeoutMs, source, onStep, signal, host, user } = options;
  const seal = new SourceSeal({ host, user, clock });
  if (options.seal !== 'never') {
    await onStep?.({ step: 'preparing', since: undefined });
    await seal.prepare(source, { signal });
  }
  await onStep?.(NEVER_FROZEN);
  const until = clock.now() + timeoutMs;
  const contents = makeLockContents({ action: 'topo2topo freeze', host, user, now: clock.now() });
  const locks = await lockAll(source.global, {
    signal,
    clock,
    random: options.random,
    contents,
    timeoutMs,
    until,
    onMiss: (tries, holder) => void onStep?.({ ...NEVER_FROZEN, missed: { tries, holder } }),
  }).catch(async (error: unknown) => {
    throw await orSealed(error, source.global);
  });
  let frozen: Frozen | undefined;
  try {
    frozen = await inTime(locks, until, options, (call) => underLocks(locks, seal, { ...options, ...call }));
    options.onDone?.(frozen.result);
    if (frozen.result.report.equal) await hold(locks, seal, frozen, options);
    await onStep?.({ step: 'releasing', since: locks.since });
  } catch (error) {
    // Writes are told one by one.
    if (frozen !== undefined && !isTopologyError(error, ErrorCode.Guard)) options.onLost?.(error);
    const sealed = await seal.takeOff();
    throw withSealed(withLeft(error, await locks.giveBack()), sealed);
  }
  // In the order that leaves nobody locked out of what is sealed.
  const sealed = await seal.takeOff();
  const left = await locks.giveBack();
  const lost = left.find(({ error }) => isTopologyError(error, ErrorCode.LockLost));
  if (lost !== undefined) throw withSealed(withLeft(lost.error, left), sealed);
  return { ...frozen.result, left, sealed };
}

/** What kept the locks from being taken; where a seal did, whose: it refuses them to any credentials. */
async function orSealed(error: unknown, store: Connection): Promise<unknown> {
  if (!isTopologyError(error, ErrorCode.Unauthorized)) return error;
  const seal = await store.sealed().catch(() => undefined);
  return seal === undefined ? error : alreadySealed(store.store, seal);
}

/** The work of a freeze, which ends when its time is over, a lock is lost, or the caller's signal fires. */
async function inTime<T>(
  locks: AllLocks,
  deadline: number,
  { clock, timeoutMs, signal }: FreezeOptions,
  work: (call: { readonly signal: AbortSignal; readonly deadline: number }) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const cancel = clock.schedule(deadline - clock.now(), () => late.abort(tookTooLong(timeoutMs)));
  const over = AbortSignal.any([locks.lost, late.signal, ...(signal === undefined ? [] : [signal])]);
  setMaxListeners(0, over);
  try {
    return await work({ signal: over, deadline });
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Interrupted, ErrorCode.Timeout)) throw error;
    if (locks.lost.aborted) throw locks.lost.reason;
    if (late.signal.aborted || clock.now() >= deadline) throw tookTooLong(timeoutMs, error);
    throw error;
  } finally {
    cancel();
  }
}
