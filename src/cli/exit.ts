import { type ErrorCode, isTopologyError } from '../topo/errors.js';

/** Exit codes: stable, for scripts. */
export const Exit = {
  /** Done, or equal. */
  Ok: 0,
  /** Verified, and different. */
  Different: 1,
  /** The command line makes no sense; nothing was done. */
  Usage: 2,
  /** A store cannot be reached, refused, or does not hold what was asked for. */
  Store: 3,
  /** A guard stopped the work. */
  Guard: 4,
  /** The outcome is not known. */
  Inconclusive: 5,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

const BY_CODE: Readonly<Record<ErrorCode, Exit>> = {
  NoNode: Exit.Store,
  NodeExists: Exit.Store,
  BadVersion: Exit.Store,
  NotEmpty: Exit.Store,
  Timeout: Exit.Store,
  Interrupted: Exit.Inconclusive,
  Unavailable: Exit.Store,
  Unauthorized: Exit.Store,
  TooLarge: Exit.Guard,
  InvalidPath: Exit.Usage,
  InvalidAddress: Exit.Usage,
  InvalidBatch: Exit.Inconclusive,
  ReadOnly: Exit.Guard,
  Unsupported: Exit.Usage,
  OutcomeUnknown: Exit.Inconclusive,
  LockLost: Exit.Inconclusive,
  Corrupt: Exit.Store,
  WatchLost: Exit.Inconclusive,
  NoCell: Exit.Usage,
  Guard: Exit.Guard,
  Usage: Exit.Usage,
};

/** The exit code of a failure. A failure that is none of ours leaves the outcome unknown. */
export function exitCodeOf(error: unknown): Exit {
  return isTopologyError(error) ? BY_CODE[error.code] : Exit.Inconclusive;
}
