/** A term for people. */
export function termText(term: bigint): string {
  if (term === 0n) return 'no start of a term';
  const ms = Number(term / 1_000_000n);
  return Math.abs(ms) <= LARGEST_MS ? new Date(ms).toISOString() : `${term} ns since 1970`;
}

/** ECMAScript has no later date. */
const LARGEST_MS = 8.64e15;
