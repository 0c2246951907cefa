import type { CopyProgress } from '../copy/options.js';
import type { Clock } from '../topo/clock.js';
import { errorCode } from './failure.js';

/** How far the global store or a cell's is. */
export interface Row {
  readonly scope: string;
  readonly phase: CopyProgress['phase'];
  /** Paths that either side lists. */
  readonly listed: number;
  /** Records of the source that were read. */
  readonly read: number;
  readonly written: number;
  /** Records to write; undefined: not known yet. */
  readonly toWrite: number | undefined;
  /** Records read or written per second, of late. */
  readonly perSecond: number;
  /** Milliseconds until the phase is over, at this rate; undefined: not known. */
  readonly remainingMs: number | undefined;
  /** Failures that were tried again, and the code of the last one. */
  readonly errors: number;
  readonly lastError: string | undefined;
}

interface Counts {
  phase: CopyProgress['phase'];
  listed: number;
  read: number;
  written: number;
  toWrite: number | undefined;
  errors: number;
  lastError: string | undefined;
  speed: Speed;
}

/** What a copy tells of its progress, by cell. */
export class ProgressRows {
  readonly #clock: Clock;
  readonly #rows = new Map<string, Counts>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  update({ phase, scope, listed, records, total }: CopyProgress): void {
    const row = this.#row(scope);
    if (row.phase !== phase) row.speed = new Speed();
    row.phase = phase;
    row.listed = listed;
    if (phase === 'read') row.read = records;
    else {
      row.written = records;
      row.toWrite = total;
    }
    row.speed.add(this.#clock.now(), records);
  }

  /** A request failed, and is sent again. */
  retried(scope: string, error: unknown): void {
    const row = this.#row(scope);
    row.errors += 1;
    row.lastError = errorCode(error);
  }

  /** In the order in which they began. */
  all(): Row[] {
    const now = this.#clock.now();
    return [...this.#rows].map(([scope, { speed, ...counts }]) => {
      const perSecond = speed.perSecond(now);
      const left =
        counts.phase === 'write' && counts.toWrite !== undefined
          ? counts.toWrite - counts.written
          : undefined;
      return {
        scope,
        ...counts,
        perSecond,
        remainingMs:
          left === undefined || (left > 0 && perSecond === 0)
            ? undefined
            : left === 0
              ? 0
              : (left * 1000) / perSecond,
      };
    });
  }

  #row(scope: string): Counts {
    let row = this.#rows.get(scope);
    if (row === undefined) {
      row = {
        ...{ phase: 'read', listed: 0, read: 0, written: 0, toWrite: undefined },
        ...{ errors: 0, lastError: undefined, speed: new Speed() },
      };
      this.#rows.set(scope, row);
    }
    return row;
  }
}

const WINDOW_MS = 10_000;
const SAMPLE_MS = 250;

/** A rate over the last ten seconds, from totals. */
class Speed {
  readonly #samples: { readonly at: number; readonly total: number }[] = [];

  add(at: number, total: number): void {
    const before = this.#samples.at(-2);
    if (before !== undefined && at - before.at < SAMPLE_MS) this.#samples.pop();
    this.#samples.push({ at, total });
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  perSecond(now: number): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || now <= first.at) return 0;
    return ((last.total - first.total) * 1000) / (now - first.at);
  }
}
