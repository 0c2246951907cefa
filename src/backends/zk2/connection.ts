import { interrupted } from '../../topo/calls.js';
import { checkBatch, checkStoredPath, checkValue } from '../../topo/checks.js';
import type {
  CallOptions,
  Capabilities,
  Connection,
  DirEntry,
  ScanPage,
  SyncedEvent,
  Value,
  WatchEvent,
  WriteOp,
} from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { tokenFor, type Version } from '../../topo/version.js';
import { write } from './batch.js';
import { listDir, listDirFull, scan } from './directory.js';
import { create, get, remove, update } from './file.js';
import { position } from './position.js';
import type { Store } from './store.js';
import { watch, watchRecursive } from './watch.js';
import { refusedCharacter } from './znode.js';

/** ZooKeeper has no limit of its own for paths. These leave room for the values. */
const MAX_PATH_BYTES = 1_024;
export const MAX_ROOT_BYTES = 200;
/** With the directories of each new record, as many requests as a transaction does best with. */
const MAX_OPS = 250;
/** What the largest request for one record has besides path and value, rounded up. */
const FRAMING_BYTES = 128;

/**
 * A topology in ZooKeeper, as Vitess's zk2 lays it out.
 *
 * A record may have children; then its data decides whether it is there, so one of zero bytes may not. A conditional
 * write compares data version and czxid first, sets by data version, and compares the czxid of the answer. With the
 * `zookeeper` package there are no batches, and a deletion's answer has no czxid to compare.
 */
export class Zk2Connection implements Connection {
  readonly store: string;
  readonly capabilities: Capabilities;
  readonly root: string;
  readonly #store: Store;
  readonly #closing: AbortController;
  #closed: Promise<void> | undefined;

  constructor(store: Store, closing: AbortController) {
    this.store = store.context.store;
    this.root = store.root;
    this.capabilities = capabilitiesOf(store);
    this.#store = store;
    this.#closing = closing;
  }

  async listDir(path: string, options?: CallOptions): Promise<string[]> {
    this.#check(path, 'directory');
    return listDir(this.#store, path, this.#limited(options));
  }

  async listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    this.#check(path, 'directory');
    return listDirFull(this.#store, path, this.#limited(options));
  }

  async get(path: string, options?: CallOptions): Promise<Value> {
    this.#check(path, 'record');
    return get(this.#store, path, this.#limited(options));
  }

  scan(prefix: string, options?: CallOptions): AsyncIterable<ScanPage> {
    return lazily(() => {
      this.#check(prefix, 'directory');
      return scan(this.#store, prefix, options);
    });
  }

  async create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    this.#check(path, 'record');
    checkValue(this, path, bytes);
    return create(this.#store, path, bytes, this.#limited(options));
  }

  async update(
    path: string,
    bytes: Uint8Array,
    version: Version | null,
    options?: CallOptions,
  ): Promise<Version> {
    this.#check(path, 'record');
    checkValue(this, path, bytes);
    if (version !== null) tokenFor(this.store, version, path);
    return update(this.#store, path, bytes, version, this.#limited(options));
  }

  async delete(path: string, version: Version | null, options?: CallOptions): Promise<void> {
    this.#check(path, 'record');
    if (version !== null) tokenFor(this.store, version, path);
    return remove(this.#store, path, version, this.#limited(options));
  }

  async write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]> {
    this.#checkOpen();
    if (this.capabilities.batch.maxOps === 0) throw this.#needsOwnClient('write batches');
    checkBatch(this, ops);
    ops.forEach(({ path }, index) => {
      this.#checkCharacters(path, index);
    });
    return write(this.#store, ops, this.#limited(options));
  }

  watch(path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
    return lazily(() => {
      this.#check(path, 'record');
      return watch(this.#store, path, options);
    });
  }

  watchRecursive(prefix: string, options?: CallOptions): AsyncIterable<WatchEvent | SyncedEvent> {
    return lazily(() => {
      this.#check(prefix, 'directory');
      if (!this.capabilities.watchRecursive) throw this.#needsOwnClient('watch directories', prefix);
      return watchRecursive(this.#store, prefix, options);
    });
  }

  async position(options?: CallOptions): Promise<bigint> {
    this.#checkOpen();
    return position(this.#store, this.#limited(options));
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#closed ??= this.#store.sessions.close();
    return this.#closed;
  }

  #needsOwnClient(what: string, path?: string): TopologyError {
    return new TopologyError(ErrorCode.Unsupported, `the zookeeper package cannot ${what}`, {
      path,
      store: this.store,
      hint: 'use --zk-client own',
    });
  }

  #check(path: string, kind: 'record' | 'directory'): void {
    checkStoredPath(this, path, kind);
    this.#checkCharacters(path);
    this.#checkOpen(path);
  }

  #checkCharacters(path: string, index?: number): void {
    const refused = refusedCharacter(path);
    if (refused === undefined) return;
    const message = `invalid path: ZooKeeper takes no ${refused}`;
    throw new TopologyError(ErrorCode.InvalidPath, message, { path, store: this.store, index });
  }

  #checkOpen(path?: string): void {
    if (this.#closing.signal.aborted) throw interrupted({ store: this.store }, path);
  }

  /** Without a deadline, a call of several requests ends when one of a single request would. */
  #limited(options: CallOptions | undefined): CallOptions {
    if (options?.deadline !== undefined) return options;
    const { clock, defaultTimeoutMs } = this.#store.context;
    return { signal: options?.signal, deadline: clock.now() + defaultTimeoutMs };
  }
}

function capabilitiesOf(store: Store): Capabilities {
  const { features, maxRequestBytes } = store.sessions.primary;
  // A deletion is sent as two requests, a check of absence too: each has its path twice, and the root with it.
  const twice = MAX_OPS * (MAX_PATH_BYTES + MAX_ROOT_BYTES);
  return {
    batch: features.multi
      ? { maxOps: MAX_OPS, maxBytes: maxRequestBytes - twice }
      : { maxOps: 0, maxBytes: 0 },
    maxValueBytes: maxRequestBytes - MAX_PATH_BYTES - FRAMING_BYTES,
    maxPathBytes: MAX_PATH_BYTES,
    pathProblem: refusedCharacter,
    watchRecursive: features.multi,
    snapshotScan: false,
    emptyDirectories: true,
    recordsWithChildren: true,
    recreation: 'detected',
    durable: true,
    readOnly: false,
  };
}

/** What `make` gives, made when the loop begins: what it throws ends the loop. */
function lazily<T>(make: () => AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => make()[Symbol.asyncIterator]() };
}
