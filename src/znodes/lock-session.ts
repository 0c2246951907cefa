import { type CancelSignal, firstOf } from '../topo/cancellation.js';
import type { Clock } from '../topo/clock.js';
import { ZkCode, type ZooKeeperClient, ZooKeeperError } from '../zookeeper/client.js';

/** How long a lock outlives its dead holder unless something else is asked for, in milliseconds. */
const DEFAULT_TTL_MS = 10_000;
/** How long the end of a connection waits for locks to be given back, in milliseconds. */
const CLOSE_MS = 1_000;

/** Opens a session that is not renewed, with a time-out of `ttlMs` milliseconds as far as the servers allow. */
export type OpenLockSession = (ttlMs: number) => Promise<ZooKeeperClient>;

/**
 * A session that owns lock entries and nothing else. When it ends they all go, at the server's own word: whoever is
 * refused by the server has lost them.
 */
export class LockSession {
  readonly client: ZooKeeperClient;
  /** Fires when it is over. Each of its entries listens, most for a moment. */
  readonly expired: CancelSignal;
  /** Znodes of the entries that are known. Any other one of this session is a creation whose answer was lost. */
  readonly entries = new Set<string>();
  readonly #keep: boolean;
  readonly #turns = new Map<string, Promise<unknown>>();
  #users = 0;
  #closing: Promise<void> | undefined;
  #retired = false;

  /** `keep`: stays open while nobody uses it. */
  constructor(client: ZooKeeperClient, keep: boolean) {
    this.client = client;
    this.#keep = keep;
    this.expired = firstOf(client.expired);
  }

  get over(): boolean {
    return this.client.expired.aborted;
  }

  /** Whether new entries may be made in it. */
  get usable(): boolean {
    return !this.over && !this.#retired;
  }

  enter(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users > 0 || (this.#keep && this.usable)) return;
    this.#retired = true;
    void this.close();
  }

  /** Takes no new entries, and ends with the last that it has: so the servers remove what could not be removed singly. */
  retire(): void {
    this.#retired = true;
  }

  /** Whether the caller of {@link enter} is the only one left. */
  get deserted(): boolean {
    return this.#users <= 1;
  }

  close(): Promise<void> {
    this.#closing ??= this.client.close();
    return this.#closing;
  }

  /**
   * Runs creations in one queue one after the other, so that an entry nobody knows can only be that of the latest. `work`
   * is not cut short by the caller.
   */
  async inTurn<T>(queue: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(queue);
    const mine = before === undefined ? work() : before.then(work);
    const settled = mine.catch(() => {});
    this.#turns.set(queue, settled);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(queue) === settled) this.#turns.delete(queue);
    }
  }
}

/** A lock that is held, as far as the end of its connection is concerned. */
export interface Holding {
  /** Tells that the lock is lost, and gives it back as far as that is possible until `deadline`. */
  abandon(why: string, deadline: number): Promise<unknown>;
}

/** What one connection needs for its locks: their sessions, opened when first needed, and what goes on unseen. */
export class Locks {
  readonly held = new Set<Holding>();
  readonly #open: OpenLockSession;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #current = new Map<number, Promise<LockSession>>();
  readonly #sessions = new Set<LockSession>();
  readonly #work = new Set<Promise<unknown>>();
  #closed = false;

  constructor(open: OpenLockSession, clock: Clock, ttlMs = DEFAULT_TTL_MS) {
    this.#open = open;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** The session of locks with this time to live. {@link LockSession.leave} it when done. Rejects as connecting does. */
  async use(ttlMs = this.#ttlMs): Promise<LockSession> {
    for (;;) {
      const opening = this.#current.get(ttlMs) ?? this.#begin(ttlMs);
      const session = await opening;
      if (session.usable) {
        session.enter();
        return session;
      }
      this.#forget(ttlMs, opening);
    }
  }

  /** Takes note of work whose caller may not wait for it; the end of the connection does, for moments. */
  watch(work: Promise<unknown>): void {
    this.#work.add(work);
    const done = () => this.#work.delete(work);
    work.then(done, done);
  }

  /** Gives all locks back, as far as the servers answer within moments, and ends their sessions. */
  async close(): Promise<void> {
    this.#closed = true;
    const deadline = this.#clock.now() + CLOSE_MS;
    for (const holding of [...this.held]) this.watch(holding.abandon('the connection was closed', deadline));
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(CLOSE_MS, resolve);
    });
    await Promise.race([late, Promise.allSettled([...this.#work])]);
    cancel();
    await Promise.allSettled([...this.#sessions].map((session) => session.close()));
  }

  #begin(ttlMs: number): Promise<LockSession> {
    const opening = this.#connect(ttlMs);
    this.#current.set(ttlMs, opening);
    opening.catch(() => this.#forget(ttlMs, opening));
    return opening;
  }

  async #connect(ttlMs: number): Promise<LockSession> {
    const client = await this.#open(ttlMs);
    const session = new LockSession(client, ttlMs === this.#ttlMs);
    if (this.#closed) {
      await session.close();
      throw new ZooKeeperError(ZkCode.Closed, 'the connection was closed');
    }
    for (const known of this.#sessions) if (known.over) this.#sessions.delete(known);
    this.#sessions.add(session);
    return session;
  }

  #forget(ttlMs: number, opening: Promise<LockSession>): void {
    if (this.#current.get(ttlMs) === opening) this.#current.delete(ttlMs);
  }
}
