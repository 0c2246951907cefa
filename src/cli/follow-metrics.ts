import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ForeignWrite } from '../copy/conflicts.js';
import type { WriteEntry } from '../copy/entries.js';
import type { FollowState } from '../copy/follow-options.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { errorCode } from './failure.js';
import { version } from './version.js';

const PREFIX = 'topo2topo_follow_';
const PASS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const PHASES = ['starting', 'copying', 'following', 'failing', 'stopped'] as const;

/** The numbers of one follower, for Prometheus. What is a state is asked for when it is read. */
export class FollowMetrics {
  readonly registry = new Registry();
  readonly #state: () => FollowState | undefined;
  #isStopped = false;
  readonly #written = this.#counter('records_written_total', 'Records written to the destination.', [
    'cell',
    'kind',
    'action',
  ]);
  readonly #passes = new Histogram({
    name: `${PREFIX}pass_duration_seconds`,
    help: 'Complete passes, and how long each took.',
    buckets: PASS_SECONDS,
    registers: [this.registry],
  });
  readonly #errors = this.#counter('errors_total', 'Failures, tried again or not, by code.', ['code']);
  readonly #foreign = this.#counter(
    'foreign_writes_total',
    'Foreign writes in the destination that stopped it.',
  );
  readonly #guards = this.#counter('guard_stops_total', 'Times that a guard stopped it: 1 at most.');

  /** `state`: the present one, in the follower's own time; undefined: it has not begun. */
  constructor(state: () => FollowState | undefined) {
    this.#state = state;
    const { registry } = this;
    new Gauge({
      name: 'topo2topo_build_info',
      help: 'Version of topo2topo.',
      labelNames: ['version'],
      registers: [registry],
    }).set({ version: version() }, 1);
    const gauge = (name: string, help: string, value: (state: FollowState) => number | undefined) =>
      new Gauge({
        name: `${PREFIX}${name}`,
        help,
        registers: [registry],
        collect() {
          const now = state();
          const number = now === undefined ? undefined : value(now);
          if (number === undefined) this.remove();
          else this.set(number);
        },
      });
    gauge('lag_seconds', 'Seconds since the destination was equal for certain.', ({ lagMs }) => lagMs / 1000);
    gauge('last_pass_timestamp_seconds', 'When the last complete pass ended.', ({ passed }) =>
      passed === undefined ? undefined : passed / 1000,
    );
    const byCell = (name: string, help: string, value: (part: FollowState['parts'][number]) => number) =>
      new Gauge({
        name: `${PREFIX}${name}`,
        help,
        labelNames: ['cell'],
        registers: [registry],
        collect() {
          for (const part of state()?.parts ?? []) this.set({ cell: part.scope }, value(part));
        },
      });
    byCell('records_pending', 'Records that may differ now.', ({ waiting }) => waiting);
    byCell(
      'records_unknown',
      'Records of the destination in a state that nobody knows: of another follower, or a foreign write.',
      ({ strange }) => strange,
    );
    byCell('watched', 'Whether the source tells of changes.', ({ watched }) => Number(watched));
    this.#counted(
      'watch_restarts_total',
      'Times that a watch was lost and began again.',
      (now) => now.restarts,
    );
    const phaseNow = () => (this.#isStopped ? 'stopped' : (this.#state()?.phase ?? 'starting'));
    new Gauge({
      name: `${PREFIX}phase`,
      help: 'What it does: 1 for the present phase, 0 for the others.',
      labelNames: ['phase'],
      registers: [registry],
      collect() {
        for (const phase of PHASES) this.set({ phase }, Number(phase === phaseNow()));
      },
    });
    // What never happened is 0, not absent: an alert on an increase needs the first one, too.
    this.#foreign.inc(0);
    this.#guards.inc(0);
  }

  written(scope: string, entries: readonly WriteEntry[]): void {
    for (const { kind, action } of entries) this.#written.inc({ cell: scope, kind, action });
  }

  /** A complete pass ended, which took so many milliseconds. */
  passed(ms: number): void {
    this.#passes.observe(ms / 1000);
  }

  failed(error: unknown): void {
    this.#errors.inc({ code: errorCode(error) });
  }

  /** The follower ended by a failure. */
  stopped(error: unknown): void {
    this.#isStopped = true;
    this.failed(error);
    if (error instanceof ForeignWrite) this.#foreign.inc();
    if (isTopologyError(error, ErrorCode.Guard)) this.#guards.inc();
  }

  #counter(name: string, help: string, labelNames: string[] = []) {
    return new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.registry] });
  }

  /** A counter that the follower itself keeps. */
  #counted(name: string, help: string, value: (state: FollowState) => number): void {
    const state = this.#state;
    new Counter({
      name: `${PREFIX}${name}`,
      help,
      registers: [this.registry],
      collect() {
        const now = state();
        this.reset();
        this.inc(now === undefined ? 0 : value(now));
      },
    });
  }
}
