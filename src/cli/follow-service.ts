import type { WriteEntry } from '../copy/entries.js';
import type { FollowState } from '../copy/follow-options.js';
import type { Clock } from '../topo/clock.js';
import { sleep } from '../topo/sleep.js';
import { type FlagSpec, textFlag } from './command.js';
import { parseDuration } from './durations.js';
import { allSentences, errorCode } from './failure.js';
import { type Flags, text } from './flags.js';
import { followHealth, type HealthLimits, type Stopped } from './follow-health.js';
import type { FollowMetrics } from './follow-metrics.js';
import type { Io } from './io.js';
import { printable } from './lists.js';
import { healthAnswer, LISTEN_FLAG, listenOf, metricsAnswer, type Served, serve } from './serve.js';

/** Flags of a follower that is watched by machines. */
export const SERVICE_FLAGS: readonly FlagSpec[] = [
  LISTEN_FLAG,
  textFlag('max-lag', 'with --listen: how far behind a healthy follower may be', { preset: '60s' }),
  textFlag(
    'linger',
    'with --listen: how long to answer after a guard or a failure stopped it, or until Ctrl-C',
    {
      preset: '60s',
    },
  ),
];

/** What a follower tells machines: metrics and health over HTTP. Without --listen it tells nobody. */
export class FollowService {
  readonly #io: Io;
  readonly #clock: Clock;
  readonly #limits: HealthLimits;
  readonly #lingerMs: number;
  readonly #startedAt: number;
  #state: () => FollowState | undefined = () => undefined;
  #stopped: Stopped | undefined;
  #metrics: FollowMetrics | undefined;
  #served: Served | undefined;

  /** Usage for flags that are not understood. */
  constructor(flags: Flags, io: Io, clock: Clock) {
    this.#io = io;
    this.#clock = clock;
    this.#startedAt = clock.now();
    const duration = (name: string) => parseDuration(text(flags, name) ?? '', `--${name}`);
    this.#limits = { maxLagMs: duration('max-lag'), passEveryMs: duration('pass-every') };
    this.#lingerMs = duration('linger');
  }

  /** Begins to answer, where the flags say so, and says where. Usage when nobody can listen there. */
  async open(flags: Flags): Promise<string | undefined> {
    const listen = listenOf(flags);
    if (listen === undefined) return undefined;
    // Who serves nothing need not load it.
    const { FollowMetrics } = await import('./follow-metrics.js');
    const metrics = new FollowMetrics(() => this.#state());
    this.#metrics = metrics;
    this.#served = await serve(listen, {
      '/metrics': () => metricsAnswer(metrics.registry),
      '/healthz': () => healthAnswer(this.#health()),
    });
    this.#io.err(`metrics on ${this.#served.url}/metrics, health on ${this.#served.url}/healthz`);
    return this.#served.url;
  }

  readonly begin = (state: () => FollowState): void => {
    this.#state = state;
  };

  readonly written = (scope: string, entries: readonly WriteEntry[]): void =>
    this.#metrics?.written(scope, entries);

  readonly passed = (ms: number): void => this.#metrics?.passed(ms);

  readonly failed = (error: unknown): void => this.#metrics?.failed(error);

  /**
   * The follower stopped by a failure. If it had followed, answers for a while, so that whoever watches learns why; the signal ends
   * that.
   */
  async stopped(error: unknown, signal: AbortSignal): Promise<void> {
    this.#stopped = { error };
    this.#metrics?.stopped(error);
    if (this.#served === undefined || signal.aborted || (this.#state()?.passes ?? 0) === 0) return;
    this.#io.err(
      `stopped: ${printable(allSentences(error))} [${errorCode(error)}]; /healthz says so for ${this.#lingerMs / 1000} s, or until Ctrl-C`,
    );
    await sleep(this.#clock, this.#lingerMs, signal);
  }

  /** Answers no more. Idempotent. */
  async close(): Promise<void> {
    await this.#served?.close();
  }

  #health() {
    const times = { startedAt: this.#startedAt, now: this.#clock.now() };
    return followHealth(this.#state(), this.#stopped, this.#limits, times);
  }
}
