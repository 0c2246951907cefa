import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { baseName, joinPath } from '../topo/paths.js';
import { type Stat, type ZooKeeperClient, ZooKeeperError } from '../zookeeper/client.js';
import { toTopologyError } from './error.js';
import { type Created, createEntry, type Queue } from './lock-create.js';
import { removeEmptyQueue } from './lock-queue.js';
import { leaveResult } from './lock-result.js';
import type { LockSession } from './lock-session.js';
import { Signal } from './signal.js';
import { type Store, settle } from './store.js';

/** A prime, so that whatever else is written in regular turns gives no two entries the same remainder. */
const VERSIONS = 97n;

/**
 * Data version that an entry gets by being written so often, in one transaction, after its creation. Names are counted anew
 * in a directory that was removed and made again, and a check within a transaction compares nothing else. Those of Vitess
 * have 0. Ours take it from the czxid: so an entry is told from one of the same name that was made after it was broken,
 * unless a multiple of {@link VERSIONS} writes lies between.
 */
function versionOf(czxid: bigint): number {
  return Number(czxid % VERSIONS) + 1;
}

/** One place in a queue: an ephemeral sequential znode, owned by a lock session, looked after until it is given back. */
export class Entry {
  readonly session: LockSession;
  readonly queue: Queue;
  readonly name: string;
  readonly znode: string;
  /** Its data version, as long as nobody but us writes it. */
  readonly version: number;
  readonly #store: Store;
  readonly #czxid: bigint;
  readonly #contents: string;
  readonly #gone = new AbortController();
  readonly #stopped = new AbortController();
  #givingBack: Promise<boolean> | undefined;

  private constructor(store: Store, session: LockSession, queue: Queue, contents: string, created: Created) {
    this.#store = store;
    this.#contents = contents;
    this.session = session;
    this.queue = queue;
    this.znode = created.znode;
    this.name = baseName(created.znode);
    this.#czxid = created.czxid;
    this.version = versionOf(created.czxid);
    const { expired } = session.client;
    const onExpired = () => this.#lose('the ZooKeeper session that owned it is over');
    expired.addEventListener('abort', onExpired, { once: true, signal: this.#stopped.signal });
    if (expired.aborted) onExpired();
  }

  /**
   * Makes an entry at the end of the queue. Not to be cut short: an answer that is lost is looked for until the servers
   * answer or the session is over. NoNode: the queue does not exist. The entry leaves the session when it is given
   * back, or here when there is none.
   */
  static async make(store: Store, session: LockSession, queue: Queue, contents: string): Promise<Entry> {
    const data = Buffer.from(contents);
    let created: Created;
    try {
      created = await createEntry(store, session, queue, data);
    } catch (error) {
      session.leave();
      throw error;
    }
    const entry = new Entry(store, session, queue, contents, created);
    try {
      await entry.#write(data);
    } catch (error) {
      await entry.giveBack({}).catch(() => {});
      throw error;
    }
    void entry.#watch();
    return entry;
  }

  /** Relative to the root. */
  get path(): string {
    return joinPath(this.queue.path, this.name);
  }

  /** Fires when the entry is no more, or not as it was made; its reason says why, in words. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Asks the servers whether it is there and ours. */
  async holds(options: CallOptions): Promise<boolean> {
    const { client } = this.session;
    try {
      return await this.#store.attempt({ kind: 'read', path: this.queue.dir }, async () => {
        const request = this.#store.request(options, this.queue.dir);
        // Sent together, answered in order: a server that lags behind the leader may not know that the session ended.
        const [, { stat }] = await Promise.all([
          client.sync('/', request),
          client.exists(this.znode, request),
        ]);
        return this.#isOurs(stat);
      });
    } catch (error) {
      if (this.session.over) return false;
      throw error;
    }
  }

  /**
   * Removes it, and the directories that this leaves empty. False when it was gone before. What cannot be removed goes
   * later, at the latest with its session, which ends as soon as no other lock needs it. Every call has the outcome of the first.
   * `held`: it was first, and what it leaves behind then is written.
   */
  giveBack(options: CallOptions, held = false): Promise<boolean> {
    this.#givingBack ??= this.#giveBack(options, held);
    return this.#givingBack;
  }

