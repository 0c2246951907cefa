import {
  type Acl,
  type CreateArguments,
  type MultiOp,
  type MultiRead,
  type MultiReadResult,
  type MultiResult,
  type OperationOptions,
  type PersistentWatcher,
  type Reply,
  type SessionCredentials,
  type Stat,
  type Watcher,
  ZkCode,
  type ZooKeeperClient,
  ZooKeeperError,
  type ZooKeeperFeatures,
  type ZooKeeperSettings,
} from './client.js';
import { serverError } from './errors.js';
import { checkCreation, creation, multiResults } from './multi.js';
import { checkPath } from './paths.js';
import type { WatchKind } from './persistent.js';
import { ANY_WATCH, operations, WatchMode } from './protocol.js';
import { readOneByOne } from './reads.js';
import { type Request, type RequestedWatch, Session } from './session.js';

type Watching = OperationOptions & { readonly watcher?: Watcher | undefined };

/**
 * Connects with the project's own client. Rejects with a ZooKeeperError: ConnectionLoss naming what is wrong with each
 * server (at once when nobody listens at any of them, a name does not resolve or it is no ZooKeeper; else after
 * `connectTimeoutMs`), AuthFailed, BadArguments.
 */
export async function connectOwnClient(settings: ZooKeeperSettings): Promise<ZooKeeperClient> {
  return new OwnClient(await Session.start(settings));
}

/** The operations of {@link ZooKeeperClient} as requests of a session. */
export class OwnClient implements ZooKeeperClient {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get features(): ZooKeeperFeatures {
    return {
      multi: true,
      aclOnCreate: true,
      nullData: true,
      replyZxid: true,
      createStat: !this.#session.lacks(operations.create2),
      multiRead: !this.#session.lacks(operations.multiRead),
      persistentWatch: !this.#session.lacks(operations.addWatch),
      tls: true,
      reattach: true,
      ttl: !this.#session.lacks(operations.createTtl),
    };
  }

  get maxRequestBytes(): number {
    return this.#session.maxRequestBytes;
  }

  get sessionId(): bigint {
    return this.#session.credentials.id;
  }

  get session(): SessionCredentials {
    return this.#session.credentials;
  }

  get sessionTimeoutMs(): number {
    return this.#session.timeoutMs;
  }

  get expired(): AbortSignal {
    return this.#session.expired;
  }

