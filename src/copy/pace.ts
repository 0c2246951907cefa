import { setMaxListeners } from 'node:events';
import type { Clock } from '../topo/clock.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/** Holds work back to so many records per second, evenly. Without a rate it holds nothing back. */
export class Pace {
  readonly #clock: Clock;
  readonly #perSecond: number | undefined;
  /** When the next record may go, in milliseconds. */
  #free = 0;

  constructor(clock: Clock, perSecond: number | undefined) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Records that may go in one transaction, which is never held back half-way: those of a second, and at least one. */
  get atOnce(): number {
    return this.#perSecond === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.floor(this.#perSecond));
  }

  /** Waits until `records` more may go. Interrupted when the signal fires first. */
  async take(records: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#perSecond === undefined) return;
    const now = this.#clock.now();
    const wait = this.#free - now;
    this.#free = Math.max(this.#free, now) + (records * 1000) / this.#perSecond;
    if (wait > 0) await sleep(this.#clock, wait, signal);
  }
}

/** Waits. Interrupted when the signal fires first. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(interrupted(signal));
      return;
    }
    const onAbort = () => {
      cancel();
      reject(interrupted(signal));
    };
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal !== undefined) setMaxListeners(0, signal);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function interrupted(signal: AbortSignal | undefined): TopologyError {
  return new TopologyError(ErrorCode.Interrupted, 'interrupted', { cause: signal?.reason });
}
