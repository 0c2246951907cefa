import type { CallOptions } from './call-options.js';
import type { Version } from './version.js';

/**
 * A lock that this process holds, or has held: of a directory, of a name, or the leadership of an election.
 *
 * It is kept alive until `unlock`, whatever becomes of the signal and the deadline of the call that took it.
 */
export interface Lock {
  /** {@link Connection.store} of the connection that took it. */
  readonly store: string;
  /** The locked directory, relative to the root; for an election `elections/<name>`. */
  readonly dir: string;
  /** The record that stands for the lock, relative to the root. It is ephemeral and appears in listings and scans. */
  readonly entry: string;
  /**
   * Fires when the lock is no longer held, for any reason but `unlock`: the session or lease ended, the entry was deleted
   * or taken over, the process was stopped for too long, the connection was closed, or the store could not be reached for
   * so long that the lock may have ended there. Its reason is a TopologyError LockLost.
   */
  readonly lost: AbortSignal;
  /**
   * Asks the store, not the memory of this process. Resolves while the lock is held; LockLost when it is not;
   * Unavailable, Timeout … when the store does not tell.
   */
  check(options?: CallOptions): Promise<void>;
  /**
   * Gives the lock back and leaves the store as it would be without it. Takes no signal and has a time limit of its own,
   * so that it works where the work under the lock was cut short. Idempotent: every call has the outcome of the first.
   *
   * LockLost when the lock had been lost before: what was done under it may not have been alone. Unavailable, Timeout …
   * when the store could not be told: the lock then ends by itself when its time to live is over.
   */
  unlock(): Promise<void>;
}

/** One place in the queue of a lock, whoever made it. */
export interface LockEntry {
  /** The record that stands for it, relative to the root. Deleting it in the state of `version` breaks the lock. */
  readonly path: string;
  readonly version: Version;
  /** What its owner wrote; Vitess: see {@link parseLockContents}. Bytes that are no UTF-8 are replaced. */
  readonly contents: string;
  /** Whether it holds the lock; the others wait. */
  readonly holds: boolean;
  /** Session or lease, as the product writes it. Undefined: an orphan, which stays, and locks, until somebody deletes it. */
  readonly owner: string | undefined;
  /** Milliseconds since the epoch at which it was made, by the store's clock. Undefined where the store does not tell. */
  readonly since: number | undefined;
  /** Milliseconds until it goes away unless it is kept alive. Undefined where the store does not tell. */
  readonly ttlLeftMs: number | undefined;
}

/** What a backend is asked for: every way to lock is one of these. */
export interface LockRequest {
  /** Relative to the root. */
  readonly dir: string;
  readonly contents: string;
  /**
   * `directory`: must exist (NoNode) and is locked by an entry below it; `name`: the same, made when absent;
   * `election`: the candidates' entries are where Vitess has them, made when absent.
   */
  readonly purpose: 'directory' | 'name' | 'election';
  /** False: NodeExists at once when anybody holds the lock or waits for it. */
  readonly wait: boolean;
  /** Milliseconds for which the lock outlives its holder; undefined: the connection's own choice. */
  readonly ttlMs: number | undefined;
}

/** Directory of the named locks (Vitess go/vt/topo/named_lock.go). */
export const NAMED_LOCKS = 'internal/named_locks';
/** Directory of the elections. */
export const ELECTIONS = 'elections';

/** Who leads an election. `id` undefined: nobody. */
export interface LeaderEvent {
  readonly type: 'leader';
  readonly id: string | undefined;
}