  create(
    args: CreateArguments,
    options?: OperationOptions,
  ): Promise<Reply & { path: string; stat: Stat | undefined }> {
    const { path } = args;
    try {
      checkCreation(args);
    } catch (error) {
      return Promise.reject(error);
    }
    const { type, ...request } = creation(args);
    const common = {
      request,
      path,
      options,
      finish: (created: { path: string; stat?: Stat }, zxid: bigint) => ({
        path: created.path,
        stat: created.stat,
        zxid,
      }),
    };
    if (type !== 'create') return this.#session.request({ ...common, operation: operations[type] });
    return this.#session.request({
      ...common,
      operation: operations.create2,
      fallback: operations.create,
    });
  }

  delete(path: string, version: number, options?: OperationOptions): Promise<Reply> {
    return this.#send({
      operation: operations.delete,
      request: { path, version },
      path,
      options,
      finish: onlyZxid,
    });
  }

  exists(path: string, options?: Watching): Promise<Reply & { stat: Stat | undefined }> {
    const watch = this.#watchOf('data', path, options);
    return this.#send({
      operation: operations.exists,
      request: { path, watch: watch?.covered === false },
      path,
      options,
      watch,
      finish: ({ stat }, zxid): Reply & { stat: Stat | undefined } => ({ stat, zxid }),
      absent: (zxid) => ({ stat: undefined, zxid }),
    });
  }

  getData(path: string, options?: Watching): Promise<Reply & { data: Buffer | null; stat: Stat }> {
    const watch = this.#watchOf('data', path, options);
    return this.#send({
      operation: operations.getData,
      request: { path, watch: watch?.covered === false },
      path,
      options,
      watch,
      finish: ({ data, stat }, zxid) => ({ data, stat, zxid }),
    });
  }

  setData(
    path: string,
    data: Uint8Array | null,
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }> {
    return this.#send({
      operation: operations.setData,
      request: { path, data, version },
      path,
      options,
      finish: ({ stat }, zxid) => ({ stat, zxid }),
    });
  }

  getChildren(path: string, options?: Watching): Promise<Reply & { children: string[]; stat: Stat }> {
    const watch = this.#watchOf('children', path, options);
    return this.#send({
      operation: operations.getChildren2,
      request: { path, watch: watch?.covered === false },
      path,
      options,
      watch,
      finish: ({ children, stat }, zxid) => ({ children, stat, zxid }),
    });
  }

  getAcl(path: string, options?: OperationOptions): Promise<Reply & { acl: Acl[]; stat: Stat }> {
    return this.#send({
      operation: operations.getAcl,
      request: { path },
      path,
      options,
      finish: ({ acl, stat }, zxid) => ({ acl, stat, zxid }),
    });
  }

  setAcl(
    path: string,
    acl: readonly Acl[],
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }> {
    return this.#send({
      operation: operations.setAcl,
      request: { path, acl, version },
      path,
      options,
      finish: ({ stat }, zxid) => ({ stat, zxid }),
    });
  }

  forgetWatcher(path: string, watcher: Watcher): void {
    this.#session.watches.forget(path, watcher);
  }

  sync(path: string, options?: OperationOptions): Promise<Reply> {
    return this.#send({
      operation: operations.sync,
      request: { path },
      path,
      options,
      finish: onlyZxid,
    });
  }

  async multi(
    ops: readonly MultiOp[],
    options?: OperationOptions,
  ): Promise<Reply & { results: MultiResult[] }> {
    const request = ops.map((op) => {
      if (op.type !== 'create') {
        checkPath(op.path);
        return op;
      }
      checkCreation(op);
      // What nearly all of a copy is: written as it is.
      if (op.mode === undefined && op.ttlMs === undefined) return op;
      const made = creation(op);
      if (this.#session.lacks(operations[made.type]))
        throw serverError('multi', ZkCode.Unimplemented, op.path);
      return made;
    });
    return this.#session.request({
      operation: operations.multi,
      request,
      options,
      finish: (answers, zxid) => ({ results: multiResults(ops, answers), zxid }),
    });
  }

  async multiRead(
    reads: readonly MultiRead[],
    options?: OperationOptions,
  ): Promise<Reply & { results: readonly MultiReadResult[] }> {
    if (this.#session.lacks(operations.multiRead)) return readOneByOne(this, reads, options);
    for (const { path } of reads) checkPath(path);
    const answer = this.#session.request({
      operation: operations.multiRead,
      request: reads,
      options,
      finish: (results, zxid) => ({ results, zxid }),
    });
    return answer.catch((error: unknown) => {
      // Asked while disconnected, and then an older server was reached.
      if (!(error instanceof ZooKeeperError) || error.code !== ZkCode.Unimplemented) throw error;
      return readOneByOne(this, reads, options);
    });
  }

  async addWatch(
    path: string,
    { recursive }: { readonly recursive: boolean },
    watcher: PersistentWatcher,
    options?: OperationOptions,
  ): Promise<Reply & { remove(): Promise<void> }> {
    checkPath(path);
    const claim = this.#session.watches.persistent.claim(path, recursive, watcher);
    const withdraw = async (): Promise<void> => {
      if (claim.release()) await this.#removeWatches(path);
    };
    try {
      const { zxid } = await this.#session.request({
        operation: operations.addWatch,
        request: { path, mode: recursive ? WatchMode.Recursive : WatchMode.Plain },
        path,
        options,
        finish: (_, at): Reply => {
          claim.arm();
          // Before 3.9 these are replaced by it, and it does not tell what they were for.
          if (recursive) this.#session.watches.loseAt(path, 'children');
          return { zxid: at };
        },
      });
      return { zxid, remove: withdraw };
    } catch (error) {
      const left = claim.release();
      // The server may have set it after all, on a connection that is still there: it would go on telling, to nobody.
      if (left && isUnanswered(error)) void this.#removeWatches(path);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  detach(): Promise<void> {
    return this.#session.detach();
  }

  #watchOf(kind: WatchKind, path: string, options: Watching | undefined): RequestedWatch | undefined {
    const watcher = options?.watcher;
    return watcher && { kind, watcher, covered: this.#session.watches.persistent.covers(kind, path) };
  }

  async #removeWatches(path: string): Promise<void> {
    const lose = (): void => this.#session.watches.loseAt(path, 'data', 'children');
    const request = { path, type: ANY_WATCH };
    const operation = operations.removeWatches;
    // A failure: it is gone already, or goes with the connection.
    await this.#session.request({ operation, request, path, finish: lose }).catch(lose);
  }

  #send<Q, A, T>(request: Request<Q, A, T> & { readonly path: string }): Promise<T> {
    try {
      checkPath(request.path);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#session.request(request);
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof ZooKeeperError && error.sent && error.code !== ZkCode.ConnectionLoss;
}

function onlyZxid(_: unknown, zxid: bigint): Reply {
  return { zxid };
}
