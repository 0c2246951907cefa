import type { Clock } from '../../topo/clock.js';
import type { Entry } from './tree.js';

/** A new state of a record; undefined: it does not exist any more. */
export interface Changed {
  readonly scope: string;
  readonly path: string;
  readonly entry: Entry | undefined;
}

/** Somebody who is told of changes. */
export interface Follower {
  /** After each change that is on the disk. */
  changed(changes: readonly Changed[]): void;
  /** The file can no longer be read. */
  failed(error: unknown): void;
}

/** Milliseconds between looks at the file while somebody follows it. */
const POLL_MS = 250;

/** Those who follow one file. While there are any, `look` is called again and again, to find what others wrote. */
export class Followers {
  readonly #clock: Clock;
  readonly #look: () => Promise<void>;
  readonly #all = new Set<Follower>();
  #polling = false;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, look: () => Promise<void>) {
    this.#clock = clock;
    this.#look = look;
  }

  /** The answer takes the follower out again. */
  add(follower: Follower): () => void {
    this.#all.add(follower);
    if (!this.#polling) this.#poll();
    return () => {
      this.#all.delete(follower);
      if (this.#all.size > 0 || this.#cancel === undefined) return;
      this.#cancel();
      this.#cancel = undefined;
      this.#polling = false;
    };
  }

  tell(changes: readonly Changed[]): void {
    if (changes.length === 0) return;
    for (const follower of [...this.#all]) follower.changed(changes);
  }

  #poll(): void {
    this.#polling = true;
    this.#cancel = this.#clock.schedule(POLL_MS, async () => {
      this.#cancel = undefined;
      try {
        await this.#look();
      } catch (error) {
        for (const follower of [...this.#all]) follower.failed(error);
      }
      if (this.#all.size > 0) this.#poll();
      else this.#polling = false;
    });
  }
}
