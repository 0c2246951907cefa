import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { backend } from '../../src/backends/memory/index.js';
import type { MemoryStore } from '../../src/backends/memory/store.js';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { addressFromTriple } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import type { Random } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { ErrorCode, isTopologyError } from '../../src/topo/errors.js';
import { ManualClock } from '../support/manual-clock.js';
import { seeded } from '../support/seeds.js';

const DIR = 'keyspaces/ks';
const FLAVOURS = ['zookeeper', 'etcd', 'consul'] as const;
type Flavour = (typeof FLAVOURS)[number];

/** A store of its own whose time stands still, with something to lock, and a way to open connections to it. */
async function place(flavour: Flavour, name: string, random: Random = seeded(1)) {
  const clock = new ManualClock();
  const settings = { clock, random, connectTimeoutMs: 10_000, requestTimeoutMs: 10_000 };
  const server = `${flavour}:locks ${name}`;
  const store = memoryStore(server, settings);
  const open = (more: Partial<ConnectSettings> = {}) =>
    backend.connect(addressFromTriple('memory', server, '/vitess/global'), { ...settings, ...more });
  const connection = await open();
  await connection.create(`${DIR}/Keyspace`, Buffer.from('x'));
  return { clock, store, open, connection };
}

/** Lets everything be delivered that can be. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

/** Lets time pass in small steps. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(Math.min(500, left));
    await settle();
  }
}

describe.each(FLAVOURS)('locks of the %s flavour', (flavour) => {
  test('are kept alive for as long as they are held, and leave no timer', async () => {
    const { clock, open, connection } = await place(flavour, 'alive');
    const other = await open();
    const lock = await connection.lock(DIR, 'x');
    await pass(clock, 120_000);
    await lock.check();
    await expect(other.tryLock(DIR, 'y')).rejects.toMatchObject({ code: ErrorCode.NodeExists });
    await lock.unlock();
    const held = await other.lock(DIR, 'y');
    await Promise.all([other.close(), connection.close()]);
    await settle();
    expect(held.lost.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('outlive a holder that nobody hears of by their time to live, and no longer', async () => {
    const { clock, store, open, connection } = await place(flavour, 'dead');
    const holder = await open({ lockTtlMs: 20_000 });
    const lock = await holder.lock(DIR, 'x');
    const deliver = store.deliver;
    store.deliver = () => {};
    clock.advance(19_900);
    expect([store.recordsBelow(`vitess/global/${DIR}`).length, lock.lost.aborted]).toEqual([2, false]);
    clock.advance(200);
    expect([store.recordsBelow(`vitess/global/${DIR}`).length, lock.lost.aborted]).toEqual([1, true]);
    store.deliver = deliver;
    await (await connection.lock(DIR, 'y')).unlock();
    await expect(lock.check()).rejects.toMatchObject({ code: ErrorCode.LockLost });
    await Promise.all([holder.close(), connection.close()]);
  });

  test('are never held by two, and leave nothing, in whatever order requests arrive and waits are given up', async () => {
    for (let seed = 1; seed <= 25; seed++) await simulate(flavour, seed);
  });
});

test('a lock of the Consul flavour whose holder died is not to be had before its delay is over', async () => {
  const { clock, store, open, connection } = await place('consul', 'delay');
  const holder = await open({ lockDelayMs: 5_000 });
  await holder.lock(DIR, 'x');
  const [entry] = await connection.lockQueue(DIR);
  let held = false;
  const waiting = connection.lock(DIR, 'y').then((lock) => {
    held = true;
    return lock;
  });
  await settle();
  store.expireSession(entry?.owner ?? '');
  await pass(clock, 4_500);
  expect(held).toBe(false);
  await pass(clock, 1_000);
  expect(held).toBe(true);
  await (await waiting).unlock();
  await Promise.all([holder.close(), connection.close()]);
});

/** Contenders for one lock over a store that delivers in any order, some of whom give up at any moment. */
async function simulate(flavour: Flavour, seed: number): Promise<void> {
  const random = seeded(seed);
  const { clock, store, open, connection } = await place(flavour, `simulation ${seed}`, random);
  const connections = [connection, await open(), await open()];
  const waiting: (() => void)[] = [];
  store.deliver = (arrive) => waiting.push(arrive);
  const section = { inside: 0, served: 0 };
  const aborts = Array.from({ length: 10 }, () => new AbortController());
  let contending = aborts.length;
  const contenders = aborts.map(async ({ signal }, i) => {
    const wait = i % 4 > 0;
    try {
      await contend(connections[i % 3] ?? connection, wait, signal, section);
    } finally {
      contending -= 1;
    }
  });
  for (let step = 0; contending > 0 || waiting.length > 0; step++) {
    expect(step, `seed ${seed}: contenders that wait for ever`).toBeLessThan(20_000);
    if (random() < 0.02) aborts[Math.floor(random() * 5)]?.abort();
    const [arrive] = waiting.splice(Math.floor(random() * waiting.length), 1);
    arrive?.();
    clock.advance(1);
    await turn();
  }
  await Promise.all(contenders);
  expect(section.served, `seed ${seed}`).toBeGreaterThan(3);
  expect(
    store.recordsBelow('').map(({ key }) => key),
    `seed ${seed}`,
  ).toEqual([`vitess/global/${DIR}/Keyspace`]);
  expect(store.names(`vitess/global/${DIR}`), `seed ${seed}`).toEqual(['Keyspace']);
  expect(clock.pending, `seed ${seed}: timers`).toBe(0);
  await closeAll(store, connections);
}

/** Holds the lock for the time of a request, if it is to be had. */
async function contend(
  connection: Connection,
  wait: boolean,
  signal: AbortSignal,
  section: { inside: number; served: number },
): Promise<void> {
  try {
    const lock = await (wait
      ? connection.lock(DIR, 'x', { signal })
      : connection.tryLock(DIR, 'x', { signal }));
    section.inside += 1;
    expect(section.inside).toBe(1);
    await connection.get(`${DIR}/Keyspace`);
    expect(section.inside).toBe(1);
    section.inside -= 1;
    section.served += 1;
    await lock.unlock();
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Interrupted, ErrorCode.NodeExists)) throw error;
  }
}

async function closeAll(store: MemoryStore, connections: readonly Connection[]): Promise<void> {
  store.deliver = (arrive) => setImmediate(arrive);
  await Promise.all(connections.map((connection) => connection.close()));
}
