import type { CallOptions } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import type { LeaderEvent } from '../topo/locks.js';
import { compareBytewise, joinPath } from '../topo/paths.js';
import type { Watcher } from '../zookeeper/client.js';
import { isEntry } from './lock-queue.js';
import { type Store, settle } from './store.js';
import { followOne } from './watch.js';
import type { Znode } from './znode.js';

export async function leader(store: Store, dir: string, options: CallOptions): Promise<string | undefined> {
  const found = await findLeader(store, dir, undefined, options);
  return found === undefined ? undefined : idOf(found);
}

/** Follows the list of candidates, which changes with each that comes or goes. */
export function watchLeader(
  store: Store,
  dir: string,
  options: CallOptions | undefined,
): AsyncIterable<LeaderEvent> {
  return followOne(store, dir, options, async (watcher, signal) => {
    const found = await findLeader(store, dir, watcher, { signal });
    const id = found && idOf(found);
    const state = found === undefined ? 'nobody' : `${found.stat.czxid}:${id}`;
    return { state, event: { type: 'leader', id } };
  });
}

/** The first candidate. Sets `watcher` on all that can change who that is. */
async function findLeader(
  store: Store,
  dir: string,
  watcher: Watcher | undefined,
  options: CallOptions,
): Promise<Znode | undefined> {
  for (;;) {
    const listed = store.read(dir, options, (client, request) =>
      client.getChildren(store.znode(dir), { ...request, watcher }),
    );
    const names = (await settle(listed, ErrorCode.NoNode))?.children;
    if (names === undefined) {
      if (watcher === undefined) return undefined;
      const { stat } = await store.read(dir, options, (client, request) =>
        client.exists(store.znode(dir), { ...request, watcher }),
      );
      if (stat === undefined) return undefined;
      continue;
    }
    let gone = false;
    for (const name of names.sort(compareBytewise)) {
      const read = store.read(dir, options, (client, request) =>
        client.getData(store.znode(joinPath(dir, name)), { ...request, watcher }),
      );
      const candidate = await settle(read, ErrorCode.NoNode);
      if (candidate !== undefined && isEntry(candidate)) return candidate;
      gone ||= candidate === undefined;
    }
    if (!gone) return undefined;
  }
}

function idOf({ data }: Znode): string {
  return Buffer.from(data ?? []).toString();
}
