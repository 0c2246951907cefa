import { interrupted } from '../calls.js';
import type { Clock, Random } from '../clock.js';
import type { CallOptions, Connection, Value } from '../connection.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../errors.js';
import type { RecordForm } from '../told.js';
import type { Version } from '../version.js';
import {
  type Call,
  type Change,
  DelegatingConnection,
  type Delivered,
  type IteratingCall,
  type LockCall,
  type WriteCall,
} from './base.js';

export interface RetrySettings {
  /** The clock of the connection. */
  readonly clock: Clock;
  readonly random: Random;
  /** Tries of one call, the first included. Default 5. */
  readonly maxAttempts?: number;
  /** Milliseconds before the second try; doubled before each later one. Default 50. */
  readonly initialDelayMs?: number;
  /** Longest wait between two tries, in milliseconds. Default 2,000. */
  readonly maxDelayMs?: number;
  /** Told of each failure after which a call is sent again. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
}

/**
 * Repeats what is safe to repeat, and nothing else. Between tries it waits, half of the time by chance; a signal or
 * close ends the wait at once, and the deadline of a call holds for all its tries together: when it would pass, the
 * call fails with its last error.
 *
 * - Reads, and a scan or a history before it delivers: after errors that are retryable. Watches and waits for locks go on by
 *   themselves.
 * - Writes after Unavailable or Timeout, which have changed nothing.
 * - A write with OutcomeUnknown whose every change is conditional is decided: it is sent again. If that goes through,
 *   it is done. If it is refused, the records are read: if they are exactly what was asked for, it is done, and their
 *   versions are the answer. Otherwise the unknown outcome is returned, never the refusal: what refused the second may
 *   have been the first. Who must know that the record is his own puts something of his own into it.
 *   One thing it cannot exclude: etcd and Consul may carry out a request long after it was sent, when a frozen server
 *   wakes up. A record whose creation was sent twice, and which was deleted since, then comes back.
 * - An unconditional write with OutcomeUnknown is returned as such: a second one might undo what came between.
 */
export function withRetry(inner: Connection, settings: RetrySettings): Connection {
  return new RetryConnection(inner, settings);
}

class RetryConnection extends DelegatingConnection {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxAttempts: number;
  readonly #initialDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #onRetry: RetrySettings['onRetry'];
  /** Ends the wait of each call that waits. */
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(inner: Connection, settings: RetrySettings) {
    super(inner);
    this.#clock = settings.clock;
    this.#random = settings.random;
    this.#maxAttempts = settings.maxAttempts ?? 5;
    this.#initialDelayMs = settings.initialDelayMs ?? 50;
    this.#maxDelayMs = settings.maxDelayMs ?? 2_000;
    this.#onRetry = settings.onRetry;
  }

  override close(): Promise<void> {
    this.#closed = true;
    for (const end of [...this.#waiting]) end();
    return super.close();
  }

  protected override around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    const first = next(options);
    // A lock is asked for again by those who wait for it, until their time is over.
    if (call.kind === 'lock') return first;
    // Not an async function, which would cost every call that succeeds more than all else that is done here.
    return first.catch((error: unknown) => this.#goOn(call, options, next, error));
  }

  /** What becomes of a call whose first try ended with `failure`. */
  async #goOn<T>(
    call: Exclude<Call<T>, LockCall>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
    failure: unknown,
  ): Promise<T> {
    let error = failure;
    for (let attempt = 1; ; attempt++) {
      if (call.kind === 'write' && isTopologyError(error, ErrorCode.OutcomeUnknown))
        return this.#decide(call, options, () => next(options), error, attempt);
      if (!repeatable(error)) throw error;
      await this.#waitToRepeat(attempt, error, options, call.path);
      try {
        return await next(options);
      } catch (again) {
        error = again;
      }
    }
  }

  protected override aroundIteration<T extends Delivered>(
    call: IteratingCall,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    const ends = call.method === 'scan' || call.method === 'history';
    return ends ? this.#reading(call, options, next) : next(options);
  }

  async *#reading<T>(
    call: IteratingCall,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    for (let attempt = 1; ; attempt++) {
      let delivered = false;
      try {
        for await (const item of next(options)) {
          delivered = true;
          yield item;
        }
        return;
      } catch (error) {
        if (delivered || !repeatable(error)) throw error;
        await this.#waitToRepeat(attempt, error, options, call.path);
      }
    }
  }

