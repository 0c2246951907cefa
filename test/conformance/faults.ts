import assert from 'node:assert/strict';
import { TopologyError } from '../../src/topo/errors.js';
import { forEachMethod, methodsFixture } from './methods.js';
import { type Context, needs, theme } from './sentence.js';
import {
  absent,
  changesNothing,
  create,
  createMany,
  eventually,
  failure,
  first,
  holds,
  MOMENTS_MS,
  pattern,
  refuses,
  scanAll,
  utf8,
  within,
} from './tools.js';

const SOON_MS = 500;

/** Until a read goes through again. */
function recovers({ connection }: Context): Promise<unknown> {
  return eventually(
    'a read that goes through again',
    () => connection.position({ deadline: Date.now() + 1_000 }),
    25_000,
  );
}

/** Freezes the server and waits until it no longer answers: threads that run go on for a moment after the signal. */
async function freeze({ connection, faults }: Context): Promise<void> {
  await faults.freeze();
  await eventually('the end of all answers', async () => {
    const probe = connection.position({ deadline: Date.now() + 100 });
    return probe.then(
      () => false,
      () => true,
    );
  });
}

/** A deadline soon, and the longest that a call with it may take. */
function soon(): { options: { deadline: number }; limit: number } {
  return { options: { deadline: Date.now() + SOON_MS }, limit: SOON_MS + MOMENTS_MS };
}

