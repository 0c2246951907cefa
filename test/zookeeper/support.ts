import { expect } from 'vitest';
import { type Acl, type Stat, ZooKeeperError } from '../../src/zookeeper/client.js';

export const OPEN: readonly Acl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];

/** The failure of a promise that must fail with a ZooKeeperError. */
export async function failure(promise: Promise<unknown>): Promise<ZooKeeperError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(ZooKeeperError);
  if (!(outcome instanceof ZooKeeperError)) throw outcome;
  return outcome;
}

/** Waits until `condition` gives something true, and gives that. Fails after `limitMs`. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  limitMs = 10_000,
): Promise<Exclude<T, false | undefined>> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, false | undefined>;
    if (performance.now() > limit) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Makes names that no other test of this process uses. */
export function uniquePath(): string {
  counter++;
  return `/t${process.pid}-${counter}`;
}
let counter = 0;

/** The numbers of a Stat, wherever they are read from. */
export function numbersOf(stat: Stat): Stat {
  const { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner } = stat;
  const { dataLength, numChildren, pzxid } = stat;
  return {
    ...{ czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner },
    ...{ dataLength, numChildren, pzxid },
  };
}
