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
import { tokenFor, type Version } from '../../topo/version.js';
import { write } from './batch.js';
import { listDir, listDirFull, scan } from './directory.js';
import { create, get, remove, update } from './file.js';
import type { Part } from './part.js';
import { watch, watchRecursive } from './watch.js';

const MAX_VALUE_BYTES = 16 * 1024 * 1024;
const MAX_PATH_BYTES = 4_096;

const CAPABILITIES: Capabilities = {
  // A batch is one line of the file; the largest record fits, with its path.
  batch: { maxOps: 4_096, maxBytes: MAX_VALUE_BYTES + 64 * 1024 },
  maxValueBytes: MAX_VALUE_BYTES,
  maxPathBytes: MAX_PATH_BYTES,
  watchRecursive: true,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  durable: true,
  readOnly: false,
};

/** One scope of a topology file: the global part, or that of a cell. */
export class FileConnection implements Connection {
  readonly store: string;
  readonly root: string;
  readonly capabilities = CAPABILITIES;
  readonly #part: Part;
  #closing: Promise<void> | undefined;

  constructor(root: string, part: Part) {
    this.store = part.store;
    this.root = root;
    this.#part = part;
  }

  async listDir(path: string, options?: CallOptions): Promise<string[]> {
    checkStoredPath(this, path, 'directory');
    return listDir(this.#part, path, options);
  }

  async listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    checkStoredPath(this, path, 'directory');
    return listDirFull(this.#part, path, options);
  }

  async get(path: string, options?: CallOptions): Promise<Value> {
    checkStoredPath(this, path, 'record');
    return get(this.#part, path, options);
  }

  async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    checkStoredPath(this, prefix, 'directory');
    yield* scan(this.#part, prefix, options);
  }

  async create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    checkStoredPath(this, path, 'record');
    checkValue(this, path, bytes);
    return create(this.#part, path, bytes, options);
  }

  async update(
    path: string,
    bytes: Uint8Array,
    version: Version | null,
    options?: CallOptions,
  ): Promise<Version> {
    checkStoredPath(this, path, 'record');
    checkValue(this, path, bytes);
    if (version !== null) tokenFor(this.store, version, path);
    return update(this.#part, path, bytes, version, options);
  }

  async delete(path: string, version: Version | null, options?: CallOptions): Promise<void> {
    checkStoredPath(this, path, 'record');
    if (version !== null) tokenFor(this.store, version, path);
    await remove(this.#part, path, version, options);
  }

  async write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]> {
    checkBatch(this, ops);
    return write(this.#part, ops, options);
  }

  watch(path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
    checkStoredPath(this, path, 'record');
    return watch(this.#part, path, options);
  }

  watchRecursive(prefix: string, options?: CallOptions): AsyncIterable<WatchEvent | SyncedEvent> {
    checkStoredPath(this, prefix, 'directory');
    return watchRecursive(this.#part, prefix, options);
  }

  position(options?: CallOptions): Promise<bigint> {
    return this.#part.read(undefined, options, (_tree, position) => position);
  }

  close(): Promise<void> {
    this.#part.end();
    this.#closing ??= this.#part.file.release();
    return this.#closing;
  }
}
