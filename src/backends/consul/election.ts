import type { CallOptions } from '../../topo/connection.js';
import type { LeaderEvent } from '../../topo/locks.js';
import { watchEvents } from '../../topo/queue.js';
import type { Pair } from './answers.js';
import type { ConsulClient } from './client.js';
import { find } from './transaction.js';
import { followRecord } from './watch.js';

export async function leader(
  client: ConsulClient,
  dir: string,
  options: CallOptions,
): Promise<string | undefined> {
  return idOf(await find(client, dir, options));
}

export function watchLeader(
  client: ConsulClient,
  dir: string,
  options: CallOptions | undefined,
): AsyncIterable<LeaderEvent> {
  return watchEvents<LeaderEvent>(client.context, options, dir, (queue) => {
    /** Session of the leader told last; `''`: nobody. Two candidates may have the same id. */
    let last: string | undefined;
    return followRecord(client, queue, dir, (pair) => {
      const now = pair?.session ?? '';
      if (now === last) return;
      last = now;
      queue.push({ type: 'leader', id: idOf(pair) });
    });
  });
}

/** What is left of a leader whose session ended leads nobody. */
function idOf(pair: Pair | undefined): string | undefined {
  return pair === undefined || pair.session === '' ? undefined : pair.value.toString();
}
