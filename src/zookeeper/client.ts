/**
 * What the project needs from a ZooKeeper client, with no knowledge of topologies.
 *
 * Two implementations: `own.ts` (the project's client, everything below) and `native.ts` (the `zookeeper` package;
 * what it lacks is declared in {@link ZooKeeperFeatures} and refused by name).
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

/** Options of every operation. */
export interface OperationOptions {
  readonly signal?: AbortSignal | undefined;
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
} as const;
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode];

export interface CreateArguments {
  readonly path: string;
  /** null makes a node without data, which ZooKeeper tells from empty data. */
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** Default: Persistent. */
  readonly mode?: CreateMode;
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
  | { readonly type: 'create'; readonly path: string; readonly stat: Stat | undefined }
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
  /** Reply zxids are real. */
  readonly replyZxid: boolean;
  /** create answers with the Stat. Of the server as well: known since the latest connect. */
  readonly createStat: boolean;
  /** multiRead is one request. Of the server as well (ZooKeeper 3.6): known since the latest connect. */
  readonly multiRead: boolean;
}

export interface ZooKeeperClient {
  readonly features: ZooKeeperFeatures;
  /** Largest request the server takes, in bytes (jute.maxbuffer of the server; 1,048,575 by default). */
  readonly maxRequestBytes: number;
  /** Id of the present session, 0n before the first connect. A new session after an expiry has a new id. */
  readonly sessionId: bigint;

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
  /** Ends the session (ephemeral nodes go at once). In-flight operations reject with Closed. Idempotent. */
  close(): Promise<void>;
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
  /** Source of randomness for the order of servers, in [0, 1). Default Math.random. */
  readonly random?: () => number;
}
