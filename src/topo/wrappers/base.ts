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
} from '../connection.js';
import type { StoreIdentity } from '../identity.js';
import { ELECTIONS, type LeaderEvent, type Lock, type LockEntry, NAMED_LOCKS } from '../locks.js';
import type { Seal, SealRequest, Unsealed, UnsealOptions } from '../seal.js';
import type { ServingGraph } from '../serving-graph.js';
import type { Version } from '../version.js';

/** Methods of a {@link Connection} that ask the store for something. */
export type MethodName = Exclude<keyof Connection, 'store' | 'capabilities' | 'serving' | 'close'>;

/** One change that a call asks for: an operation of a batch, or `put`, the update in any state that batches lack. */
export type Change = WriteOp | { readonly type: 'put'; readonly path: string; readonly bytes: Uint8Array };

/** A call that reads. */
export interface ReadCall {
  readonly kind: 'read';
  readonly method:
    | 'listDir'
    | 'listDirFull'
    | 'get'
    | 'lockQueue'
    | 'leader'
    | 'position'
    | 'identity'
    | 'sealed';
  readonly path: string | undefined;
}

/** A call that writes. */
export interface WriteCall<T> {
  readonly kind: 'write';
  readonly method: 'create' | 'update' | 'delete' | 'write';
  /** Absent for a batch. */
  readonly path: string | undefined;
  readonly changes: readonly Change[];
  /** What the call answers when its changes gave `versions`. */
  readonly answer: (versions: readonly (Version | undefined)[]) => T;
}

/** A call that keeps others out: it takes a lock, for which it may wait as long as somebody else holds it, or seals the store. */
export interface LockCall {
  readonly kind: 'lock';
  readonly method:
    | 'lock'
    | 'lockWithTtl'
    | 'tryLock'
    | 'lockName'
    | 'campaign'
    | 'prepareSeal'
    | 'seal'
    | 'unseal';
  /** The directory; that of a seal is the root. */
  readonly path: string;
}

export type Call<T> = ReadCall | WriteCall<T> | LockCall;

/** A call that answers with an iteration. */
export interface IteratingCall {
  readonly method: 'scan' | 'history' | 'watch' | 'watchRecursive' | 'watchLeader';
  readonly path: string;
}

/** What an iteration delivers. */
export type Delivered = ScanPage | PastState | HistoryEnd | WatchEvent | SyncedEvent | LeaderEvent;

/**
 * A connection that hands every call on to another. Wrappers override {@link around} and {@link aroundIteration}: the
 * one way through which all calls go.
 */
export class DelegatingConnection implements Connection {
  protected readonly inner: Connection;

  constructor(inner: Connection) {
    this.inner = inner;
  }

  get store(): string {
    return this.inner.store;
  }

  get capabilities(): Capabilities {
    return this.inner.capabilities;
  }

  get serving(): ServingGraph | undefined {
    const { serving } = this.inner;
    if (serving === undefined) return undefined;
    return {
      list: (path, options) => {
        const call = { kind: 'read', method: 'listDir', path } as const;
        return this.around(call, options, (chosen) => serving.list(path, chosen));
      },
      read: (path, options) => {
        const call = { kind: 'read', method: 'get', path } as const;
        return this.around(call, options, (chosen) => serving.read(path, chosen));
      },
      // Changes in any state, for all that is known of them: no other method can tell what became of one.
      put: (path, bytes, version, options) => {
        const call = writeCall('update', path, [{ type: 'put', path, bytes }], newVersion);
        return this.around(call, options, (chosen) => serving.put(path, bytes, version, chosen));
      },
      remove: (path, version, options) => {
        const call = writeCall('delete', path, [{ type: 'delete', path, version: null }], () => {});
        return this.around(call, options, (chosen) => serving.remove(path, version, chosen));
      },
    };
  }

  /** `next` does the call on the inner connection, each time it is called. */
  protected around<T>(
    _call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    return next(options);
  }

  /** `next` begins the iteration on the inner connection, each time it is called. */
  protected aroundIteration<T extends Delivered>(
    _call: IteratingCall,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    return next(options);
  }

  listDir(path: string, options?: CallOptions): Promise<string[]> {
    const call = { kind: 'read', method: 'listDir', path } as const;
    return this.around(call, options, (chosen) => this.inner.listDir(path, chosen));
  }

  listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    const call = { kind: 'read', method: 'listDirFull', path } as const;
    return this.around(call, options, (chosen) => this.inner.listDirFull(path, chosen));
  }

  get(path: string, options?: CallOptions): Promise<Value> {
    const call = { kind: 'read', method: 'get', path } as const;
    return this.around(call, options, (chosen) => this.inner.get(path, chosen));
  }

  position(options?: CallOptions): Promise<bigint> {
    const call = { kind: 'read', method: 'position', path: undefined } as const;
    return this.around(call, options, (chosen) => this.inner.position(chosen));
  }

  identity(options?: IdentityOptions): Promise<StoreIdentity> {
    const witness = options?.witness;
    const call = { kind: 'read', method: 'identity', path: witness } as const;
    return this.around(call, options, (chosen) => this.inner.identity({ ...chosen, witness }));
  }

  create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    const call = writeCall('create', path, [{ type: 'create', path, bytes }], newVersion);
    return this.around(call, options, (chosen) => this.inner.create(path, bytes, chosen));
  }

  update(path: string, bytes: Uint8Array, version: Version | null, options?: CallOptions): Promise<Version> {
    const change: Change =
      version === null ? { type: 'put', path, bytes } : { type: 'update', path, bytes, version };
    const call = writeCall('update', path, [change], newVersion);
    return this.around(call, options, (chosen) => this.inner.update(path, bytes, version, chosen));
  }

  delete(path: string, version: Version | null, options?: CallOptions): Promise<void> {
    const call = writeCall('delete', path, [{ type: 'delete', path, version }], () => {});
    return this.around(call, options, (chosen) => this.inner.delete(path, version, chosen));
  }

  write(ops: readonly WriteOp[], options?: WriteOptions): Promise<(Version | undefined)[]> {
    const call = writeCall('write', undefined, ops, (versions) => [...versions]);
    const { fence } = options ?? {};
    return this.around(call, options, (chosen) => this.inner.write(ops, { ...chosen, fence }));
  }

  lock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    const call = { kind: 'lock', method: 'lock', path: dir } as const;
    return this.around(call, options, (chosen) => this.inner.lock(dir, contents, chosen));
  }

  lockWithTtl(dir: string, contents: string, ttlMs: number, options?: CallOptions): Promise<Lock> {
    const call = { kind: 'lock', method: 'lockWithTtl', path: dir } as const;
    return this.around(call, options, (chosen) => this.inner.lockWithTtl(dir, contents, ttlMs, chosen));
  }

  tryLock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    const call = { kind: 'lock', method: 'tryLock', path: dir } as const;
    return this.around(call, options, (chosen) => this.inner.tryLock(dir, contents, chosen));
  }

  lockName(name: string, contents: string, options?: CallOptions): Promise<Lock> {
    const call = { kind: 'lock', method: 'lockName', path: `${NAMED_LOCKS}/${name}` } as const;
    return this.around(call, options, (chosen) => this.inner.lockName(name, contents, chosen));
  }

  lockQueue(dir: string, options?: CallOptions): Promise<LockEntry[]> {
    const call = { kind: 'read', method: 'lockQueue', path: dir } as const;
    return this.around(call, options, (chosen) => this.inner.lockQueue(dir, chosen));
  }

  campaign(name: string, id: string, options?: CallOptions): Promise<Lock> {
    const call = { kind: 'lock', method: 'campaign', path: `${ELECTIONS}/${name}` } as const;
    return this.around(call, options, (chosen) => this.inner.campaign(name, id, chosen));
  }

  leader(name: string, options?: CallOptions): Promise<string | undefined> {
    const call = { kind: 'read', method: 'leader', path: `${ELECTIONS}/${name}` } as const;
    return this.around(call, options, (chosen) => this.inner.leader(name, chosen));
  }

  watchLeader(name: string, options?: CallOptions): AsyncIterable<LeaderEvent> {
    const call = { method: 'watchLeader', path: `${ELECTIONS}/${name}` } as const;
    return this.aroundIteration(call, options, (chosen) => this.inner.watchLeader(name, chosen));
  }

  prepareSeal(scope: SealRequest['scope'], options?: CallOptions): Promise<void> {
    const call = { kind: 'lock', method: 'prepareSeal', path: '' } as const;
    return this.around(call, options, (chosen) => this.inner.prepareSeal(scope, chosen));
  }

  seal(request: SealRequest, options?: CallOptions): Promise<Seal> {
    const call = { kind: 'lock', method: 'seal', path: '' } as const;
    return this.around(call, options, (chosen) => this.inner.seal(request, chosen));
  }

  unseal(options?: UnsealOptions): Promise<Unsealed> {
    const call = { kind: 'lock', method: 'unseal', path: '' } as const;
    return this.around(call, options, (chosen) => this.inner.unseal({ ...chosen, id: options?.id }));
  }

  sealed(options?: CallOptions): Promise<Seal | undefined> {
    const call = { kind: 'read', method: 'sealed', path: undefined } as const;
    return this.around(call, options, (chosen) => this.inner.sealed(chosen));
  }

  scan(prefix: string, options?: CallOptions): AsyncIterable<ScanPage> {
    const call = { method: 'scan', path: prefix } as const;
    return this.aroundIteration(call, options, (chosen) => this.inner.scan(prefix, chosen));
  }

  history(path: string, options?: CallOptions): AsyncIterable<PastState | HistoryEnd> {
    const call = { method: 'history', path } as const;
    return this.aroundIteration(call, options, (chosen) => this.inner.history(path, chosen));
  }

  watch(path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
    const call = { method: 'watch', path } as const;
    return this.aroundIteration(call, options, (chosen) => this.inner.watch(path, chosen));
  }

  watchRecursive(prefix: string, options?: CallOptions): AsyncIterable<WatchEvent | SyncedEvent> {
    const call = { method: 'watchRecursive', path: prefix } as const;
    return this.aroundIteration(call, options, (chosen) => this.inner.watchRecursive(prefix, chosen));
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

function writeCall<T>(
  method: WriteCall<T>['method'],
  path: string | undefined,
  changes: readonly Change[],
  answer: (versions: readonly (Version | undefined)[]) => T,
): WriteCall<T> {
  return { kind: 'write', method, path, changes, answer };
}

function newVersion([version]: readonly (Version | undefined)[]): Version {
  if (version === undefined) throw new TypeError('a create or update answers with a version');
  return version;
}
