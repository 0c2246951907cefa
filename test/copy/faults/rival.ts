import type { Random } from '../../../src/topo/clock.js';
import type { Connection } from '../../../src/topo/connection.js';
import { isTopologyError } from '../../../src/topo/errors.js';
import { find } from '../../../src/topo/find.js';
import { pause, utf8 } from '../../conformance/tools.js';
import { keepWriting } from '../../conformance/writers.js';

const BETWEEN_MS = 5;
const CALL_MS = 2_000;
const REFUSALS = ['NodeExists', 'BadVersion', 'NoNode'] as const;

/** What somebody else knows of a record that he wrote. */
interface Known {
  /** What he wrote last and was told of. */
  acknowledged: string | undefined;
  /** What he may have written, not being told. */
  readonly doubtful: Set<string>;
  /** Whether he ever deleted it and made it again. */
  recreated: boolean;
}

/** A write that somebody else was told of, and that is not there any more. */
export interface Loss {
  readonly path: string;
  readonly wrote: string;
  readonly found: string | undefined;
  readonly recreated: boolean;
}

/**
 * Somebody else who writes to the destination, as fast as it goes: he makes records, changes them in the state in which he read
 * them, deletes them and makes them again. Before each write he looks whether his last one is still there.
 */
export class Rival {
  readonly losses: Loss[] = [];
  acknowledged = 0;
  readonly #store: Connection;
  readonly #paths: readonly string[];
  readonly #random: Random;
  readonly #known = new Map<string, Known>();
  readonly #writing: { stop: () => Promise<void> };

  /** Begins at once. `paths`: what he writes; he remembers nothing of what he finds there at first. */
  constructor(store: Connection, paths: readonly string[], random: Random) {
    this.#store = store;
    this.#paths = paths;
    this.#random = random;
    this.#writing = keepWriting(async (i) => {
      await this.#step(`theirs ${i}`);
      await pause(BETWEEN_MS);
    });
  }

  stop(): Promise<void> {
    return this.#writing.stop();
  }

  /** The records of which he wrote any. */
  get touched(): ReadonlySet<string> {
    return new Set(this.#known.keys());
  }

  /** Looks at all that he wrote for the last time. */
  async check(): Promise<void> {
    for (const path of this.touched) this.#compare(path, await this.#read(path));
  }

  async #step(text: string): Promise<void> {
    const path = this.#paths[Math.floor(this.#random() * this.#paths.length)] ?? '';
    const found = await this.#read(path);
    this.#compare(path, found);
    const known = this.#known.get(path) ?? {
      acknowledged: undefined,
      doubtful: new Set(),
      recreated: false,
    };
    this.#known.set(path, known);
    const call = { deadline: Date.now() + CALL_MS };
    if (found === undefined) {
      await this.#write(known, text, () => this.#store.create(path, utf8(text), call));
      return;
    }
    if (this.#random() < 0.7) {
      await this.#write(known, text, () => this.#store.update(path, utf8(text), found.version, call));
      return;
    }
    // From here on anything may be there: only what he makes in its place must stay.
    const before = known.acknowledged;
    known.acknowledged = undefined;
    known.recreated = true;
    if (before !== undefined) known.doubtful.add(before);
    try {
      await this.#store.delete(path, found.version, call);
    } catch (error) {
      if (!isTopologyError(error, ...REFUSALS)) throw error;
      known.acknowledged = before;
      return;
    }
    await this.#write(known, text, () => this.#store.create(path, utf8(text), call));
  }

  async #write(known: Known, text: string, send: () => Promise<unknown>): Promise<void> {
    known.doubtful.add(text);
    try {
      await send();
    } catch (error) {
      if (!isTopologyError(error, ...REFUSALS)) throw error;
      known.doubtful.delete(text);
      return;
    }
    known.doubtful.delete(text);
    known.acknowledged = text;
    this.acknowledged += 1;
  }

  async #read(path: string) {
    const value = await find(this.#store, path, { deadline: Date.now() + CALL_MS });
    return value && { version: value.version, text: Buffer.from(value.bytes).toString() };
  }

  #compare(path: string, found: { readonly text: string } | undefined): void {
    const known = this.#known.get(path);
    if (known?.acknowledged === undefined) return;
    if (found?.text === known.acknowledged || (found !== undefined && known.doubtful.has(found.text))) return;
    this.losses.push({
      path,
      wrote: known.acknowledged,
      found: found?.text,
      recreated: known.recreated,
    });
    known.acknowledged = undefined;
  }
}
