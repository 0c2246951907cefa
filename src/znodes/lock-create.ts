import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { CreateMode, type ZooKeeperClient, ZooKeeperError } from '../zookeeper/client.js';
import type { LockSession } from './lock-session.js';
import type { Store } from './store.js';

/** Where the entries of a lock are. */
export interface Queue {
  /** What is locked, which errors name, and the directory of the entries; relative to the root. */
  readonly dir: string;
  readonly path: string;
  /** The directory above it that stays, and all above that, when the lock leaves it empty. `''`: the root. */
  readonly keep: string;
}

/** An entry as the servers have made it. */
export interface Created {
  readonly znode: string;
  readonly czxid: bigint;
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
      const created = await send(store, session, store.znode(queue.path), data);
      session.entries.add(created.znode);
      return created;
    }),
  );
}

async function send(
  store: Store,
  session: LockSession,
  directory: string,
  data: Uint8Array,
): Promise<Created> {
  const args = {
    path: `${directory}/`,
    data,
    acl: store.layout.recordAcl,
    mode: CreateMode.EphemeralSequential,
  };
  try {
    const request = { timeoutMs: store.context.defaultTimeoutMs };
    const { path, stat, zxid } = await session.client.create(args, request);
    return { znode: path, czxid: stat?.czxid ?? zxid };
  } catch (error) {
    if (!(error instanceof ZooKeeperError && error.sent)) throw error;
    const found = await findLost(store, session, directory);
    if (found === undefined) throw error;
    return found;
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
  return znode === undefined || czxid === undefined ? undefined : { znode, czxid };
}

async function statOf(client: ZooKeeperClient, znode: string, timeoutMs: number) {
  return (await client.exists(znode, { timeoutMs })).stat;
}
