/**
 * What the project needs from a ZooKeeper client, with no knowledge of topologies.
 *
 * Three implementations: `own.ts` (the project's client, everything below), `native.ts` (the `zookeeper` package; what it
 * lacks is declared in {@link ZooKeeperFeatures} and refused by name) and `package-reads.ts` (the project's, reading through the package).
 *
 * Every operation takes {@link OperationOptions}. An operation that ends by deadline or abort after its request was
 * handed to the socket rejects with a {@link ZooKeeperError} whose `sent` is true: a server may still apply it.
 */

/** Answers of the server and conditions of the connection, with the server's own numbers where it has one. */
export const ZkCode = {
  /** The connection broke, or no server could be reached. */
  ConnectionLoss: -4,
  /** The answer did not arrive before the deadline. */
  OperationTimeout: -7,
  MarshallingError: -5,
  /** The server does not know the operation (ZooKeeper 3.4 for much that came later). */
  Unimplemented: -6,
  BadArguments: -8,
  NoNode: -101,
  NoAuth: -102,
  BadVersion: -103,
  NoChildrenForEphemerals: -108,
  NodeExists: -110,
  NotEmpty: -111,
  SessionExpired: -112,
  InvalidAcl: -114,
  AuthFailed: -115,
  SessionMoved: -118,
  NotReadOnly: -119,
  /** Inside a failed multi: the operation was not the one that failed. */
  RuntimeInconsistency: -2,
  /** The caller's signal fired. */
  Aborted: -1001,
  /** The client was closed. */
  Closed: -1002,
  /** Request larger than the server accepts: refused before it is sent, since the server would cut the connection. */
  TooLarge: -1003,
  /** The chosen client cannot do this. */
  Unsupported: -1004,
} as const;

/** One of {@link ZkCode}, or a number of the server that has no name here. */
export type ZkCode = number;

/** Failure of one operation. */
export class ZooKeeperError extends Error {
  override readonly name = 'ZooKeeperError';
  /** One of {@link ZkCode}. */
  readonly code: ZkCode;
  /** Path of the operation, when it has one. */
  readonly path: string | undefined;
  /** True when the request may have reached a server and its answer is not known. */
  readonly sent: boolean;
  /** Inside a failed multi: index of the operation that failed. */
  readonly index: number | undefined;

  constructor(
    code: ZkCode,
    message: string,
    details: { path?: string | undefined; sent?: boolean; index?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.sent = details.sent ?? false;
    this.index = details.index;
  }
}

/** Access control entry; perms is the sum of 1 read, 2 write, 4 create, 8 delete, 16 admin. */
export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

/** Stat of a znode (zookeeper.jute, class Stat). Times are milliseconds since the epoch. */
export interface Stat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly ctime: number;
  readonly mtime: number;
  /** Number of data changes since creation: starts at 0 again when a node is deleted and re-created. */
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** Session that owns the node, 0n when it is not ephemeral: containers and TTL nodes have 0n, too (seen on 3.8 and 3.9). */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: bigint;
}

/** Tells that an operation is to be given up: an AbortSignal, or what is like one. */
export interface AbortingSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Options of every operation. */
export interface OperationOptions {
  readonly signal?: AbortingSignal | undefined;
  /** Milliseconds this operation may take; the client's `requestTimeoutMs` when absent. */
  readonly timeoutMs?: number | undefined;
}

/** Kind of node to create; the numbers are the protocol's create flags. */
export const CreateMode = {
  Persistent: 0,
  Ephemeral: 1,
  PersistentSequential: 2,
  EphemeralSequential: 3,
  Container: 4,
  /** Removed by the server when it has had no children and no change for `ttlMs` (ZooKeeper 3.5.3, where it is enabled). */
  PersistentWithTtl: 5,
} as const;
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode];

export interface CreateArguments {
  readonly path: string;
  /** null makes a node without data, which ZooKeeper tells from empty data. */
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** Default: Persistent. */
  readonly mode?: CreateMode;
  /** Milliseconds, 1 to 2^40 - 1: given with PersistentWithTtl, and with nothing else. */
  readonly ttlMs?: number | undefined;
}

