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
import type { Version } from '../../topo/version.js';
import { write } from './batch.js';
import type { EtcdClient } from './client.js';
import { listDir, listDirFull, scan } from './directory.js';
import { create, get, remove, update } from './file.js';
import { watch, watchRecursive } from './watch.js';

/** etcd's `--max-request-bytes` and `--max-txn-ops`, as they are unless somebody changed them. */
const REQUEST_BYTES = 1.5 * 1024 * 1024;
const REQUEST_OPS = 128;
/** etcd has no limit of its own. A request names each key up to three times: condition, operation, look-up. */
const PATH_BYTES = 1_024;
const KEYS_BYTES = 3 * PATH_BYTES;
const FRAMING_BYTES = 1_024;

const CAPABILITIES: Capabilities = {
  batch: { maxOps: REQUEST_OPS, maxBytes: REQUEST_BYTES - REQUEST_OPS * KEYS_BYTES - FRAMING_BYTES },
  maxValueBytes: REQUEST_BYTES - KEYS_BYTES - FRAMING_BYTES,
  maxPathBytes: PATH_BYTES,
  watchRecursive: true,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  durable: true,
  readOnly: false,
};

/** One root in an etcd cluster, as Vitess's etcd2 keeps a topology: key = root/path, value = the record's bytes. */
export class EtcdConnection implements Connection {
  readonly store: string;
  readonly root: string;
  readonly capabilities = CAPABILITIES;
  readonly #client: EtcdClient;

  constructor(client: EtcdClient, root: string) {
    this.store = client.context.store;
    this.root = root;
    this.#client = client;
  }

  async listDir(path: string, options?: CallOptions): Promise<string[]> {
    checkStoredPath(this, path, 'directory');
    return listDir(this.#client, path, options);
  }

  async listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    checkStoredPath(this, path, 'directory');
    return listDirFull(this.#client, path, options);
  }

  async get(path: string, options?: CallOptions): Promise<Value> {
    checkStoredPath(this, path, 'record');
    return get(this.#client, path, options);
  }

  async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage, void> {
    checkStoredPath(this, prefix, 'directory');
    yield* scan(this.#client, prefix, options);
  }

  async create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    this.#checkRecord(path, bytes);
    return create(this.#client, path, bytes, options);
  }

  async update(
    path: string,
    bytes: Uint8Array,
    version: Version | null,
    options?: CallOptions,
  ): Promise<Version> {
    this.#checkRecord(path, bytes);
    return update(this.#client, path, bytes, version, options);
  }

  async delete(path: string, version: Version | null, options?: CallOptions): Promise<void> {
    checkStoredPath(this, path, 'record');
    return remove(this.#client, path, version, options);
  }

  async write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]> {
    checkBatch(this, ops);
    return write(this.#client, ops, options);
  }

  watch(path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
    checkStoredPath(this, path, 'record');
    return watch(this.#client, path, options);
  }

  watchRecursive(prefix: string, options?: CallOptions): AsyncIterable<WatchEvent | SyncedEvent> {
    checkStoredPath(this, prefix, 'directory');
    return watchRecursive(this.#client, prefix, options);
  }

  async position(options?: CallOptions): Promise<bigint> {
    const request = { key: this.#client.keys.first(''), keys_only: true };
    return BigInt((await this.#client.read('range', request, '', options)).header.revision);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #checkRecord(path: string, bytes: Uint8Array): void {
    checkStoredPath(this, path, 'record');
    checkValue(this, path, bytes);
  }
}
