/** Time from outside, so that tests and simulation need no sleeping. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds; the answer cancels it. */
  schedule(ms: number, callback: () => void): () => void;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Node fires timers beyond 2^31-1 ms at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** Source of randomness in [0, 1). */
export type Random = () => number;
