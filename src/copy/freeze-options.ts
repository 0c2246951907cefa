import type { Random } from '../topo/clock.js';
import type { VerifyReport } from '../verify/report.js';
import type { NotGivenBack } from './freeze-locks.js';
import type { StillSealed } from './freeze-seal.js';
import type { CopyOptions, Totals } from './options.js';
import type { Plan } from './plan.js';

/** Whether a freeze seals the source: where that is possible, or it fails where that is not, or not at all. */
export type SealWish = 'auto' | 'always' | 'never';

/** A freeze of a source that was copied already: only what differs is to be copied while it lasts. */
export interface FreezeOptions extends CopyOptions {
  readonly random: Random;
  /** Who takes the locks; undefined: unknown. */
  readonly host?: string | undefined;
  readonly user?: string | undefined;
  /** Milliseconds for all of it, getting the locks included; but not for looking at rights before. */
  readonly timeoutMs: number;
  /** Default `auto`. */
  readonly seal?: SealWish | undefined;
  /** Milliseconds for which locks and seal are kept when all is done, or until the signal fires. Default 0. */
  readonly holdMs?: number | undefined;
  /** What the source was found to hold when it was copied: it may not lose much until it is frozen. */
  readonly before: Plan;
  /** Told when a step begins, and waited for. */
  readonly onStep?: ((state: FreezeState) => Promise<void> | void) | undefined;
  /** Told of what was found and done, before anything is kept any longer. */
  readonly onDone?: ((result: Omit<FreezeResult, 'left' | 'sealed'>) => void) | undefined;
  /** Told of each record (`SCOPE:PATH`) of the source that somebody writes while all is only kept. */
  readonly onWrite?: ((path: string) => void) | undefined;
  /** Told why what was kept is kept no more, before it is given back, which takes long where a store does not answer. */
  readonly onLost?: ((error: unknown) => void) | undefined;
}

/** What a freeze does, one after the other. */
export type FreezeStep =
  | 'preparing'
  | 'locking'
  | 'sealing'
  | 'copying'
  | 'verifying'
  | 'checking'
  | 'holding'
  | 'releasing';

/** How far a freeze is. */
export interface FreezeState {
  readonly step: FreezeStep;
  /** When the source was locked, in milliseconds since the epoch; undefined: it is not. */
  readonly since: number | undefined;
  /** Who held a lock at the last try, and how many there were; undefined: none missed. */
  readonly missed?: { readonly tries: number; readonly holder: string } | undefined;
}

/** What a freeze did, and what it certifies: that no record of the source moved while both sides were found equal. */
export interface FreezeResult extends Readonly<Totals> {
  /** Of the comparison under the locks. */
  readonly report: VerifyReport;
  readonly plan: Plan;
  /** Directories that were locked. */
  readonly locked: readonly string[];
  /** Entries of others who waited for one of these locks, and will get it. */
  readonly waiting: readonly string[];
  /** Tries to get the locks. */
  readonly tries: number;
  /** Milliseconds from the first lock to the end of the last check. */
  readonly frozenMs: number;
  /** Whether the store itself kept everybody from writing, but for the exempt. Without that, somebody may write at any moment after the check. */
  readonly quiesced: boolean;
  /** Why the source was not sealed; undefined: it was. */
  readonly notSealed: string | undefined;
  /** Who could write all the same. */
  readonly exempt: readonly string[];
  /** Locks that could not be given back: they end by themselves. */
  readonly left: readonly NotGivenBack[];
  /** Stores whose seal could not be taken off: they stay sealed. */
  readonly sealed: readonly StillSealed[];
}
