import { ErrorCode, TopologyError } from '../topo/errors.js';
import { sleep } from '../topo/sleep.js';
import { PAUSE_MS, Watches } from '../topo/watches.js';
import type { PatrolOptions, PatrolPartState } from './patrol-options.js';
import type { PatrolPart } from './patrol-part.js';
import { PatrolSide } from './patrol-side.js';

/** How long the first reading waits for watches that do not begin, in milliseconds. */
const BEGIN_MS = 5 * PAUSE_MS;

/** One part, gone over again and again until it is stopped. */
export class PatrolRunner {
  readonly part: PatrolPart;
  /** Whether it was there from the beginning: what cannot be read then ends the patrol. */
  readonly isInitial: boolean;
  /** When it began, in milliseconds. */
  readonly began: number;
  readonly #options: PatrolOptions;
  readonly #stop = new AbortController();
  readonly #watches: Watches<PatrolSide>;
  readonly #sides: readonly PatrolSide[];
  #isWatched = false;

  constructor(part: PatrolPart, isInitial: boolean, options: PatrolOptions) {
    this.part = part;
    this.isInitial = isInitial;
    this.#options = options;
    this.began = options.clock.now();
    this.#watches = new Watches<PatrolSide>(
      { clock: options.clock, signal: this.#stop.signal },
      {
        onLost: (side, error) => {
          options.onFailure?.(side.part.scope, error);
          part.lost();
        },
        onBack: () => part.lost(),
      },
    );
    this.#sides = (['source', 'destination'] as const).flatMap((side) => {
      const store = part.stores[side];
      return store?.capabilities.watchRecursive === true ? [new PatrolSide(part, side, store)] : [];
    });
  }

  get restarts(): number {
    return this.#watches.restarts;
  }

  state(): PatrolPartState {
    const { source, destination } = this.part.stores;
    const stores = [source, destination].filter((store) => store !== undefined).length;
    const isAll = stores === this.#sides.length;
    return this.part.state(isAll && this.#isWatched && this.#watches.isComplete);
  }

  stop(): void {
    this.#stop.abort();
    this.#watches.stop();
  }

  /** Goes on until {@link stop}. `onRound` is called after each round. Throws what no later round can mend. */
  async run(onRound: () => void): Promise<void> {
    try {
      await this.#goOn(onRound);
    } finally {
      this.part.end();
    }
  }

  async #goOn(onRound: () => void): Promise<void> {
    const { signal } = this.#stop;
    const { clock, intervalMs, onFailure } = this.#options;
    await this.#watch();
    while (!signal.aborted) {
      try {
        await this.part.step();
      } catch (error) {
        if (signal.aborted) return;
        const isOver = !(error instanceof TopologyError) || error.code === ErrorCode.Interrupted;
        if (isOver || (this.isInitial && !this.part.wasKnown)) throw error;
        onFailure?.(this.part.scope, error);
      }
      if (signal.aborted) return;
      onRound();
      await sleep(clock, intervalMs, signal);
    }
  }

  /** Begins to watch, so that the first reading misses nothing; it does not wait for ever. */
  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    let isLate = false;
    const begun = Promise.allSettled(this.#sides.map((side) => this.#watches.begin(side))).then(() => {
      this.#isWatched = true;
      if (isLate) this.part.lost();
    });
    await Promise.race([begun, sleep(this.#options.clock, BEGIN_MS, signal)]);
    isLate = true;
  }
}
