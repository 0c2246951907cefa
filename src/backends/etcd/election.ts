import type { CallOptions } from '../../topo/connection.js';
import type { LeaderEvent } from '../../topo/locks.js';
import { watchEvents } from '../../topo/queue.js';
import { lockPlace } from './lock-file.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';
import { followFiles } from './watch.js';

export async function leader(
  store: EtcdStore,
  dir: string,
  options: CallOptions,
): Promise<string | undefined> {
  const { native } = lockPlace(store.layout, dir, 'election');
  return (await readFile(store, native, dir, options))?.value;
}

export function watchLeader(
  store: EtcdStore,
  dir: string,
  options: CallOptions | undefined,
): AsyncIterable<LeaderEvent> {
  return watchEvents<LeaderEvent>(store.context, options, dir, (queue) => {
    const { native } = lockPlace(store.layout, dir, 'election');
    /** Index at which the leader told last began; null: nobody. Two candidates may have the same id. */
    let last: number | null | undefined;
    return followFiles(store, queue, dir, [native], async (signal) => {
      const node = await readFile(store, native, dir, { signal });
      const now = node?.createdIndex ?? null;
      if (now === last) return;
      last = now;
      queue.push({ type: 'leader', id: node?.value });
    });
  });
}
