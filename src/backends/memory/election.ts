import type { CallOptions } from '../../topo/connection.js';
import type { LeaderEvent } from '../../topo/locks.js';
import { watchEvents } from '../../topo/queue.js';
import { lockPlace } from './member.js';
import type { Requests } from './requests.js';
import { endWithConnection, notifier } from './watch.js';

export function leader(requests: Requests, dir: string, options: CallOptions): Promise<string | undefined> {
  return requests.read(dir, options, () => leaderNow(requests, dir));
}

export function watchLeader(
  requests: Requests,
  dir: string,
  options: CallOptions | undefined,
): AsyncIterable<LeaderEvent> {
  return watchEvents<LeaderEvent>(requests.context, options, dir, (queue) => {
    endWithConnection(requests, queue, dir);
    const { watchers } = requests.store;
    const place = lockPlace(requests, dir);
    let told: LeaderEvent | undefined;
    const tell = notifier(requests, () => {
      const id = leaderNow(requests, dir);
      if (told !== undefined && told.id === id) return;
      told = { type: 'leader', id };
      queue.push(told, dir);
    });
    queue.onClose(watchers.onKey(place, tell));
    queue.onClose(watchers.onBelow(place, tell));
    tell();
  });
}

/** A candidate that is left over without a session leads only where that keeps others from leading. */
function leaderNow(requests: Requests, dir: string): string | undefined {
  const { store } = requests;
  const first = store.line(lockPlace(requests, dir))[0]?.item;
  if (first === undefined || (first.owner === '' && store.capabilities.locks === 'unfair')) return undefined;
  return Buffer.from(first.bytes ?? []).toString();
}
