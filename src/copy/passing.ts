import { ErrorCode, isTopologyError } from '../topo/errors.js';

/** Whether a failure may be over soon, so that it is enough to try again. */
export function isPassing(error: unknown): boolean {
  return isTopologyError(
    error,
    ErrorCode.Unavailable,
    ErrorCode.Timeout,
    ErrorCode.OutcomeUnknown,
    ErrorCode.WatchLost,
  );
}

/** Which of several failures is told: rather one that will not be over by itself. Undefined: there are none. */
export function worstFailure(failures: readonly unknown[]): unknown {
  return failures.find((error) => !isPassing(error)) ?? failures[0];
}
