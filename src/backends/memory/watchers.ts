import { isBelow } from '../../topo/paths.js';

/** Who wants to know of changes to which keys. Listeners are told at once, in the middle of the change: they only take note. */
export class Watchers {
  readonly #one = new Map<string, Set<() => void>>();
  readonly #below = new Set<{ readonly prefix: string; readonly listener: (key: string) => void }>();

  /** Follows the record at `key`; the answer ends it. */
  onKey(key: string, listener: () => void): () => void {
    const listeners = this.#one.get(key) ?? new Set();
    this.#one.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#one.get(key) === listeners) this.#one.delete(key);
    };
  }

  /** Follows all records below `prefix`; the answer ends it. */
  onBelow(prefix: string, listener: (key: string) => void): () => void {
    const entry = { prefix, listener };
    this.#below.add(entry);
    return () => this.#below.delete(entry);
  }

  notify(key: string): void {
    for (const listener of this.#one.get(key) ?? []) listener();
    for (const { prefix, listener } of this.#below) if (isBelow(key, prefix)) listener(key);
  }
}