  /** Finds out what became of a write, or throws `unknown`. `spent` tries are over. */
  async #decide<T>(
    call: WriteCall<T>,
    options: CallOptions | undefined,
    send: () => Promise<T>,
    unknown: TopologyError,
    spent: number,
  ): Promise<T> {
    if (!decidable(call.changes, unknown)) throw unknown;
    for (let attempt = spent; ; attempt++) {
      // Whatever ends the wait (signal, deadline, close) says nothing about the write.
      await this.#waitToRepeat(attempt, unknown, options, call.path).catch(() => {
        throw unknown;
      });
      try {
        return await send();
      } catch (error) {
        if (isTopologyError(error, ErrorCode.OutcomeUnknown) && !decidable(call.changes, error)) throw error;
        if (!isTopologyError(error, ...REFUSALS, ...UNANSWERED)) throw unknown;
        if (isTopologyError(error, ...UNANSWERED)) continue;
      }
      const versions = await this.#asAsked(call.changes, options).catch((error: unknown) => {
        if (repeatable(error)) return 'unread' as const;
        throw unknown;
      });
      if (versions === undefined) throw unknown;
      if (versions !== 'unread') return call.answer(versions);
    }
  }

  /** Versions of what `changes` left, in their order; undefined when the records are not exactly what was asked for. */
  async #asAsked(
    changes: readonly Change[],
    options: CallOptions | undefined,
  ): Promise<(Version | undefined)[] | undefined> {
    const present = await Promise.all(changes.map(({ path }) => this.#present(path, options)));
    const { form } = this.capabilities;
    if (!changes.every((change, i) => isAsAsked(change, present[i], form))) return undefined;
    return changes.map((change, i) => ('bytes' in change ? present[i]?.version : undefined));
  }

  async #present(path: string, options: CallOptions | undefined): Promise<Value | undefined> {
    try {
      return await this.inner.get(path, options);
    } catch (error) {
      if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
      throw error;
    }
  }

  /** Waits before try `attempt` + 1. Throws `error` when there is none, Interrupted when the signal or close strikes. */
  #waitToRepeat(
    attempt: number,
    error: unknown,
    options: CallOptions | undefined,
    path: string | undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const longest = Math.min(this.#maxDelayMs, this.#initialDelayMs * 2 ** (attempt - 1));
      const delay = longest * (0.5 + 0.5 * this.#random());
      const { signal, deadline } = options ?? {};
      if (attempt >= this.#maxAttempts || (deadline !== undefined && this.#clock.now() + delay >= deadline)) {
        reject(error);
        return;
      }
      this.#onRetry?.(error);
      const finish = (act: () => void) => {
        cancel();
        signal?.removeEventListener('abort', stop);
        this.#waiting.delete(stop);
        act();
      };
      const stop = () => finish(() => reject(interrupted(this, path, signal?.reason)));
      const cancel = this.#clock.schedule(delay, () => finish(resolve));
      signal?.addEventListener('abort', stop, { once: true });
      this.#waiting.add(stop);
      if (this.#closed || signal?.aborted === true) stop();
    });
  }
}

/** Answers that say the store looked at a conditional write and did not do it. */
const REFUSALS = [ErrorCode.NoNode, ErrorCode.NodeExists, ErrorCode.BadVersion, ErrorCode.LockLost] as const;
/** Answers after which nothing more is known than before. */
const UNANSWERED = [ErrorCode.Unavailable, ErrorCode.Timeout, ErrorCode.OutcomeUnknown] as const;

/** Whether another try can help. An error other than OutcomeUnknown has changed nothing. */
function repeatable(error: unknown): boolean {
  return isTopologyError(error) && error.retryable;
}

/** Whether sending `changes` again can decide what became of them. */
function decidable(changes: readonly Change[], unknown: TopologyError): boolean {
  // The store saw that the write met a re-created record: it was applied, and not where it was meant.
  if (isTopologyError(unknown.cause, ErrorCode.BadVersion)) return false;
  return changes.every(
    (change) => change.type !== 'put' && !(change.type === 'delete' && change.version === null),
  );
}

function isAsAsked(change: Change, present: Value | undefined, form: RecordForm | undefined): boolean {
  switch (change.type) {
    case 'create':
    case 'update':
    case 'put':
      return present !== undefined && Buffer.compare(present.bytes, held(change, form)) === 0;
    case 'delete':
      return present === undefined;
    case 'check':
      return change.version === null
        ? present === undefined
        : present?.version.equals(change.version) === true;
  }
}

/** The bytes that a change leaves, as the store gives them back. */
function held(
  { path, bytes }: { readonly path: string; readonly bytes: Uint8Array },
  form: RecordForm | undefined,
): Uint8Array {
  return form === undefined ? bytes : form.hold(path, bytes).bytes;
}
