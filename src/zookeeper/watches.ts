import type { Watcher, WatchSignal } from './client.js';

/** What a watch is for: a node's data and existence, or its list of children. */
export type WatchKind = 'data' | 'children';

/** Event types of the protocol, with the kinds of watches each of them ends. */
const EVENTS = new Map<number, { readonly signal: WatchSignal; readonly kinds: readonly WatchKind[] }>([
  [1, { signal: 'created', kinds: ['data'] }],
  [2, { signal: 'deleted', kinds: ['data', 'children'] }],
  [3, { signal: 'dataChanged', kinds: ['data'] }],
  [4, { signal: 'childrenChanged', kinds: ['children'] }],
]);

/** The one-shot watches of a connection. */
export class Watches {
  readonly #watchers = { data: new Map<string, Watcher[]>(), children: new Map<string, Watcher[]>() };

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const known = this.#watchers[kind].get(path);
    if (known === undefined) this.#watchers[kind].set(path, [watcher]);
    else known.push(watcher);
  }

  /** @param eventType number of the protocol; unknown ones, and those of paths without a watch, do nothing */
  fire(eventType: number, path: string): void {
    const event = EVENTS.get(eventType);
    for (const kind of event?.kinds ?? []) {
      const watchers = this.#watchers[kind].get(path) ?? [];
      this.#watchers[kind].delete(path);
      for (const watcher of watchers) call(watcher, event?.signal ?? 'lost');
    }
  }

  /** Tells every watcher `lost`. */
  lose(): void {
    for (const byPath of Object.values(this.#watchers)) {
      const all = [...byPath.values()].flat();
      byPath.clear();
      for (const watcher of all) call(watcher, 'lost');
    }
  }
}

/** Not at once: the answer that set the watch is told before, and a watcher that throws harms no connection. */
function call(watcher: Watcher, signal: WatchSignal): void {
  queueMicrotask(() => watcher(signal));
}
