import type { Watcher, WatchSignal } from './client.js';
import { PersistentWatches, type WatchKind } from './persistent.js';

/** Event types of the protocol, with the kinds of watches each of them ends. */
const EVENTS = new Map<number, { readonly signal: WatchSignal; readonly kinds: readonly WatchKind[] }>([
  [1, { signal: 'created', kinds: ['data'] }],
  [2, { signal: 'deleted', kinds: ['data', 'children'] }],
  [3, { signal: 'dataChanged', kinds: ['data'] }],
  [4, { signal: 'childrenChanged', kinds: ['children'] }],
]);

/** The watches of a connection. */
export class Watches {
  readonly persistent = new PersistentWatches();
  readonly #watchers = { data: new Map<string, Watcher[]>(), children: new Map<string, Watcher[]>() };

  /** @param covered the server was not asked: it tells by a persistent watch, which must still be there */
  add(kind: WatchKind, path: string, watcher: Watcher, covered: boolean): void {
    if (covered && !this.persistent.isArmed(path)) {
      call(watcher, 'lost');
      return;
    }
    const known = this.#watchers[kind].get(path);
    if (known === undefined) this.#watchers[kind].set(path, [watcher]);
    else known.push(watcher);
  }

  /**
   * @param eventType number of the protocol; unknown ones, and those of paths without a watch, do nothing
   * @param zxid of the notification's header: -1 where the server does not tell
   */
  fire(eventType: number, path: string, zxid: bigint): void {
    const event = EVENTS.get(eventType);
    if (event === undefined) return;
    for (const kind of event.kinds) this.#end(kind, path, event.signal);
    this.persistent.fire({ signal: event.signal, path, zxid: zxid > 0n ? zxid : 0n });
  }

  /** Lets go of a one-shot watcher that was not told yet. */
  forget(path: string, watcher: Watcher): void {
    for (const byPath of Object.values(this.#watchers)) {
      const left = byPath.get(path)?.filter((each) => each !== watcher);
      if (left?.length === 0) byPath.delete(path);
      else if (left !== undefined) byPath.set(path, left);
    }
  }

  /** Tells the one-shot watchers of a path `lost`. */
  loseAt(path: string, ...kinds: readonly WatchKind[]): void {
    for (const kind of kinds) this.#end(kind, path, 'lost');
  }

  /** Tells every watcher `lost`. */
  lose(): void {
    for (const byPath of Object.values(this.#watchers)) {
      const all = [...byPath.values()].flat();
      byPath.clear();
      for (const watcher of all) call(watcher, 'lost');
    }
    this.persistent.lose();
  }

  #end(kind: WatchKind, path: string, signal: WatchSignal): void {
    const watchers = this.#watchers[kind].get(path) ?? [];
    this.#watchers[kind].delete(path);
    for (const watcher of watchers) call(watcher, signal);
  }
}

/** Not at once: the answer that set the watch is told before, and a watcher that throws harms no connection. */
function call(watcher: Watcher, signal: WatchSignal): void {
  queueMicrotask(() => watcher(signal));
}
