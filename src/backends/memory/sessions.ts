import type { Clock } from '../../topo/clock.js';

/** How a session or lease behaves. */
export interface SessionOptions {
  /** Milliseconds after which it ends unless kept alive. Default: never. */
  readonly ttlMs?: number | undefined;
  /** Consul: milliseconds for which nobody can acquire a key that it held when it ended. Default: 15,000. */
  readonly lockDelayMs?: number | undefined;
  /** Consul: what becomes of its keys. Default: delete. */
  readonly behavior?: 'delete' | 'release' | undefined;
}

/** Milliseconds for which a product lets a session or lease live, and for which Vitess asks or we do. */
export interface TimeToLive {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

/** A session or lease, and the keys that it owns or once owned. */
export interface Session extends SessionOptions {
  readonly id: string;
  readonly keys: Set<string>;
}

/** The sessions or leases that are alive. */
export class Sessions {
  readonly #clock: Clock;
  readonly #onTimeout: (id: string) => void;
  readonly #alive = new Map<string, { readonly session: Session; cancel: () => void }>();

  constructor(clock: Clock, onTimeout: (id: string) => void) {
    this.#clock = clock;
    this.#onTimeout = onTimeout;
  }

  get(id: string): Session | undefined {
    return this.#alive.get(id)?.session;
  }

  open(id: string, options: SessionOptions): void {
    this.#alive.set(id, { session: { ...options, id, keys: new Set() }, cancel: () => {} });
    this.keepAlive(id);
  }

  /** Begins the time to live anew. False when the session is over. */
  keepAlive(id: string): boolean {
    const entry = this.#alive.get(id);
    if (entry === undefined) return false;
    entry.cancel();
    const { ttlMs } = entry.session;
    if (ttlMs !== undefined) entry.cancel = this.#clock.schedule(ttlMs, () => this.#onTimeout(id));
    return true;
  }

  /** Ends one; gives it if it was alive. */
  end(id: string): Session | undefined {
    const entry = this.#alive.get(id);
    entry?.cancel();
    this.#alive.delete(id);
    return entry?.session;
  }

  /** Ends all of them and their timers. */
  dispose(): void {
    for (const id of [...this.#alive.keys()]) this.end(id);
  }
}
