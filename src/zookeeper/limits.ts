import type { AbortingSignal } from './client.js';

/** Deadlines are met this precisely: a sweep over the calls follows the one before after so many ms at the least. */
const GRANULARITY_MS = 5;
/** Node fires timers beyond this at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** What has a deadline and may be aborted. */
export interface Limited {
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  readonly signal: AbortingSignal | undefined;
  readonly settled: boolean;
}

/**
 * Deadlines and abort signals of many calls, with one timer and one listener per signal: a timer or a listener for each
 * call would cost more than the call. When the earliest deadline comes, or a signal fires, all pending calls are looked at.
 */
export class Limits<T extends Limited> {
  readonly #pending: () => Iterable<T>;
  readonly #overdue: (calls: readonly T[]) => void;
  readonly #aborted: (calls: readonly T[], signal: AbortingSignal) => void;
  readonly #signals = new Map<AbortingSignal, { calls: number; listener: () => void }>();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(
    pending: () => Iterable<T>,
    overdue: (calls: readonly T[]) => void,
    aborted: (calls: readonly T[], signal: AbortingSignal) => void,
  ) {
    this.#pending = pending;
    this.#overdue = overdue;
    this.#aborted = aborted;
  }

  add(call: T): void {
    if (call.deadline < this.#armedFor) this.#arm(call.deadline);
    if (call.signal !== undefined) this.#listen(call.signal);
  }

  /** Undoes the listening of `add` for one call with this signal. */
  release(signal: AbortingSignal): void {
    const entry = this.#signals.get(signal);
    if (entry === undefined) return;
    entry.calls--;
    if (entry.calls > 0) return;
    signal.removeEventListener('abort', entry.listener);
    this.#signals.delete(signal);
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#armedFor = Number.NEGATIVE_INFINITY;
  }

  #arm(deadline: number): void {
    this.#armedFor = deadline;
    clearTimeout(this.#timer);
    if (deadline === Number.POSITIVE_INFINITY) return;
    const delay = Math.min(Math.max(deadline - performance.now(), GRANULARITY_MS), MAX_TIMER_MS);
    // Timers run before sockets are read. After a stall of the event loop the answers that wait in the socket come
    // first this way, instead of being thrown away as too late.
    this.#timer = setTimeout(() => {
      this.#immediate = setImmediate(() => this.#sweep());
    }, delay);
  }

  #sweep(): void {
    const now = performance.now();
    const overdue: T[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#pending()) {
      if (call.settled) continue;
      if (call.deadline <= now) overdue.push(call);
      else if (call.deadline < next) next = call.deadline;
    }
    this.#arm(next);
    if (overdue.length > 0) this.#overdue(overdue);
  }

  #listen(signal: AbortingSignal): void {
    const known = this.#signals.get(signal);
    if (known !== undefined) {
      known.calls++;
      return;
    }
    const listener = (): void => {
      this.#aborted(
        [...this.#pending()].filter((call) => !call.settled && call.signal === signal),
        signal,
      );
    };
    this.#signals.set(signal, { calls: 1, listener });
    signal.addEventListener('abort', listener);
  }
}
