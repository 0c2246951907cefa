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
} from '../connection.js';
import type { Version } from '../version.js';

/** Methods of a {@link Connection} that ask the store for something. */
export type MethodName = Exclude<keyof Connection, 'store' | 'capabilities' | 'close'>;

/** One change that a call asks for: an operation of a batch, or `put`, the update in any state that batches lack. */
export type Change = WriteOp | { readonly type: 'put'; readonly path: string; readonly bytes: Uint8Array };

/** A call that reads. */
export interface ReadCall {
  readonly kind: 'read';
  readonly method: 'listDir' | 'listDirFull' | 'get' | 'position';
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

export type Call<T> = ReadCall | WriteCall<T>;

/** A call that answers with an iteration. */
export interface IteratingCall {
  readonly method: 'scan' | 'watch' | 'watchRecursive';
  readonly path: string;
}

/** What an iteration delivers. */
export type Delivered = ScanPage | WatchEvent | SyncedEvent;

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

  write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]> {
    const call = writeCall('write', undefined, ops, (versions) => [...versions]);
    return this.around(call, options, (chosen) => this.inner.write(ops, chosen));
  }

  scan(prefix: string, options?: CallOptions): AsyncIterable<ScanPage> {
    const call = { method: 'scan', path: prefix } as const;
    return this.aroundIteration(call, options, (chosen) => this.inner.scan(prefix, chosen));
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
