import type { Value } from '../topo/connection.js';
import { digestOf } from './ledger.js';

/** Digest of a source that has no record. */
const NOTHING = '';
const KEPT_MS = 30_000;

/**
 * States that the source had a moment ago, as its watch told them. A record of the destination in one of them was brought over by
 * another follower, which is a little behind.
 */
export class RecentStates {
  readonly #states = new Map<string, readonly { readonly digest: string; readonly at: number }[]>();

  /** The source has this now; undefined: no record. */
  add(path: string, value: Value | undefined, now: number): void {
    const kept = (this.#states.get(path) ?? []).filter(({ at }) => at > now - KEPT_MS);
    this.#states.set(path, [...kept, { digest: digestOfValue(value), at: now }]);
  }

  /** Whether the source had this a moment ago. */
  has(path: string, value: Value | undefined, now: number): boolean {
    const states = this.#states.get(path);
    if (states === undefined) return false;
    const digest = digestOfValue(value);
    return states.some((state) => state.at > now - KEPT_MS && state.digest === digest);
  }

  /** Forgets what is old. */
  sweep(now: number): void {
    for (const [path, states] of this.#states)
      if (states.every(({ at }) => at <= now - KEPT_MS)) this.#states.delete(path);
  }
}

function digestOfValue(value: Value | undefined): string {
  return value === undefined ? NOTHING : digestOf(value.bytes);
}
