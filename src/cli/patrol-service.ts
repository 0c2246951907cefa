import type { Clock } from '../topo/clock.js';
import type { PatrolState, SeenWrite } from '../verify/patrol-options.js';
import type { Authority } from '../verify/settle.js';
import type { Flags } from './flags.js';
import type { Io } from './io.js';
import { patrolHealth } from './patrol-health.js';
import type { PatrolMetrics } from './patrol-metrics.js';
import { healthAnswer, listenOf, metricsAnswer, type Served, serve } from './serve.js';

/** What a patrol tells machines: metrics and health over HTTP. Without --listen it tells nobody. */
export class PatrolService {
  readonly #io: Io;
  readonly #clock: Clock;
  readonly #fullEveryMs: number;
  readonly #leftSide: Authority;
  readonly #startedAt: number;
  #state: () => PatrolState | undefined = () => undefined;
  #metrics: PatrolMetrics | undefined;
  #served: Served | undefined;

  /** `leftSide`: the one that is not the authority. */
  constructor(io: Io, clock: Clock, fullEveryMs: number, leftSide: Authority) {
    this.#leftSide = leftSide;
    this.#io = io;
    this.#clock = clock;
    this.#fullEveryMs = fullEveryMs;
    this.#startedAt = clock.now();
  }

  /** Begins to answer, where the flags say so, and says where. Usage when nobody can listen there. */
  async open(flags: Flags): Promise<string | undefined> {
    const listen = listenOf(flags);
    if (listen === undefined) return undefined;
    // Who serves nothing need not load it.
    const { PatrolMetrics } = await import('./patrol-metrics.js');
    const metrics = new PatrolMetrics(() => this.#state(), this.#leftSide);
    this.#metrics = metrics;
    this.#served = await serve(listen, {
      '/metrics': () => metricsAnswer(metrics.registry),
      '/healthz': () => healthAnswer(this.#health()),
    });
    this.#io.err(`metrics on ${this.#served.url}/metrics, health on ${this.#served.url}/healthz`);
    return this.#served.url;
  }

  readonly begin = (state: () => PatrolState): void => {
    this.#state = state;
  };

  readonly wrote = (write: SeenWrite): void => this.#metrics?.wrote(write);

  readonly passed = (_scope: string, ms: number): void => this.#metrics?.passed(ms);

  readonly failed = (_scope: string, error: unknown): void => this.#metrics?.failed(error);

  /** Answers no more. Idempotent. */
  async close(): Promise<void> {
    await this.#served?.close();
  }

  #health() {
    const times = { startedAt: this.#startedAt, now: this.#clock.now() };
    return patrolHealth(this.#state(), this.#fullEveryMs, times);
  }
}
