import { setMaxListeners } from 'node:events';
import type { CallLimits } from './call-options.js';
import { type CallContext, interrupted, timedOut, timeLeft } from './calls.js';

/**
 * Carries events from callbacks to one `for await` loop, in order. It keeps what is pushed until it is read; what
 * may come faster than it is read is pushed with a key, so that only the latest event of each key waits.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #unread = new Map<unknown, T>();
  #cursor = this.#unread.entries();
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  readonly #waiting: (() => void)[] = [];
  readonly #closers: (() => void)[] = [];

  /** Adds an event, in place of an unread one of the same `key`. Ignored once the queue has failed or was left. */
  push(item: T, key?: string): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#unread.set(key ?? Symbol(), item);
    this.#wake();
  }

  /** Ends the loop with `error` now; events not read yet are dropped. Only the first call counts. */
  fail(error: unknown): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#failure = { error };
    this.#unread.clear();
    this.#wake();
    this.#runClosers();
  }

  /** Calls `callback` once when the loop is left or the queue failed: at once when that is past. */
  onClose(callback: () => void): void {
    if (this.#closed || this.#failure !== undefined) callback();
    else this.#closers.push(callback);
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.#leave();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      if (this.#closed) return { done: true, value: undefined };
      if (this.#failure !== undefined) {
        this.#closed = true;
        throw this.#failure.error;
      }
      const taken = this.#take();
      if (taken !== undefined) return { done: false, value: taken[1] };
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #take(): [unknown, T] | undefined {
    // One cursor for as long as it lasts: a new one would step over all entries removed so far, each time.
    let next = this.#cursor.next();
    if (next.done) {
      this.#cursor = this.#unread.entries();
      next = this.#cursor.next();
    }
    if (next.done) return undefined;
    this.#unread.delete(next.value[0]);
    return next.value;
  }

  #leave(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unread.clear();
    this.#wake();
    this.#runClosers();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #runClosers(): void {
    for (const closer of this.#closers.splice(0)) closer();
  }
}

/**
 * The events of a watch. Each loop over it calls `start` with a queue of its own, at its first step; what `start` throws
 * ends the loop. The queue fails with Interrupted or Timeout when the signal or the deadline of the call strikes.
 */
export function watchEvents<T>(
  context: CallContext,
  options: CallLimits | undefined,
  path: string,
  start: (queue: EventQueue<T>) => void | Promise<void>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const queue = new EventQueue<T>();
      const events = queue[Symbol.asyncIterator]();
      let started = false;
      const begin = async () => {
        endWithCall(queue, context, options, path);
        await start(queue);
      };
      return {
        next() {
          if (!started) {
            started = true;
            begin().catch((error: unknown) => queue.fail(error));
          }
          return events.next();
        },
        async return() {
          await events.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function endWithCall<T>(
  queue: EventQueue<T>,
  context: CallContext,
  options: CallLimits | undefined,
  path: string,
): void {
  const left = timeLeft(context, options, path);
  const signal = options?.signal;
  const onAbort = () => queue.fail(interrupted(context, path, signal?.reason));
  // Many watches share one signal; Node would take that for a leak.
  if (signal instanceof AbortSignal) setMaxListeners(0, signal);
  signal?.addEventListener('abort', onAbort);
  queue.onClose(() => signal?.removeEventListener('abort', onAbort));
  // Without a deadline of its own a watch goes on for ever: the default is for calls that have an answer.
  if (options?.deadline !== undefined)
    queue.onClose(context.clock.schedule(left, () => queue.fail(timedOut(context, path))));
}
