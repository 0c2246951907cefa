import { type CallContext, interrupted } from './calls.js';
import { checkBatch, checkStoredPath, checkValue, checkWritable } from './checks.js';
import type {
  CallOptions,
  Capabilities,
  Connection,
  DirEntry,
  HistoryEnd,
  IdentityOptions,
  PastState,
  ScanPage,
  SyncedEvent,
  Value,
  WatchEvent,
  WriteOp,
  WriteOptions,
} from './connection.js';
import { ErrorCode, TopologyError } from './errors.js';
import type { StoreIdentity } from './identity.js';
import {
  ELECTIONS,
  type LeaderEvent,
  type Lock,
  type LockEntry,
  type LockRequest,
  NAMED_LOCKS,
} from './locks.js';
import type { Seal, SealRequest, Unsealed, UnsealOptions } from './seal.js';
import type { ServingGraph } from './serving-graph.js';
import { tokenFor, type Version } from './version.js';

/**
 * What a backend does, for calls that are known to be legal: paths, values, batches and versions have been checked, the
 * connection is open, and every call but an iteration and a wait for a lock has a deadline. Each method keeps the promise
 * of the method of {@link Connection} that it is named after.
 */
export interface Operations {
  readonly context: CallContext;
  /** As the backend writes it; counts towards `capabilities.maxPathBytes`. */
  readonly root: string;
  readonly capabilities: Capabilities;
  /** What to do about a capability that is missing, for hints. */
  readonly instead?: string | undefined;
  /** Why the store cannot be sealed as it was opened, for hints. */
  readonly noSeal?: string | undefined;

  listDir(path: string, options: CallOptions): Promise<string[]>;
  listDirFull(path: string, options: CallOptions): Promise<DirEntry[]>;
  get(path: string, options: CallOptions): Promise<Value>;
  scan(prefix: string, options: CallOptions | undefined): AsyncIterable<ScanPage>;
  /** Where `capabilities.history`. */
  readonly history?: (
    path: string,
    options: CallOptions | undefined,
  ) => AsyncIterable<PastState | HistoryEnd>;
  create(path: string, bytes: Uint8Array, options: CallOptions): Promise<Version>;
  update(path: string, bytes: Uint8Array, version: Version | null, options: CallOptions): Promise<Version>;
  delete(path: string, version: Version | null, options: CallOptions): Promise<void>;
  write(ops: readonly WriteOp[], options: WriteOptions): Promise<(Version | undefined)[]>;
  watch(path: string, options: CallOptions | undefined): AsyncIterable<WatchEvent>;
  watchRecursive(prefix: string, options: CallOptions | undefined): AsyncIterable<WatchEvent | SyncedEvent>;
  /** Every way to lock, elections included. */
  acquire(request: LockRequest, options: CallOptions | undefined): Promise<Lock>;
  lockQueue(dir: string, options: CallOptions): Promise<LockEntry[]>;
  /** `dir`: `elections/<name>`. */
  leader(dir: string, options: CallOptions): Promise<string | undefined>;
  watchLeader(dir: string, options: CallOptions | undefined): AsyncIterable<LeaderEvent>;
  position(options: CallOptions): Promise<bigint>;
  identity(options: IdentityOptions): Promise<StoreIdentity>;
  /** Where `capabilities.seal`. */
  readonly sealing?: Sealing;
  /** Of a cell's store in a retired format. */
  readonly serving?: ServingGraph | undefined;
  close(): Promise<void>;
}

/** What a backend does that can seal its store. */
export interface Sealing {
  prepareSeal(scope: SealRequest['scope'], options: CallOptions | undefined): Promise<void>;
  seal(request: SealRequest, options: CallOptions | undefined): Promise<Seal>;
  unseal(options: UnsealOptions | undefined): Promise<Unsealed>;
  sealed(options: CallOptions): Promise<Seal | undefined>;
}

/** The connection of every backend: checks each call, then lets the backend do it. */
export class CheckedConnection implements Connection {
  readonly store: string;
  readonly root: string;
  readonly capabilities: Capabilities;
  readonly #operations: Operations;
  #closing: Promise<void> | undefined;

  constructor(operations: Operations) {
    this.store = operations.context.store;
    this.root = operations.root;
    this.capabilities = operations.capabilities;
    this.#operations = operations;
  }