  async #giveBack(options: CallOptions, held: boolean): Promise<boolean> {
    this.#stopped.abort();
    const { session } = this;
    try {
      if (held && !session.over)
        await leaveResult(this.#store, session.client, this, this.#contents, options);
      const removed = await this.#remove(options);
      session.entries.delete(this.znode);
      await this.#removeEmptied(options);
      return removed;
    } catch (error) {
      session.retire();
      if (isTopologyError(error, ErrorCode.Unauthorized) && (await this.#wentWithSession(options)))
        return true;
      if (isTopologyError(error, ErrorCode.Timeout, ErrorCode.Unavailable)) void this.#removeLater();
      throw error;
    } finally {
      session.leave();
      // This was done over another session than that of the reads.
      this.#store.sessions.delivered([session.client]);
    }
  }

  /** Goes on unseen after what will pass, until the session ends: other locks may keep it for long. */
  async #removeLater(): Promise<void> {
    const { clock, defaultTimeoutMs } = this.#store.context;
    for (let done = false; !done && !this.#store.closed.aborted; ) {
      const options = { deadline: clock.now() + defaultTimeoutMs };
      try {
        await this.#remove(options);
        this.session.entries.delete(this.znode);
        await this.#removeEmptied(options);
        done = true;
      } catch (error) {
        done = !isTopologyError(error, ErrorCode.Timeout, ErrorCode.Unavailable);
        await this.#store.pauseBeforeRetry(this.#store.closed);
      }
    }
  }

  /** True when it was there and is not any more. */
  async #remove(options: CallOptions): Promise<boolean> {
    const { client } = this.session;
    // Whether a deletion was sent whose answer was lost: then an absent entry is one that we removed.
    let sent = false;
    while (!this.session.over) {
      const request = this.#store.request(options, this.queue.dir);
      try {
        const { stat } = await this.#try(() => client.exists(this.znode, request));
        if (stat?.czxid !== this.#czxid) return sent;
        await client.delete(this.znode, stat.version, request);
        return true;
      } catch (error) {
        if (error instanceof ZooKeeperError) sent ||= error.sent;
        const failure = toTopologyError(this.#store.context, error, { kind: 'read', path: this.queue.dir });
        if (isTopologyError(failure, ErrorCode.NoNode, ErrorCode.BadVersion)) continue;
        if (!isTopologyError(failure, ErrorCode.Unavailable)) throw failure;
        await this.#store.pauseBeforeRetry();
      }
    }
    return sent;
  }

  /**
   * An end of the session removes its znodes also where an ACL lets nobody remove one, as in a topology that was sealed.
   * False when other locks need the session.
   */
  async #wentWithSession(options: CallOptions): Promise<boolean> {
    if (!this.session.deserted) return false;
    await this.session.close();
    const client = this.#store.sessions.primary;
    const request = this.#store.request(options, this.queue.dir);
    const [, { stat }] = await this.#try(() =>
      Promise.all([client.sync('/', request), client.exists(this.znode, request)]),
    );
    return stat?.czxid !== this.#czxid;
  }

  async #removeEmptied(options: CallOptions): Promise<void> {
    const { session, queue } = this;
    const client = session.over ? await this.#upToDate(options) : session.client;
    if (client !== undefined) await removeEmptyQueue(this.#store, client, queue, options);
  }

  async #upToDate(options: CallOptions): Promise<ZooKeeperClient | undefined> {
    const { primary } = this.#store.sessions;
    return primary.sync('/', this.#store.request(options)).then(
      () => primary,
      () => undefined,
    );
  }

  async #write(data: Uint8Array): Promise<void> {
    const { context } = this.#store;
    const path = this.znode;
    const writes = Array.from({ length: this.version }, (_, version) => {
      const last = version === this.version - 1;
      return { type: 'setData', path, data: last ? data : null, version } as const;
    });
    while (!this.#stopped.signal.aborted) {
      const set = this.#try(() => this.session.client.multi(writes, { timeoutMs: context.defaultTimeoutMs }));
      try {
        // BadVersion: it was written, and the answer was lost. The watch finds out what is not ours.
        await settle(set, ErrorCode.BadVersion, ErrorCode.NoNode);
        return;
      } catch (error) {
        if (!isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) throw error;
        await this.#store.pauseBeforeRetry(this.#stopped.signal);
      }
    }
  }

  /** Looks after it until it is given back or gone. */
  async #watch(): Promise<void> {
    const stopped = this.#stopped.signal;
    while (!stopped.aborted) {
      const changed = new Signal();
      try {
        const { stat } = await this.session.client.exists(this.znode, {
          signal: stopped,
          timeoutMs: this.#store.context.defaultTimeoutMs,
          watcher: changed.fire,
        });
        if (!this.#isOurs(stat)) this.#lose('its entry was deleted or changed');
        await changed.fired(stopped);
      } catch {
        await this.#store.pauseBeforeRetry(stopped);
      }
    }
  }

  #isOurs(stat: Stat | undefined): boolean {
    return stat?.czxid === this.#czxid && stat.version === this.version;
  }

  #lose(why: string): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    this.#gone.abort(why);
  }

  #try<T>(work: () => Promise<T>): Promise<T> {
    return this.#store.attempt({ kind: 'read', path: this.queue.dir }, work);
  }
}
