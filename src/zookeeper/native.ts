import {
  type Acl,
  type CreateArguments,
  CreateMode,
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
import { loadAddon, toBuffer, toStat } from './native-addon.js';
import { type NativeRequest, NativeSession } from './native-session.js';
import { connectOwnClient } from './own.js';
import { checkPath, isSequential } from './paths.js';
import { type Operation, operations } from './protocol.js';
import { readOneByOne } from './reads.js';
import { encodeRequest, requestBytes } from './requests.js';
import { fillIn } from './settings.js';

type Watching = OperationOptions & { readonly watcher?: Watcher | undefined };

/** The addon hides the zxids of answers. */
const ZXID = 0n;
const OPEN: readonly Acl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];

/**
 * Connects with the `zookeeper` package. Rejects as `connectOwnClient` does, and with Unsupported when the package
 * cannot be loaded.
 */
export async function connectNativeClient(settings: ZooKeeperSettings): Promise<ZooKeeperClient> {
  if (settings.tls !== undefined) throw unsupported('speak TLS');
  if (settings.session !== undefined) throw unsupported('take a session over');
  if (settings.renewSession === false) throw unsupported('end with its session');
  return new NativeClient(await NativeSession.start(await loadAddon(), fillIn(settings)), settings);
}

/**
 * {@link ZooKeeperClient} over the `zookeeper` package. Beyond its features: null data is stored as empty data; a
 * create with another ACL than world:anyone:all is two steps, and a reader in between sees the node open to all; setAcl
 * reads the Stat in a step of its own.
 */
export class NativeClient implements ZooKeeperClient {
  readonly features: ZooKeeperFeatures = {
    multi: false,
    aclOnCreate: false,
    nullData: false,
    replyZxid: false,
    createStat: false,
    multiRead: false,
    persistentWatch: false,
    tls: false,
    reattach: false,
    ttl: false,
  };
  readonly expired: AbortSignal = new AbortController().signal;
  readonly maxRequestBytes: number;
  readonly #session: NativeSession;
  readonly #settings: ZooKeeperSettings;

