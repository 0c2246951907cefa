import type { Kind } from '../topo/kinds.js';
import { CLASSES, type Class, worstOf } from './classes.js';
import type { Comparison } from './compare.js';
import { Findings, type Found } from './findings.js';
import type { Difference, LostValue, Note } from './report.js';
import type { State } from './settle.js';
import { type Decision, decide } from './verdict.js';

/** A path that is not simply equal, and what it came to. */
export interface Standing {
  readonly path: string;
  readonly kind: Kind;
  readonly as: 'difference' | 'loss' | 'ignored' | 'note';
  readonly type: Difference['type'] | Note['type'] | 'loss';
  readonly class: Class;
}

/** A path that differs and has not stood still for long enough. */
interface Open {
  /** In which state it was last; undefined: it moved while it was read. */
  readonly state: string | undefined;
  readonly since: number;
  readonly opened: number;
  readonly last: Standing;
}

/** How long differences have to stand, and after what time what still moves counts as in flight, in milliseconds. */
export interface Patience {
  readonly forMs: number;
  readonly limitMs: number;
}

/** When paths were read, in milliseconds. */
export interface Round {
  readonly began: number;
  readonly ended: number;
}

/**
 * What is known of one part by now: the same rules as {@link settle} has, for reading that goes on for ever. It holds what is not
 * simply equal, so it grows with the differences and not with time.
 */
export class PatrolFindings {
  /** Values that the last complete pass found lost with what is no record. */
  lostBeside = 0;
  readonly #patience: Patience;
  readonly #ignore: readonly string[];
  readonly #standing = new Map<string, Standing>();
  readonly #open = new Map<string, Open>();

  constructor(patience: Patience, ignore: readonly string[]) {
    this.#patience = patience;
    this.#ignore = ignore;
  }

  /** Takes what a path came to when it was read again. */
  take({ pair: { path }, state }: State, comparison: Comparison, { began, ended }: Round): void {
    const standing = this.#standingOf(path, comparison);
    if (standing?.as !== 'difference') {
      // What moved while it was read may have been equal at no moment: it is read again.
      if (state === undefined && this.#reopens(path, ended)) return;
      this.#open.delete(path);
      if (standing === undefined) this.#standing.delete(path);
      else this.#standing.set(path, standing);
      return;
    }
    const open = this.#open.get(path);
    const isSame = state !== undefined && open?.state === state;
    const { forMs } = this.#patience;
    if (forMs === 0 || (isSame && open !== undefined && began - open.since >= forMs)) {
      this.#open.delete(path);
      this.#standing.set(path, standing);
    } else if (isSame && open !== undefined) this.#open.set(path, { ...open, last: standing });
    else this.#open.set(path, { state, since: ended, opened: open?.opened ?? ended, last: standing });
  }

  /** Paths that have to be read again until they are decided. */
  open(): Iterable<string> {
    return this.#open.keys();
  }

  /** Whether a path differs, as far as it is known. */
  differs(path: string): boolean {
    return this.#open.has(path) || this.#standing.get(path)?.as === 'difference';
  }

  /** Everything that is not simply equal. */
  *paths(): Generator<string> {
    yield* this.#standing.keys();
    yield* this.#open.keys();
  }

  /** Differences, and what is in flight for too long; at most `most` of them, the worst first. */
  differences(now: number, most: number): Standing[] {
    const found: Standing[] = [];
    for (const each of this.#standing.values())
      if (each.as === 'difference' || each.as === 'loss') found.push(each);
    for (const { opened, last } of this.#open.values())
      if (this.#isInFlight(opened, now) && !this.#isDifference(last.path))
        found.push({ ...last, class: 'in-flight' });
    return found.sort(worstFirst).slice(0, most);
  }

  /** How many there are of each. */
  counts(now: number): PatrolCounts {
    const classes = new Map<Class, number>();
    const notes = new Set<Class>();
    let ignored = 0;
    for (const { as, class: found } of this.#standing.values()) {
      if (as === 'difference' || as === 'loss') classes.set(found, (classes.get(found) ?? 0) + 1);
      else if (as === 'ignored') ignored += 1;
      else notes.add(found);
    }
    if (this.lostBeside > 0) classes.set('loss', (classes.get('loss') ?? 0) + this.lostBeside);
    let oldest: number | undefined;
    for (const [path, { opened }] of this.#open) {
      if (!this.#isInFlight(opened, now)) oldest = Math.min(oldest ?? opened, opened);
      else if (!this.#isDifference(path)) classes.set('in-flight', (classes.get('in-flight') ?? 0) + 1);
    }
    return { classes, notes, ignored, open: this.#open.size, oldest };
  }

  /** Whether a path that differs is open, which it is from now on. */
  #reopens(path: string, now: number): boolean {
    if (this.#open.has(path)) return true;
    const last = this.#standing.get(path);
    if (last?.as !== 'difference') return false;
    this.#open.set(path, { state: undefined, since: now, opened: now, last });
    return true;
  }

  #isInFlight(opened: number, now: number): boolean {
    return now - opened >= this.#patience.limitMs;
  }

  #isDifference(path: string): boolean {
    return this.#standing.get(path)?.as === 'difference';
  }

  #standingOf(path: string, comparison: Comparison): Standing | undefined {
    const all: Found[] = [];
    new Findings(this.#ignore, (found) => void all.push(found)).add(comparison);
    for (const as of ['difference', 'loss', 'ignored', 'note'] as const) {
      const one = all.find((each) => each.as === as && (each.as !== 'loss' || each.found.class === 'loss'));
      if (one?.as === 'loss') return lossStanding(path, one.found);
      if (one === undefined || one.as === 'equal' || one.as === 'not compared') continue;
      return { path, as, kind: one.found.kind, type: one.found.type, class: one.found.class };
    }
    return undefined;
  }
}

function lossStanding(path: string, { record = 'Unknown', class: found }: LostValue): Standing {
  return { path, as: 'loss', kind: record, type: 'loss', class: found };
}

/** Order of what is named. */
export function worstFirst(a: Pick<Standing, 'class'>, b: Pick<Standing, 'class'>): number {
  return CLASSES.indexOf(b.class) - CLASSES.indexOf(a.class);
}

/** Numbers of one part. */
export interface PatrolCounts {
  /** Differences by class; those in flight for too long among them. */
  readonly classes: ReadonlyMap<Class, number>;
  /** Classes of what is equal in meaning, or differs as it must. */
  readonly notes: ReadonlySet<Class>;
  readonly ignored: number;
  /** Paths that differ and are not decided. */
  readonly open: number;
  /** Since when the one is open that is open longest, but for those in flight; undefined: none is. */
  readonly oldest: number | undefined;
}

/** What all parts come to; `failOn`: the class from which on a difference counts. */
export function decideAll(all: readonly PatrolCounts[], failOn: Class): Decision {
  const named = (classes: Iterable<Class>) => [...new Set(classes)].map((each) => ({ class: each }));
  const differences = named(all.flatMap(({ classes }) => [...classes.keys()]));
  const notes = named(all.flatMap((each) => [...each.notes]));
  const equal = differences.length === 0 && all.every(({ ignored }) => ignored === 0);
  const worst = worstOf([...differences, ...notes].map((each) => each.class));
  return decide({ differences, notes, losses: [], equal, worst }, failOn);
}
