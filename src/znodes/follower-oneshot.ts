import type { SyncedEvent, WatchEvent } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { joinPath, parentPath } from '../topo/paths.js';
import type { EventQueue } from '../topo/queue.js';
import type { Watcher } from '../zookeeper/client.js';
import { type Store, settle } from './store.js';
import type { Znode } from './znode.js';

/** Znodes read at a time. */
const READS_AT_A_TIME = 64;

/** One znode that is followed. */
interface Followed {
  readonly path: string;
  /** What is told by the server's watch of its data, and of its children; undefined: it holds none. */
  readonly armed: { data: Watcher | undefined; children: Watcher | undefined };
  /** Version that was delivered, when it is a record. */
  delivered: string | undefined;
  reading: boolean;
}

/**
 * A recursive watch made of one-shot watches, which every ZooKeeper has: one on the data and one on the children of each
 * znode below the directory. It costs the server two watches for each znode, and the client a few hundred bytes and
 * two requests; each change costs two requests, and one in a directory a listing of it. A lost connection loses
 * all watches: everything is read again then, and what differs is delivered.
 *
 * A znode that goes away is forgotten, and its directory listed again: so a re-creation cannot fall between the
 * last read of the one and the last listing of the other.
 */
export class OneShotFollower {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #queue: EventQueue<WatchEvent | SyncedEvent>;
  readonly #ended: AbortSignal;
  readonly #followed = new Map<string, Followed>();
  readonly #due = new Set<Followed>();
  readonly #failed = new Set<Followed>();
  #reading = 0;
  #synced = false;

  constructor(store: Store, prefix: string, queue: EventQueue<WatchEvent | SyncedEvent>, ended: AbortSignal) {
    this.#store = store;
    this.#prefix = prefix;
    this.#queue = queue;
    this.#ended = ended;
  }

  start(): void {
    this.#ended.addEventListener('abort', () => this.#release(), { once: true });
    this.#follow(this.#prefix);
    this.#next();
  }

  #follow(path: string): void {
    if (this.#followed.has(path)) return;
    const armed = { data: undefined, children: undefined };
    const node: Followed = { path, armed, delivered: undefined, reading: false };
    this.#followed.set(path, node);
    this.#due.add(node);
  }

  /** Begins the reads that are due, as many as may run. */
  #next(): void {
    if (this.#ended.aborted) return;
    for (const node of this.#due) {
      if (this.#reading >= READS_AT_A_TIME) return;
      // One that is being read stays due: it is read again afterwards.
      if (node.reading) continue;
      this.#due.delete(node);
      if (this.#followed.get(node.path) === node) this.#read(node);
    }
    if (this.#synced || this.#reading > 0 || this.#due.size > 0 || this.#failed.size > 0) return;
    this.#synced = true;
    this.#queue.push({ type: 'synced' });
  }

  #read(node: Followed): void {
    node.reading = true;
    this.#reading += 1;
    this.#visit(node)
      .catch((error: unknown) => this.#fail(node, error))
      .finally(() => {
        node.reading = false;
        this.#reading -= 1;
        this.#next();
      });
  }

  async #visit(node: Followed): Promise<void> {
    const { path } = node;
    const [znode, children] = await Promise.all([this.#readData(node), this.#readChildren(node)]);
    if (znode === undefined || children === undefined) {
      this.#forget(node);
      return;
    }
    if (path !== this.#prefix) this.#deliver(node, znode);
    for (const name of children) this.#follow(joinPath(path, name));
  }

  async #readData(node: Followed): Promise<Znode | undefined> {
    const znode = this.#store.znode(node.path);
    const watcher = this.#arm(node, 'data');
    const read = this.#store.read(node.path, { signal: this.#ended }, (client, request) =>
      client.getData(znode, { ...request, watcher }),
    );
    return disarmUnless(node, 'data', watcher, settle(read, ErrorCode.NoNode));
  }

  async #readChildren(node: Followed): Promise<string[] | undefined> {
    const znode = this.#store.znode(node.path);
    const watcher = this.#arm(node, 'children');
    const read = this.#store.read(node.path, { signal: this.#ended }, (client, request) =>
      client.getChildren(znode, { ...request, watcher }),
    );
    const listed = await disarmUnless(node, 'children', watcher, settle(read, ErrorCode.NoNode));
    return listed?.children;
  }

  /** The watcher to set with a read; undefined when the server still holds one. */
  #arm(node: Followed, kind: 'data' | 'children'): Watcher | undefined {
    if (node.armed[kind] !== undefined) return undefined;
    const watcher = () => {
      node.armed[kind] = undefined;
      this.#mark(node);
    };
    node.armed[kind] = watcher;
    return watcher;
  }

  /** Left to itself, the client would keep all of it until each of the znodes changes. */
  #release(): void {
    const { primary } = this.#store.sessions;
    for (const { path, armed } of this.#followed.values())
      for (const watcher of [armed.data, armed.children])
        if (watcher !== undefined) primary.forgetWatcher?.(this.#store.znode(path), watcher);
    this.#followed.clear();
    this.#due.clear();
    this.#failed.clear();
  }

  #mark(node: Followed): void {
    if (this.#ended.aborted || this.#followed.get(node.path) !== node) return;
    this.#due.add(node);
    this.#next();
  }

  #deliver(node: Followed, znode: Znode): void {
    const { path } = node;
    const value = this.#store.layout.isRecord(path, znode) ? this.#store.value(znode) : undefined;
    if (value?.version.token === node.delivered) return;
    node.delivered = value?.version.token;
    this.#queue.push({ type: 'record', path, value }, path);
  }

  #forget(node: Followed): void {
    const { path } = node;
    if (path === this.#prefix) {
      this.#awaitPrefix(node);
      return;
    }
    this.#followed.delete(path);
    if (node.delivered !== undefined) this.#queue.push({ type: 'record', path, value: undefined }, path);
    const parent = this.#followed.get(parentPath(path));
    if (parent !== undefined) this.#due.add(parent);
  }

  /** The directory itself does not exist: waits for it. */
  #awaitPrefix(node: Followed): void {
    const watcher = () => this.#mark(node);
    this.#store
      .read(node.path, { signal: this.#ended }, (client, request) =>
        client.exists(this.#store.znode(node.path), { ...request, watcher }),
      )
      .then(
        ({ stat }) => {
          if (stat !== undefined) this.#mark(node);
        },
        (error: unknown) => this.#fail(node, error),
      );
  }

  #fail(node: Followed, error: unknown): void {
    if (!isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) {
      this.#queue.fail(error);
      return;
    }
    this.#failed.add(node);
    if (this.#failed.size > 1) return;
    void this.#store.pauseBeforeRetry(this.#ended).then(() => {
      for (const each of this.#failed) this.#due.add(each);
      this.#failed.clear();
      this.#next();
    });
  }
}

/** Takes back that a watch was set, when the read that was to set it fails. */
async function disarmUnless<T>(
  node: Followed,
  kind: 'data' | 'children',
  watcher: Watcher | undefined,
  read: Promise<T | undefined>,
): Promise<T | undefined> {
  let found: T | undefined;
  try {
    found = await read;
    return found;
  } finally {
    if (found === undefined && watcher !== undefined) node.armed[kind] = undefined;
  }
}
