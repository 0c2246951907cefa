import type { WriteEntry } from '../copy/entries.js';
import type { FollowState } from '../copy/follow-options.js';
import type { CopyProgress } from '../copy/options.js';
import type { Plan } from '../copy/plan.js';
import type { Clock } from '../topo/clock.js';
import { failureJson } from './failure.js';
import {
  addWritten,
  endJson,
  endText,
  passJson,
  stateJson,
  stateLines,
  stateText,
  type WrittenCounts,
} from './follow-text.js';
import { type Io, jsonLine } from './io.js';
import { copyProgress, LINE_EVERY_MS } from './progress.js';
import { Screen } from './screen.js';

/** What a follower tells while it runs: a live view on a terminal, lines elsewhere, events for programs. */
export class FollowView {
  readonly #io: Io;
  readonly #clock: Clock;
  readonly #asJson: boolean;
  /** Where it is drawn, for somebody who sees the results on the same terminal. */
  readonly #screen: Screen | undefined;
  /** Of the first pass. */
  readonly #progress: ReturnType<typeof copyProgress>;
  readonly #written: WrittenCounts = { create: 0, update: 0, rewrite: 0, transcode: 0, delete: 0 };
  #state: () => FollowState | undefined = () => undefined;
  #plan: Plan | undefined;
  #passes = 0;
  #cancel = (): void => {};
  /** What was told last, without what grows by itself, and when. */
  #told = { phase: '', what: '', at: 0 };

  constructor(io: Io, clock: Clock, asJson: boolean) {
    this.#io = io;
    this.#clock = clock;
    this.#asJson = asJson;
    this.#screen = asJson || io.screen === undefined || !io.outIsTerminal ? undefined : new Screen(io.screen);
    this.#progress = copyProgress(io, { clock, asJson, ...(asJson ? { tell: io.out } : {}) });
  }

  /** The plan of the last complete pass. */
  get plan(): Plan {
    return this.#plan ?? { scopes: [], cells: [] };
  }

  readonly retried = (scope: string, error: unknown): void => this.#progress.retried(scope, error);

  readonly begin = (state: () => FollowState): void => {
    this.#state = state;
    this.#tick();
  };

  readonly progress = (event: CopyProgress): void => {
    // Later passes are told of when they are over.
    if (this.#passes > 0) return;
    this.#screen?.clear();
    this.#progress.update(event);
  };

  readonly written = (_scope: string, entries: readonly WriteEntry[]): void =>
    addWritten(this.#written, entries);

  readonly passed = (plan: Plan, ms: number): void => {
    this.#plan = plan;
    this.#passes += 1;
    this.#progress.pause();
    if (this.#asJson) this.#io.out(jsonLine(passJson(plan, this.#passes, ms)));
  };

  readonly failed = (error: unknown, scope: string | undefined): void => {
    if (this.#asJson) this.#io.out(jsonLine({ type: 'failure', scope, ...failureJson(error) }));
  };

  /** Tells of a state at once when the phase is another one. */
  readonly changed = (state: FollowState): void => {
    if (state.phase !== this.#told.phase) this.#tell(state);
  };

  /** Stops drawing. Idempotent. */
  pause(): void {
    this.#cancel();
    this.#progress.pause();
    this.#screen?.clear();
  }

  /** Tells of the end. */
  end(state: FollowState, next: readonly string[]): void {
    this.pause();
    const end = { state, written: this.#written, plan: this.#plan, next };
    this.#io.out(this.#asJson ? jsonLine(endJson(end)) : endText(this.#io, end));
  }

  #tick(): void {
    const state = this.#state();
    if (state !== undefined && (this.#passes > 0 || state.phase === 'failing')) {
      this.#progress.pause();
      this.#screen?.draw(stateLines(this.#io, state, this.#clock.now()));
      const isDue = this.#clock.now() - this.#told.at >= LINE_EVERY_MS;
      if (this.#screen === undefined && isDue && (state.lagMs > 0 || this.#told.what !== essence(state)))
        this.#tell(state);
    }
    this.#cancel = this.#clock.schedule(TICK_MS, () => this.#tick());
  }

  #tell(state: FollowState): void {
    this.#told = { phase: state.phase, what: essence(state), at: this.#clock.now() };
    if (this.#screen !== undefined) return;
    this.#io.out(this.#asJson ? jsonLine(stateJson(state)) : stateText(this.#io, state));
  }
}

const TICK_MS = 1_000;

/** What of a state does not change by the mere passing of time. */
function essence({ phase, passes, written, waiting, failures, restarts }: FollowState): string {
  return [phase, passes, written, waiting, failures, restarts].join();
}
