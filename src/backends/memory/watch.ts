import { interrupted } from '../../topo/calls.js';
import type { CallOptions, SyncedEvent, WatchEvent } from '../../topo/connection.js';
import { type EventQueue, watchEvents } from '../../topo/queue.js';
import type { Requests } from './requests.js';

export function watch(requests: Requests, path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
  return watchEvents<WatchEvent>(requests.context, options, path, (queue) => {
    endWithConnection(requests, queue, path);
    const key = requests.keyOf(path);
    const tell = notifier(requests, () => queue.push(eventOf(requests, key), path));
    queue.onClose(requests.store.watchers.onKey(key, tell));
    tell();
  });
}

export function watchRecursive(
  requests: Requests,
  prefix: string,
  options?: CallOptions,
): AsyncIterable<WatchEvent | SyncedEvent> {
  return watchEvents<WatchEvent | SyncedEvent>(requests.context, options, prefix, (queue) => {
    endWithConnection(requests, queue, prefix);
    const { store } = requests;
    const root = requests.keyOf(prefix);
    const push = (key: string) => queue.push(eventOf(requests, key), key);
    store.deliver(() => {
      for (const { key } of store.recordsBelow(root)) push(key);
      queue.push({ type: 'synced' });
      const changed = new Set<string>();
      const tell = notifier(requests, () => {
        for (const key of changed) push(key);
        changed.clear();
      });
      queue.onClose(
        store.watchers.onBelow(root, (key) => {
          changed.add(key);
          tell();
        }),
      );
    });
  });
}

/**
 * Has `show` called some moments later, once for all calls until then. It shows the state of that moment, so that no
 * state follows a later one.
 */
export function notifier(requests: Requests, show: () => void): () => void {
  let under = false;
  return () => {
    if (under) return;
    under = true;
    requests.store.deliver(() => {
      under = false;
      show();
    });
  };
}

function eventOf(requests: Requests, key: string): WatchEvent {
  const item = requests.store.record(key);
  const value = item === undefined ? undefined : requests.valueOf(item);
  return { type: 'record', path: requests.pathOf(key), value };
}

export function endWithConnection<T>(requests: Requests, queue: EventQueue<T>, path: string): void {
  queue.onClose(requests.onClose(() => queue.fail(interrupted(requests.context, path))));
}
