/**
 * What a difference means, the harmless first:
 * `equal`: none. `benign`: other bytes with the same meaning. `expected`: as the migration wants it, such as the destination's own
 * address in CellInfo. `advanced`: the authority moved on since the baseline, as a running cluster does. `in-flight`: it was still
 * changing when the comparison ended, which decides nothing. `stale`: derived from other records, rebuilding mends it.
 * `loss`: a value for which the form of the other store has no place, and whose loss nobody accepted.
 * `repairable`: a copy mends it. `dangerous`: queries, writes or a failover go wrong by it.
 */
export const CLASSES = [
  'equal',
  'benign',
  'expected',
  'advanced',
  'in-flight',
  'stale',
  'loss',
  'repairable',
  'dangerous',
] as const;
export type Class = (typeof CLASSES)[number];

/** Whether a class is at least as bad as another. */
export function atLeast(one: Class, other: Class): boolean {
  return CLASSES.indexOf(one) >= CLASSES.indexOf(other);
}

/** The worst of some classes; `equal` of none. */
export function worstOf(classes: Iterable<Class>): Class {
  let worst: Class = 'equal';
  for (const each of classes) if (!atLeast(worst, each)) worst = each;
  return worst;
}
