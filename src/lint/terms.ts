import { object } from '../editing/ranges.js';
import type { Json } from '../topo/codec-json.js';

/** When a primary's term began, in nanoseconds since the epoch, to be compared; absent is earlier than any. */
export function termOf(json: Json | undefined): bigint {
  if (json === undefined) return 0n;
  const { seconds, nanoseconds } = object(json);
  return BigInt(String(seconds ?? 0)) * 1_000_000_000n + BigInt(String(nanoseconds ?? 0));
}

/** A term for people. */
export function termText(term: bigint): string {
  if (term === 0n) return 'no start of a term';
  const ms = Number(term / 1_000_000n);
  return Math.abs(ms) <= LARGEST_MS ? new Date(ms).toISOString() : `${term} ns since 1970`;
}

/** ECMAScript has no later date. */
const LARGEST_MS = 8.64e15;
