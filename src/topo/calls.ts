import { setMaxListeners } from 'node:events';
import type { CallLimits } from './call-options.js';
import type { Clock } from './clock.js';
import { ErrorCode, TopologyError } from './errors.js';

/** What every call of one connection shares. */
export interface CallContext {
  readonly store: string;
  readonly clock: Clock;
  /** Milliseconds a call may take when it names no deadline. */
  readonly defaultTimeoutMs: number;
  /** See {@link ConnectSettings.flagPrefix}. */
  readonly flagPrefix?: string | undefined;
}

/** Milliseconds left for a call that is about to begin. Interrupted or Timeout when it is already over. */
export function timeLeft(context: CallContext, options: CallLimits | undefined, path?: string): number {
  if (options?.signal?.aborted) throw interrupted(context, path, options.signal.reason);
  if (options?.deadline === undefined) return context.defaultTimeoutMs;
  const left = options.deadline - context.clock.now();
  if (left <= 0) throw timedOut(context, path);
  return left;
}

/**
 * Waits for `work`, at most until the call's signal or deadline strikes: then Interrupted or Timeout for a `read`, and
 * OutcomeUnknown for a `write`, which may yet be applied. The work itself goes on unseen; cancel it through `onEnd`.
 * Given as a function, the work is begun here, and not at all when the call is already over: then a write, too, fails
 * with Interrupted or Timeout. Given as a promise it counts as sent.
 */
export function raceCall<T>(
  context: CallContext,
  options: CallLimits | undefined,
  call: {
    readonly kind: 'read' | 'write';
    readonly path?: string | undefined;
    readonly onEnd?: (() => void) | undefined;
  },
  work: Promise<T> | (() => Promise<T>),
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const signal = options?.signal;
    let left: number;
    try {
      left = timeLeft(context, options, call.path);
    } catch (error) {
      call.onEnd?.();
      if (typeof work === 'function') {
        reject(error);
      } else {
        work.catch(() => {});
        reject(call.kind === 'read' ? error : outcomeUnknown(context, call.path, error));
      }
      return;
    }
    const giveUp = (error: TopologyError) => {
      settle();
      call.onEnd?.();
      reject(call.kind === 'read' ? error : outcomeUnknown(context, call.path, error));
    };
    const onAbort = () => giveUp(interrupted(context, call.path, signal?.reason));
    const cancelTimer = context.clock.schedule(left, () => giveUp(timedOut(context, call.path)));
    const settle = () => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    // Many calls share one signal; Node would take that for a leak.
    if (signal instanceof AbortSignal) setMaxListeners(0, signal);
    signal?.addEventListener('abort', onAbort);
    let begun: Promise<T>;
    try {
      begun = typeof work === 'function' ? work() : work;
    } catch (error) {
      settle();
      reject(error);
      return;
    }
    begun.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
  });
}

/** The error of a call whose signal fired, or whose connection was closed. */
export function interrupted(
  context: Pick<CallContext, 'store'>,
  path?: string,
  cause?: unknown,
): TopologyError {
  return new TopologyError(ErrorCode.Interrupted, 'interrupted', { path, store: context.store, cause });
}

/** The error of a call whose deadline passed. */
export function timedOut(context: Pick<CallContext, 'store'>, path?: string, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.Timeout, 'the deadline passed', {
    path,
    store: context.store,
    cause,
    hint: 'check that the servers answer, or allow more time with --timeout',
  });
}

/** The error of a write that was sent and whose answer was lost. */
export function outcomeUnknown(
  context: Pick<CallContext, 'store'>,
  path?: string,
  cause?: unknown,
): TopologyError {
  return new TopologyError(
    ErrorCode.OutcomeUnknown,
    'the write was sent, its answer was lost: it may have been applied',
    {
      path,
      store: context.store,
      cause,
      hint: 'read the record to see, then run the command again: what is done already is not done twice',
    },
  );
}
