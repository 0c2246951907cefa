import type { Clock } from '../topo/clock.js';
import type { Kind } from '../topo/kinds.js';
import type { Class } from './classes.js';
import type { Selection } from './narrowing.js';
import type { VerifyOptions } from './options.js';
import type { PatrolCounts, Standing } from './patrol-findings.js';
import type { LeftWrite } from './patrol-left.js';
import type { PatrolVerdict } from './patrol-verdict.js';
import type { Authority } from './settle.js';

/** A comparison that goes on. What {@link VerifyOptions} says of one holds for each reading. */
export interface PatrolOptions
  extends Omit<VerifyOptions, 'settle' | 'digests' | 'onFound' | 'onPairs' | 'onProgress'> {
  readonly clock: Clock;
  readonly authority: Authority;
  /** Milliseconds that a difference has to stand; 0: what differs when it is read once is one. */
  readonly settleMs: number;
  readonly failOn: Class;
  /** Milliseconds from one look at what moved to the next. */
  readonly intervalMs: number;
  /** Milliseconds from one complete pass of a part to the next. */
  readonly fullEveryMs: number;
  /** Told at the beginning how to ask for the present state. */
  readonly onStart?: ((state: () => PatrolState) => void) | undefined;
  /** Told of the first verdict, whenever it changes, and when what it stands on gets worse. */
  readonly onVerdict?: ((change: VerdictChange) => void) | undefined;
  /** Told of each write that was seen in the store that is not the authority. */
  readonly onWrite?: ((write: SeenWrite) => void) | undefined;
  /** Told of each complete pass of a part, and how many milliseconds it took. */
  readonly onPass?: ((scope: string, ms: number) => void) | undefined;
  /** Told of each failure that is tried again. */
  readonly onFailure?: ((scope: string, error: unknown) => void) | undefined;
}

/** A write in the store that is not the authority. */
export interface SeenWrite extends LeftWrite {
  readonly side: Authority;
  readonly scope: string;
  readonly kind: Kind;
  /** Whether the record is as the authority has it, as what a follower brings over; undefined: not known. */
  readonly mirrored: boolean | undefined;
}

/** A difference, and where it is. */
export interface PlacedStanding extends Standing {
  readonly scope: string;
}

/** A new verdict, or one that stays for a worse reason: `was` is the same then. */
export interface VerdictChange {
  readonly verdict: PatrolVerdict;
  /** Undefined: there was none. */
  readonly was: PatrolVerdict | undefined;
  readonly at: number;
  readonly state: PatrolState;
  /** The first of those that differ. */
  readonly differences: readonly PlacedStanding[];
}

/** How one part is. */
export interface PatrolPartState extends PatrolCounts {
  readonly scope: string;
  /** Records compared on both sides by the last complete pass. */
  readonly compared: number;
  /** Records of either side that it left out. */
  readonly notCompared: number;
  /** Complete passes. */
  readonly passes: number;
  /** When the last one ended, in milliseconds since the epoch. */
  readonly passed: number | undefined;
  /** Paths that were read again. */
  readonly reread: number;
  /** Whether both stores tell of changes. */
  readonly watched: boolean;
  /** Why it cannot be judged now. */
  readonly failure: unknown;
}

/** How a patrol is. */
export interface PatrolState {
  /** Undefined: there is none yet. */
  readonly verdict: PatrolVerdict | undefined;
  /** When it came to that, in milliseconds since the epoch. */
  readonly since: number;
  /** Times that the verdict changed, the first one not counted. */
  readonly changes: number;
  /** Writes that were seen in the store that is not the authority. */
  readonly writes: number;
  /** Watches that were lost and began again. */
  readonly restarts: number;
  readonly parts: readonly PatrolPartState[];
  /** What it is narrowed to; absent: it is of everything. */
  readonly selection?: Selection | undefined;
  /** Why it is not known which cells there are, or that nothing is there at all. */
  readonly failure: unknown;
}
