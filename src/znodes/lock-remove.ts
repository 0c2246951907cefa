import type { CallLimits } from '../topo/call-options.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import {
  type OperationOptions,
  type Stat,
  type ZooKeeperClient,
  ZooKeeperError,
} from '../zookeeper/client.js';
import { toTopologyError } from './error.js';
import type { Queue } from './lock-create.js';
import type { LockSession } from './lock-session.js';
import type { Store } from './store.js';

/** What was removed: an entry with its queue, it alone, or nothing, since it was gone before. */
export type Removed = 'both' | 'entry' | 'absent';

interface Mine {
  readonly session: LockSession;
  readonly queue: Queue;
  readonly znode: string;
  readonly czxid: bigint;
}

/**
 * Removes an entry over its session, together with its queue where nothing else is in that, so that nobody meets it empty.
 * What is there in its place is left alone.
 */
export async function removeEntry(store: Store, mine: Mine, options: CallLimits): Promise<Removed> {
  const { session, queue, znode } = mine;
  const { client } = session;
  const failed = { kind: 'read', path: queue.dir } as const;
  // Whether a deletion was sent whose answer was lost: then an absent entry is one that we removed.
  let sent = false;
  let together = !store.layout.stays(queue.path);
  while (!session.over) {
    const request = store.request(options, queue.dir);
    try {
      const [stat, queueToo] = await store.attempt(failed, () =>
        Promise.all([
          client.exists(znode, request).then((answer) => answer.stat),
          together ? lastOf(client, store.znode(queue.path), request) : undefined,
        ]),
      );
      if (stat?.czxid !== mine.czxid) break;
      if (queueToo === undefined) {
        await client.delete(znode, stat.version, request);
        return 'entry';
      }
      await client.multi([deletion(znode, stat), queueToo], request);
      return 'both';
    } catch (error) {
      if (error instanceof ZooKeeperError) sent ||= error.sent;
      const failure = toTopologyError(store.context, error, failed);
      // Somebody uses the queue by now, or an ACL keeps it: the entry can go alone.
      if (failure.index === 1) together = false;
      else if (isTopologyError(failure, ErrorCode.NoNode, ErrorCode.BadVersion)) continue;
      else if (isTopologyError(failure, ErrorCode.Unavailable)) await store.pauseBeforeRetry();
      else throw failure;
    }
  }
  return sent ? 'entry' : 'absent';
}

/** How to delete a queue that holds one entry and nothing else; undefined for any other. */
async function lastOf(client: ZooKeeperClient, znode: string, request: OperationOptions) {
  const { stat } = await client.exists(znode, request);
  const holdsOne = stat !== undefined && stat.numChildren === 1 && stat.dataLength === 0;
  return holdsOne ? deletion(znode, stat) : undefined;
}

function deletion(path: string, { version }: Stat) {
  return { type: 'delete', path, version } as const;
}
