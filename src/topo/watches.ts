import { setMaxListeners } from 'node:events';
import { interrupted } from './calls.js';
import type { Clock } from './clock.js';
import type { CallOptions } from './connection.js';
import { ErrorCode, TopologyError } from './errors.js';
import { sleep } from './sleep.js';

/** How long to wait after a failure, in milliseconds. */
export const PAUSE_MS = 1_000;

/** Something whose changes are told of. */
export interface Watched {
  /** Its name, for messages. */
  readonly scope: string;
  /** Watches until that is lost (throws) or the signal fires; `synced` is called once every later change will be told of. */
  watch(signal: AbortSignal, synced: () => void): Promise<void>;
}

/** What is done about watches. */
export interface WatchEvents<T extends Watched> {
  /** The changes of a part are not told of any more, and why. */
  readonly onLost: (part: T, error: unknown) => void;
  /** A watch that was lost began again; what was missed in between a complete pass finds. */
  readonly onBack: () => void;
}

/** The watches of all parts. Each one that is lost begins again, as often as it takes. */
export class Watches<T extends Watched> {
  readonly #clock: Clock;
  readonly #events: WatchEvents<T>;
  readonly #stop: AbortController;
  /** Parts whose changes nobody tells of now. */
  readonly #missing = new Set<T>();
  #restarts = 0;

  constructor(options: CallOptions & { readonly clock: Clock }, events: WatchEvents<T>) {
    this.#clock = options.clock;
    this.#events = events;
    this.#stop = linked(options);
  }

  /** Times that a watch began again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Whether the changes of every part are told of. */
  get isComplete(): boolean {
    return this.#missing.size === 0;
  }

  has(part: T): boolean {
    return !this.#missing.has(part);
  }

  /** Watches a part until {@link stop}; resolves once it does, rejects when it never did. */
  async begin(part: T): Promise<void> {
    const { signal } = this.#stop;
    await new Promise<void>((resolve, reject) => {
      const goOn = async () => {
        for (let first = true; !signal.aborted; first = false) {
          const error = await part
            .watch(signal, () => {
              this.#watched(part, first);
              resolve();
            })
            .then(
              () => new TopologyError(ErrorCode.WatchLost, 'the watch ended'),
              (failure: unknown) => failure,
            );
          if (signal.aborted) return;
          // Without effect once it was watched.
          reject(error);
          this.#missing.add(part);
          this.#events.onLost(part, error);
          await sleep(this.#clock, PAUSE_MS, signal);
        }
      };
      void goOn().finally(() => reject(interrupted({ store: part.scope }, undefined, signal.reason)));
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  #watched(part: T, first: boolean): void {
    this.#missing.delete(part);
    if (first) return;
    this.#restarts += 1;
    this.#events.onBack();
  }
}

/** A signal of its own for the watches of a call, that fires with the call's. */
function linked(options: CallOptions): AbortController {
  const controller = new AbortController();
  const { signal } = options;
  if (signal?.aborted === true) controller.abort(signal.reason);
  if (signal !== undefined) setMaxListeners(0, signal);
  signal?.addEventListener('abort', () => controller.abort(signal.reason), {
    once: true,
    signal: controller.signal,
  });
  setMaxListeners(0, controller.signal);
  return controller;
}
