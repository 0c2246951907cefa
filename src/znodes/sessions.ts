import type { ZooKeeperClient } from '../zookeeper/client.js';

/** Sessions that a scan spreads its reads over where one request reads one znode. */
const SCAN_SESSIONS = 4;

/** Sessions over which a seal is put on and taken off: a server carries out single changes of four about twice as fast as those of one. */
const SEAL_SESSIONS = 4;

/** Opens one more session: at the servers, or where the address names some, at the observers. */
export type OpenSession = (where: 'servers' | 'observers') => Promise<ZooKeeperClient>;

/** Sessions, or what stands for each: `first` and the others, each in its turn. */
export function inTurn<T>(first: T, others: readonly T[]): () => T {
  const all = [first, ...others];
  let turn = 0;
  return () => all[turn++ % all.length] ?? first;
}

/**
 * The sessions of one connection. All writes and single reads go through the primary one, because only within a
 * session does ZooKeeper promise that a read sees what was seen before. Scans may use others, each brought up to
 * date first.
 */
export class Sessions {
  readonly primary: ZooKeeperClient;
  readonly #open: OpenSession;
  readonly #observers: boolean;
  #others: Promise<readonly ZooKeeperClient[]> | undefined;
  #sealing: Promise<readonly ZooKeeperClient[]> | undefined;
  readonly #opened: ZooKeeperClient[] = [];
  #pagesOfOthers = 0;
  #behind = false;
  #syncing: Promise<void> | undefined;
  #closed = false;

  constructor(primary: ZooKeeperClient, open: OpenSession, hasObservers: boolean) {
    this.primary = primary;
    this.#open = open;
    this.#observers = hasObservers;
  }

  /** Whether the primary session may not have seen everything yet that was delivered by this connection. */
  get isBehind(): boolean {
    return this.#behind;
  }

  /**
   * Makes the primary session as far on as everything that was delivered by this connection, for all requests that it is sent
   * from now on: they need not wait for it, but what they answer counts only when it succeeds. Whoever asks before it is sent shares it.
   */
  bringUpToDate(): Promise<void> {
    if (this.#syncing !== undefined) return this.#syncing;
    this.#syncing = this.#sync();
    this.#syncing.catch(() => {});
    // Requests are sent at the end of a turn of the event loop.
    queueMicrotask(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  /**
   * The sessions of a scan, not brought up to date yet. They stay open for later scans, for every new session moves
   * the store's position. Observers that cannot be reached are done without.
   */
  async forScan(): Promise<readonly ZooKeeperClient[]> {
    this.#others ??= this.#openOthers();
    const others = await this.#others;
    if (others.length === 0) this.#others = undefined;
    return this.#observers && others.length > 0 ? others : [this.primary, ...others];
  }

  /**
   * Sessions beside the primary one for changes that ask for no order among them. They stay open, too; those that cannot be opened are done without.
   * `open`: whether they are opened where they are not yet.
   */
  async forSealing(open: boolean): Promise<readonly ZooKeeperClient[]> {
    if (open) this.#sealing ??= this.#openMore(SEAL_SESSIONS - 1, 'servers');
    return (await this.#sealing) ?? [];
  }

  /** Tells that something was delivered which another session than the primary has read. */
  delivered(readers: readonly ZooKeeperClient[]): void {
    if (readers.every((reader) => reader === this.primary)) return;
    this.#pagesOfOthers += 1;
    this.#behind = true;
  }

  async #sync(): Promise<void> {
    const pages = this.#pagesOfOthers;
    await this.primary.sync('/');
    if (pages === this.#pagesOfOthers) this.#behind = false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([this.primary, ...this.#opened].map((session) => session.close()));
  }

  async #openOthers(): Promise<readonly ZooKeeperClient[]> {
    // The zookeeper package, which has no multi, keeps the processor busy with one session.
    const { multi, multiRead } = this.primary.features;
    const many = multi && !multiRead ? SCAN_SESSIONS : 1;
    return this.#observers ? this.#openMore(many, 'observers') : this.#openMore(many - 1, 'servers');
  }

  async #openMore(count: number, where: 'servers' | 'observers'): Promise<readonly ZooKeeperClient[]> {
    const opened: ZooKeeperClient[] = [];
    const opening = Array.from({ length: count }, async () => {
      const session = await this.#open(where);
      opened.push(session);
      this.#opened.push(session);
      // Whoever closed the connection meanwhile did not know of this one.
      if (this.#closed) await session.close();
    });
    await Promise.allSettled(opening);
    return opened;
  }
}
