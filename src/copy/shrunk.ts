import { groupTitle } from './groups.js';
import type { ScopePlan } from './plan.js';
import type { Tally } from './tally.js';

/** What a source may lose without a question, from run to run: this share of a part. */
export const SHRINK = 0.1;
/** And while it is copied: at least one record, or one tablet that goes would stop the copy of a small shard. */
export const MAY_GO = 1;

/** Parts of the source that hold less than at the last run; `mayGo`: records that may be gone at least. */
export function shrunk(
  scopes: readonly ScopePlan[],
  lastRun: ReadonlyMap<string, Tally> | undefined,
  mayGo = 0,
): string[] {
  return scopes.flatMap(({ scope, tally }) =>
    [...(lastRun?.get(scope)?.entries() ?? [])]
      .filter(([part, number]) => number - tally.of(part) > Math.max(mayGo, number * SHRINK))
      .map(([part, number]) => `${scope}: ${part}, ${tally.of(part)} after ${number}`),
  );
}

/** Parts of which more goes from the destination than a source loses in its daily life, beside what it still holds. */
export function going(scopes: readonly Pick<ScopePlan, 'scope' | 'tally' | 'going'>[]): string[] {
  return scopes.flatMap(({ scope, tally, going }) =>
    [...going.entries()]
      .map(([part, number]) => ({ part, number, held: tally.of(part) + number }))
      .filter(({ number, held }) => number > Math.max(MAY_GO, held * SHRINK))
      .map(({ part, number, held }) => `${scope}: ${part}, ${number} of ${held}`),
  );
}

/** {@link shrunk} by the groups of a certificate: kinds in a cell, and in a keyspace. */
export function shrunkSince(scopes: readonly ScopePlan[]): string[] {
  return scopes.flatMap(({ scope, certified = new Map<string, number>(), groups }) =>
    [...certified]
      .filter(([group, number]) => number - groups.of(group) > number * SHRINK)
      .map(([group, number]) => `${scope}: ${groupTitle(group)}, ${groups.of(group)} after ${number}`),
  );
}
