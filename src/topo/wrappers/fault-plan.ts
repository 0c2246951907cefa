import type { Clock, Random } from '../clock.js';
import type { MethodName } from './base.js';

/** What can be told of a request or an answer that is lost. */
interface Loss {
  /** In place of what the caller would be told. */
  readonly error?: Error;
  /** What somebody else does before the caller is told. */
  readonly meanwhile?: () => Promise<unknown>;
}

/**
 * What goes wrong with one call. The first three are honest: the contract allows a store to fail so. The others break
 * the contract. One that does not fit its method changes nothing.
 *
 * - `drop request`: the store never sees the call. Unavailable; WatchLost for a watch. Where `unnoticed`, the caller only
 *   misses the answer, and is told what a dropped answer is told as.
 * - `drop answer`: the store does it, and the caller is not told: OutcomeUnknown for a write, Timeout for a read. A call
 *   that fails in the store fails as it does. A scan ends with Unavailable after its first page, a watch with WatchLost
 *   after its first event. Not for locks, which nobody could give back.
 * - `delay`: the request is sent `ms` milliseconds later, unless its signal or deadline is first.
 * - `duplicate`: the store does a write twice; the caller is told what became of the second.
 * - `stale read`: an answer that was true before: of `get`, `listDir`, `listDirFull` and `position` the last other one
 *   that this connection read, or wrote singly; of `scan` the pages of the last complete scan of the same directory.
 * - `empty listing`: `listDir` and `listDirFull` find no name, `scan` no record.
 */
export type Fault =
  | ({ readonly kind: 'drop request'; readonly unnoticed?: boolean } & Loss)
  | ({ readonly kind: 'drop answer' } & Loss)
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'duplicate' | 'stale read' | 'empty listing' };

/** The call that may meet a fault. */
export interface FaultableCall {
  readonly method: MethodName;
  /** Absent for a batch and for `position`. */
  readonly path: string | undefined;
  /** Which call of the connection it is, counted from 1. */
  readonly nth: number;
}

export type ChooseFault = (call: FaultableCall) => Fault | undefined;

/** A fault that was done to a call. */
export interface InjectedFault extends FaultableCall {
  readonly store: string;
  readonly fault: Fault;
}

export interface FaultPlan {
  /** The clock of the connection. */
  readonly clock: Clock;
  /** Asked once for each call, in the order in which they are made; an iteration is one call. */
  readonly choose: ChooseFault;
  /** Told of each fault as it is done, not of those that do not fit. */
  readonly report?: ((injected: InjectedFault) => void) | undefined;
}

/** Chooses by chance: `chances` lie between 0 and 1, and together do not exceed 1. Delays take up to `maxDelayMs`. */
export function randomFaults(
  random: Random,
  chances: Readonly<Partial<Record<Fault['kind'], number>>>,
  maxDelayMs = 100,
): ChooseFault {
  const kinds = Object.entries(chances) as [Fault['kind'], number][];
  return () => {
    let drawn = random();
    for (const [kind, chance] of kinds) {
      drawn -= chance;
      if (drawn < 0) return kind === 'delay' ? { kind, ms: Math.ceil(random() * maxDelayMs) } : { kind };
    }
    return undefined;
  };
}