/** What an operation of a multi may be. `version` -1 means any. */
export type MultiOp =
  | ({ readonly type: 'create' } & CreateArguments)
  | { readonly type: 'delete'; readonly path: string; readonly version: number }
  | {
      readonly type: 'setData';
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | { readonly type: 'check'; readonly path: string; readonly version: number };

/** Answer to one operation of a multi, in the order of the request. */
export type MultiResult =
  | { readonly type: 'create'; readonly path: string; readonly stat?: Stat | undefined }
  | { readonly type: 'setData'; readonly stat: Stat }
  | { readonly type: 'delete' }
  | { readonly type: 'check' };

/** One read of a multiRead. */
export interface MultiRead {
  readonly type: 'getData' | 'getChildren';
  readonly path: string;
}

/** Answer to one read of a multiRead, in the order of the request. Each is read on its own: one may fail alone. */
export type MultiReadResult =
  | { readonly type: 'getData'; readonly data: Buffer | null; readonly stat: Stat }
  | { readonly type: 'getChildren'; readonly children: readonly string[] }
  | { readonly type: 'error'; readonly code: ZkCode };

/** Why a one-shot watch fired. `lost`: the connection or session ended and the watch with it: read again. */
export type WatchSignal = 'created' | 'deleted' | 'dataChanged' | 'childrenChanged' | 'lost';
/** Called once. */
export type Watcher = (signal: WatchSignal) => void;

/** What a persistent watch tells. */
export interface PersistentWatchEvent {
  /** `lost`: the connection or session ended, and the watch with it: add it again and read again. */
  readonly signal: WatchSignal;
  /** The node it is about: the watched one or, for a recursive watch, one below it. Of `lost`: the watched one. */
  readonly path: string;
  /** The change, or 0n where the server does not tell (before 3.9) and for `lost`. */
  readonly zxid: bigint;
}
/** Called once per event, in the order of the server, and never again after `lost`. */
export type PersistentWatcher = (event: PersistentWatchEvent) => void;

/** What proves to a server that a session is ours: whoever has it can take the session over, or end it. */
export interface SessionCredentials {
  readonly id: bigint;
  /** A secret. */
  readonly password: Buffer;
}

/** Answers carry the zxid of the reply header: the server's position when it answered (0n where the client hides it). */
export interface Reply {
  readonly zxid: bigint;
}

/** What an implementation can do beyond the common part. */
export interface ZooKeeperFeatures {
  /** multi, check. */
  readonly multi: boolean;
  /** ACL given at creation, in one step. */
  readonly aclOnCreate: boolean;
  /** null data is stored as such. */
  readonly nullData: boolean;
  /** Reply zxids are real, but for reads that went through the package. */
  readonly replyZxid: boolean;
  /** create answers with the Stat. Of the server as well: known since the latest connect. */
  readonly createStat: boolean;
  /** multiRead is one request. Of the server as well (ZooKeeper 3.6): known since the latest connect. */
  readonly multiRead: boolean;
  /** addWatch. Of the server as well (ZooKeeper 3.6): known since the latest connect. */
  readonly persistentWatch: boolean;
  /** {@link ZooKeeperSettings.tls}. */
  readonly tls: boolean;
  /** {@link ZooKeeperSettings.session}, {@link ZooKeeperSettings.renewSession} false, and detach. */
  readonly reattach: boolean;
  /**
   * Nodes with a time to live. Of the server as well: known since the latest connect. A server that has them switched
   * off answers Unimplemented nevertheless.
   */
  readonly ttl: boolean;
}

export interface ZooKeeperClient {
  /**
   * Lets go of a watcher that was given with a read and was not told yet: it is told of nothing. The server keeps its watch, which before
   * ZooKeeper 3.5 cannot be taken back. Absent: the client cannot let go either.
   */
  forgetWatcher?(path: string, watcher: Watcher): void;
  readonly features: ZooKeeperFeatures;
  /** Largest request the server takes, in bytes (jute.maxbuffer of the server; 1,048,575 by default). */
  readonly maxRequestBytes: number;
  /** Id of the present session, 0n before the first connect. A new session after an expiry has a new id. */
  readonly sessionId: bigint;
  /** What proves the present session; id 0n before the first connect. */
  readonly session: SessionCredentials;
  /** Time-out of the present session as the server granted it, in milliseconds. */
  readonly sessionTimeoutMs: number;
  /**
   * Fires when the session is over or given up, and is not to be renewed. Its reason is a ZooKeeperError with the code
   * that every pending and later call gets: SessionExpired, or AuthFailed. Never fires where sessions are renewed, nor by
   * close or detach.
   */
  readonly expired: AbortSignal;

  /** Resolves with path (the name given by the server when sequential) and Stat. NodeExists, NoNode (parent), … */
  create(
    args: CreateArguments,
    options?: OperationOptions,
  ): Promise<Reply & { path: string; stat: Stat | undefined }>;
  /** `version` -1: any. NoNode, BadVersion, NotEmpty. */
  delete(path: string, version: number, options?: OperationOptions): Promise<Reply>;
  /** Stat, or undefined when the node does not exist. */
  exists(
    path: string,
    options?: OperationOptions & { watcher?: Watcher | undefined },
  ): Promise<Reply & { stat: Stat | undefined }>;
  /** NoNode. `data` null: the node has none. */
  getData(
    path: string,
    options?: OperationOptions & { watcher?: Watcher | undefined },
  ): Promise<Reply & { data: Buffer | null; stat: Stat }>;
  /** `version` -1: any. NoNode, BadVersion. */
  setData(
    path: string,
    data: Uint8Array | null,
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }>;
  /** Names, in no particular order, and the Stat of the parent. NoNode. */
  getChildren(
    path: string,
    options?: OperationOptions & { watcher?: Watcher | undefined },
  ): Promise<Reply & { children: string[]; stat: Stat }>;
  getAcl(path: string, options?: OperationOptions): Promise<Reply & { acl: Acl[]; stat: Stat }>;
  setAcl(
    path: string,
    acl: readonly Acl[],
    version: number,
    options?: OperationOptions,
  ): Promise<Reply & { stat: Stat }>;
  /** Waits until the server of this session has everything the leader had committed when it was called. */
  sync(path: string, options?: OperationOptions): Promise<Reply>;
  /** All or nothing. A failure rejects with the code, path and index of the operation that failed. */
  multi(ops: readonly MultiOp[], options?: OperationOptions): Promise<Reply & { results: MultiResult[] }>;
  /**
   * Many reads. One request where {@link ZooKeeperFeatures.multiRead} says so, else one request each, in flight together.
   * The answer holds all of them: choose how many by their size (128 of a few hundred bytes are fast).
   */
  multiRead(
    reads: readonly MultiRead[],
    options?: OperationOptions,
  ): Promise<Reply & { results: readonly MultiReadResult[] }>;
  /**
   * A watch that lasts as long as the connection, on a node, whether it exists or not. Plain: every change of its data,
   * its existence and its list of children. Recursive: data and existence of the node and of all below it, and no
   * childrenChanged. Notifications of changes come before the answers to reads that show them.
   *
   * A path has one kind of persistent watch per client: BadArguments for the other kind. `remove` takes it back, also at
   * the server where it can be reached; it never rejects, and no event is told after the call, `lost` neither. One-shot
   * watches of this client on the same path are told `lost` by it. Unimplemented before ZooKeeper 3.6.
   */
  addWatch(
    path: string,
    kind: { readonly recursive: boolean },
    watcher: PersistentWatcher,
    options?: OperationOptions,
  ): Promise<Reply & { remove(): Promise<void> }>;
  /** Ends the session (ephemeral nodes go at once). In-flight operations reject with Closed. Idempotent. */
  close(): Promise<void>;
  /**
   * Ends the client as close does, and leaves the session to itself: it lives on for its time-out, in which another
   * client may take it over by {@link ZooKeeperSettings.session}.
   */
  detach(): Promise<void>;
}

/** TLS to every server. PEM. A server's certificate is always checked. */
export interface ZooKeeperTls {
  /** Authorities that servers' certificates are signed by. Default: those of the system. */
  readonly ca?: Buffer | undefined;
  /** Certificate of the client, for servers that want one; with `key`. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  /** Name that servers' certificates must be for. Default: the host of each server's address. */
  readonly serverName?: string | undefined;
}

/** How to connect. */
export interface ZooKeeperSettings {
  /** Each `host:port`; tried in random order. */
  readonly servers: readonly string[];
  /** Asked-for session time-out, negotiated by the server. Default 10,000. */
  readonly sessionTimeoutMs?: number;
  /** Time for the first connect, all servers together. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Default time for one operation. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /** Credentials for `addauth`, e.g. scheme `digest`, auth `user:password`. Sent on every (re)connect. Never shown. */
  readonly auth?: readonly { readonly scheme: string; readonly auth: string }[];
  /** jute.maxbuffer of the servers when it was raised. Default 1,048,575. */
  readonly maxRequestBytes?: number;
  /**
   * Longest answer taken, in bytes; a longer one is a MarshallingError and ends the connection. Default 256 MiB: servers
   * limit requests, not answers.
   */
  readonly maxAnswerBytes?: number;
  /** Absent: no TLS. */
  readonly tls?: ZooKeeperTls | undefined;
  /**
   * Whether a session that has expired is followed by a new one. Default true. With false it is over when a server says
   * so, or when it may be so for all that is known: its whole time-out has passed since the last request that was
   * answered had been sent. See {@link ZooKeeperClient.expired}.
   */
  readonly renewSession?: boolean;
  /**
   * A session to take over instead of beginning one. When it is gone: connect rejects with SessionExpired where
   * `renewSession` is false, else a new one is begun. A client that still has it loses its connection, at its next write at
   * the latest, and takes the session back if it can: it should detach first. What that client has seen the new one may
   * not see yet: sync first.
   */
  readonly session?: SessionCredentials | undefined;
  /** Source of randomness for the order of servers, in [0, 1). Default Math.random. */
  readonly random?: () => number;
}
