import { interrupted } from '../../topo/calls.js';
import type { CallOptions, SyncedEvent, WatchEvent } from '../../topo/connection.js';
import { isBelow } from '../../topo/paths.js';
import { type EventQueue, watchEvents } from '../../topo/queue.js';
import { watchEnded } from './error.js';
import type { Part } from './part.js';
import type { Entry, Tree } from './tree.js';

export function watch(part: Part, path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
  return watchEvents<WatchEvent>(part.context, options, path, (queue) =>
    follow(part, path, queue, {
      wanted: (changed) => changed === path,
      first: (tree) => queue.push(eventOf(part, path, tree.get(path)), path),
    }),
  );
}

export function watchRecursive(
  part: Part,
  prefix: string,
  options?: CallOptions,
): AsyncIterable<WatchEvent | SyncedEvent> {
  return watchEvents<WatchEvent | SyncedEvent>(part.context, options, prefix, (queue) =>
    follow(part, prefix, queue, {
      wanted: (changed) => isBelow(changed, prefix),
      first: (tree) => {
        for (const { path, entry } of tree.below(prefix)) queue.push(eventOf(part, path, entry), path);
        queue.push({ type: 'synced' });
      },
    }),
  );
}

/** Delivers the present state and, without a gap, all later changes, those of other processes too. */
async function follow(
  part: Part,
  path: string,
  queue: EventQueue<WatchEvent | SyncedEvent>,
  what: { readonly wanted: (path: string) => boolean; readonly first: (tree: Tree) => void },
): Promise<void> {
  queue.onClose(part.onEnd(path, () => queue.fail(interrupted(part.context, path))));
  try {
    await part.read(path, undefined, (tree) => {
      what.first(tree);
      const unfollow = part.file.follow({
        changed: (changes) => {
          for (const { scope, path: changed, entry } of changes)
            if (scope === part.scope && what.wanted(changed))
              queue.push(eventOf(part, changed, entry), changed);
        },
        failed: (error) => queue.fail(watchEnded(part.context, error, path)),
      });
      queue.onClose(unfollow);
    });
  } catch (error) {
    queue.fail(watchEnded(part.context, error, path));
  }
}

function eventOf(part: Part, path: string, entry: Entry | undefined): WatchEvent {
  return { type: 'record', path, value: entry === undefined ? undefined : part.value(entry) };
}