  get serving(): ServingGraph | undefined {
    const { serving } = this.#operations;
    if (serving === undefined) return undefined;
    return {
      list: async (path, options) => {
        this.#check(path, 'directory');
        return serving.list(path, this.#limited(options));
      },
      read: async (path, options) => {
        this.#check(path, 'record');
        return serving.read(path, this.#limited(options));
      },
      put: async (path, bytes, version, options) => {
        this.#checkRecord(path, bytes);
        checkWritable(this, path);
        this.#checkVersion(path, version);
        return serving.put(path, bytes, version, this.#limited(options));
      },
      remove: async (path, version, options) => {
        this.#check(path, 'record');
        checkWritable(this, path);
        this.#checkVersion(path, version);
        return serving.remove(path, version, this.#limited(options));
      },
    };
  }

  async listDir(path: string, options?: CallOptions): Promise<string[]> {
    this.#check(path, 'directory');
    return this.#operations.listDir(path, this.#limited(options));
  }

  async listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    this.#check(path, 'directory');
    return this.#operations.listDirFull(path, this.#limited(options));
  }

  async get(path: string, options?: CallOptions): Promise<Value> {
    this.#check(path, 'record');
    return this.#operations.get(path, this.#limited(options));
  }

  scan(prefix: string, options?: CallOptions): AsyncIterable<ScanPage> {
    return lazily(() => {
      this.#check(prefix, 'directory');
      return this.#operations.scan(prefix, options);
    });
  }

  history(path: string, options?: CallOptions): AsyncIterable<PastState | HistoryEnd> {
    return lazily(() => {
      this.#check(path, 'record');
      const { history } = this.#operations;
      if (history === undefined || !this.capabilities.history)
        throw this.#unsupported('tell what a record was before', path, NO_HISTORY);
      return history(path, options);
    });
  }

  async create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    this.#checkRecord(path, bytes);
    return this.#operations.create(path, bytes, this.#limited(options));
  }

  async update(
    path: string,
    bytes: Uint8Array,
    version: Version | null,
    options?: CallOptions,
  ): Promise<Version> {
    this.#checkRecord(path, bytes);
    this.#checkVersion(path, version);
    return this.#operations.update(path, bytes, version, this.#limited(options));
  }

  async delete(path: string, version: Version | null, options?: CallOptions): Promise<void> {
    this.#check(path, 'record');
    this.#checkVersion(path, version);
    return this.#operations.delete(path, version, this.#limited(options));
  }

  async write(ops: readonly WriteOp[], options?: WriteOptions): Promise<(Version | undefined)[]> {
    this.#checkOpen();
    if (this.capabilities.batch.maxOps === 0) throw this.#unsupported('write batches');
    checkBatch(this, ops, options?.fence === undefined ? 0 : 1);
    this.#checkFence(options?.fence);
    return this.#operations.write(ops, this.#limited(options));
  }

  watch(path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
    return lazily(() => {
      this.#check(path, 'record');
      return this.#operations.watch(path, options);
    });
  }

  watchRecursive(prefix: string, options?: CallOptions): AsyncIterable<WatchEvent | SyncedEvent> {
    return lazily(() => {
      this.#check(prefix, 'directory');
      if (!this.capabilities.watchRecursive) throw this.#unsupported('watch directories', prefix);
      return this.#operations.watchRecursive(prefix, options);
    });
  }

  async lock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    return this.#acquire({ dir, contents, purpose: 'directory', wait: true, ttlMs: undefined }, options);
  }

  async lockWithTtl(dir: string, contents: string, ttlMs: number, options?: CallOptions): Promise<Lock> {
    if (!(ttlMs > 0 && ttlMs <= MAX_TTL_MS)) {
      const message = `a lock lives for more than 0 and at most ${MAX_TTL_MS} milliseconds, not ${ttlMs}`;
      throw new TopologyError(ErrorCode.Usage, message, { path: dir, store: this.store });
    }
    return this.#acquire({ dir, contents, purpose: 'directory', wait: true, ttlMs }, options);
  }

  async tryLock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    const request: LockRequest = { dir, contents, purpose: 'directory', wait: false, ttlMs: undefined };
    return this.#acquire(request, this.#limited(options));
  }

  async lockName(name: string, contents: string, options?: CallOptions): Promise<Lock> {
    checkStoredPath(this, name, 'record');
    const dir = `${NAMED_LOCKS}/${name}`;
    return this.#acquire({ dir, contents, purpose: 'name', wait: true, ttlMs: undefined }, options);
  }

  async lockQueue(dir: string, options?: CallOptions): Promise<LockEntry[]> {
    this.#check(dir, 'directory');
    return this.#operations.lockQueue(dir, this.#limited(options));
  }

