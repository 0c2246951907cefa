import type { CancelSignal } from './cancellation.js';

/** Limits of what is done for a call. */
export interface CallLimits {
  readonly signal?: CancelSignal | undefined;
  /** See {@link CallOptions.deadline}. */
  readonly deadline?: number | undefined;
}

/** Options of every call. */
export interface CallOptions extends CallLimits {
  readonly signal?: AbortSignal | undefined;
  /**
   * Moment (milliseconds since the epoch, on the connection's clock) at which the call gives up. Default: the connection's
   * own limit, for a scan in each of its requests; a watch, and a wait for a lock or an election, goes on without.
   */
  readonly deadline?: number | undefined;
}
