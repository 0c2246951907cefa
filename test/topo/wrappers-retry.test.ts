import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { type RetrySettings, withRetry } from '../../src/topo/wrappers/retry.js';
import { check, create, remove, update, utf8 } from '../conformance/tools.js';
import { FaultScript, lostAnswer, lostRequest, lostSomewhere } from '../support/fault-script.js';
import { ManualClock } from '../support/manual-clock.js';
import { drive, openMemory } from './wrappers-tools.js';

const text = async (connection: Connection, path: string) =>
  Buffer.from((await connection.get(path)).bytes).toString();

let clock: ManualClock;
/** The store itself, where somebody else writes too. */
let store: Connection;
let faulty: FaultScript;
let retrying: Connection;

/** The retrying connection over the faulty one, with waits that are written down. */
async function begin(settings: Partial<RetrySettings> = {}): Promise<number[]> {
  clock = new ManualClock();
  store = await openMemory(clock);
  faulty = new FaultScript(store, clock);
  const waits: number[] = [];
  const listening = {
    now: () => clock.now(),
    schedule: (ms: number, callback: () => void) => {
      waits.push(ms);
      return clock.schedule(ms, callback);
    },
  };
  retrying = withRetry(faulty.connection, { clock: listening, random: () => 0, ...settings });
  return waits;
}

const done = <T>(work: Promise<T>) => drive(clock, work);
const codeOf = async (work: Promise<unknown>) =>
  done(work).then(
    () => 'done',
    (error: unknown) => (error instanceof TopologyError ? error.code : error),
  );

beforeEach(() => begin());

describe('a read', () => {
  test('is repeated after Unavailable and Timeout until it goes through', async () => {
    await done(store.create('a', utf8('1')));
    faulty.fail('get', lostRequest, lostAnswer, lostRequest);
    expect(await done(text(retrying, 'a'))).toBe('1');
    expect(faulty.count('get')).toBe(4);
  });

  test('fails with its last error when all tries are spent', async () => {
    faulty.fail('listDir', ...Array.from({ length: 9 }, () => lostRequest));
    expect(await codeOf(retrying.listDir('d'))).toBe('Unavailable');
    expect(faulty.count('listDir')).toBe(5);
  });

  test('tells of each failure after which it is sent again, and of no other', async () => {
    const told: unknown[] = [];
    await begin({ onRetry: (error) => told.push(error instanceof TopologyError && error.code) });
    faulty.fail('listDir', ...Array.from({ length: 9 }, () => lostRequest));
    expect(await codeOf(retrying.listDir('d'))).toBe('Unavailable');
    expect(await codeOf(retrying.get('a'))).toBe('NoNode');
    expect(told).toEqual(Array.from({ length: 4 }, () => 'Unavailable'));
  });

  test('is not repeated when the store answered', async () => {
    expect(await codeOf(retrying.get('a'))).toBe('NoNode');
    expect(await codeOf(retrying.get('/a'))).toBe('InvalidPath');
    expect(faulty.calls).toEqual(['get', 'get']);
  });

  test('is not repeated when its error says that a retry does not help', async () => {
    const error = new TopologyError(ErrorCode.Unavailable, 'TLS against plain', { retryable: false });
    faulty.fail('position', { kind: 'drop request', error });
    await expect(done(retrying.position())).rejects.toBe(error);
    expect(faulty.count('position')).toBe(1);
  });

  test('hands on what is no TopologyError', async () => {
    const broken = withRetry(
      { ...store, get: () => Promise.reject(new TypeError('bug')) },
      { clock, random: () => 0 },
    );
    await expect(done(broken.get('a'))).rejects.toThrow(TypeError);
  });
});