export const faults = theme(
  'a server that is down or frozen',
  [
    {
      title:
        'with the server down every call is Unavailable by its deadline, and nothing was changed when it is back',
      run: async (context) => {
        const { connection, faults } = context;
        const methods = await methodsFixture(context);
        const calls = methods.filter(({ kind }) => kind !== 'watch');
        await changesNothing(connection, async () => {
          await faults.kill();
          // What was on its way when the server died may have an unknown outcome; from then on it is known to be down.
          await eventually('Unavailable', async () => {
            const { code } = await failure(connection.position(soon().options));
            return code === 'Unavailable';
          });
          await forEachMethod(calls, ['read', 'write'], ({ path, call }) => {
            const { options, limit } = soon();
            return refuses(connection, 'Unavailable', within(limit, 'a call', call(connection, options)), {
              path,
            });
          });
          await faults.restart();
          await recovers(context);
        });
        await holds(connection, 'dir/there', 'there');
        await connection.update('dir/there', utf8('newer'), null);
      },
    },
    {
      title: 'with the server frozen every read is Timeout by its deadline, and goes through after the thaw',
      run: async (context) => {
        const { connection, faults } = context;
        const methods = await methodsFixture(context);
        await freeze(context);
        await forEachMethod(methods, ['read'], ({ path, call }) => {
          const { options, limit } = soon();
          return refuses(connection, 'Timeout', within(limit, 'a call', call(connection, options)), { path });
        });
        await faults.thaw();
        await recovers(context);
        await holds(connection, 'dir/there', 'there');
      },
    },
    {
      title:
        'with the server frozen every write is OutcomeUnknown, or Timeout if it was never sent, by its deadline',
      run: async (context) => {
        const { connection, faults } = context;
        const methods = await methodsFixture(context);
        await freeze(context);
        await forEachMethod(methods, ['write'], async ({ path, call }) => {
          const { options, limit } = soon();
          const work = within(limit, 'a call', call(connection, options));
          const error = await refuses(connection, ['OutcomeUnknown', 'Timeout'], work, { path });
          if (error.code === 'OutcomeUnknown')
            assert.ok(
              error.cause instanceof TopologyError && error.cause.code === 'Timeout',
              'its cause says why',
            );
        });
        await faults.thaw();
        await recovers(context);
        // Each write may have been applied, now or later: nothing else may be found.
        const { bytes } = await connection.get('dir/there');
        assert.ok(['there', 'written'].includes(Buffer.from(bytes).toString()));
      },
    },
    {
      title:
        'with the server frozen an abort ends every call at once: Interrupted, a write that was sent OutcomeUnknown',
      run: async (context) => {
        const { connection, faults } = context;
        const methods = await methodsFixture(context);
        await freeze(context);
        await forEachMethod(methods, ['read', 'write', 'watch'], async ({ kind, path, call }) => {
          const abort = new AbortController();
          const work = call(connection, { signal: abort.signal, deadline: Date.now() + 20_000 });
          setTimeout(() => abort.abort(), 200);
          const codes =
            kind === 'write' ? (['Interrupted', 'OutcomeUnknown'] as const) : (['Interrupted'] as const);
          const error = await refuses(connection, codes, within(200 + MOMENTS_MS, 'a call', work), { path });
          if (error.code === 'OutcomeUnknown')
            assert.ok(
              error.cause instanceof TopologyError && error.cause.code === 'Interrupted',
              'its cause says why',
            );
        });
        await faults.thaw();
        await recovers(context);
      },
    },
    {
      title: 'a call without a deadline ends by the time limit of its connection',
      run: async (context) => {
        const { faults, open, root } = context;
        const methods = await methodsFixture(context);
        const connection = await open(root, { requestTimeoutMs: SOON_MS });
        await connection.position();
        await freeze(context);
        await forEachMethod(methods, ['read', 'write'], ({ kind, path, call }) => {
          const codes = kind === 'write' ? (['OutcomeUnknown', 'Timeout'] as const) : (['Timeout'] as const);
          return refuses(connection, codes, within(SOON_MS + MOMENTS_MS, 'a call', call(connection)), {
            path,
          });
        });
        await faults.thaw();
        await recovers(context);
      },
    },
    {
      title: 'what is refused before anything is sent is refused while the server is frozen',
      run: async (context) => {
        const { connection, capabilities, faults } = context;
        await connection.create('a', utf8('x'));
        await freeze(context);
        const at = async (what: string, work: Promise<unknown>) => within(MOMENTS_MS, what, work);
        await refuses(connection, 'InvalidPath', at('get', connection.get('/a')));
        await refuses(connection, 'InvalidPath', at('listDir', connection.listDir('a//b')));
        await refuses(connection, 'InvalidPath', at('scan', (async () => first(connection.scan('../a')))()));
        await refuses(connection, 'InvalidPath', at('create', connection.create('a/', utf8('x'))));
        await refuses(connection, 'InvalidPath', at('update', connection.update('', utf8('x'), null)));
        await refuses(connection, 'InvalidPath', at('delete', connection.delete('.', null)));
        await refuses(connection, 'InvalidPath', at('watch', (async () => first(connection.watch('a\0')))()));
        if (Number.isFinite(capabilities.maxValueBytes)) {
          const large = Buffer.alloc(capabilities.maxValueBytes + 1);
          await refuses(connection, 'TooLarge', at('create', connection.create('b', large)));
          await refuses(connection, 'TooLarge', at('update', connection.update('a', large, null)));
        }
        if (capabilities.batch.maxOps > 0) {
          await refuses(connection, 'InvalidBatch', at('write', connection.write([])));
          await refuses(
            connection,
            'InvalidBatch',
            at('write', connection.write([create('b'), create('b')])),
          );
          await refuses(connection, 'InvalidPath', at('write', connection.write([create('/b')])));
        }
        await faults.thaw();
        await recovers(context);
        await absent(connection, 'b');
      },
    },
    {
      title: 'close of a connection whose server is frozen ends soon, and so do the calls in flight',
      run: async (context) => {
        const { faults, open } = context;
        const methods = await methodsFixture(context);
        const connection = await open();
        await connection.position();
        await freeze(context);
        const inFlight = forEachMethod(methods, ['read', 'write', 'watch'], ({ kind, path, call }) => {
          const codes =
            kind === 'write' ? (['Interrupted', 'OutcomeUnknown'] as const) : (['Interrupted'] as const);
          return refuses(connection, codes, call(connection, { deadline: Date.now() + 25_000 }), { path });
        });
        await within(5_000, 'close', Promise.all([inFlight, connection.close()]));
        await faults.thaw();
        await recovers(context);
      },
    },
    {
      title: 'close of a connection whose server is down ends soon',
      run: async (context) => {
        const { faults, open } = context;
        const connection = await open();
        await connection.position();
        const reading = first(connection.watch('a'));
        await reading;
        await faults.kill();
        await within(5_000, 'close', connection.close());
        await refuses(connection, 'Interrupted', connection.get('a'));
      },
    },
    {
      title: 'a scan whose server dies fails or is complete, never short in silence',
      run: async (context) => {
        const { connection, faults, capabilities } = context;
        const size = Math.min(2_000, capabilities.maxValueBytes);
        const paths = Array.from({ length: 4_000 }, (_, i) => `d/${String(i).padStart(6, '0')}`);
        const bytes = pattern(size);
        await createMany(
          connection,
          paths.map((path) => [path, bytes] as const),
        );
        let seen = 0;
        const reading = (async () => {
          for await (const page of connection.scan('', { deadline: Date.now() + 3_000 })) {
            if (seen === 0) await faults.kill();
            seen += page.records.length;
          }
        })();
        const outcome = await within(3_000 + MOMENTS_MS, 'a scan', reading).catch((error: unknown) => error);
        if (outcome === undefined) assert.equal(seen, paths.length, 'the scan ended short in silence');
        else await refuses(connection, ['Unavailable', 'Timeout'], Promise.reject(outcome), { path: '' });
        await faults.restart();
        await recovers(context);
        assert.equal((await scanAll(connection)).records.length, paths.length);
      },
    },
  ],
  needs.faults,
);
