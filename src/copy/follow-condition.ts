import type { Clock } from '../topo/clock.js';
import type { FollowState } from './follow-options.js';

/** How well a follower is: what failed, and since when nobody knows whether the destination is equal. */
export class Condition {
  readonly #clock: Clock;
  #phase: FollowState['phase'] = 'copying';
  #passes = 0;
  #failures = 0;
  #failure: unknown;
  #passed: number | undefined;
  /** Since when something may differ that is not known to wait, in milliseconds. */
  #unsure: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#unsure = clock.now();
  }

  /** When the last complete pass ended, in milliseconds since the epoch; undefined: there was none. */
  get passed(): number | undefined {
    return this.#passed;
  }

  /** All that had to be done is done. */
  isWell(): void {
    this.#failure = undefined;
    this.#phase = 'following';
  }

  /** A failure that is tried again. */
  note(error: unknown): void {
    this.#failures += 1;
    this.#failure = error;
  }

  /** Both stores can do nothing until it is over. */
  isFailing(): void {
    this.#unsure ??= this.#passed ?? this.#clock.now();
    this.#phase = 'failing';
  }

  /** Changes are not told of. */
  isUnsure(): void {
    this.#unsure ??= this.#clock.now();
  }

  /** A complete pass ended. `hasAll`: every change since it `began` (in milliseconds) is told of. */
  isPassed(began: number, hasAll: boolean): void {
    this.#passes += 1;
    this.#passed = this.#clock.now();
    this.#unsure = hasAll ? undefined : began;
  }

  state(): Pick<FollowState, 'phase' | 'passes' | 'failures' | 'failure' | 'passed'> & {
    readonly unsureMs: number;
  } {
    return {
      phase: this.#phase,
      passes: this.#passes,
      failures: this.#failures,
      failure: this.#failure,
      passed: this.#passed,
      unsureMs: this.#unsure === undefined ? 0 : this.#clock.now() - this.#unsure,
    };
  }
}
