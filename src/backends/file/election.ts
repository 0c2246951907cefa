import { interrupted } from '../../topo/calls.js';
import type { CallOptions } from '../../topo/connection.js';
import type { LeaderEvent } from '../../topo/locks.js';
import { watchEvents } from '../../topo/queue.js';
import { watchEnded } from './error.js';
import { readLock, repeat } from './lock.js';
import type { Part } from './part.js';

/** An election is a lock whose contents are the id of the candidate. */
export function leader(part: Part, dir: string, options: CallOptions): Promise<string | undefined> {
  return part.call(dir, options, async (call) => (await readLock(part, dir, call))?.contents);
}

export function watchLeader(
  part: Part,
  dir: string,
  options: CallOptions | undefined,
): AsyncIterable<LeaderEvent> {
  return watchEvents<LeaderEvent>(part.context, options, dir, async (queue) => {
    const left = new AbortController();
    queue.onClose(() => left.abort());
    queue.onClose(part.onEnd(dir, () => queue.fail(interrupted(part.context, dir))));
    /** The mark of the leader told last; null: nobody. */
    let last: string | null | undefined;
    try {
      await repeat(part, left.signal, async () => {
        const found = await readLock(part, dir, {});
        const now = found?.text ?? null;
        if (now === last) return;
        last = now;
        queue.push({ type: 'leader', id: found?.contents }, 'leader');
      });
    } catch (error) {
      queue.fail(watchEnded(part.context, error, dir));
    }
  });
}
