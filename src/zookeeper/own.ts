import {
  type Acl,
  type CreateArguments,
  CreateMode,
  type MultiOp,
  type MultiRead,
  type MultiReadResult,
  type MultiResult,
  type OperationOptions,
  type Reply,
  type Stat,
  type Watcher,
  ZkCode,
  type ZooKeeperClient,
  ZooKeeperError,
  type ZooKeeperFeatures,
  type ZooKeeperSettings,
} from './client.js';
import { serverError } from './errors.js';
import { checkPath, isSequential } from './paths.js';
import { operations } from './protocol.js';
import { readOneByOne } from './reads.js';
import { type Request, Session } from './session.js';
import type { WatchKind } from './watches.js';

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
    };
  }

  get maxRequestBytes(): number {
    return this.#session.maxRequestBytes;
  }

  get sessionId(): bigint {
    return this.#session.credentials.id;
  }

  create(
    args: CreateArguments,
    options?: OperationOptions,
  ): Promise<Reply & { path: string; stat: Stat | undefined }> {
    const { path, data, acl, mode = CreateMode.Persistent } = args;
    const common = {
      request: { path, data, acl, flags: mode },
      path,
      options,
      finish: (created: { path: string; stat?: Stat }, zxid: bigint) => ({
        path: created.path,
        stat: created.stat,
        zxid,
      }),
    };
    const request =
      mode === CreateMode.Container
        ? { ...common, operation: operations.createContainer }
        : { ...common, operation: operations.create2, fallback: operations.create };
    return this.#send(request, isSequential(mode));
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
    return this.#send({
      operation: operations.exists,
      request: { path, watch: options?.watcher !== undefined },
      path,
      options,
      watch: watchOf('data', options),
      finish: ({ stat }, zxid): Reply & { stat: Stat | undefined } => ({ stat, zxid }),
      absent: (zxid) => ({ stat: undefined, zxid }),
    });
  }

  getData(path: string, options?: Watching): Promise<Reply & { data: Buffer | null; stat: Stat }> {
    return this.#send({
      operation: operations.getData,
      request: { path, watch: options?.watcher !== undefined },
      path,
      options,
      watch: watchOf('data', options),
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
    return this.#send({
      operation: operations.getChildren2,
      request: { path, watch: options?.watcher !== undefined },
      path,
      options,
      watch: watchOf('children', options),
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
    for (const op of ops) checkPath(op.path, op.type === 'create' && isSequential(op.mode));
    if (ops.some(isContainer) && this.#session.lacks(operations.createContainer)) {
      throw serverError('multi', ZkCode.Unimplemented, ops.find(isContainer)?.path);
    }
    return this.#session.request({
      operation: operations.multi,
      request: ops.map(multiEntry),
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
      request: reads.map(({ type, path }) => ({ type, path, watch: false })),
      options,
      finish: (results, zxid) => ({ results, zxid }),
    });
    return answer.catch((error: unknown) => {
      // Asked while disconnected, and then an older server was reached.
      if (!(error instanceof ZooKeeperError) || error.code !== ZkCode.Unimplemented) throw error;
      return readOneByOne(this, reads, options);
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #send<Q, A, T>(request: Request<Q, A, T> & { readonly path: string }, sequential = false): Promise<T> {
    try {
      checkPath(request.path, sequential);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#session.request(request);
  }
}

function isContainer(op: MultiOp): boolean {
  return op.type === 'create' && op.mode === CreateMode.Container;
}

function watchOf(
  kind: WatchKind,
  options: Watching | undefined,
): Request<unknown, unknown, unknown>['watch'] {
  return options?.watcher && { kind, watcher: options.watcher };
}

function onlyZxid(_: unknown, zxid: bigint): Reply {
  return { zxid };
}

function multiEntry(op: MultiOp) {
  if (op.type !== 'create') return op;
  const { path, data, acl, mode = CreateMode.Persistent } = op;
  const type = mode === CreateMode.Container ? ('createContainer' as const) : op.type;
  return { type, path, data, acl, flags: mode };
}

type MultiAnswer = ReturnType<typeof operations.multi.answer.read>[number];

/** Throws the failure of the operation that failed: the others of a failed multi say RuntimeInconsistency. */
function multiResults(ops: readonly MultiOp[], answers: readonly MultiAnswer[]): MultiResult[] {
  for (const [index, answer] of answers.entries()) {
    if (answer.type !== 'error' || answer.code === 0 || answer.code === ZkCode.RuntimeInconsistency) continue;
    const op = ops[index];
    throw serverError(op?.type ?? 'operation', answer.code, op?.path, index);
  }
  if (answers.length !== ops.length || answers.some((answer) => answer.type === 'error')) {
    throw new ZooKeeperError(ZkCode.MarshallingError, 'the answer to a multi does not fit its request', {
      sent: true,
    });
  }
  return answers.flatMap(multiResult);
}

function multiResult(answer: MultiAnswer): MultiResult[] {
  switch (answer.type) {
    case 'create':
      return [{ type: 'create', path: answer.path, stat: undefined }];
    case 'create2':
    case 'createContainer':
      return [{ type: 'create', path: answer.path, stat: answer.stat }];
    case 'setData':
      return [{ type: 'setData', stat: answer.stat }];
    case 'error':
      return [];
    default:
      return [{ type: answer.type }];
  }
}
