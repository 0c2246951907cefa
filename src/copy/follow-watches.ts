import { setMaxListeners } from 'node:events';
import { interrupted } from '../topo/calls.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { FollowedPart } from './follow-part.js';
import type { CopyOptions } from './options.js';
import { sleep } from './pace.js';

/** How long to wait after a failure, in milliseconds. */
export const PAUSE_MS = 1_000;

/** What a follower does about its watches. */
export interface WatchEvents {
  /** The changes of a part are not told of any more, and why. */
  readonly onLost: (part: FollowedPart, error: unknown) => void;
  /** A watch that was lost began again; what was missed in between a complete pass finds. */
  readonly onBack: () => void;
}

/** The watches of all parts. Each one that is lost begins again, as often as it takes. */
export class Watches {
  readonly #options: CopyOptions;
  readonly #events: WatchEvents;
  readonly #stop: AbortController;
  /** Parts whose changes nobody tells of now. */
  readonly #missing = new Set<FollowedPart>();
  #restarts = 0;

  constructor(options: CopyOptions, events: WatchEvents) {
    this.#options = options;
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

  has(part: FollowedPart): boolean {
    return !this.#missing.has(part);
  }

  /** Watches a part until {@link stop}; resolves once it does, rejects when it never did. */
  async begin(part: FollowedPart): Promise<void> {
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
          await sleep(this.#options.clock, PAUSE_MS, signal).catch(() => {});
        }
      };
      void goOn().finally(() => reject(interrupted({ store: part.part.scope }, undefined, signal.reason)));
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  #watched(part: FollowedPart, first: boolean): void {
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
