import type { CallLimits } from '../topo/call-options.js';
import { type CallContext, outcomeUnknown, timeLeft } from '../topo/calls.js';
import { type CancelSignal, firstOf } from '../topo/cancellation.js';
import type { StoredRecord, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import type { OperationOptions, Reply, Stat, ZooKeeperClient } from '../zookeeper/client.js';
import { type Failed, toTopologyError } from './error.js';
import type { Layout } from './layout.js';
import type { Locks } from './lock-session.js';
import type { KnownSeal, KnownZnode } from './seal-acl.js';
import type { Sessions } from './sessions.js';
import { makeVersion, type ZnodeVersion } from './version.js';
import { isOwned, type Znode } from './znode.js';

/** Pause of a watch before it repeats a read that failed, in milliseconds. */
const RETRY_MS = 100;

/** Requests of one call over one session. */
export type Work<T> = (client: ZooKeeperClient, request: OperationOptions) => Promise<T>;

type Parts = 'context' | 'root' | 'layout' | 'sessions' | 'locks' | 'servers' | 'closed';

/** What the operations of one connection work with. */
export class Store {
  readonly context: CallContext;
  readonly root: string;
  readonly layout: Layout;
  readonly sessions: Sessions;
  readonly locks: Locks;
  /** `host:port` of the servers that vote. */
  readonly servers: readonly string[];
  /** Fires when the connection is closed. */
  readonly closed: AbortSignal;
  /** The same, for those who listen for a moment. */
  readonly ending: CancelSignal;
  /** Directories known to exist lately. A wrong entry costs a batch a second try, no more. */
  readonly directories = new Set<string>();
  /** Whether most directories that a batch was last in doubt about were missing, as while a copy fills a new place. */
  newDirectories = false;
  /** What the next seal needs to know, learnt before. */
  known: KnownZnode | undefined;
  /** The seal that is on, where this connection put it on. */
  knownSeal: KnownSeal | undefined;

  constructor(parts: Pick<Store, Parts>) {
    this.context = parts.context;
    this.root = parts.root;
    this.layout = parts.layout;
    this.sessions = parts.sessions;
    this.locks = parts.locks;
    this.servers = parts.servers;
    this.closed = parts.closed;
    this.ending = firstOf(parts.closed);
  }

  /** The znode of a path. */
  znode(path: string): string {
    return path === '' ? this.root || '/' : `${this.root}/${path}`;
  }

  /** The path of a znode at or below the root. */
  path(znode: string): string {
    return znode.slice(this.root.length + 1);
  }

  /** Options of the next request of a call: its signal, and what is left of its time. */
  request(options: CallLimits | undefined, path?: string): OperationOptions {
    return { signal: options?.signal, timeoutMs: timeLeft(this.context, options, path) };
  }

  /** A request that reads, or changes directories only. Fails with a TopologyError. */
  async read<T>(path: string | undefined, options: CallLimits | undefined, work: Work<T>): Promise<T> {
    try {
      const { sessions } = this;
      const request = this.request(options, path);
      if (!sessions.isBehind) return await work(sessions.primary, request);
      const [, answer] = await Promise.all([sessions.bringUpToDate(), work(sessions.primary, request)]);
      return answer;
    } catch (error) {
      throw toTopologyError(this.context, error, { kind: 'read', path });
    }
  }

  /** A request that changes records. Fails with a TopologyError, OutcomeUnknown when its answer was lost. */
  write<T>(path: string | undefined, options: CallLimits | undefined, work: Work<T>): Promise<T> {
    return this.attempt({ kind: 'write', path }, () =>
      work(this.sessions.primary, this.request(options, path)),
    );
  }

  async attempt<T>(failed: Failed, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toTopologyError(this.context, error, failed);
    }
  }

  /** The znode at a path, undefined when there is none. Errors name the path `about`. */
  readZnode(path: string, options: CallLimits | undefined, about = path): Promise<Znode | undefined> {
    const read = this.read(about, options, (client, request) => client.getData(this.znode(path), request));
    return settle(read, ErrorCode.NoNode);
  }

  /** Whether a znode is a directory. A record with children is both. */
  isDirectory(path: string, znode: Znode): boolean {
    return znode.stat.numChildren > 0 || !this.layout.isRecord(path, znode);
  }

  /** Waits a moment, or until `ended` fires. */
  pauseBeforeRetry(ended?: CancelSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        cancel();
        ended?.removeEventListener('abort', go);
        resolve();
      };
      const cancel = this.context.clock.schedule(RETRY_MS, go);
      ended?.addEventListener('abort', go);
      if (ended?.aborted) go();
    });
  }

  /** What a record holds. */
  value(znode: Znode): Value {
    return {
      bytes: znode.data ?? new Uint8Array(),
      version: makeVersion(this.context.store, znode.stat),
      ephemeral: isOwned(znode.stat),
    };
  }

  /** A record and where it is. */
  record(path: string, { data, stat }: Znode): StoredRecord {
    return {
      path,
      bytes: data ?? new Uint8Array(),
      version: makeVersion(this.context.store, stat),
      ephemeral: isOwned(stat),
    };
  }

  /** The version of a znode that was just created at `path`. */
  async created(
    path: string,
    reply: Reply & { readonly stat: Stat | undefined },
    options: CallLimits | undefined,
  ): Promise<ZnodeVersion> {
    if (reply.stat !== undefined) return reply.stat;
    if (this.sessions.primary.features.replyZxid) return { version: 0, czxid: reply.zxid };
    try {
      const { stat } = await this.read(path, options, (client, request) =>
        client.exists(this.znode(path), request),
      );
      return { version: 0, czxid: stat?.czxid ?? 0n };
    } catch (error) {
      // The record was made; only the version that it got is not known.
      throw outcomeUnknown(this.context, path, error);
    }
  }
}

/** What `work` resolves to; undefined when it fails with one of `codes`. */
export async function settle<T>(work: Promise<T>, ...codes: ErrorCode[]): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isTopologyError(error, ...codes)) return undefined;
    throw error;
  }
}
