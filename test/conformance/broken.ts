import { describe, expect, test } from 'vitest';
import { backend } from '../../src/backends/memory/index.js';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { addressFromTriple } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { judge } from './judge.js';

/** A connection that breaks the contract in one way, and the sentences that must catch it. */
export interface Broken {
  readonly make: new (inner: Connection) => Connection;
  readonly caughtBy: readonly string[];
}

/** Tests that the suite catches each of these connections, over memory, and that the same sentences hold for one that is not broken. */
export function catches(broken: Readonly<Record<string, Broken>>): void {
  describe('the suite catches a connection that', () => {
    test.concurrent.each(Object.entries(broken))('%s', async (name, { make, caughtBy }) => {
      expect((await caught(name, make, caughtBy)).sort()).toEqual([...caughtBy].sort());
    });
  });

  test('the same sentences hold for a connection that is not broken', async () => {
    const titles = new Set(Object.values(broken).flatMap(({ caughtBy }) => caughtBy));
    expect(await caught('sound', DelegatingConnection, [...titles])).toEqual([]);
  });
}

/** Those of the sentences that the suite finds broken. */
async function caught(name: string, make: Broken['make'], titles: readonly string[]): Promise<string[]> {
  const settings = {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
  };
  const verdicts = await judge(
    {
      name,
      open: async (root) =>
        new make(await backend.connect(addressFromTriple('memory', `etcd:${name}`, root), settings)),
      raw: { compact: async () => memoryStore(`etcd:${name}`).compact() },
    },
    (title) => titles.includes(title),
  );
  expect(verdicts.map(({ title }) => title).sort()).toEqual([...titles].sort());
  return verdicts.filter(({ outcome }) => outcome === 'broken').map(({ title }) => title);
}
