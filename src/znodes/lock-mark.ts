import type { MultiOp } from '../zookeeper/client.js';

/** A prime, so that whatever else is written in regular turns gives no two entries the same remainder. */
const VERSIONS = 97n;

/**
 * Data version that an entry gets by being written so often, in one transaction, before the first write that depends on it.
 * Names are counted anew in a directory that was removed and made again, and a check within a transaction compares nothing
 * else. Those of Vitess have 0. Ours take it from the czxid: so an entry is told from one of the same name that was made
 * after it was broken, unless a multiple of {@link VERSIONS} writes lies between.
 */
export function versionOf(czxid: bigint): number {
  return Number(czxid % VERSIONS) + 1;
}

/** The writes that give an entry its version. They leave its contents as they are, and are refused as a whole when any was done before. */
export function marking(path: string, version: number, contents: string): MultiOp[] {
  const data = Buffer.from(contents);
  return Array.from({ length: version }, (_, expected) => {
    const last = expected === version - 1;
    return { type: 'setData', path, data: last ? data : null, version: expected };
  });
}
