import assert from 'node:assert/strict';
import { getEventListeners, setMaxListeners } from 'node:events';
import { isTopologyError } from '../../src/topo/errors.js';
import { forEachMethod, type Method, methodsFixture } from './methods.js';
import { needs, theme } from './sentence.js';
import {
  changesNothing,
  createMany,
  failure,
  first,
  PATIENCE_MS,
  pattern,
  refuses,
  scanAll,
  utf8,
  within,
} from './tools.js';

const ALL: readonly Method['kind'][] = ['read', 'write', 'watch', 'lock'];

export const calls = theme('calls', [
  {
    title: 'a call whose signal has fired is Interrupted, whatever the method, and changes nothing',
    run: async (context) => {
      const { connection, writer } = context;
      const methods = await methodsFixture(context);
      const signal = AbortSignal.abort(new Error('stopped by the test'));
      await changesNothing(writer, () =>
        forEachMethod(methods, ALL, ({ path, call }) =>
          refuses(connection, 'Interrupted', within(PATIENCE_MS, 'a call', call(connection, { signal })), {
            path,
          }),
        ),
      );
    },
  },
  {
    title: 'a call whose deadline has passed is Timeout, whatever the method, and changes nothing',
    run: async (context) => {
      const { connection, writer } = context;
      const methods = await methodsFixture(context);
      for (const deadline of [Date.now() - 1_000, 0]) {
        await changesNothing(writer, () =>
          forEachMethod(methods, ALL, ({ path, call }) =>
            refuses(connection, 'Timeout', within(PATIENCE_MS, 'a call', call(connection, { deadline })), {
              path,
            }),
          ),
        );
      }
    },
  },
  {
    title: 'a call with a signal that does not fire and a deadline far away goes well, whatever the method',
    run: async (context) => {
      const { connection } = context;
      const options = { signal: new AbortController().signal, deadline: Date.now() + 3_600_000 };
      for (const { name, call } of await methodsFixture(context)) {
        if (name === 'unconditional delete') continue;
        await within(PATIENCE_MS, name, call(connection, options));
      }
    },
  },
  {
    title: 'a deadline beyond what a timer can count is a deadline far away',
    run: async ({ connection, writer }) => {
      await writer.create('a', utf8('x'));
      await connection.get('a', { deadline: Date.now() + 10 ** 12 });
      await connection.get('a', { deadline: Number.POSITIVE_INFINITY });
    },
  },
  {
    title: 'a call that is over leaves nothing on its signal, whatever the method',
    run: async (context) => {
      const { connection } = context;
      const { signal } = new AbortController();
      for (const { call } of await methodsFixture(context)) {
        await call(connection, { signal, deadline: Date.now() + 60_000 }).catch(() => {});
      }
      await connection.get('absent', { signal }).catch(() => {});
      await scanAll(connection, '', { signal });
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    },
  },
  {
    title: 'a call that is aborted in mid-flight is done or Interrupted, a write perhaps OutcomeUnknown',
    run: async (context) => {
      const { connection } = context;
      const methods = await methodsFixture(context);
      for (let round = 0; round < 3; round++) {
        await forEachMethod(methods, ['read', 'write'], async ({ kind, call }) => {
          const abort = new AbortController();
          const work = call(connection, { signal: abort.signal });
          if (round > 0) await Promise.resolve();
          if (round > 1) setImmediate(() => abort.abort());
          else abort.abort();
          const outcome = await within(PATIENCE_MS, 'an aborted call', work).catch((error: unknown) => error);
          if (!(outcome instanceof Error)) return;
          const { code } = await failure(Promise.reject(outcome));
          // Methods of one sentence share records: a write may also find that another was first.
          const others =
            kind === 'write' ? ['OutcomeUnknown', 'NodeExists', 'BadVersion', 'NoNode'] : ['NoNode'];
          assert.ok(['Interrupted', ...others].includes(code), code);
        });
      }
    },
  },
  {
    title: 'an aborted write that says Interrupted was not done',
    when: needs.writes,
    run: async ({ connection }) => {
      for (let i = 0; i < 60; i++) {
        const abort = new AbortController();
        const work = connection.create(`d/${i}`, utf8('x'), { signal: abort.signal });
        if (i % 3 === 1) await Promise.resolve();
        if (i % 3 === 2) setImmediate(() => abort.abort());
        else abort.abort();
        const outcome = await work.catch((error: unknown) => error);
        const exists = (await scanAll(connection, 'd')).records.some((record) => record.path === `d/${i}`);
        if (isTopologyError(outcome, 'Interrupted'))
          assert.equal(exists, false, 'Interrupted, and yet there');
        else if (!isTopologyError(outcome, 'OutcomeUnknown'))
          assert.equal(exists, true, 'done, and yet absent');
      }
    },
  },
  {
    title: 'one call that is aborted does not disturb the others on the connection',
    when: needs.writes,
    run: async ({ connection }) => {
      await createMany(
        connection,
        Array.from({ length: 50 }, (_, i) => [`d/${i}`, pattern(100)] as const),
      );
      const abort = new AbortController();
      setMaxListeners(0, abort.signal);
      const doomed = Array.from({ length: 50 }, (_, i) => connection.get(`d/${i}`, { signal: abort.signal }));
      const others = Array.from({ length: 50 }, (_, i) => connection.get(`d/${i}`));
      abort.abort();
      const results = await Promise.allSettled(doomed);
      for (const result of results) {
        if (result.status === 'rejected')
          await refuses(connection, 'Interrupted', Promise.reject(result.reason));
      }
      assert.equal((await Promise.all(others)).length, 50);
    },
  },
]);

