import type { Item } from './operation.js';

/** What is known of a record before its present state. */
export interface Past<I extends Item = Item> {
  /** Newest first; `item` undefined: there was no record from the moment `at` on. */
  readonly states: readonly { readonly item: I | undefined; readonly at: number }[];
  /** The moment of the last deletion, where the record is gone and that is known. */
  readonly deleted: number | undefined;
  /** Whether anything before may have been forgotten. */
  readonly compacted: boolean;
}

/** States kept at most, of all keys together, and their bytes. */
const MOST_STATES = 10_000;
const MOST_BYTES = 16 * 1024 * 1024;

/** What records were. Forgets the oldest states when there are too many, as a server compacts by itself. */
export class PastStates {
  /** Oldest first. */
  readonly #byKey = new Map<string, { readonly before: Item | undefined; readonly at: number }[]>();
  #changes: { readonly key: string; readonly bytes: number }[] = [];
  #bytes = 0;
  #forgotten = false;

  /** A change at the moment `at`, before which the record was `before`. */
  add(key: string, before: Item | undefined, at: number): void {
    const changes = this.#byKey.get(key) ?? [];
    this.#byKey.set(key, changes);
    changes.push({ before, at });
    const bytes = before?.bytes?.byteLength ?? 0;
    this.#changes.push({ key, bytes });
    this.#bytes += bytes;
    if (this.#changes.length > MOST_STATES || this.#bytes > MOST_BYTES) this.#forget();
  }

  of(key: string): Past {
    const changes = (this.#byKey.get(key) ?? []).toReversed();
    const states = changes.map(({ before }, index) => ({
      item: before,
      at: before?.modified ?? changes[index + 1]?.at ?? 0,
    }));
    // A deletion that is forgotten has left no state.
    while (states.at(-1)?.item === undefined && states.length > 0) states.pop();
    return { states, deleted: changes[0]?.at, compacted: this.#forgotten };
  }

  compact(): void {
    this.#byKey.clear();
    this.#changes = [];
    this.#bytes = 0;
    this.#forgotten = true;
  }

  /** Half of what is kept. */
  #forget(): void {
    for (const { key, bytes } of this.#changes.splice(0, Math.ceil(this.#changes.length / 2))) {
      const left = this.#byKey.get(key);
      left?.shift();
      if (left?.length === 0) this.#byKey.delete(key);
      this.#bytes -= bytes;
    }
    this.#forgotten = true;
  }
}
