import type { SyncedEvent, WatchEvent } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { isBelow, parentPath } from '../topo/paths.js';
import type { EventQueue } from '../topo/queue.js';
import type { PersistentWatchEvent } from '../zookeeper/client.js';
import { manyReader } from './read-many.js';
import type { Store } from './store.js';
import { type ReadMany, Walk } from './walk.js';
import type { Znode } from './znode.js';

/** Requests in flight while everything is read, and reads in one of them. */
const REQUESTS = 4;
const READS_PER_REQUEST = 128;
/** Changed znodes that are read in one request. */
const CHANGES_PER_READ = 64;

/**
 * A recursive watch made of one persistent watch (ZooKeeper 3.6 and newer). It costs the server one watch, however many
 * znodes there are, and the client path and version of each record. In the beginning all is read as a scan reads it; then each
 * change costs a notification and one read, a creation or deletion one more of the znode above. A lost connection loses
 * the watch: everything is read again then, and what differs is delivered.
 *
 * Notifications come before the answers to later reads of the same session. So whatever was told to have changed while
 * everything was read is read once more after that, and the latest state is delivered last.
 */
export class PersistentFollower {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #queue: EventQueue<WatchEvent | SyncedEvent>;
  readonly #ended: AbortSignal;
  readonly #readMany: ReadMany;
  /** Versions of the records that were delivered. */
  readonly #delivered = new Map<string, string>();
  /** Paths that were told to have changed since they were last read. */
  readonly #due = new Set<string>();
  #synced = false;
  #lost = false;
  #wake: () => void = () => {};

  constructor(store: Store, prefix: string, queue: EventQueue<WatchEvent | SyncedEvent>, ended: AbortSignal) {
    this.#store = store;
    this.#prefix = prefix;
    this.#queue = queue;
    this.#ended = ended;
    this.#readMany = manyReader(store, [store.sessions.primary], prefix, { signal: ended });
  }

  start(): void {
    this.#ended.addEventListener('abort', () => this.#wake(), { once: true });
    void this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#ended.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        if (!isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) {
          this.#queue.fail(this.#cannotGoOn(error));
          return;
        }
        await this.#store.pauseBeforeRetry(this.#ended);
      }
    }
  }

  /** Follows from one watch to its loss. */
  async #follow(): Promise<void> {
    const { primary } = this.#store.sessions;
    this.#lost = false;
    this.#due.clear();
    const watched = await this.#read((request) =>
      primary.addWatch(
        this.#store.znode(this.#prefix),
        { recursive: true },
        (event) => this.#notice(event),
        request,
      ),
    );
    try {
      // Another server may be behind the one that was lost, and behind what this connection has delivered.
      await this.#read((request) => primary.sync('/', request));
      await this.#readAll();
      while (!this.#lost && !this.#ended.aborted) {
        if (this.#due.size > 0) await this.#readDue();
        else await this.#change();
      }
    } finally {
      void watched.remove();
    }
  }

  #notice({ signal, path }: PersistentWatchEvent): void {
    if (signal === 'lost') {
      this.#lost = true;
    } else {
      const changed = this.#store.path(path);
      this.#mark(changed);
      // What has no bytes is a record or not by its children.
      if (signal !== 'dataChanged') this.#mark(parentPath(changed));
    }
    this.#wake();
  }

  #mark(path: string): void {
    if (isBelow(path, this.#prefix)) this.#due.add(path);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Delivers what differs from what was delivered before, and what changes meanwhile. */
  async #readAll(): Promise<void> {
    const missing = new Set(this.#delivered.keys());
    const top = this.#store.znode(this.#prefix);
    const walk = new Walk(this.#readMany, top, { requests: REQUESTS, reads: READS_PER_REQUEST });
    for await (const group of walk.groups()) {
      if (this.#lost || this.#ended.aborted) return;
      for (const found of group) {
        const path = this.#store.path(found.path);
        missing.delete(path);
        this.#deliver(path, found);
      }
    }
    for (const path of missing) this.#due.add(path);
    // What keeps changing is not waited for: one read after the walk is enough for each.
    for (const before = new Set(this.#due); before.size > 0 && !this.#lost && !this.#ended.aborted; )
      for (const path of await this.#readDue()) before.delete(path);
    if (this.#synced || this.#lost) return;
    this.#synced = true;
    this.#queue.push({ type: 'synced' });
  }

  /** Reads some of what has changed, the oldest first, and gives their paths. */
  async #readDue(): Promise<readonly string[]> {
    const paths: string[] = [];
    for (const path of this.#due) {
      paths.push(path);
      this.#due.delete(path);
      if (paths.length >= CHANGES_PER_READ) break;
    }
    const results = await this.#readMany(
      paths.map((path) => ({ type: 'getData', path: this.#store.znode(path) })),
    );
    for (const [index, path] of paths.entries()) {
      const result = results[index];
      this.#deliver(path, result?.type === 'getData' ? result : undefined);
    }
    return paths;
  }

  #deliver(path: string, znode: Znode | undefined): void {
    const value =
      znode !== undefined && this.#store.layout.isRecord(path, znode) ? this.#store.value(znode) : undefined;
    const version = value?.version.token;
    if (version === this.#delivered.get(path)) return;
    if (version === undefined) this.#delivered.delete(path);
    else this.#delivered.set(path, version);
    this.#queue.push({ type: 'record', path, value }, path);
  }

  #read<T>(work: (request: ReturnType<Store['request']>) => Promise<T>): Promise<T> {
    const options = { signal: this.#ended };
    return this.#store.attempt({ kind: 'read', path: this.#prefix }, () =>
      work(this.#store.request(options)),
    );
  }

  /** A server without such watches has taken over: those of before were lost with what they could have told. */
  #cannotGoOn(error: unknown): unknown {
    if (!isTopologyError(error, ErrorCode.Unsupported)) return error;
    return new TopologyError(ErrorCode.WatchLost, 'the server reached now is older than the one before', {
      path: this.#prefix,
      store: this.#store.context.store,
      hint: 'watch again',
      cause: error,
    });
  }
}