  async campaign(name: string, id: string, options?: CallOptions): Promise<Lock> {
    const dir = this.#election(name);
    return this.#acquire({ dir, contents: id, purpose: 'election', wait: true, ttlMs: undefined }, options);
  }

  async leader(name: string, options?: CallOptions): Promise<string | undefined> {
    const dir = this.#election(name);
    return this.#operations.leader(dir, this.#limited(options));
  }

  watchLeader(name: string, options?: CallOptions): AsyncIterable<LeaderEvent> {
    return lazily(() => this.#operations.watchLeader(this.#election(name), options));
  }

  async prepareSeal(scope: SealRequest['scope'], options?: CallOptions): Promise<void> {
    return this.#sealing().prepareSeal(scope, options);
  }

  async seal(request: SealRequest, options?: CallOptions): Promise<Seal> {
    return this.#sealing().seal(request, options);
  }

  async unseal(options?: UnsealOptions): Promise<Unsealed> {
    return this.#sealing().unseal(options);
  }

  async sealed(options?: CallOptions): Promise<Seal | undefined> {
    this.#checkOpen();
    const { sealing } = this.#operations;
    return this.capabilities.seal ? sealing?.sealed(this.#limited(options)) : undefined;
  }

  async position(options?: CallOptions): Promise<bigint> {
    this.#checkOpen();
    return this.#operations.position(this.#limited(options));
  }

  async identity(options?: IdentityOptions): Promise<StoreIdentity> {
    if (options?.witness === undefined) this.#checkOpen();
    else this.#check(options.witness, 'record');
    return this.#operations.identity(this.#limited(options));
  }

  close(): Promise<void> {
    this.#closing ??= this.#operations.close();
    return this.#closing;
  }

  async #acquire(request: LockRequest, options: CallOptions | undefined): Promise<Lock> {
    const { dir } = request;
    this.#check(dir, 'directory');
    checkWritable(this, dir);
    if (this.capabilities.locks === 'none') throw this.#unsupported('lock', dir);
    return this.#operations.acquire(request, options);
  }

  #sealing(): Sealing {
    this.#checkOpen();
    checkWritable(this, '');
    const { sealing, noSeal } = this.#operations;
    if (sealing !== undefined && this.capabilities.seal) return sealing;
    throw this.#unsupported('be sealed', '', noSeal ?? NO_SEAL);
  }

  /** The directory of an election. */
  #election(name: string): string {
    checkStoredPath(this, name, 'record');
    const dir = `${ELECTIONS}/${name}`;
    this.#check(dir, 'record');
    return dir;
  }

  #check(path: string, kind: 'record' | 'directory'): void {
    checkStoredPath(this, path, kind);
    this.#checkOpen(path);
  }

  #checkRecord(path: string, bytes: Uint8Array): void {
    this.#check(path, 'record');
    checkValue(this, path, bytes);
  }

  #checkVersion(path: string, version: Version | null): void {
    if (version !== null) tokenFor(this.store, version, path);
  }

  #checkFence(fence: Lock | undefined): void {
    if (fence === undefined) return;
    if (!this.capabilities.fencing) throw this.#unsupported('make writes depend on a lock');
    if (fence.store === this.store) return;
    throw new TopologyError(ErrorCode.Unsupported, `the lock is held in another store, ${fence.store}`, {
      path: fence.dir,
      store: this.store,
      hint: 'a write can depend only on a lock that is held where it is written',
    });
  }

  #checkOpen(path?: string): void {
    if (this.#closing !== undefined) throw interrupted(this, path);
  }

  #unsupported(what: string, path?: string, hint = this.#operations.instead): TopologyError {
    return new TopologyError(ErrorCode.Unsupported, `this store, as it was opened, cannot ${what}`, {
      path,
      store: this.store,
      hint,
    });
  }

  /** Without a deadline, a call of several requests ends when one of a single request would. */
  #limited<O extends CallOptions>(options: O | undefined): O | CallOptions {
    if (options?.deadline !== undefined) return options;
    const { clock, defaultTimeoutMs } = this.#operations.context;
    return { ...options, deadline: clock.now() + defaultTimeoutMs };
  }
}

/** A day, as Vitess's named locks have it, is the longest that Consul takes. */
const MAX_TTL_MS = 86_400_000;

const NO_SEAL = 'stop everything that writes to it, and see that it stands still: topo2topo copy --freeze';

const NO_HISTORY =
  'of all stores etcd alone keeps past states, until it is compacted; elsewhere look into a backup';

/** What `make` gives, made when the loop begins: what it throws ends the loop. */
function lazily<T>(make: () => AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => make()[Symbol.asyncIterator]() };
}
