import { ZOOKEEPER } from '../../failures/ensemble.js';
import type { Loss } from './rival.js';
import type { Stage } from './stage.js';

/** Records of the destination that are somebody else's from the beginning. */
export const THEIRS = /^metadata\/theirs\//;
export const THEIR_PATHS = [1, 2, 3, 4].map((i) => `metadata/theirs/${i}`);
/** Records that the copy and somebody else both write. */
export const CONTESTED_PATHS = Array.from({ length: 24 }, (_, i) => `metadata/contested/${i}`);

/**
 * Whether a loss is one that no client can prevent, and that was told of: ZooKeeper compares nothing but a count that begins anew with
 * each creation.
 */
export function isNamedIn(
  told: readonly string[],
  { path, recreated }: Loss,
  { destination }: Stage,
): boolean {
  if (!recreated || destination.product !== ZOOKEEPER) return false;
  const named = new RegExp(`${path}(?!\\d)`);
  return told.some((text) => named.test(text));
}
