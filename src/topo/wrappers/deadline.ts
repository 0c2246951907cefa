import type { Clock } from '../clock.js';
import type { CallOptions, Connection } from '../connection.js';
import { type Call, DelegatingConnection, type Delivered, type IteratingCall } from './base.js';

export interface DeadlineSettings {
  /** The clock of the connection. */
  readonly clock: Clock;
  /** Milliseconds for a call that names no deadline; for a scan, all its pages together. */
  readonly timeoutMs: number;
}

/** Gives every call a deadline that has none. Watches go on without. */
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
    _call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    return next(this.#bounded(options));
  }

  protected override aroundIteration<T extends Delivered>(
    call: IteratingCall,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    return next(call.method === 'scan' ? this.#bounded(options) : options);
  }

  #bounded(options: CallOptions | undefined): CallOptions {
    const { clock, timeoutMs } = this.#settings;
    return { ...options, deadline: options?.deadline ?? clock.now() + timeoutMs };
  }
}
