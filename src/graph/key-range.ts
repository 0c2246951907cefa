import type { StoredRange } from './shards.js';

/** Whether a range holds all keyspace ids. */
export function isComplete(range: StoredRange | undefined): boolean {
  return stripped(startOf(range)).length === 0 && stripped(endOf(range)).length === 0;
}

/** Where a range starts; empty: at the minimum. What is not set is an empty list, not empty bytes, to protobufjs. */
export function startOf(range: StoredRange | undefined): Uint8Array {
  return Uint8Array.from(range?.start ?? []);
}

/** Where a range ends; empty: at the maximum. */
export function endOf(range: StoredRange | undefined): Uint8Array {
  return Uint8Array.from(range?.end ?? []);
}

/** Without the zero bytes at its end, which mean nothing from Vitess 17 on. */
export function stripped(bytes: Uint8Array): Uint8Array {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return bytes.subarray(0, length);
}

/** Whether two ranges have a keyspace id in common, as Vitess 17 and newer see it. Undefined holds all. */
export function rangesIntersect(a: StoredRange | undefined, b: StoredRange | undefined): boolean {
  return isComplete(a) || isComplete(b) || (startsBeforeEnd(a, b) && startsBeforeEnd(b, a));
}

/** Whether two ranges hold the same keyspace ids, as Vitess 17 and newer see it. Undefined holds all. */
export function rangesEqual(a: StoredRange | undefined, b: StoredRange | undefined): boolean {
  const same = (of: typeof startOf) => Buffer.compare(stripped(of(a)), stripped(of(b))) === 0;
  return same(startOf) && same(endOf);
}

function startsBeforeEnd(a: StoredRange | undefined, b: StoredRange | undefined): boolean {
  const end = stripped(endOf(b));
  return end.length === 0 || Buffer.compare(stripped(startOf(a)), end) < 0;
}
