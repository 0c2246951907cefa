import type { CancelSignal } from './cancellation.js';
import type { Clock } from './clock.js';

/** Waits for `ms` milliseconds; ends early when the signal fires. */
export function sleep(clock: Clock, ms: number, signal: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.schedule(ms, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
