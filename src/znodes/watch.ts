import { interrupted } from '../topo/calls.js';
import type { CallOptions, SyncedEvent, WatchEvent } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { type EventQueue, watchEvents } from '../topo/queue.js';
import type { Watcher } from '../zookeeper/client.js';
import { OneShotFollower } from './follower-oneshot.js';
import { PersistentFollower } from './follower-persistent.js';
import { Signal } from './signal.js';
import { type Store, settle } from './store.js';
import type { Znode } from './znode.js';

/** Follows one record with ZooKeeper's one-shot watches: each read sets the next one. */
export function watch(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): AsyncIterable<WatchEvent> {
  return followOne(store, path, options, async (watcher, signal) => {
    const znode = await readWatched(store, path, watcher, signal);
    const value = znode !== undefined && store.layout.isRecord(path, znode) ? store.value(znode) : undefined;
    return { state: value?.version.token ?? 'absent', event: { type: 'record', path, value } };
  });
}

/**
 * Follows what one read tells, which sets `watcher` on all that can change it: its event is delivered whenever its state is another one. A server
 * that a lost connection moves to may be behind others, and then tells of the rest when it gets there; it is never behind what was delivered: it
 * refuses a session that has seen more, and to begin a new one is a change that it takes in its order.
 */
export function followOne<E>(
  store: Store,
  path: string,
  options: CallOptions | undefined,
  read: (watcher: Watcher, signal: AbortSignal) => Promise<{ readonly state: string; readonly event: E }>,
): AsyncIterable<E> {
  return watchEvents(store.context, options, path, async (queue: EventQueue<E>) => {
    const { signal } = endWithConnection(store, queue, path);
    let delivered: string | undefined;
    while (!signal.aborted) {
      const changed = new Signal();
      try {
        const { state, event } = await read(changed.fire, signal);
        if (state !== delivered) queue.push(event, path);
        delivered = state;
      } catch (error) {
        if (!isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) throw error;
        await store.pauseBeforeRetry(signal);
        changed.fire('lost');
      }
      await changed.fired(signal);
    }
  });
}

/** Follows all records below a directory, with one watch where the servers have such, else with one for each znode. */
export function watchRecursive(
  store: Store,
  prefix: string,
  options: CallOptions | undefined,
): AsyncIterable<WatchEvent | SyncedEvent> {
  return watchEvents(store.context, options, prefix, (queue: EventQueue<WatchEvent | SyncedEvent>) => {
    const { signal } = endWithConnection(store, queue, prefix);
    const { persistentWatch } = store.sessions.primary.features;
    const Follower = persistentWatch ? PersistentFollower : OneShotFollower;
    new Follower(store, prefix, queue, signal).start();
  });
}

/** Ends a watch when the connection is closed; the signal fires when the watch has ended, however it did. */
export function endWithConnection<T>(
  store: Store,
  queue: EventQueue<T>,
  path: string,
): { readonly signal: AbortSignal } {
  const ended = new AbortController();
  const onClose = () => queue.fail(interrupted(store.context, path, store.closed.reason));
  store.closed.addEventListener('abort', onClose, { once: true });
  queue.onClose(() => {
    store.closed.removeEventListener('abort', onClose);
    ended.abort();
  });
  if (store.closed.aborted) onClose();
  return ended;
}

/** Reads a znode and sets `watcher` on all that decides what it is: also on its absence. */
async function readWatched(
  store: Store,
  path: string,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<Znode | undefined> {
  const node = store.znode(path);
  for (;;) {
    const read = store.read(path, { signal }, (client, request) =>
      client.getData(node, { ...request, watcher }),
    );
    const znode = await settle(read, ErrorCode.NoNode);
    if (znode !== undefined) {
      if (!store.layout.dependsOnChildren(path, znode)) return znode;
      const listed = store.read(path, { signal }, (client, request) =>
        client.getChildren(node, { ...request, watcher }),
      );
      const stat = (await settle(listed, ErrorCode.NoNode))?.stat;
      return stat && { data: znode.data, stat };
    }
    const { stat } = await store.read(path, { signal }, (client, request) =>
      client.exists(node, { ...request, watcher }),
    );
    if (stat === undefined) return undefined;
  }
}
