import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CLASSES } from '../verify/classes.js';
import type { PatrolPartState, PatrolState, SeenWrite } from '../verify/patrol-options.js';
import type { Authority } from '../verify/settle.js';
import { errorCode } from './failure.js';
import { selectionText } from './verify-text.js';
import { version } from './version.js';

const PREFIX = 'topo2topo_patrol_';
const PASS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const VERDICTS = ['starting', 'equal', 'accepted', 'different', 'inconclusive', 'unknown'] as const;

/** The numbers of one patrol, for Prometheus. What is a state is asked for when it is read. */
export class PatrolMetrics {
  readonly registry = new Registry();
  readonly #writes: Counter;
  readonly #errors = new Counter({
    name: `${PREFIX}errors_total`,
    help: 'Failures that are tried again, by code.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly #passes = new Histogram({
    name: `${PREFIX}pass_duration_seconds`,
    help: 'Complete passes of a part, and how long each took.',
    buckets: PASS_SECONDS,
    registers: [this.registry],
  });

  /** `state`: the present one; undefined: it has not begun. `side`: the one that is not the authority. */
  constructor(state: () => PatrolState | undefined, side: Authority) {
    const registers = [this.registry];
    this.#writes = new Counter({
      name: `${PREFIX}writes_total`,
      help: 'Writes seen in the store that is not the authority; mirrored: as the authority has it.',
      labelNames: ['side', 'cell', 'mirrored'],
      registers,
      collect() {
        // What never happened is 0, not absent: an alert on an increase needs the first one, too.
        for (const { scope } of state()?.parts ?? [])
          for (const mirrored of ['true', 'false']) this.inc({ side, cell: scope, mirrored }, 0);
      },
    });
    const build = { name: 'topo2topo_build_info', help: 'Version of topo2topo.', labelNames: ['version'] };
    new Gauge({ ...build, registers }).set({ version: version() }, 1);
    new Gauge({
      name: `${PREFIX}verdict`,
      help: '1 for the present verdict, 0 for the others; selection: what it is narrowed to, absent: nothing.',
      labelNames: ['verdict', 'selection'],
      registers,
      collect() {
        const { verdict: now = 'starting', selection } = state() ?? {};
        const narrowed = selection === undefined ? {} : { selection: selectionText(selection) };
        this.reset();
        for (const verdict of VERDICTS) this.set({ verdict, ...narrowed }, Number(verdict === now));
      },
    });
    new Gauge({
      name: `${PREFIX}differences`,
      help: 'Records that differ, by class; in-flight: another difference each time.',
      labelNames: ['cell', 'class'],
      registers,
      collect() {
        this.reset();
        for (const { scope, classes } of state()?.parts ?? [])
          for (const each of CLASSES.slice(1)) this.set({ cell: scope, class: each }, classes.get(each) ?? 0);
      },
    });
    const byCell = (name: string, help: string, value: (part: PatrolPartState) => number | undefined) =>
      new Gauge({
        name: `${PREFIX}${name}`,
        help,
        labelNames: ['cell'],
        registers,
        collect() {
          this.reset();
          for (const part of state()?.parts ?? []) {
            const number = value(part);
            if (number !== undefined) this.set({ cell: part.scope }, number);
          }
        },
      });
    byCell('records_compared', 'Records compared by the last complete pass.', ({ compared }) => compared);
    byCell('records_undecided', 'Records that differ and have not stood still yet.', ({ open }) => open);
    byCell('readable', 'Whether both stores could be read.', ({ failure }) => Number(failure === undefined));
    byCell('watched', 'Whether both stores tell of changes.', ({ watched }) => Number(watched));
    byCell('last_pass_timestamp_seconds', 'When the last complete pass ended.', ({ passed }) =>
      passed === undefined ? undefined : passed / 1000,
    );
    const counted = (name: string, help: string, value: (now: PatrolState) => number) =>
      new Counter({
        name: `${PREFIX}${name}`,
        help,
        registers,
        collect() {
          const now = state();
          this.reset();
          this.inc(now === undefined ? 0 : value(now));
        },
      });
    counted('verdict_changes_total', 'Times that the verdict changed.', ({ changes }) => changes);
    counted('watch_restarts_total', 'Watches that were lost and began again.', ({ restarts }) => restarts);
    counted(
      'records_reread_total',
      'Records that were read again since they moved or differed.',
      ({ parts }) => parts.reduce((sum, { reread }) => sum + reread, 0),
    );
  }

  wrote({ side, scope, mirrored }: SeenWrite): void {
    this.#writes.inc({
      side,
      cell: scope,
      mirrored: mirrored === undefined ? 'unknown' : String(mirrored),
    });
  }

  /** A complete pass of a part ended, which took so many milliseconds. */
  passed(ms: number): void {
    this.#passes.observe(ms / 1000);
  }

  failed(error: unknown): void {
    this.#errors.inc({ code: errorCode(error) });
  }
}
