import type { CallOptions } from './call-options.js';
import type { CallContext } from './calls.js';
import { ErrorCode, isTopologyError, TopologyError } from './errors.js';
import type { Lock } from './locks.js';

/** Milliseconds that giving a lock back may take, all tries together. */
const UNLOCK_MS = 10_000;

/**
 * Milliseconds for which a lock is held before its entry is watched. Most locks are given back before, and a watch costs the
 * server more than they do.
 */
export const UNWATCHED_MS = 50;

/** How one store keeps one lock. */
export interface Keeper {
  /** Asks the store whether the entry is still there and ours. Rejects with Unavailable, Timeout … when it does not tell. */
  holds(options: CallOptions): Promise<boolean>;
  /**
   * Takes the entry away and what was made for it; false when it was ours no more. Never touches what is somebody
   * else's. Its deadline is `options`'s.
   */
  release(options: CallOptions): Promise<boolean>;
  /** Ends keep-alives, watches and timers. Called once, when the lock has been lost or given back, before its signal fires. */
  stop(): void;
}

/**
 * A lock that is held, for all stores alike: a {@link Keeper} talks to the store, and whoever notices that the lock is
 * gone calls {@link lose}.
 */
export class HeldLock implements Lock {
  readonly store: string;
  readonly dir: string;
  readonly entry: string;
  readonly #context: CallContext;
  readonly #keeper: Keeper;
  /** Why it is lost. */
  #loss: TopologyError | undefined;
  /** Made when it is asked for: most locks are given back before. */
  #lost: AbortController | undefined;
  #unlocking: Promise<void> | undefined;
  #stopped = false;

  constructor(context: CallContext, where: { readonly dir: string; readonly entry: string }, keeper: Keeper) {
    this.store = context.store;
    this.dir = where.dir;
    this.entry = where.entry;
    this.#context = context;
    this.#keeper = keeper;
  }

  get lost(): AbortSignal {
    if (this.#lost === undefined) {
      this.#lost = new AbortController();
      if (this.#loss !== undefined) this.#lost.abort(this.#loss);
    }
    return this.#lost.signal;
  }

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  async check(options?: CallOptions): Promise<void> {
    if (this.#loss !== undefined) throw this.#loss;
    if (this.#unlocking !== undefined) throw this.#lostBecause('it was given back');
    const { clock, defaultTimeoutMs } = this.#context;
    const deadline = options?.deadline ?? clock.now() + defaultTimeoutMs;
    if (await this.#keeper.holds({ signal: options?.signal, deadline })) {
      // It may have been told to be lost while the store was asked.
      if (this.#loss !== undefined) throw this.#loss;
      return;
    }
    this.lose('the store says that it is not held');
    throw this.#loss ?? this.#lostBecause('it was given back');
  }

  unlock(): Promise<void> {
    this.#unlocking ??= this.#unlock();
    return this.#unlocking;
  }

  /** Tells that the lock is gone; `why` in a few words. Ignored once it is being given back. */
  lose(why: string, cause?: unknown): void {
    if (this.#unlocking !== undefined || this.#loss !== undefined) return;
    this.#stop();
    this.#loss = this.#lostBecause(why, cause);
    this.#lost?.abort(this.#loss);
  }

  async #unlock(): Promise<void> {
    const { clock } = this.#context;
    const loss = this.#loss;
    this.#stop();
    const releasing = this.#keeper.release({ deadline: clock.now() + UNLOCK_MS });
    if (loss !== undefined) {
      await releasing.catch(() => {});
      throw loss;
    }
    if (!(await releasing)) throw this.#lostBecause('it was gone when it was to be given back');
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#keeper.stop();
  }

  #lostBecause(why: string, cause?: unknown): TopologyError {
    return lockLost(this, this.dir, why, cause);
  }
}

/** The error of a lock that is not held any more; `why` in a few words. */
export function lockLost(
  context: Pick<CallContext, 'store'>,
  dir: string,
  why: string,
  cause?: unknown,
): TopologyError {
  return new TopologyError(ErrorCode.LockLost, `the lock is lost: ${why}`, {
    path: dir,
    store: context.store,
    hint: 'what was done since may not have been alone: look at it, then run the command again',
    cause,
  });
}

/** The error of a lock that somebody else holds, for those who do not wait. */
export function alreadyLocked(context: Pick<CallContext, 'store'>, dir: string): TopologyError {
  return new TopologyError(ErrorCode.NodeExists, 'the directory is locked', {
    path: dir,
    store: context.store,
    hint: 'topo2topo locks list shows who holds it',
  });
}

/** The error of a wait that ended for `reason`; `failure`: why nothing was known of the lock at its end, which says more than that time is up. */
export function waitEnded(
  context: Pick<CallContext, 'store'>,
  dir: string,
  reason: unknown,
  failure: unknown,
): unknown {
  if (!isTopologyError(reason, ErrorCode.Timeout) || failure === undefined) return reason;
  return new TopologyError(ErrorCode.Unavailable, 'no server told of the lock until the deadline', {
    path: dir,
    store: context.store,
    cause: failure,
  });
}

/** The error of a lock whose directory does not exist. */
export function nothingToLock(context: Pick<CallContext, 'store'>, dir: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'nothing is below the directory that is to be locked', {
    path: dir,
    store: context.store,
  });
}
