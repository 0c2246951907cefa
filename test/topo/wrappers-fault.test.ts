import { beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { TopologyError } from '../../src/topo/errors.js';
import { withFaults } from '../../src/topo/wrappers/fault.js';
import {
  type ChooseFault,
  type Fault,
  type InjectedFault,
  randomFaults,
} from '../../src/topo/wrappers/fault-plan.js';
import { withRetry } from '../../src/topo/wrappers/retry.js';
import { runConformance } from '../conformance/index.js';
import { judge } from '../conformance/judge.js';
import { create, first, holds, scanPaths, utf8 } from '../conformance/tools.js';
import { ManualClock } from '../support/manual-clock.js';
import { seeded } from '../support/seeds.js';
import { drive, openMemory, openMemoryAt } from './wrappers-tools.js';

const text = async (connection: Connection, path: string) =>
  Buffer.from((await connection.get(path)).bytes).toString();

let clock: ManualClock;
/** The store itself. */
let store: Connection;
let connection: Connection;
/** What the next calls meet, in order. */
let next: (Fault | undefined)[];
let injected: InjectedFault[];

beforeEach(async () => {
  clock = new ManualClock();
  store = await openMemory(clock);
  next = [];
  injected = [];
  const choose: ChooseFault = () => next.shift();
  connection = withFaults(store, { clock, choose, report: (fault) => injected.push(fault) });
});

const meet = <T>(fault: Fault, call: () => Promise<T>): Promise<T> => {
  next.push(fault);
  return call();
};

describe('a dropped request', () => {
  const fault: Fault = { kind: 'drop request' };

  test('never reaches the store, and is Unavailable', async () => {
    const failed = meet(fault, () => connection.create('a', utf8('x')));
    await expect(failed).rejects.toMatchObject({ code: 'Unavailable', path: 'a', store: store.store });
    expect(await scanPaths(store)).toEqual([]);
  });

  test('that nobody noticed is an unknown outcome for a write, and Timeout for a read', async () => {
    const unnoticed: Fault = { ...fault, unnoticed: true };
    const written = meet(unnoticed, () => connection.create('a', utf8('x')));
    await expect(written).rejects.toMatchObject({ code: 'OutcomeUnknown', cause: { code: 'Timeout' } });
    await expect(meet(unnoticed, () => connection.get('a'))).rejects.toMatchObject({ code: 'Timeout' });
    expect(await scanPaths(store)).toEqual([]);
  });

  test('ends a scan with Unavailable and a watch with WatchLost before anything is delivered', async () => {
    await expect(meet(fault, () => first(connection.scan('')))).rejects.toMatchObject({
      code: 'Unavailable',
    });
    await expect(meet(fault, () => first(connection.watch('a')))).rejects.toMatchObject({
      code: 'WatchLost',
    });
  });

  test('of a lock takes no lock', async () => {
    await store.create('d/a', utf8('x'));
    await expect(meet(fault, () => connection.lock('d', 'mine'))).rejects.toMatchObject({
      code: 'Unavailable',
    });
    expect(await store.lockQueue('d')).toEqual([]);
  });

  test('is Interrupted where the signal has fired, and Timeout where the deadline has passed', async () => {
    const late = meet(fault, () => connection.get('a', { deadline: clock.now() }));
    await expect(late).rejects.toMatchObject({ code: 'Timeout' });
    const aborted = meet(fault, () => connection.get('a', { signal: AbortSignal.abort() }));
    await expect(aborted).rejects.toMatchObject({ code: 'Interrupted' });
    expect(injected).toEqual([]);
  });
});

describe('a dropped answer', () => {
  const fault: Fault = { kind: 'drop answer' };

  test('leaves the write done, and its outcome unknown', async () => {
    const failed = meet(fault, () => connection.create('a', utf8('x')));
    await expect(failed).rejects.toMatchObject({ code: 'OutcomeUnknown', path: 'a' });
    await holds(store, 'a', 'x');
    await expect(meet(fault, () => connection.get('a'))).rejects.toMatchObject({ code: 'Timeout' });
  });

  test('of a call that the store refuses is the refusal', async () => {
    await expect(meet(fault, () => connection.delete('a', null))).rejects.toMatchObject({ code: 'NoNode' });
    expect(injected).toEqual([]);
  });

  test('cuts a scan off after a page, and a watch after an event', async () => {
    const ends: unknown[] = [];
    for (const begin of [() => connection.scan(''), () => connection.watch('a')]) {
      next.push(fault);
      let items = 0;
      try {
        for await (const _ of begin()) items += 1;
      } catch (error) {
        ends.push([items, error instanceof TopologyError ? error.code : error]);
      }
    }
    expect(ends).toEqual([
      [1, 'Unavailable'],
      [1, 'WatchLost'],
    ]);
  });

  test('does not happen to a lock, which nobody could give back', async () => {
    await store.create('d/a', utf8('x'));
    const lock = await meet(fault, () => connection.lock('d', 'mine'));
    await lock.unlock();
    expect(injected).toEqual([]);
  });

  test('can be told as another error, after somebody else did something', async () => {
    const error = new TypeError('bug');
    const meanwhile = () => store.update('a', utf8('theirs'), null);
    await expect(
      meet({ ...fault, error, meanwhile }, () => connection.create('a', utf8('mine'))),
    ).rejects.toBe(error);
    await holds(store, 'a', 'theirs');
  });
});

describe('a delay', () => {
  const fault: Fault = { kind: 'delay', ms: 500 };

  test('sends the request later, be it a call, a scan, a watch or a lock', async () => {
    await store.create('d/a', utf8('x'));
    const calls: readonly (() => Promise<unknown>)[] = [
      () => connection.get('d/a'),
      () => first(connection.scan('')),
      () => first(connection.watch('d/a')),
      async () => (await connection.lock('d', 'mine')).unlock(),
    ];
    for (const call of calls) {
      const begun = clock.now();
      await drive(clock, meet(fault, call));
      expect(clock.now() - begun).toBeGreaterThanOrEqual(500);
    }
  });

  test('ends with the deadline, the signal and close, and the request is never sent', async () => {
    const written = (path: string, options: object) =>
      meet(fault, () => connection.create(path, utf8('x'), options));
    const late = written('a', { deadline: clock.now() + 100 });
    await expect(drive(clock, late)).rejects.toMatchObject({ code: 'Timeout', path: 'a' });
    const abort = new AbortController();
    const aborted = written('b', { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'Interrupted', path: 'b' });
    const closed = written('c', {}).catch((error: unknown) => error);
    const { server, root } = parseAddress(store.store);
    const reader = await openMemoryAt(server, root);
    await connection.close();
    expect(await closed).toMatchObject({ code: 'Interrupted', path: 'c' });
    expect(await scanPaths(reader)).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('of a watch that is left meanwhile keeps nobody waiting', async () => {
    next.push(fault);
    const events = connection.watch('a')[Symbol.asyncIterator]();
    const event = events.next();
    await events.return?.();
    expect((await drive(clock, event)).done).toBe(true);
  });
});

test('a duplicate is told by the second try where the write is not idempotent, and not seen where it is', async () => {
  const fault: Fault = { kind: 'duplicate' };
  await expect(meet(fault, () => connection.create('a', utf8('1')))).rejects.toMatchObject({
    code: 'NodeExists',
  });
  await meet(fault, () => connection.update('a', utf8('2'), null));
  expect(await meet(fault, () => text(connection, 'a'))).toBe('2');
  expect(injected.map(({ method }) => method)).toEqual(['create', 'update']);
});

describe('a stale read', () => {
  const fault: Fault = { kind: 'stale read' };

  test('of a record is what it was before, absence included', async () => {
    await expect(meet(fault, () => connection.get('a'))).rejects.toMatchObject({ code: 'NoNode' });
    await connection.create('a', utf8('1'));
    await expect(meet(fault, () => connection.get('a'))).rejects.toMatchObject({ code: 'NoNode', path: 'a' });
    await connection.update('a', utf8('2'), null);
    expect(await meet(fault, () => text(connection, 'a'))).toBe('1');
    expect(await text(connection, 'a')).toBe('2');
    await connection.delete('a', null);
    expect(await meet(fault, () => text(connection, 'a'))).toBe('2');
    expect(injected.length).toBe(3);
  });

  test('of a directory, of the position and of a scan is what this connection read before', async () => {
    await connection.create('d/a', utf8('1'));
    const position = await connection.position();
    const look = async () => [
      await connection.listDir('d'),
      (await connection.listDirFull('d')).map(({ name }) => name),
      await scanPaths(connection, 'd'),
    ];
    const before = await look();
    await store.create('d/b', utf8('1'));
    next.push(fault, fault, fault, fault);
    expect(await look()).toEqual(before);
    expect(await connection.position()).toBe(position);
    expect(await look()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['d/a', 'd/b'],
    ]);
  });

  test('is the truth where nothing older is known', async () => {
    await store.create('a', utf8('1'));
    expect(await meet(fault, () => text(connection, 'a'))).toBe('1');
    expect(await meet(fault, () => scanPaths(connection))).toEqual(['a']);
    expect(injected).toEqual([]);
  });
});

test('an empty listing hides what is there, well-formed', async () => {
  await store.create('d/a', utf8('1'));
  const fault: Fault = { kind: 'empty listing' };
  next.push(fault, fault, fault, fault);
  expect([await connection.listDir('d'), await connection.listDirFull('d')]).toEqual([[], []]);
  expect(await first(connection.scan(''))).toEqual({ records: [], position: await store.position() });
  expect(await text(connection, 'd/a')).toBe('1');
  expect(injected.map(({ method }) => method)).toEqual(['listDir', 'listDirFull', 'scan']);
});

test('what was done is reported: store, method, path, number of the call, and the fault', async () => {
  await connection.position();
  const fault: Fault = { kind: 'drop request' };
  await meet(fault, () => connection.get('a')).catch(() => {});
  await meet(fault, () => connection.write([create('a')])).catch(() => {});
  expect(injected).toEqual([
    { store: store.store, method: 'get', path: 'a', nth: 2, fault },
    { store: store.store, method: 'write', path: undefined, nth: 3, fault },
  ]);
});

test('faults by chance come as often as asked, and the same for one seed', () => {
  const call = { method: 'get', path: 'a', nth: 1 } as const;
  const draw = () => {
    const choose = randomFaults(seeded(5), { 'drop request': 0.25, delay: 0.25, 'stale read': 0.1 }, 40);
    return Array.from({ length: 10_000 }, () => choose(call));
  };
  const faults = draw();
  expect(faults).toEqual(draw());
  const share = (kind: Fault['kind'] | undefined) =>
    faults.filter((fault) => fault?.kind === kind).length / 10_000;
  expect(share('drop request')).toBeCloseTo(0.25, 1);
  expect(share('delay')).toBeCloseTo(0.25, 1);
  expect(share('stale read')).toBeCloseTo(0.1, 1);
  expect(share(undefined)).toBeCloseTo(0.4, 1);
  const delays = faults.flatMap((fault) => (fault?.kind === 'delay' ? [fault.ms] : []));
  expect([Math.min(...delays), Math.max(...delays)]).toEqual([1, 40]);
});

/** Sentences of the contract that each lie must break. */
const CAUGHT: Readonly<Partial<Record<Fault['kind'], readonly string[]>>> = {
  'stale read': [
    'reads see at once what this connection was told is written',
    'reads begun after position see everything that was acknowledged before it, whoever wrote it',
    'a scan sees everything that was acknowledged before it began, whoever wrote it',
    'reads never go back in time',
    'position grows with every change, whoever made it, and never falls',
  ],
  'empty listing': [
    'listDir gives the names of records and directories, each once',
    'listDirFull says what is a file and what a directory',
    'a scan of many records gives each once, in byte order, with its bytes',
    'a scan that is aborted half-way fails with Interrupted or is complete, never short in silence',
    'reads see at once what this connection was told is written',
  ],
  duplicate: [
    'create makes a record, which is then there for every method that reads',
    'update with the right version replaces the record and nothing else',
    'delete with the right version takes the record away and nothing else',
    'a batch creates, updates, deletes and checks as one',
  ],
};

/** Which of `titles` do not hold for a connection whose every call meets the fault. */
async function broken(name: string, titles: readonly string[], fault: Fault | undefined): Promise<string[]> {
  const plan = { clock: systemClock, choose: () => fault };
  const open = async (root: string) => withFaults(await openMemoryAt(`etcd:fault ${name}`, root), plan);
  const verdicts = await judge({ name, open }, (title) => titles.includes(title));
  expect(verdicts.map(({ title }) => title).sort()).toEqual([...titles].sort());
  return verdicts.filter(({ outcome }) => outcome === 'broken').map(({ title }) => title);
}

describe('the conformance suite catches', () => {
  test.each(['stale read', 'empty listing', 'duplicate'] as const)('a %s', async (kind) => {
    const titles = CAUGHT[kind] ?? [];
    expect((await broken(kind, titles, { kind })).sort()).toEqual([...titles].sort());
  });

  test('nothing where there is no fault', async () => {
    const titles = [...new Set(Object.values(CAUGHT).flat())];
    expect(await broken('none', titles, undefined)).toEqual([]);
  });
});

/** Faults that a store may have, of the kinds that a retrying connection hides from its user. */
function honest(choose: ChooseFault): ChooseFault {
  return (call) => {
    const fault = choose(call);
    // Neither watches nor locks are begun again, and an unconditional write is not sent twice.
    const hidden =
      fault?.kind === 'drop answer'
        ? ['get', 'listDir', 'listDirFull', 'position', 'create']
        : [
            'get',
            'listDir',
            'listDirFull',
            'position',
            'create',
            'update',
            'delete',
            'write',
            'scan',
            'leader',
          ];
    return fault?.kind === 'delay' || hidden.includes(call.method) ? fault : undefined;
  };
}

const chances = { 'drop request': 0.15, 'drop answer': 0.15, delay: 0.05 } as const;
const choose = honest(randomFaults(seeded(1), chances, 5));
runConformance({
  name: 'a retrying connection that loses requests and answers over memory',
  open: async (root, options) => {
    const inner = withFaults(await openMemoryAt('etcd:honest faults', root, options), {
      clock: systemClock,
      choose,
    });
    return withRetry(inner, { clock: systemClock, random: Math.random, maxAttempts: 15, initialDelayMs: 1 });
  },
});
