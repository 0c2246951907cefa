import type { CallLimits } from '../topo/call-options.js';
import { Cancellation, type CancelSignal } from '../topo/cancellation.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { UNWATCHED_MS } from '../topo/held-lock.js';
import { baseName, joinPath } from '../topo/paths.js';
import type { Stat, ZooKeeperClient } from '../zookeeper/client.js';
import { type Created, createEntry, type Queue } from './lock-create.js';
import { marking, versionOf } from './lock-mark.js';
import { removeAbove, removeEmptyQueue } from './lock-queue.js';
import { type Removed, removeEntry } from './lock-remove.js';
import { leaveResult } from './lock-result.js';
import type { LockSession } from './lock-session.js';
import { Signal } from './signal.js';
import { type Store, settle } from './store.js';

/** One place in a queue: an ephemeral sequential znode, owned by a lock session, looked after until it is given back. */
export class Entry {
  readonly session: LockSession;
  readonly queue: Queue;
  readonly name: string;
  readonly znode: string;
  readonly czxid: bigint;
  /** It was made together with its queue: nobody is before it. */
  readonly first: boolean;
  /** Its data version once it is {@link mark marked}, as long as nobody but us writes it; 0 before. */
  readonly version: number;
  readonly #store: Store;
  readonly #contents: string;
  readonly #gone = new Cancellation();
  readonly #stopped = new Cancellation();
  readonly #onExpired = () => this.#lose('the ZooKeeper session that owned it is over');
  #cancelWatch = () => {};
  /** Whether the writes of {@link mark} were sent. */
  #written = false;
  #marking: Promise<boolean> | undefined;
  #givingBack: Promise<boolean> | undefined;

  private constructor(store: Store, session: LockSession, queue: Queue, contents: string, created: Created) {
    this.#store = store;
    this.#contents = contents;
    this.session = session;
    this.queue = queue;
    this.znode = created.znode;
    this.first = created.first;
    this.name = baseName(created.znode);
    this.czxid = created.czxid;
    this.version = versionOf(created.czxid);
    const { expired } = session;
    expired.addEventListener('abort', this.#onExpired);
    if (expired.aborted) this.#onExpired();
    else this.#cancelWatch = store.context.clock.schedule(UNWATCHED_MS, () => void this.#watch());
  }

  /**
   * Makes an entry at the end of the queue. Not to be cut short: an answer that is lost is looked for until the servers
   * answer or the session is over. NoNode: the queue does not exist. The entry leaves the session when it is given
   * back, or here when there is none.
   */
  static async make(store: Store, session: LockSession, queue: Queue, contents: string): Promise<Entry> {
    let created: Created;
    try {
      created = await createEntry(store, session, queue, Buffer.from(contents));
    } catch (error) {
      session.leave();
      throw error;
    }
    return new Entry(store, session, queue, contents, created);
  }

  /** Relative to the root. */
  get path(): string {
    return joinPath(this.queue.path, this.name);
  }

  /** Fires when the entry is no more, or not as it was made; its reason says why, in words. */
  get gone(): CancelSignal {
    return this.#gone;
  }

  /** Asks the servers whether it is there and ours. */
  async holds(options: CallLimits): Promise<boolean> {
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
   * Makes it one that the check of a transaction tells from any other of its name. False: it is there no more, or not as it
   * was made.
   */
  mark(options: CallLimits): Promise<boolean> {
    this.#marking ??= this.#mark(options).catch((error: unknown) => {
      this.#marking = undefined;
      throw error;
    });
    return this.#marking;
  }

  /**
   * Removes it, and the directories that this leaves empty. False when it was gone before. What cannot be removed goes
   * later, at the latest with its session, which ends as soon as no other lock needs it. Every call has the outcome of the first.
   * `held`: it was first, and what it leaves behind then is written.
   */
  giveBack(options: CallLimits, held = false): Promise<boolean> {
    this.#givingBack ??= this.#giveBack(options, held);
    return this.#givingBack;
  }

