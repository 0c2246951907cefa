import { isPassing } from '../../../src/copy/passing.js';
import { pause } from '../../conformance/tools.js';
import type { Places } from '../followers.js';
import { VOLATILE } from './source-writer.js';
import { StartingTablets } from './vttablet.js';

const BETWEEN_MS = 50;

/** Tries again and again to start as a vttablet does. */
export class Onlooker {
  readonly #tablets: StartingTablets;
  readonly #looking: Promise<void>;
  #isStopped = false;
  /** What was missing when it could have started. */
  readonly #missed = new Set<string>();

  private constructor(tablets: StartingTablets) {
    this.#tablets = tablets;
    this.#looking = this.#look();
    this.#looking.catch(() => {});
  }

  /** Begins at once; whatever goes on in the source meanwhile is about records that it does not need. */
  static async at(places: Places): Promise<Onlooker> {
    return new Onlooker(await StartingTablets.of(places, VOLATILE));
  }

  /** Ends it. What it found to be missing when its cell was open. */
  async stop(): Promise<string[]> {
    this.#isStopped = true;
    await this.#looking.finally(() => this.#tablets.close());
    return [...this.#missed];
  }

  async #look(): Promise<void> {
    while (!this.#isStopped) {
      try {
        for (const path of await this.#tablets.missing()) this.#missed.add(path);
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      await pause(BETWEEN_MS);
    }
  }
}
