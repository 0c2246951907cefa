import type { Clock } from '../clock.js';
import type { CallOptions, Connection } from '../connection.js';
import { type Call, DelegatingConnection } from './base.js';

export interface DeadlineSettings {
  /** The clock of the connection. */
  readonly clock: Clock;
  /** Milliseconds for a call that names no deadline. */
  readonly timeoutMs: number;
}

/**
 * Gives every call a deadline that has none. Watches, scans and waits for locks go on without: a scan takes as long as
 * there are records, and each of its requests has the backend's own limit.
 */
export function withDeadline(inner: Connection, settings: DeadlineSettings): Connection {
  return new DeadlineConnection(inner, settings);
}

class DeadlineConnection extends DelegatingConnection {
  readonly #settings: DeadlineSettings;

  constructor(inner: Connection, settings: DeadlineSettings) {
    super(inner);
    this.#settings = settings;
  }

  protected override around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    if (call.kind === 'lock' && call.method !== 'tryLock') return next(options);
    const { clock, timeoutMs } = this.#settings;
    return next({ ...options, deadline: options?.deadline ?? clock.now() + timeoutMs });
  }
}