describe('the wait between tries', () => {
  test('doubles up to its longest, and half of it is chance', async () => {
    for (const [chance, expected] of [
      [0, [25, 50, 100, 150, 150]],
      [0.5, [37.5, 75, 150, 225, 225]],
    ] as const) {
      const settings = { random: () => chance, maxAttempts: 6, maxDelayMs: 300, initialDelayMs: 50 };
      const waits = await begin(settings);
      faulty.fail('get', ...expected.map(() => lostRequest));
      expect(await codeOf(retrying.get('a'))).toBe('NoNode');
      expect(waits).toEqual(expected);
    }
  });

  test('ends at once when the signal fires, and nothing is left', async () => {
    faulty.fail('get', lostRequest);
    const abort = new AbortController();
    const work = retrying.get('a', { signal: abort.signal });
    const outcome = codeOf(work);
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await outcome).toBe('Interrupted');
    expect([faulty.count('get'), clock.pending]).toEqual([1, 0]);
  });

  test('does not begin when the signal fired while the call failed', async () => {
    const abort = new AbortController();
    faulty.fail('get', { ...lostRequest, meanwhile: async () => abort.abort() });
    const outcome = retrying.get('a', { signal: abort.signal });
    await expect(outcome).rejects.toMatchObject({ code: 'Interrupted', path: 'a', store: store.store });
    expect(clock.pending).toBe(0);
  });

  test('leaves nothing on the signal', async () => {
    const { signal } = new AbortController();
    faulty.fail('get', lostRequest, lostRequest);
    expect(await codeOf(retrying.get('a', { signal }))).toBe('NoNode');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('ends at once when the connection is closed', async () => {
    await begin({ initialDelayMs: 1_000_000, maxDelayMs: 1_000_000 });
    faulty.fail('get', lostRequest, lostRequest);
    faulty.fail('create', lostSomewhere);
    const read = retrying.get('a');
    const write = retrying.create('b', utf8('x'));
    const outcomes = Promise.allSettled([read, write]);
    await new Promise((resolve) => setImmediate(resolve));
    await retrying.close();
    const codes = (await outcomes).map((result) => result.status === 'rejected' && result.reason.code);
    expect(codes).toEqual(['Interrupted', 'OutcomeUnknown']);
    expect(await codeOf(retrying.get('a'))).toBe('Interrupted');
    expect(clock.pending).toBe(0);
  });

  test('never goes past the deadline, which holds for all tries together', async () => {
    const waits = await begin({ maxAttempts: 100 });
    faulty.fail('get', ...Array.from({ length: 99 }, () => lostRequest));
    const begun = clock.now();
    expect(await codeOf(retrying.get('a', { deadline: begun + 500 }))).toBe('Unavailable');
    expect(clock.now() - begun).toBeLessThan(500);
    expect(waits).toEqual([25, 50, 100, 200]);
  });
});

describe('a write that has changed nothing', () => {
  test.each(['create', 'update', 'delete', 'write'] as const)('is repeated: %s', async (method) => {
    const version = await done(store.create('there', utf8('1')));
    const error = new TopologyError(ErrorCode.Timeout, 'the deadline passed');
    faulty.fail(method, lostRequest, { kind: 'drop request', error });
    const calls = {
      create: () => retrying.create('a', utf8('1')),
      update: () => retrying.update('there', utf8('2'), null),
      delete: () => retrying.delete('there', null),
      write: () => retrying.write([update('there', version), remove('there2'), create('b')].slice(0, 1)),
    };
    await done<unknown>(calls[method]());
    expect(faulty.count(method)).toBe(3);
  });

  test('is not repeated after a refusal, which is the answer', async () => {
    const past = await done(store.create('a', utf8('1')));
    await done(store.update('a', utf8('2'), past));
    expect(await codeOf(retrying.create('a', utf8('2')))).toBe('NodeExists');
    expect(await codeOf(retrying.update('a', utf8('2'), past))).toBe('BadVersion');
    expect(await codeOf(retrying.delete('b', past))).toBe('NoNode');
    expect(await codeOf(retrying.write([create('a', '2')]))).toBe('NodeExists');
    expect(faulty.calls).toEqual(['create', 'update', 'delete', 'write']);
  });
});

describe('a conditional write whose answer was lost', () => {
  test('create: it is done, and the answer is the version in the store', async () => {
    faulty.fail('create', lostAnswer);
    const version = await done(retrying.create('a', utf8('mine')));
    await done(store.update('a', utf8('next'), version));
  });

  test('update: it is done, and the answer is the version in the store', async () => {
    const old = await done(store.create('a', utf8('1')));
    faulty.fail('update', lostAnswer);
    const version = await done(retrying.update('a', utf8('2'), old));
    expect(version.equals((await done(store.get('a'))).version)).toBe(true);
  });

  test('delete: it is done', async () => {
    const old = await done(store.create('a', utf8('1')));
    faulty.fail('delete', lostAnswer);
    await done(retrying.delete('a', old));
    expect(faulty.calls).toEqual(['delete', 'delete', 'get']);
  });

  test('batch: it is done, and the answer holds the versions in the store, in order', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((path) => done(store.create(path, utf8('1')))));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three versions');
    faulty.fail('write', lostAnswer);
    const batch = [remove('a', a), update('b', b, '2'), check('c', c), create('d', 'new'), check('e', null)];
    const answer = await done(retrying.write(batch));
    const present = [
      undefined,
      (await done(store.get('b'))).version,
      undefined,
      (await done(store.get('d'))).version,
    ];
    expect(answer.map(String)).toEqual([...present, undefined].map(String));
  });

  test('lost before it was applied: it is sent again', async () => {
    const old = await done(store.create('b', utf8('1')));
    faulty.fail('create', lostSomewhere);
    faulty.fail('update', lostSomewhere, lostRequest, lostSomewhere);
    await done(retrying.create('a', utf8('1')));
    await done(retrying.update('b', utf8('2'), old));
    expect(await done(text(store, 'a'))).toBe('1');
    expect(await done(text(store, 'b'))).toBe('2');
    expect(faulty.count('update')).toBe(4);
  });

  test('when reading fails, it is tried again', async () => {
    faulty.fail('create', lostAnswer);
    faulty.fail('get', lostRequest, lostAnswer);
    const version = await done(retrying.create('a', utf8('mine')));
    expect(version.equals((await done(store.get('a'))).version)).toBe(true);
  });
});

