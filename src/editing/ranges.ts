import type { Json, JsonObject } from '../topo/codec-json.js';
import { isTopologyError } from '../topo/errors.js';
import { formatKeyRange, type KeyRange, keyRangeOfShard } from '../topo/names.js';

/** What a check found: nothing, or what is wrong, in a few words. */
export type Finding = string | undefined;

/** A field of decoded JSON that holds a message; empty when it is not set. */
export function object(json: Json | undefined): JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : {};
}

/** A field of decoded JSON that holds a list; empty when it is not set. */
export function list(json: Json | undefined): Json[] {
  return Array.isArray(json) ? json : [];
}

/** A field of decoded JSON that holds text; empty when it is not set. */
export function text(json: Json | undefined): string {
  return typeof json === 'string' ? json : '';
}

/** A key range as JSON has it; absent stands for everything. */
function rangeOf(json: Json | undefined): KeyRange {
  const { start, end } = object(json);
  return { start: Buffer.from(text(start), 'base64'), end: Buffer.from(text(end), 'base64') };
}

/** Whether a key range holds nothing. */
export function emptyRange(json: JsonObject): Finding {
  const range = rangeOf(json);
  return range.end.length > 0 && Buffer.compare(range.start, range.end) >= 0
    ? `the key range ${formatKeyRange(range)} holds nothing: its start must lie below its end`
    : undefined;
}

/** Whether a stored key range is another one than the shard's name says. */
export function otherRange(shard: string, stored: Json | undefined): Finding {
  const named = orReason(() => keyRangeOfShard(shard));
  if (typeof named === 'string') return undefined; // The name itself is what is wrong.
  const [wanted, found] = [named ?? rangeOf(undefined), rangeOf(stored)].map(formatKeyRange);
  if (wanted === found) return undefined;
  return named === undefined
    ? `the shard ${shard} has no key range in its name, and key_range is ${found}`
    : `the name of shard ${shard} stands for ${wanted}, and key_range is ${found}`;
}

/** What a check of names threw, as a few words; undefined when it threw nothing. */
export function thrown(check: () => unknown): Finding {
  const result = orReason(() => {
    check();
    return undefined;
  });
  return typeof result === 'string' ? result : undefined;
}

function orReason<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (isTopologyError(error)) return error.message;
    throw error;
  }
}

/** Whether the shards of a partition leave a gap or overlap. Shards without any key range (custom sharding) do neither. */
export function brokenCover(references: readonly Json[]): Finding {
  const shards = references.map((reference) => {
    const { name, key_range } = object(reference);
    return { name: text(name), stored: key_range, range: formatKeyRange(rangeOf(key_range)) };
  });
  const without = shards.filter(({ stored }) => stored === undefined);
  if (without.length === shards.length) return undefined;
  if (without.length > 0 && shards.length > 1)
    return `shard ${without[0]?.name} has no key range, and others have one`;
  const ranges = shards.map(({ range }) => range.split('-')).sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  const [first, last] = [ranges[0]?.[0], ranges.at(-1)?.[1]];
  if (first !== '') return `its shards begin at ${first}, and not at the minimum`;
  if (last !== '') return `its shards end at ${last}, and not at the maximum`;
  // An empty end is the maximum, which no other shard begins at.
  const meets = (end: string | undefined, next: string | undefined) => end !== '' && end === next;
  const gap = ranges.findIndex(
    ([, end], index) => index + 1 < ranges.length && !meets(end, ranges[index + 1]?.[0]),
  );
  return gap < 0
    ? undefined
    : `its shards do not meet: one ends at ${ranges[gap]?.[1] || 'the maximum'}, the next begins at ${ranges[gap + 1]?.[0] || 'the minimum'}`;
}