export const closing = theme('close', [
  {
    title: 'after close every method is Interrupted, and changes nothing',
    run: async (context) => {
      const connection = await context.open();
      const methods = await methodsFixture(context);
      await connection.close();
      await changesNothing(context.writer, () =>
        forEachMethod(methods, ALL, ({ path, call }) =>
          refuses(connection, 'Interrupted', within(PATIENCE_MS, 'a call after close', call(connection)), {
            path,
          }),
        ),
      );
    },
  },
  {
    title: 'close can be called again and again, and never throws',
    run: async ({ open }) => {
      const connection = await open();
      await within(PATIENCE_MS, 'close', Promise.all([connection.close(), connection.close()]));
      await within(PATIENCE_MS, 'close', connection.close());
    },
  },
  {
    title: 'store and capabilities can be read after close',
    run: async ({ open, connection }) => {
      const other = await open();
      await other.close();
      assert.equal(other.store, connection.store);
      assert.deepEqual(other.capabilities, connection.capabilities);
    },
  },
  {
    title: 'calls in flight at close are done or Interrupted, writes perhaps OutcomeUnknown, and none hangs',
    run: async (context) => {
      const methods = (await methodsFixture(context)).filter(
        ({ kind }) => kind === 'read' || kind === 'write',
      );
      for (let round = 0; round < 3; round++) {
        const connection = await context.open();
        const inFlight = Array.from({ length: 10 }, () => methods)
          .flat()
          .map(async ({ kind, call }) => ({
            kind,
            outcome: await call(connection).catch((error: unknown) => error),
          }));
        if (round > 0) await new Promise((resolve) => setImmediate(resolve));
        await within(PATIENCE_MS, 'close', connection.close());
        for (const { kind, outcome } of await within(
          PATIENCE_MS,
          'calls in flight at close',
          Promise.all(inFlight),
        )) {
          if (!(outcome instanceof Error)) continue;
          const { code } = await failure(Promise.reject(outcome));
          const others = kind === 'write' ? ['OutcomeUnknown', 'NodeExists', 'BadVersion'] : [];
          assert.ok(['Interrupted', 'NoNode', ...others].includes(code), code);
        }
      }
    },
  },
  {
    title: 'a write that close left Interrupted was not done',
    when: needs.writes,
    run: async ({ connection, open }) => {
      const other = await open();
      const writes = Array.from({ length: 40 }, (_, i) =>
        other.create(`d/${i}`, utf8('x')).then(
          () => 'done',
          async (error: unknown) => (await failure(Promise.reject(error))).code,
        ),
      );
      await other.close();
      const outcomes = await within(PATIENCE_MS, 'writes at close', Promise.all(writes));
      const present = new Set((await scanAll(connection)).records.map((record) => record.path));
      outcomes.forEach((outcome, i) => {
        if (outcome === 'done') assert.ok(present.has(`d/${i}`), 'done, and yet absent');
        if (outcome === 'Interrupted') assert.ok(!present.has(`d/${i}`), 'Interrupted, and yet there');
      });
    },
  },
  {
    title: 'a scan in progress at close ends with Interrupted or is complete, never short in silence',
    run: async ({ open, writer }) => {
      const paths = Array.from({ length: 3_000 }, (_, i) => `d/${String(i).padStart(6, '0')}`);
      await createMany(
        writer,
        paths.map((path) => [path, pattern(200)] as const),
      );
      const connection = await open();
      let seen = 0;
      const reading = (async () => {
        for await (const page of connection.scan('d')) {
          if (seen === 0) await connection.close();
          seen += page.records.length;
        }
      })();
      const outcome = await within(PATIENCE_MS, 'a scan at close', reading).catch((error: unknown) => error);
      if (outcome === undefined) assert.equal(seen, paths.length, 'the scan ended short in silence');
      else await refuses(connection, 'Interrupted', Promise.reject(outcome));
    },
  },
  {
    title: 'closing one connection leaves the others to the same place alone',
    run: async ({ connection, open, writer }) => {
      await writer.create('a', utf8('x'));
      const others = await Promise.all([open(), open(), open()]);
      await first(connection.watch('a'));
      await Promise.all(others.map((other) => other.close()));
      assert.equal(Buffer.from((await connection.get('a')).bytes).toString(), 'x');
    },
  },
  {
    title: 'what was written is there for the next connection',
    when: needs.writes,
    run: async ({ open, connection }) => {
      const before = await open();
      const version = await before.create('d/a', utf8('kept'));
      await before.close();
      const after = await open();
      const value = await after.get('d/a');
      assert.ok(value.version.equals(version));
      assert.ok((await connection.get('d/a')).version.equals(version));
    },
  },
]);
