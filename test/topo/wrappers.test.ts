import { expect, test } from 'vitest';
import { systemClock } from '../../src/topo/clock.js';
import { type CallOptions, type Connection, operationBytes } from '../../src/topo/connection.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { withDeadline } from '../../src/topo/wrappers/deadline.js';
import { withReadOnly } from '../../src/topo/wrappers/read-only.js';
import { Metrics, type RecordedCall, withRecording } from '../../src/topo/wrappers/recording.js';
import { create, first, remove, scanAll, utf8 } from '../conformance/tools.js';
import { FaultScript, lostRequest } from '../support/fault-script.js';
import { ManualClock } from '../support/manual-clock.js';
import { drive, openMemory } from './wrappers-tools.js';

/** Writes down the options with which each method is called. */
class Listening extends DelegatingConnection {
  readonly heard: (number | undefined)[] = [];

  protected override around<T>(
    call: { method: string },
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    expect(call.method).toBeDefined();
    this.heard.push(options?.deadline);
    return next({ signal: options?.signal });
  }

  protected override aroundIteration<T>(
    _call: object,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    this.heard.push(options?.deadline);
    return next({ signal: options?.signal });
  }
}

async function callEverything(connection: Connection, options?: CallOptions): Promise<void> {
  const version = await connection.create('d/a', utf8('1'), options);
  await connection.update('d/a', utf8('2'), version, options);
  await connection.listDir('d', options);
  await connection.listDirFull('d', options);
  await connection.get('d/a', options);
  await connection.position(options);
  await connection.write([create('d/b')], options);
  await connection.delete('d/b', null, options);
  await first(connection.scan('', options));
  await first(connection.watch('d/a', options));
  await first(connection.watchRecursive('d', options));
}

test('deadline: every call gets one, scans and watches none', async () => {
  const clock = new ManualClock();
  const inner = new Listening(await openMemory());
  await callEverything(withDeadline(inner, { clock, timeoutMs: 700 }));
  const deadline = clock.now() + 700;
  expect(inner.heard).toEqual([
    ...Array.from({ length: 8 }, () => deadline),
    undefined,
    undefined,
    undefined,
  ]);
});

test('deadline: a call that names its own keeps it, and its signal', async () => {
  const clock = new ManualClock();
  const inner = new Listening(await openMemory());
  const limited = withDeadline(inner, { clock, timeoutMs: 700 });
  await callEverything(limited, { deadline: 5 });
  expect(inner.heard).toEqual(Array.from({ length: 11 }, () => 5));
  await expect(limited.get('d/a', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'Interrupted',
  });
});

test('read-only: no write reaches the store, and reads do', async () => {
  const script = new FaultScript(await openMemory(), systemClock);
  const inner = script.connection;
  const version = await inner.create('d/a', utf8('1'));
  const reader = withReadOnly(inner);
  const writes = [
    () => reader.create('d/b', utf8('x')),
    () => reader.update('d/a', utf8('x'), version),
    () => reader.update('d/a', utf8('x'), null),
    () => reader.delete('d/a', null),
    () => reader.write([remove('d/a')]),
  ];
  for (const write of writes)
    await expect(write()).rejects.toMatchObject({ code: 'ReadOnly', store: inner.store, retryable: false });
  expect(script.calls).toEqual(['create']);
  expect(reader.capabilities).toEqual({ ...inner.capabilities, readOnly: true });
  expect(await reader.listDir('d')).toEqual(['a']);
});

test('recording: calls, errors by code, bytes and latency are counted for each method', async () => {
  const clock = new ManualClock();
  const script = new FaultScript(await openMemory(clock), clock);
  const inner = script.connection;
  const metrics = new Metrics();
  const calls: RecordedCall[] = [];
  const recorded = withRecording(inner, { clock, metrics, sink: (call) => calls.push(call) });
  const work = async () => {
    await recorded.create('a', utf8('12345'));
    await recorded.create('a', utf8('12345')).catch(() => {});
    await recorded.write([create('b', '123'), create('c', '4567')]);
    await recorded.get('a');
    script.fail(
      'get',
      { ...lostRequest, meanwhile: async () => clock.advance(250) },
      { kind: 'drop request', error: new TypeError('bug') },
    );
    await recorded.get('a').catch(() => {});
    await recorded.get('a').catch(() => {});
    await scanAll(recorded);
    await first(recorded.watch('c'));
    await recorded.delete('c', null);
  };
  await drive(clock, work());
  const counts = [...metrics.all()].map(([method, sum]) => [
    method,
    sum.calls,
    sum.errors,
    sum.bytesRead,
    sum.bytesWritten,
  ]);
  expect(counts).toEqual([
    ['create', 2, { NodeExists: 1 }, 0, 10],
    ['write', 1, {}, 0, 7],
    ['get', 3, { Unavailable: 1, unexpected: 1 }, 5, 0],
    ['scan', 1, {}, 12, 0],
    ['watch', 1, {}, 4, 0],
    ['delete', 1, {}, 0, 0],
  ]);
  expect(metrics.of('get').maxMs).toBeGreaterThanOrEqual(250);
  expect(metrics.of('get').totalMs).toBeGreaterThanOrEqual(metrics.of('get').maxMs);
  expect(metrics.of('listDir')).toMatchObject({ calls: 0, totalMs: 0 });
  expect(calls.map(({ method, path, outcome }) => [method, path, outcome])).toContainEqual([
    'get',
    'a',
    'Unavailable',
  ]);
  expect(calls.every((call) => call.store === inner.store)).toBe(true);
});

test('recording: a watch can be left while it waits, and counts as one call', async () => {
  const metrics = new Metrics();
  const recorded = withRecording(await openMemory(), { clock: new ManualClock(), metrics });
  const events = recorded.watch('a')[Symbol.asyncIterator]();
  expect((await events.next()).done).toBe(false);
  const waiting = events.next();
  await events.return?.();
  expect((await waiting).done).toBe(true);
  expect(metrics.of('watch')).toMatchObject({ calls: 1, errors: {} });
});

test('recording: an iteration that fails, even at its first step, is counted as failed', async () => {
  const metrics = new Metrics();
  const recorded = withRecording(await openMemory(), { clock: new ManualClock(), metrics });
  const begin = async () => first(recorded.watch('/a'));
  await expect(begin()).rejects.toMatchObject({ code: 'InvalidPath' });
  await expect(first(recorded.scan('', { deadline: 1 }))).rejects.toMatchObject({ code: 'Timeout' });
  expect([metrics.of('watch').errors, metrics.of('scan').errors]).toEqual([
    { InvalidPath: 1 },
    { Timeout: 1 },
  ]);
});

test('every wrapper keeps the name of the store', async () => {
  const inner = await openMemory();
  const clock = new ManualClock();
  const wrapped = [
    withReadOnly(inner),
    withDeadline(inner, { clock, timeoutMs: 1 }),
    withRecording(inner, { clock, metrics: new Metrics() }),
  ];
  for (const connection of wrapped) expect(connection.store).toBe(inner.store);
  expect(operationBytes(create('a', 'b'))).toBe(66);
});
