import { ErrorCode, isTopologyError } from '../topo/errors.js';
import {
  type CreateArguments,
  CreateMode,
  type OperationOptions,
  ZkCode,
  type ZooKeeperClient,
  ZooKeeperError,
} from '../zookeeper/client.js';
import type { LockSession } from './lock-session.js';
import type { Store } from './store.js';
import { DIRECTORY_ACL } from './znode.js';

/** Where the entries of a lock are. */
export interface Queue {
  /** What is locked, which errors name, and the directory of the entries; relative to the root. */
  readonly dir: string;
  readonly path: string;
  /** The directory above it that stays, and all above that, when the lock leaves it empty. `''`: the root. */
  readonly keep: string;
  /** It was not there: it is made with its first entry, so that nobody meets it empty. */
  readonly missing: boolean;
}

/** An entry as the servers have made it. */
export interface Created {
  readonly znode: string;
  readonly czxid: bigint;
  /** The queue was made together with it: nobody is before it. */
  readonly first: boolean;
}

/**
 * Creates an entry at the end of a queue. Where the answer is lost it is found by its owner: all others of the session
 * are known, since it makes one at a time in a queue. Fails with a TopologyError when there is none. Not cut short by
 * any caller: it ends when the servers have answered, or the session is over.
 */
export function createEntry(
  store: Store,
  session: LockSession,
  queue: Queue,
  data: Uint8Array,
): Promise<Created> {
  return store.attempt({ kind: 'read', path: queue.dir }, () =>
    session.inTurn(queue.path, async () => {
      const created = await send(store, session, queue, data);
      session.entries.add(created.znode);
      return created;
    }),
  );
}

async function send(store: Store, session: LockSession, queue: Queue, data: Uint8Array): Promise<Created> {
  const directory = store.znode(queue.path);
  const args = {
    path: `${directory}/`,
    data,
    acl: store.layout.recordAcl,
    mode: CreateMode.EphemeralSequential,
  };
  try {
    const request = { timeoutMs: store.context.defaultTimeoutMs };
    const both = queue.missing ? await createBoth(session.client, directory, args, request) : undefined;
    if (both !== undefined) return both;
    const { path, stat, zxid } = await session.client.create(args, request);
    return { znode: path, czxid: stat?.czxid ?? zxid, first: false };
  } catch (error) {
    if (!(error instanceof ZooKeeperError && error.sent)) throw error;
    const found = await findLost(store, session, directory);
    if (found === undefined) throw error;
    return found;
  }
}

/** A queue and its first entry. Undefined when somebody has made the queue meanwhile. */
async function createBoth(
  client: ZooKeeperClient,
  directory: string,
  entry: CreateArguments,
  request: OperationOptions,
): Promise<Created | undefined> {
  const queue = { type: 'create', path: directory, data: null, acl: DIRECTORY_ACL } as const;
  try {
    const { results, zxid } = await client.multi([queue, { type: 'create', ...entry }], request);
    const made = results[1];
    // All that a transaction creates has its zxid.
    if (made?.type === 'create') return { znode: made.path, czxid: zxid, first: true };
    throw new ZooKeeperError(ZkCode.MarshallingError, 'the answer to a creation is another one', {
      sent: true,
    });
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === ZkCode.NodeExists) return undefined;
    throw error;
  }
}

/** The entry whose answer was lost; undefined when it was not made. */
async function findLost(store: Store, session: LockSession, directory: string): Promise<Created | undefined> {
  while (!session.over && !store.closed.aborted) {
    try {
      return await store.attempt({ kind: 'read' }, () => search(store, session, directory));
    } catch (error) {
      if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
      if (!isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) break;
      await store.pauseBeforeRetry(store.closed);
    }
  }
  // It may be there: then it goes with the session.
  session.retire();
  return undefined;
}

async function search(
  store: Store,
  { client, entries }: LockSession,
  directory: string,
): Promise<Created | undefined> {
  const request = { timeoutMs: store.context.defaultTimeoutMs };
  // The creation was sent before, and is refused after, whatever server it went to.
  const [, { children }] = await Promise.all([
    client.sync('/', request),
    client.getChildren(directory, request),
  ]);
  const unknown = children.map((name) => `${directory}/${name}`).filter((znode) => !entries.has(znode));
  const stats = await Promise.all(unknown.map((znode) => statOf(client, znode, request.timeoutMs)));
  const at = stats.findIndex((stat) => stat?.ephemeralOwner === client.sessionId);
  const [znode, czxid] = [unknown[at], stats[at]?.czxid];
  return znode === undefined || czxid === undefined ? undefined : { znode, czxid, first: false };
}

async function statOf(client: ZooKeeperClient, znode: string, timeoutMs: number) {
  return (await client.exists(znode, { timeoutMs })).stat;
}