  async #giveBack(options: CallLimits, held: boolean): Promise<boolean> {
    this.#stop();
    const { session } = this;
    try {
      if (held && !session.over)
        await leaveResult(this.#store, session.client, this, this.#contents, options);
      const removed = await removeEntry(this.#store, this, options);
      session.entries.delete(this.znode);
      await this.#removeEmptied(removed, options);
      return removed !== 'absent';
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
        const removed = await removeEntry(this.#store, this, options);
        this.session.entries.delete(this.znode);
        await this.#removeEmptied(removed, options);
        done = true;
      } catch (error) {
        done = !isTopologyError(error, ErrorCode.Timeout, ErrorCode.Unavailable);
        await this.#store.pauseBeforeRetry(this.#store.closed);
      }
    }
  }

  /**
   * An end of the session removes its znodes also where an ACL lets nobody remove one, as in a topology that was sealed.
   * False when other locks need the session.
   */
  async #wentWithSession(options: CallLimits): Promise<boolean> {
    if (!this.session.deserted) return false;
    await this.session.close();
    const client = this.#store.sessions.primary;
    const request = this.#store.request(options, this.queue.dir);
    const [, { stat }] = await this.#try(() =>
      Promise.all([client.sync('/', request), client.exists(this.znode, request)]),
    );
    return stat?.czxid !== this.czxid;
  }

  async #removeEmptied(removed: Removed, options: CallLimits): Promise<void> {
    const { session, queue } = this;
    const client = session.over ? await this.#upToDate(options) : session.client;
    if (client === undefined) return;
    if (session.over) await this.#removeOver(client, options);
    const remove = removed === 'both' ? removeAbove : removeEmptyQueue;
    await remove(this.#store, client, queue, options);
  }

  /**
   * A session that is over for its holder may not be for the servers: then its entry would go later, and leave an empty queue. Never
   * fails: what cannot be removed goes with the session.
   */
  async #removeOver(client: ZooKeeperClient, options: CallLimits): Promise<void> {
    const request = this.#store.request(options, this.queue.dir);
    try {
      const { stat } = await client.exists(this.znode, request);
      if (stat?.czxid === this.czxid) await client.delete(this.znode, stat.version, request);
    } catch {
      // It is gone meanwhile, or nobody answers.
    }
  }

  async #upToDate(options: CallLimits): Promise<ZooKeeperClient | undefined> {
    const { primary } = this.#store.sessions;
    return primary.sync('/', this.#store.request(options)).then(
      () => primary,
      () => undefined,
    );
  }

  async #mark(options: CallLimits): Promise<boolean> {
    const { client } = this.session;
    const writes = marking(this.znode, this.version, this.#contents);
    for (;;) {
      const request = this.#store.request(options, this.queue.dir);
      const { stat } = await this.#try(() => client.exists(this.znode, request));
      if (!this.#isOurs(stat)) return false;
      if (stat?.version === this.version) return true;
      this.#written = true;
      // BadVersion: what was sent before and not answered has been done.
      const sent = this.#try(() => client.multi(writes, request));
      const answer = await settle(sent, ErrorCode.BadVersion, ErrorCode.NoNode);
      const last = answer?.results.at(-1);
      if (last?.type === 'setData') return this.#isOurs(last.stat);
    }
  }

  /** Looks after it until it is given back or gone. */
  async #watch(): Promise<void> {
    const stopped = this.#stopped;
    while (!stopped.aborted) {
      const changed = new Signal();
      try {
        const { stat } = await this.session.client.exists(this.znode, {
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
    if (stat?.czxid !== this.czxid) return false;
    return stat.version === 0 || (this.#written && stat.version === this.version);
  }

  #lose(why: string): void {
    if (this.#stopped.aborted) return;
    this.#stop();
    this.#gone.abort(why);
  }

  #stop(): void {
    this.#stopped.abort();
    this.#cancelWatch();
    this.session.expired.removeEventListener('abort', this.#onExpired);
  }

  #try<T>(work: () => Promise<T>): Promise<T> {
    return this.#store.attempt({ kind: 'read', path: this.queue.dir }, work);
  }
}
