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
import type { TopologyError } from '../../topo/errors.js';
import type { Version } from '../../topo/version.js';
import * as batch from './batch.js';
import * as directory from './directory.js';
import { refusedPath } from './error.js';
import * as file from './file.js';
import type { Requests } from './requests.js';
import * as watching from './watch.js';

/** A connection to a store in this process, of any flavour. */
export class MemoryConnection implements Connection {
  readonly store: string;
  readonly capabilities: Capabilities;
  readonly root: string;
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.store = requests.context.store;
    this.capabilities = { ...requests.store.capabilities, durable: requests.durable, readOnly: false };
    this.root = requests.root;
    this.#requests = requests;
  }

  async listDir(path: string, options?: CallOptions): Promise<string[]> {
    this.#check(path, 'directory');
    return directory.listDir(this.#requests, path, options);
  }

  async listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    this.#check(path, 'directory');
    return directory.listDirFull(this.#requests, path, options);
  }

  async get(path: string, options?: CallOptions): Promise<Value> {
    this.#check(path, 'record');
    return file.get(this.#requests, path, options);
  }

  async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    this.#check(prefix, 'directory');
    yield* directory.scan(this.#requests, prefix, options);
  }

  async create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    this.#check(path, 'record');
    checkValue(this, path, bytes);
    return file.create(this.#requests, path, bytes, options);
  }

  async update(
    path: string,
    bytes: Uint8Array,
    version: Version | null,
    options?: CallOptions,
  ): Promise<Version> {
    this.#check(path, 'record');
    checkValue(this, path, bytes);
    return file.update(this.#requests, path, bytes, version, options);
  }

  async delete(path: string, version: Version | null, options?: CallOptions): Promise<void> {
    this.#check(path, 'record');
    return file.remove(this.#requests, path, version, options);
  }

  async write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]> {
    checkBatch(this, ops);
    for (const [index, { path }] of ops.entries()) {
      const refused = this.#refused(path);
      if (refused !== undefined) throw refused.at(index);
    }
    return batch.write(this.#requests, ops, options);
  }

  watch(path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
    this.#check(path, 'record');
    return watching.watch(this.#requests, path, options);
  }

  watchRecursive(prefix: string, options?: CallOptions): AsyncIterable<WatchEvent | SyncedEvent> {
    this.#check(prefix, 'directory');
    return watching.watchRecursive(this.#requests, prefix, options);
  }

  async position(options?: CallOptions): Promise<bigint> {
    return this.#requests.read(undefined, options, () => this.#requests.store.position);
  }

  async close(): Promise<void> {
    this.#requests.close();
  }

  #check(path: string, kind: 'record' | 'directory'): void {
    checkStoredPath(this, path, kind);
    const refused = this.#refused(path);
    if (refused !== undefined) throw refused;
  }

  #refused(path: string): TopologyError | undefined {
    const reason = this.#requests.store.refusedPath(path);
    return reason === undefined ? undefined : refusedPath(this.store, path, reason);
  }
}