  constructor(session: NativeSession, settings: ZooKeeperSettings) {
    this.#session = session;
    this.#settings = settings;
    this.maxRequestBytes = fillIn(settings).maxRequestBytes;
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

  async create(
    args: CreateArguments,
    options?: OperationOptions,
  ): Promise<Reply & { path: string; stat: Stat | undefined }> {
    const { path, data, acl, mode = CreateMode.Persistent } = args;
    if (mode === CreateMode.PersistentWithTtl) throw unsupported('create nodes with a time to live');
    checkPath(path, isSequential(mode));
    this.#checkSize(operations.create, { path, data, acl: OPEN, flags: mode }, path, data);
    const created = await this.#session.request<string>({
      name: 'create',
      path,
      options,
      start: (native, done) =>
        native.a_create(path, toBuffer(data), mode, (code, _, name) => done(code, () => name)),
    });
    if (!isOpen(acl)) {
      await this.#setAcl(created, acl, -1, options).catch((error: unknown) => {
        throw halfDone(path, error);
      });
    }
    return { path: created, stat: undefined, zxid: ZXID };
  }

  delete(path: string, version: number, options?: OperationOptions): Promise<Reply> {
    return this.#send({
      name: 'delete',
      path,
      options,
      start: (native, done) => native.a_delete_(path, version, (code) => done(code, () => ({ zxid: ZXID }))),
    });
  }

  async exists(path: string, options?: Watching): Promise<Reply & { stat: Stat | undefined }> {
    const watch = options?.watcher && this.#session.watch(options.watcher);
    return this.#send<Reply & { stat: Stat | undefined }>({
      name: 'exists',
      path,
      options,
      start: (native, done) => {
        const answer = (code: number, _: string, stat: Parameters<typeof toStat>[0]): void => {
          const absent = code === ZkCode.NoNode;
          if (code === 0 || absent) watch?.armed();
          done(absent ? 0 : code, () => ({ stat: absent ? undefined : toStat(stat), zxid: ZXID }));
        };
        return watch === undefined
          ? native.a_exists(path, false, answer)
          : native.aw_exists(path, watch.callback, answer);
      },
    });
  }

  async getData(path: string, options?: Watching): Promise<Reply & { data: Buffer | null; stat: Stat }> {
    const watch = options?.watcher && this.#session.watch(options.watcher);
    return this.#send<Reply & { data: Buffer | null; stat: Stat }>({
      name: 'getData',
      path,
      options,
      start: (native, done) => {
        const answer = (
          code: number,
          _: string,
          stat: Parameters<typeof toStat>[0],
          data: Buffer | null,
        ): void => {
          if (code === 0) watch?.armed();
          done(code, () => ({ data, stat: toStat(stat), zxid: ZXID }));
        };
        return watch === undefined
          ? native.a_get(path, false, answer)
          : native.aw_get(path, watch.callback, answer);
      },
    });
  }

  async setData(
    path: string,
    data: Uint8Array | null,
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }> {
    this.#checkSize(operations.setData, { path, data, version }, path, data);
    return this.#send<Reply & { stat: Stat }>({
      name: 'setData',
      path,
      options,
      start: (native, done) =>
        native.a_set(path, toBuffer(data), version, (code, _, stat) =>
          done(code, () => ({ stat: toStat(stat), zxid: ZXID })),
        ),
    });
  }

  async getChildren(path: string, options?: Watching): Promise<Reply & { children: string[]; stat: Stat }> {
    const watch = options?.watcher && this.#session.watch(options.watcher);
    return this.#send<Reply & { children: string[]; stat: Stat }>({
      name: 'getChildren',
      path,
      options,
      start: (native, done) => {
        const answer = (
          code: number,
          _: string,
          children: string[],
          stat: Parameters<typeof toStat>[0],
        ): void => {
          if (code === 0) watch?.armed();
          done(code, () => ({ children, stat: toStat(stat), zxid: ZXID }));
        };
        return watch === undefined
          ? native.a_get_children2(path, false, answer)
          : native.aw_get_children2(path, watch.callback, answer);
      },
    });
  }

  /**
   * By the project's own client, over a connection for this call alone: when the addon's `a_get_acl` fails, whether for
   * a node that is gone or a connection that broke, it ends the whole process with a segmentation fault.
   */
  async getAcl(path: string, options?: OperationOptions): Promise<Reply & { acl: Acl[]; stat: Stat }> {
    checkPath(path);
    const aside = await connectOwnClient(this.#settings);
    try {
      // This session must see what the other one has written.
      await aside.sync(path, options);
      const { acl, stat } = await aside.getAcl(path, options);
      return { acl, stat, zxid: ZXID };
    } finally {
      await aside.close();
    }
  }

  async setAcl(
    path: string,
    acl: readonly Acl[],
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }> {
    await this.#setAcl(path, acl, version, options);
    const { stat } = await this.exists(path, { ...options, watcher: undefined });
    if (stat === undefined)
      throw new ZooKeeperError(ZkCode.NoNode, `setAcl ${path}: deleted since`, { path });
    return { stat, zxid: ZXID };
  }

  sync(path: string, options?: OperationOptions): Promise<Reply> {
    return this.#send({
      name: 'sync',
      path,
      options,
      start: (native, done) => native.a_sync(path, (code) => done(code, () => ({ zxid: ZXID }))),
    });
  }

  async multi(_: readonly MultiOp[]): Promise<Reply & { results: MultiResult[] }> {
    throw unsupported('do multi');
  }

  multiRead(
    reads: readonly MultiRead[],
    options?: OperationOptions,
  ): Promise<Reply & { results: readonly MultiReadResult[] }> {
    return readOneByOne(this, reads, options);
  }

  async addWatch(
    _path: string,
    _kind: { readonly recursive: boolean },
    _watcher: PersistentWatcher,
  ): Promise<Reply & { remove(): Promise<void> }> {
    throw unsupported('set persistent watches');
  }

  async detach(): Promise<void> {
    throw unsupported('leave its session');
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  async #setAcl(
    path: string,
    acl: readonly Acl[],
    version: number,
    options: OperationOptions | undefined,
  ): Promise<void> {
    const entries = acl.map(({ perms, scheme, id }) => ({ perm: perms, scheme, auth: id }));
    await this.#send<void>({
      name: 'setAcl',
      path,
      options,
      start: (native, done) => native.a_set_acl(path, version, entries, (code) => done(code, () => {})),
    });
  }

  async #send<T>(request: NativeRequest<T>): Promise<T> {
    checkPath(request.path);
    return this.#session.request(request);
  }

  /** Throws TooLarge. The server would cut the connection, and every call in flight with it. */
  #checkSize<Q>(operation: Operation<Q, unknown>, request: Q, path: string, data: Uint8Array | null): void {
    const roughly = 3 * path.length + (data?.length ?? 0) + 100;
    if (roughly <= this.maxRequestBytes) return;
    const bytes = requestBytes(encodeRequest(operation, request));
    if (bytes <= this.maxRequestBytes) return;
    const why = `a request of ${bytes} bytes; the server takes ${this.maxRequestBytes}`;
    throw new ZooKeeperError(ZkCode.TooLarge, `${operation.name} ${path}: ${why}`, { path });
  }
}

function unsupported(what: string): ZooKeeperError {
  return new ZooKeeperError(ZkCode.Unsupported, `the zookeeper package cannot ${what}`);
}

function isOpen(acl: readonly Acl[]): boolean {
  const [only] = acl;
  return acl.length === 1 && only?.perms === 31 && only.scheme === 'world' && only.id === 'anyone';
}

/** The node is there and its ACL is perhaps not: whatever stopped the second step, the creation was sent. */
function halfDone(path: string, cause: unknown): ZooKeeperError {
  const code = cause instanceof ZooKeeperError ? cause.code : ZkCode.ConnectionLoss;
  return new ZooKeeperError(code, `create ${path}: the node was created, its ACL was not set`, {
    path,
    sent: true,
    cause,
  });
}
