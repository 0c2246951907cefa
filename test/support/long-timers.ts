import { type Clock, systemClock } from '../../src/topo/clock.js';

/** The machine's own time, but for timers of `longMs` milliseconds or more, which fire when a test says so. */
export class LongTimers implements Clock {
  readonly #longMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(longMs: number) {
    this.#longMs = longMs;
  }

  now(): number {
    return systemClock.now();
  }

  schedule(ms: number, callback: () => void): () => void {
    if (ms < this.#longMs) return systemClock.schedule(ms, callback);
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  /** Fires all that wait. */
  fire(): void {
    for (const callback of [...this.#waiting]) if (this.#waiting.delete(callback)) callback();
  }
}
