import type { PreparedCopy } from './copy.js';
import type { CopyOptions } from './options.js';
import type { Plan } from './plan.js';

/** A copy that goes on. */
export interface FollowOptions extends CopyOptions {
  /** Milliseconds from the end of a complete pass to the next one. */
  readonly passEveryMs: number;
  /** Milliseconds for which changes are gathered before they are written. */
  readonly gatherMs: number;
  /**
   * Milliseconds for which a record of the destination may be in no state that is known: what another follower brings over comes to
   * equal the source meanwhile. Default 5,000.
   */
  readonly graceMs?: number | undefined;
  /** Ends as soon as a complete pass finds nothing to write. */
  readonly untilEqual?: boolean | undefined;
  /** Told of the first plan before anything of it is written, and waited for. */
  readonly onPlan?: ((prepared: PreparedCopy) => Promise<void> | void) | undefined;
  /** Told of what each complete pass found, and how many milliseconds it took. */
  readonly onPass?: ((plan: Plan, ms: number) => void) | undefined;
  /** Told of each failure that is tried again. `scope`: whose watch it was; undefined: no watch's. */
  readonly onFailure?: ((error: unknown, scope: string | undefined) => void) | undefined;
  /** Told at the beginning how to ask for the present state. */
  readonly onStart?: ((state: () => FollowState) => void) | undefined;
  /** Told whenever the state changes. */
  readonly onState?: ((state: FollowState) => void) | undefined;
}

/** How far a follower is. */
export interface FollowState {
  /** `copying`: the first pass; `following`: the destination has all but what waits; `failing`: a store does not answer. */
  readonly phase: 'copying' | 'following' | 'failing';
  /** Complete passes. */
  readonly passes: number;
  /** Records written in all. */
  readonly written: number;
  /** Paths that may differ now, as far as they are known. */
  readonly waiting: number;
  /** Milliseconds since the destination was equal for certain: nothing waited, every watch told of changes, no pass had failed. */
  readonly lagMs: number;
  /** Failures since the beginning that were tried again. */
  readonly failures: number;
  /** The last of them, when it is not over yet. */
  readonly failure: unknown;
  /** When the last complete pass ended, in milliseconds since the epoch; undefined: there was none. */
  readonly passed: number | undefined;
  /** Times that a watch was lost and began again. */
  readonly restarts: number;
  readonly parts: readonly PartState[];
}

/** How far a follower is with the global store, or with a cell's. */
export interface PartState {
  readonly scope: string;
  /** Paths that may differ now, as far as they are known. */
  readonly waiting: number;
  /** Milliseconds that the path has waited which waits longest; 0 when there is none. */
  readonly waitingMs: number;
  /** Records of the destination in a state that nobody knows: another follower's, or a foreign write. */
  readonly strange: number;
  /** Whether the source tells of changes. */
  readonly watched: boolean;
}
