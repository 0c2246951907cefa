import type { StoreAddress } from '../topo/address.js';
import type { ConnectSettings } from '../topo/backend.js';
import { type CallContext, interrupted, timeLeft } from '../topo/calls.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import type { NativeEntry, NativeNode, NativeStore, NativeWords } from '../topo/native.js';
import { compareBytewise } from '../topo/paths.js';
import {
  type Acl,
  type OperationOptions,
  type Stat,
  ZkCode,
  type ZooKeeperClient,
  ZooKeeperError,
} from '../zookeeper/client.js';
import { toTopologyError } from './error.js';
import { contextOf, openFirst, sessionOpener } from './open.js';
import { type ReadMany, Walk } from './walk.js';

/** Of a walk. */
const REQUESTS = 8;
const READS_PER_REQUEST = 128;

/** A version that no znode has: they count from 0, and -1 alone stands for any. Servers look at rights before versions. */
const NEVER = -2;

/** ZooKeeper as it is: znodes, their data and Stat, their ACL. */
export async function openNative(address: StoreAddress, settings: ConnectSettings): Promise<NativeStore> {
  const client = await openFirst(sessionOpener(address, settings), address, settings);
  const store = new ZnodeStore(contextOf(address, settings), address.root, client);
  try {
    await store.bringUpToDate({ deadline: settings.clock.now() + settings.connectTimeoutMs });
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

class ZnodeStore implements NativeStore {
  readonly store: string;
  readonly root: string;
  readonly #context: CallContext;
  readonly #client: ZooKeeperClient;

  constructor(context: CallContext, root: string, client: ZooKeeperClient) {
    this.store = context.store;
    this.root = root;
    this.#context = context;
    this.#client = client;
  }

  /** The server of the session may be behind what others were told is written. */
  async bringUpToDate(options: CallOptions): Promise<void> {
    await this.#ask('/', options, (request) => this.#client.sync('/', request));
  }

  async list(path: string, options?: CallOptions): Promise<NativeEntry[]> {
    const znode = this.#znode(path);
    const { children } = await this.#ask(znode, options, (request) =>
      this.#client.getChildren(znode, request),
    );
    return children
      .sort(compareBytewise)
      .map((name) => ({ name, path: znode === '/' ? `/${name}` : `${znode}/${name}`, node: true }));
  }

  async read(path: string, options?: CallOptions): Promise<NativeNode> {
    const znode = this.#znode(path);
    const [{ data, stat }, acl] = await Promise.all([
      this.#ask(znode, options, (request) => this.#client.getData(znode, request)),
      // Newer servers show an ACL only to those who may read or administer; older ones to all.
      this.#ask(znode, options, (request) => this.#client.getAcl(znode, request)),
    ]);
    return { path: znode, bytes: data, words: { ...statWords(stat), acl: acl.acl.map(aclWord) } };
  }

  async *walk(path: string, options?: CallOptions): AsyncGenerator<readonly NativeNode[]> {
    const top = this.#znode(path).slice(1);
    const walk = new Walk(this.#readMany(path, options), top, {
      requests: REQUESTS,
      reads: READS_PER_REQUEST,
    });
    for await (const group of walk.groups())
      yield group.map(({ path: at, data, stat }) => ({
        path: `/${at}`,
        bytes: data,
        words: statWords(stat),
      }));
  }

  async refusal(
    path: string,
    change: 'update' | 'delete',
    options?: CallOptions,
  ): Promise<TopologyError | undefined> {
    const znode = this.#znode(path);
    try {
      await this.#ask(znode, options, async (request) => {
        if (change === 'delete') await this.#client.delete(znode, NEVER, request);
        else await this.#client.setData(znode, null, NEVER, request);
      });
    } catch (error) {
      if (isTopologyError(error, ErrorCode.Unauthorized)) return error;
      if (isTopologyError(error, ErrorCode.BadVersion, ErrorCode.NoNode)) return undefined;
      throw error;
    }
    throw new Error('a request that names a state that no znode can be in was carried out');
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #readMany(about: string, options: CallOptions | undefined): ReadMany {
    return async (reads) => {
      const { results } = await this.#ask(about, options, (request) =>
        this.#client.multiRead(
          reads.map(({ type, path }) => ({ type, path: `/${path}` })),
          request,
        ),
      );
      return results.map((result, index) => {
        if (result.type !== 'error') return result;
        if (result.code === ZkCode.NoNode) return undefined;
        const error = new ZooKeeperError(result.code, 'a read of a walk failed');
        throw toTopologyError(this.#context, error, { kind: 'read', path: `/${reads[index]?.path}` });
      });
    };
  }

  /** The path of a znode: a slash at its end is too much. InvalidPath. */
  #znode(path: string): string {
    const znode = path === '/' ? path : path.replace(/\/$/, '');
    if (znode.startsWith('/')) return znode;
    throw new TopologyError(ErrorCode.InvalidPath, 'a path of ZooKeeper begins with a slash', {
      path,
      store: this.store,
      hint: `for example ${this.root}`,
    });
  }

  async #ask<T>(
    path: string,
    options: CallOptions | undefined,
    work: (request: OperationOptions) => Promise<T>,
  ): Promise<T> {
    if (options?.signal?.aborted) throw interrupted(this.#context, path, options.signal.reason);
    try {
      return await work({
        signal: options?.signal,
        timeoutMs: timeLeft(this.#context, options, path),
      });
    } catch (error) {
      throw toTopologyError(this.#context, error, { kind: 'read', path });
    }
  }
}

/** As zkCli prints a Stat: zxids and sessions in hexadecimal; times as RFC 3339. */
function statWords(stat: Stat): NativeWords {
  return {
    czxid: hex(stat.czxid),
    mzxid: hex(stat.mzxid),
    pzxid: hex(stat.pzxid),
    ctime: time(stat.ctime),
    mtime: time(stat.mtime),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    ephemeralOwner: hex(stat.ephemeralOwner),
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
  };
}

function hex(number: bigint): string {
  return `0x${BigInt.asUintN(64, number).toString(16)}`;
}

/** `/` itself was created at 0, and a znode of a wrong clock may have any time. */
function time(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

const PERMISSIONS = [
  [4, 'c'],
  [8, 'd'],
  [1, 'r'],
  [2, 'w'],
  [16, 'a'],
] as const;

/** `world:anyone cdrwa`. A digest's id ends with a hash of the password, which stays out. */
function aclWord({ scheme, id, perms }: Acl): string {
  const letters = PERMISSIONS.map(([bit, letter]) => ((perms & bit) === 0 ? '' : letter)).join('');
  const whose = scheme === 'digest' ? id.replace(/:[^:]*$/, '') : id;
  return `${scheme}:${whose} ${letters}`;
}
