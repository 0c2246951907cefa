import {
  type AbortingSignal,
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
import { connectionLoss, serverError } from './errors.js';
import { connectOwnClient } from './own.js';
import { checkPath } from './paths.js';
import type { ReadResult } from './reader-messages.js';
import { openReader, type Reader } from './reader-process.js';
import { fillIn } from './settings.js';

type Watching = OperationOptions & { readonly watcher?: Watcher | undefined };

/** Longest wait for the package where reading without it is as good, from the begin of the connect on. */
const PATIENCE_MS = 3_000;
/** The package does not tell the zxids of its answers. */
const ZXID = 0n;

/** How much the package is wanted. */
export interface PackageReadSettings {
  /** Whether the connect fails with Unsupported, naming the reason, where it cannot be read through the package. */
  readonly required: boolean;
  /** Told once when reads no longer go through the package, in one sentence. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * Connects with the project's own client, as `connectOwnClient` does, and with the `zookeeper` package in a process of
 * its own, through which this one reads. Where that cannot be had, and is not required, the own client does all.
 */
export async function connectPackageReads(
  settings: ZooKeeperSettings,
  { required, onNote }: PackageReadSettings,
): Promise<ZooKeeperClient> {
  // What the package cannot do: speak TLS, take a session over, and end with its session.
  const isPlain =
    settings.tls === undefined && settings.session === undefined && settings.renewSession !== false;
  if (required && !isPlain) throw unsupported('it cannot speak TLS, nor take a session over');
  const begun = performance.now();
  // Begun before the own client connects: the start of a process takes as long.
  const reader = isPlain ? openReader(settings) : undefined;
  if (required && reader === undefined) throw unsupported('it is not installed');
  let own: ZooKeeperClient;
  try {
    own = await connectOwnClient(settings);
  } catch (error) {
    await reader?.close();
    throw error;
  }
  if (reader === undefined) return own;
  const { connectTimeoutMs, requestTimeoutMs } = fillIn(settings);
  // Whoever connects has something to ask in what is left of the time.
  const waitMs = required ? connectTimeoutMs : Math.min(connectTimeoutMs / 2, PATIENCE_MS);
  try {
    await within(Math.max(0, waitMs - (performance.now() - begun)), reader.opened);
  } catch (error) {
    await reader.close();
    if (!required) return own;
    await own.close();
    throw unsupported(error instanceof Error ? error.message : String(error));
  }
  return new PackageReads(own, reader, { requestTimeoutMs, onNote });
}

interface Settings {
  readonly requestTimeoutMs: number;
  readonly onNote: ((text: string) => void) | undefined;
}

/**
 * A client whose plain reads go through the `zookeeper` package, and all else through the own client: two sessions that
 * keep, together, the promise of one. A multiRead that is one request is none of the plain ones. A read sees whatever was answered before it by either. For that a session that
 * may be behind does a sync first, in order with the read; and from the first write or watch on, all is read where that was sent.
 *
 * A read that the package does not answer as a server would (its process died, no connection, half of the time is over) is decided
 * by the own client: reading twice does no harm.
 */
class PackageReads implements ZooKeeperClient {
  readonly #own: ZooKeeperClient;
  readonly #settings: Settings;
  #reader: Reader | undefined;
  /** Grows with whatever the own session reads that the package may have to catch up with. */
  #ownChanges = 0;
  /** Up to where the session of the package has caught up, and which session it was. */
  #caughtUp: { readonly changes: number; readonly session: Promise<bigint> } | undefined;
  /** Grows with each answer of the package; and up to where the own session has caught up. */
  #answers = 0;
  #ownCaughtUp = 0;
  /** Something was written or is watched: only in the session that did it is what is read later in order with it. */
  #ownOnly = false;
  readonly #onGone = (): void => {
    if (this.#reader !== undefined) this.#giveUp(this.#reader, this.#reader.gone.reason);
  };

  constructor(own: ZooKeeperClient, reader: Reader, settings: Settings) {
    this.#own = own;
    this.#settings = settings;
    this.#reader = reader;
    reader.gone.addEventListener('abort', this.#onGone, { once: true });
  }

  get features(): ZooKeeperFeatures {
    const { features } = this.#own;
    // One message, where it is no request: the package is what takes the time, and more sessions would not help.
    return this.#reader === undefined || this.#ownOnly ? features : { ...features, multiRead: true };
  }

  get maxRequestBytes(): number {
    return this.#own.maxRequestBytes;
  }

  get sessionId(): bigint {
    return this.#own.sessionId;
  }

  get session(): SessionCredentials {
    return this.#own.session;
  }

  get sessionTimeoutMs(): number {
    return this.#own.sessionTimeoutMs;
  }

  get expired(): AbortSignal {
    return this.#own.expired;
  }

  create(
    args: CreateArguments,
    options?: OperationOptions,
  ): Promise<Reply & { path: string; stat: Stat | undefined }> {
    return this.#write((own) => own.create(args, options));
  }

  delete(path: string, version: number, options?: OperationOptions): Promise<Reply> {
    return this.#write((own) => own.delete(path, version, options));
  }

  /** By the own client: whoever asks whether a node is there writes it, has written it, or waits for it. */
  exists(path: string, options?: Watching): Promise<Reply & { stat: Stat | undefined }> {
    return this.#readOwn(options, (own, request) => own.exists(path, request));
  }

  async getData(path: string, options?: Watching): Promise<Reply & { data: Buffer | null; stat: Stat }> {
    const answer = await this.#read([{ type: 'getData', path }], options, (own, request) =>
      own.getData(path, request),
    );
    if (!Array.isArray(answer)) return answer;
    const [result] = answer;
    if (result?.type !== 'getData') throw failureOf('getData', path, result);
    return { data: result.data, stat: result.stat, zxid: ZXID };
  }

  setData(
    path: string,
    data: Uint8Array | null,
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }> {
    return this.#write((own) => own.setData(path, data, version, options));
  }

  async getChildren(path: string, options?: Watching): Promise<Reply & { children: string[]; stat: Stat }> {
    const answer = await this.#read([{ type: 'getChildren', path }], options, (own, request) =>
      own.getChildren(path, request),
    );
    if (!Array.isArray(answer)) return answer;
    const [result] = answer;
    if (result?.type !== 'getChildren') throw failureOf('getChildren', path, result);
    return { children: [...result.children], stat: result.stat, zxid: ZXID };
  }

  getAcl(path: string, options?: OperationOptions): Promise<Reply & { acl: Acl[]; stat: Stat }> {
    return this.#readOwn(options, (own, request) => own.getAcl(path, request));
  }

  setAcl(
    path: string,
    acl: readonly Acl[],
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }> {
    return this.#write((own) => own.setAcl(path, acl, version, options));
  }

  forgetWatcher(path: string, watcher: Watcher): void {
    this.#own.forgetWatcher?.(path, watcher);
  }

  /** Brings the package up to date, too: what is read later is read after a sync of its own. */
  async sync(path: string, options?: OperationOptions): Promise<Reply> {
    const answers = this.#answers;
    try {
      const reply = await this.#own.sync(path, options);
      this.#ownCaughtUp = Math.max(this.#ownCaughtUp, answers);
      return reply;
    } finally {
      this.#ownChanges += 1;
    }
  }

  multi(ops: readonly MultiOp[], options?: OperationOptions): Promise<Reply & { results: MultiResult[] }> {
    return this.#write((own) => own.multi(ops, options));
  }

  async multiRead(
    reads: readonly MultiRead[],
    options?: OperationOptions,
  ): Promise<Reply & { results: readonly MultiReadResult[] }> {
    // A transaction of reads, which the package has none of.
    if (this.#own.features.multiRead)
      return this.#readOwn(options, (own, request) => own.multiRead(reads, request));
    const answer = await this.#read(reads, options, (own, request) => own.multiRead(reads, request));
    if (!Array.isArray(answer)) return answer;
    const results = answer.map((each) =>
      each.type === 'getChildren' ? { type: each.type, children: each.children } : each,
    );
    return { results, zxid: ZXID };
  }

  addWatch(
    path: string,
    kind: { readonly recursive: boolean },
    watcher: PersistentWatcher,
    options?: OperationOptions,
  ): Promise<Reply & { remove(): Promise<void> }> {
    return this.#write((own) => own.addWatch(path, kind, watcher, options));
  }

  async close(): Promise<void> {
    await Promise.all([this.#closeReader(), this.#own.close()]);
  }

  async detach(): Promise<void> {
    await Promise.all([this.#closeReader(), this.#own.detach()]);
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.gone.removeEventListener('abort', this.#onGone);
    await reader?.close();
  }

  /** What has to be in order with all that is read after it. */
  #write<T>(work: (own: ZooKeeperClient) => Promise<T>): Promise<T> {
    this.#ownOnly = true;
    return work(this.#own);
  }

  /** The own client catches up before with what the package has answered. */
  async #readOwn<T>(
    options: Watching | undefined,
    read: (own: ZooKeeperClient, options: Watching | undefined) => Promise<T>,
  ): Promise<T> {
    const { watcher, ...plain } = options ?? {};
    if (watcher !== undefined) this.#ownOnly = true;
    const answers = this.#answers;
    try {
      if (answers === this.#ownCaughtUp) return await read(this.#own, options);
      // Answered in order.
      const [, answer] = await Promise.all([this.#own.sync('/', plain), read(this.#own, options)]);
      this.#ownCaughtUp = Math.max(this.#ownCaughtUp, answers);
      return answer;
    } finally {
      this.#ownChanges += 1;
    }
  }

  /**
   * What the package answers, else what the own client does, in what is left of the time. A read with a watcher is for the own
   * client, which is told of changes.
   */
  async #read<T extends Reply>(
    reads: readonly MultiRead[],
    options: Watching | undefined,
    viaOwn: (own: ZooKeeperClient, options: Watching | undefined) => Promise<T>,
  ): Promise<ReadResult[] | T> {
    const reader = this.#reader;
    if (reader === undefined || this.#ownOnly || options?.watcher !== undefined)
      return this.#readOwn(options, viaOwn);
    for (const { path } of reads) checkPath(path);
    const timeoutMs = options?.timeoutMs ?? this.#settings.requestTimeoutMs;
    const begun = performance.now();
    let failure: ZooKeeperError;
    try {
      const results = await this.#ask(reader, reads, { signal: options?.signal, timeoutMs: timeoutMs / 2 });
      this.#answers += 1;
      return results;
    } catch (error) {
      if (!(error instanceof ZooKeeperError) || error.code === ZkCode.Aborted) throw error;
      failure = error;
    }
    const left = timeoutMs - (performance.now() - begun);
    const answer = await this.#readOwn({ ...options, timeoutMs: left }, viaOwn);
    // It was silent, and the servers are not.
    if (failure.code === ZkCode.OperationTimeout) this.#giveUp(reader, failure);
    return answer;
  }

  /** Throws what the package fails with. */
  async #ask(
    reader: Reader,
    reads: readonly MultiRead[],
    options: { readonly signal: AbortingSignal | undefined; readonly timeoutMs: number },
  ): Promise<ReadResult[]> {
    const changes = this.#ownChanges;
    if (this.#caughtUp?.changes === changes) {
      const known = this.#caughtUp;
      const [session, answer] = await Promise.all([
        known.session,
        reader.read(reads, { ...options, sync: false }),
      ]);
      if (answer.session === session) return answer.results;
      // A new session may have begun at a server that is behind.
      if (this.#caughtUp === known) this.#caughtUp = undefined;
    }
    const asked = reader.read(reads, { ...options, sync: true });
    const caughtUp = { changes, session: asked.then(({ session }) => session, syncFailed) };
    caughtUp.session.catch(() => {
      if (this.#caughtUp === caughtUp) this.#caughtUp = undefined;
    });
    this.#caughtUp = caughtUp;
    return (await asked).results;
  }

  #giveUp(reader: Reader, why: unknown): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    void reader.close();
    const reason = why instanceof Error ? why.message : String(why);
    this.#settings.onNote?.(`${reason}; all is read through the built-in client from now on`);
  }
}

/** Rejects with ConnectionLoss when it takes longer. */
function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(connectionLoss('the package did not connect in time')), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function unsupported(why: string): ZooKeeperError {
  return new ZooKeeperError(ZkCode.Unsupported, `nothing can be read through the zookeeper package: ${why}`);
}

/** What a read of one node that gave no such thing fails with. */
function failureOf(operation: string, path: string, result: ReadResult | undefined): ZooKeeperError {
  return serverError(operation, result?.type === 'error' ? result.code : ZkCode.MarshallingError, path);
}

/** For reads that rely on the sync of another one: how that one failed is not their affair. */
function syncFailed(cause: unknown): never {
  throw connectionLoss('the sync before it failed', cause);
}
