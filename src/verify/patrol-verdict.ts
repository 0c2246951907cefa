import { atLeast, type Class } from './classes.js';
import type { Decision } from './verdict.js';

/** What a patrol says: as a comparison, or `unknown` while a store cannot be read and nothing differs elsewhere. */
export type PatrolVerdict = Decision | 'unknown';

/** What a verdict is made from. */
export interface Evidence {
  /** Undefined: not everything was read yet. */
  readonly decision: PatrolVerdict | undefined;
  /** Since when the path is undecided that is longest so, in milliseconds; undefined: none is. */
  readonly oldest: number | undefined;
  /** The worst class of what differs and counts; undefined: nothing does. */
  readonly worst?: Class | undefined;
  /** What cannot be read. */
  readonly unread?: ReadonlySet<string> | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * The verdict of a patrol. It turns to a good one, and to any after there was none, only when everything is decided that was undecided
 * by then.
 */
export class VerdictKeeper {
  #current: PatrolVerdict | undefined;
  /** Since when nothing but undecided paths is against a better verdict. */
  #clear: number | undefined;
  #worst: Class = 'equal';
  #unread: ReadonlySet<string> = NONE;

  /** Undefined: there is none yet. */
  get current(): PatrolVerdict | undefined {
    return this.#current;
  }

  /** Whether there is something to tell: the verdict has changed, or what it stands on got worse. */
  take(evidence: Evidence, now: number): 'changed' | 'worse' | undefined {
    const isChanged = this.#turns(evidence, now);
    const { decision, worst = 'equal', unread = NONE } = evidence;
    if (decision === undefined || decision !== this.#current) return undefined;
    const isWorse = !atLeast(this.#worst, worst) || [...unread].some((each) => !this.#unread.has(each));
    this.#worst = worst;
    this.#unread = unread;
    if (isChanged) return 'changed';
    return isWorse ? 'worse' : undefined;
  }

  #turns({ decision, oldest }: Evidence, now: number): boolean {
    if (decision === undefined || decision === this.#current) {
      this.#clear = undefined;
      return false;
    }
    const isGood = decision === 'equal' || decision === 'accepted';
    const wasNone = this.#current === undefined || this.#current === 'unknown';
    if (isGood || (wasNone && decision !== 'unknown')) {
      this.#clear ??= now;
      if (oldest !== undefined && oldest <= this.#clear) return false;
    }
    this.#clear = undefined;
    this.#current = decision;
    return true;
  }
}
