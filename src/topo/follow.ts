import { type CallContext, interrupted } from './calls.js';
import { ErrorCode, TopologyError } from './errors.js';
import type { EventQueue } from './queue.js';

/** Whose changes are followed. */
export interface Followable {
  readonly context: CallContext;
  /** Fires when the connection is closed: with it the watch ends, with Interrupted. */
  readonly closed: AbortSignal;
  /** Waits before another attempt, longer with each round; ends early when the signal fires. */
  pause(round: number, signal: AbortSignal): Promise<void>;
  /** The TopologyError of whatever a read failed with. */
  readFailed(error: unknown, path: string): TopologyError;
}

/** One pass over what is followed. */
export interface Pass {
  /** Fires when the loop over the queue is left. */
  readonly signal: AbortSignal;
  /** To be called once the store is known to answer: the next rest is a short one. */
  readonly alive: () => void;
}

/**
 * Makes one pass after another until the loop over the queue is left: `pass` answers true to be called again at once,
 * false to be called after a rest. Whatever it fails with that will pass (a dead or frozen server, an election), it is
 * called again; anything else ends the watch.
 */
export async function followPasses<T>(
  store: Followable,
  queue: EventQueue<T>,
  path: string,
  pass: (pass: Pass) => Promise<boolean>,
): Promise<void> {
  const { context, closed } = store;
  const left = new AbortController();
  const { signal } = left;
  const onClosed = () => queue.fail(interrupted(context, path, closed.reason));
  closed.addEventListener('abort', onClosed, { once: true });
  queue.onClose(() => {
    closed.removeEventListener('abort', onClosed);
    left.abort();
  });
  if (closed.aborted) onClosed();
  let round = 0;
  const alive = () => {
    round = 0;
  };
  while (!signal.aborted) {
    let goOn = false;
    try {
      goOn = await pass({ signal, alive });
    } catch (error) {
      if (!signal.aborted) throwIfLost(context, path, store.readFailed(error, path));
    }
    if (goOn) alive();
    else await store.pause(round++, signal);
  }
}

/** Throws the error that ends the watch; comes back from what will pass. */
function throwIfLost({ store }: CallContext, path: string, failed: TopologyError): void {
  const { retryable, code, hint } = failed;
  if (retryable) return;
  if (code === ErrorCode.Unauthorized) throw failed;
  const details = { path, store, retryable: false, hint, cause: failed };
  throw new TopologyError(ErrorCode.WatchLost, 'the watch cannot go on', details);
}