test('a conditional write whose answer was lost is compared in the form that its store has', async () => {
  const form = {
    name: 'capitals',
    hold: (_: string, bytes: Uint8Array) => ({ bytes: utf8(String(bytes).toUpperCase()), losses: [] }),
  };
  const capitals = new Proxy(store, {
    get: (target, name) => {
      if (name === 'capabilities') return { ...target.capabilities, form };
      if (name === 'create')
        return (path: string, bytes: Uint8Array, options?: CallOptions) =>
          target.create(path, form.hold(path, bytes).bytes, options);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  faulty = new FaultScript(capitals, clock);
  retrying = withRetry(faulty.connection, { clock, random: () => 0 });
  faulty.fail('create', lostAnswer);
  const version = await done(retrying.create('a', Buffer.from('text')));
  expect(version.equals((await store.get('a')).version)).toBe(true);
  expect(await text(store, 'a')).toBe('TEXT');
});

describe('a write whose outcome stays unknown', () => {
  test.each([
    ['create', 'changed', () => store.update('new', utf8('theirs'), null)],
    ['update', 'changed', () => store.update('there', utf8('theirs'), null)],
    ['update', 'deleted', () => store.delete('there', null)],
    ['delete', 'made again', () => store.create('there', utf8('theirs'))],
    ['write', 'changed', () => store.update('new', utf8('theirs'), null)],
  ] as const)(
    '%s, and another has %s the record since: the refusal is not passed off as the answer',
    async (method, _what, meanwhile) => {
      const version = await done(store.create('there', utf8('1')));
      faulty.fail(method, { ...lostAnswer, meanwhile });
      const calls = {
        create: () => retrying.create('new', utf8('mine')),
        update: () => retrying.update('there', utf8('mine'), version),
        delete: () => retrying.delete('there', version),
        write: () => retrying.write([update('there', version, 'mine'), create('new', 'mine')]),
      };
      const before = new TopologyError(ErrorCode.OutcomeUnknown, '');
      const failed = await done<unknown>(calls[method]()).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: before.code, cause: { code: 'Timeout' } });
    },
  );

  test('a check that no longer holds: the batch may have been applied or not', async () => {
    const checked = await done(store.create('checked', utf8('1')));
    faulty.fail('write', { ...lostAnswer, meanwhile: () => store.update('checked', utf8('2'), null) });
    expect(await codeOf(retrying.write([check('checked', checked), create('a', 'mine')]))).toBe(
      'OutcomeUnknown',
    );
  });

  test.each([
    ['update', (options?: CallOptions) => retrying.update('there', utf8('x'), null, options)],
    ['delete', (options?: CallOptions) => retrying.delete('there', null, options)],
    ['write', (options?: CallOptions) => retrying.write([create('a'), remove('there')], options)],
  ] as const)('an unconditional %s is returned as it is, and sent once', async (method, call) => {
    await done(store.create('there', utf8('1')));
    faulty.fail(method, lostAnswer);
    expect(await codeOf(call())).toBe('OutcomeUnknown');
    expect(faulty.calls).toEqual([method]);
  });

  test('all tries spent: the first unknown outcome is returned', async () => {
    const faults = Array.from({ length: 9 }, (_, i) => {
      return {
        kind: 'drop request',
        error: new TopologyError(ErrorCode.OutcomeUnknown, `lost ${i}`),
      } as const;
    });
    faulty.fail('create', ...faults);
    await expect(done(retrying.create('a', utf8('x')))).rejects.toBe(faults[0]?.error);
    expect(faulty.count('create')).toBe(5);
  });

  test('the store may no longer answer, or answer something else: the outcome stays unknown', async () => {
    const denied = new TopologyError(ErrorCode.Unauthorized, 'no longer');
    for (const error of [denied, new TypeError('bug')]) {
      await begin();
      faulty.fail('create', lostAnswer);
      faulty.fail('get', { kind: 'drop request', error });
      expect(await codeOf(retrying.create('a', utf8('x')))).toBe('OutcomeUnknown');
    }
    await begin();
    faulty.fail('create', lostAnswer, { kind: 'drop request', error: denied });
    expect(await codeOf(retrying.create('a', utf8('x')))).toBe('OutcomeUnknown');
  });

  test('the signal fires, or the deadline comes near: it is OutcomeUnknown, never Interrupted or Timeout', async () => {
    const waits = await begin({ initialDelayMs: 1_000, maxDelayMs: 1_000 });
    faulty.fail('create', lostAnswer, lostAnswer);
    const abort = new AbortController();
    const outcome = retrying
      .create('a', utf8('x'), { signal: abort.signal })
      .catch((error: unknown) => error);
    while (waits.at(-1) !== 500) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await outcome).toMatchObject({ code: 'OutcomeUnknown', cause: { code: 'Timeout' } });
    expect(await codeOf(retrying.create('b', utf8('x'), { deadline: clock.now() + 200 }))).toBe(
      'OutcomeUnknown',
    );
    expect([faulty.count('create'), clock.pending]).toEqual([2, 0]);
  });

  test('the store saw that it met a re-created record: nothing is sent again', async () => {
    const version = await done(store.create('a', utf8('1')));
    const cause = new TopologyError(ErrorCode.BadVersion, 'the record was re-created');
    const error = new TopologyError(ErrorCode.OutcomeUnknown, 'it met another record', { cause });
    faulty.fail('update', { kind: 'drop answer', error });
    await expect(done(retrying.update('a', utf8('2'), version))).rejects.toBe(error);
    expect(faulty.calls).toEqual(['update']);
  });
});

describe('an iteration', () => {
  const paths = async () => {
    const seen: string[] = [];
    for await (const page of retrying.scan('')) for (const record of page.records) seen.push(record.path);
    return seen;
  };

  test('a scan is begun again before its first page', async () => {
    await done(store.create('a', utf8('1')));
    faulty.fail('scan', lostRequest, lostRequest);
    expect(await done(paths())).toEqual(['a']);
    expect(faulty.count('scan')).toBe(3);
  });

  test('a scan that delivered a page is not: it fails', async () => {
    await done(store.create('a', utf8('1')));
    faulty.fail('scan', lostAnswer);
    expect(await codeOf(paths())).toBe('Unavailable');
    expect(faulty.count('scan')).toBe(1);
  });

  test('a watch is handed on', async () => {
    const failing = async () => {
      for await (const _ of retrying.watch('a'));
    };
    faulty.fail('watch', lostRequest);
    expect(await codeOf(failing())).toBe('WatchLost');
    expect(faulty.count('watch')).toBe(1);
  });
});
