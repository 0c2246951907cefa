import { endOf, isComplete, rangesIntersect, startOf, stripped } from '../graph/key-range.js';
import type { StoredRange } from '../graph/shards.js';
import { formatKeyRange } from '../topo/names.js';

/** A shard and what it holds; undefined: everything. */
interface Held {
  readonly name: string;
  readonly range: StoredRange | undefined;
}

/** What is wrong with how some shards share the keyspace ids, in words. */
export interface Cover {
  /** Ranges that no shard holds: `40-80`. */
  readonly gaps: readonly string[];
  /** Pairs of shards that hold something in common. */
  readonly overlaps: readonly (readonly [string, string])[];
}

/**
 * Whether shards hold every keyspace id once, as Vitess 17 and newer sees it. Shards of which none has a key range
 * (unsharded, custom sharding) neither leave gaps nor overlap.
 */
export function coverOf(shards: readonly Held[]): Cover {
  if (shards.every(({ range }) => range === undefined)) return { gaps: [], overlaps: [] };
  const ordered = shards.toSorted((a, b) => Buffer.compare(start(a), start(b)));
  const gaps: string[] = [];
  const overlaps: [string, string][] = [];
  // The shard that reaches furthest so far.
  let widest: Held | undefined;
  for (const shard of ordered) {
    const reached = widest === undefined ? new Uint8Array() : end(widest);
    if (widest !== undefined && rangesIntersect(widest.range, shard.range))
      overlaps.push([widest.name, shard.name]);
    else if (Buffer.compare(reached, start(shard)) < 0)
      gaps.push(formatKeyRange({ start: reached, end: start(shard) }));
    if (widest === undefined || reachesFurther(shard, widest)) widest = shard;
  }
  const last = widest === undefined ? new Uint8Array() : end(widest);
  if (last.length > 0) gaps.push(formatKeyRange({ start: last, end: new Uint8Array() }));
  return { gaps, overlaps };
}

function reachesFurther(a: Held, b: Held): boolean {
  if (end(b).length === 0) return false;
  return end(a).length === 0 || Buffer.compare(end(a), end(b)) > 0;
}

function start({ range }: Held): Uint8Array {
  return isComplete(range) ? new Uint8Array() : stripped(startOf(range));
}

function end({ range }: Held): Uint8Array {
  return isComplete(range) ? new Uint8Array() : stripped(endOf(range));
}
