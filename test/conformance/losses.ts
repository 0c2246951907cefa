import assert from 'node:assert/strict';
import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { TopologyError } from '../../src/topo/errors.js';
import { FaultWay } from '../servers/index.js';
import { follow, followAll, neverGoesBack } from './follower.js';
import { forEachMethod, type Method, methodsFixture } from './methods.js';
import { type Context, needs, theme } from './sentence.js';
import { eventually, failure, MOMENTS_MS, must, PATIENCE_MS, pause, refuses, utf8, within } from './tools.js';
import { writersWithoutRivals } from './writers.js';

const SOON_MS = 600;

/** A connection to the place of the sentence over a way that can lose things; `connection` goes there straight. */
async function lossy(context: Context): Promise<{ way: FaultWay; far: Connection }> {
  const way = await FaultWay.to(must(context.subject.servers, 'servers')());
  context.after(() => way.close());
  const far = await context.open(context.root, { servers: way.servers });
  return { way, far };
}

/** One write, to a record that no other write touches. */
interface SeparateWrite {
  readonly name: string;
  readonly path: string;
  /** What the record holds when the write was applied; undefined: it is gone. */
  readonly expected: string | undefined;
  readonly call: (options: CallOptions) => Promise<unknown>;
}

/** Writes, each to a record of its own, and what must be found when each was applied. */
async function separateWrites(
  { connection, capabilities }: Context,
  far: Connection,
): Promise<SeparateWrite[]> {
  for (const name of ['updated', 'replaced', 'deleted', 'removed', 'batched'])
    await connection.create(`d/${name}`, utf8('old'));
  await far.position();
  const versionOf = async (name: string) => (await far.get(`d/${name}`)).version;
  const [updated, deleted, batched] = await Promise.all(['updated', 'deleted', 'batched'].map(versionOf));
  const one = (
    name: string,
    expected: string | undefined,
    call: (options: CallOptions) => Promise<unknown>,
  ) => ({
    name,
    path: `d/${name}`,
    expected,
    call,
  });
  const writes = [
    one('created', 'new', (options) => far.create('d/created', utf8('new'), options)),
    one('made', 'new', (options) => far.update('d/made', utf8('new'), null, options)),
    one('updated', 'new', (options) => far.update('d/updated', utf8('new'), must(updated), options)),
    one('replaced', 'new', (options) => far.update('d/replaced', utf8('new'), null, options)),
    one('deleted', undefined, (options) => far.delete('d/deleted', must(deleted), options)),
    one('removed', undefined, (options) => far.delete('d/removed', null, options)),
  ];
  if (capabilities.batch.maxOps > 1) {
    const batch = [
      { type: 'update', path: 'd/batched', bytes: utf8('new'), version: must(batched) },
      { type: 'create', path: 'd/beside', bytes: utf8('new') },
    ] as const;
    writes.push(one('batched', 'new', (options) => far.write(batch, options)));
  }
  return writes;
}

/** Whether the straight connection finds what the write leaves. */
async function isApplied(connection: Connection, { path, expected }: SeparateWrite): Promise<boolean> {
  await connection.position();
  const found = await connection.get(path).then(
    ({ bytes }) => Buffer.from(bytes).toString(),
    async (error: unknown) => {
      assert.equal((await failure(Promise.reject(error))).code, 'NoNode');
      return undefined;
    },
  );
  return found === expected;
}

/** Until at least one of `writes` was applied: one that takes several steps may wait for the answer to its first. */
async function someApplied(connection: Connection, writes: readonly SeparateWrite[]): Promise<void> {
  await eventually('a write that was applied', async () => {
    const applied = await Promise.all(writes.map((write) => isApplied(connection, write)));
    return applied.includes(true);
  });
  await pause(50);
}

export const losses = theme(
  'answers that are lost on the way',
  [
    {
      title:
        'a write that was sent and not answered is OutcomeUnknown by its deadline; one that is Timeout was not done',
      run: async (context) => {
        const { connection } = context;
        const { way, far } = await lossy(context);
        const writes = await separateWrites(context, far);
        way.loseAnswers();
        const told = await Promise.all(
          writes.map(async (write) => {
            const options = { deadline: Date.now() + SOON_MS };
            const error = await failure(within(SOON_MS + MOMENTS_MS, write.name, write.call(options)));
            assert.equal(error.store, far.store);
            if (error.code === 'OutcomeUnknown')
              assert.ok(
                error.cause instanceof TopologyError && error.cause.code === 'Timeout',
                'its cause says why',
              );
            else assert.equal(error.code, 'Timeout', write.name);
            return { write, code: error.code };
          }),
        );
        await someApplied(connection, writes);
        await way.mend();
        await eventually('a read', () => far.position({ deadline: Date.now() + 1_000 }));
        assert.ok(told.some(({ code }) => code === 'OutcomeUnknown'));
        for (const { write, code } of told)
          if (code === 'Timeout')
            assert.equal(await isApplied(connection, write), false, `${write.name}: done`);
      },
    },
    {
      title:
        'a write whose connection breaks before its answer is never refused because of itself, nor Unavailable and yet done',
      run: async (context) => {
        const { connection } = context;
        const { way, far } = await lossy(context);
        const writes = await separateWrites(context, far);
        way.loseAnswers();
        const settled = Promise.all(
          writes.map(async (write) => {
            const work = write.call({ deadline: Date.now() + PATIENCE_MS });
            const outcome = await work.catch((error: unknown) => error);
            const code = outcome instanceof Error ? (await failure(Promise.reject(outcome))).code : 'done';
            return { write, code };
          }),
        );
        await someApplied(connection, writes);
        await way.mend();
        for (const { write, code } of await within(PATIENCE_MS + MOMENTS_MS, 'all writes', settled)) {
          assert.ok(['done', 'OutcomeUnknown', 'Unavailable'].includes(code), `${write.name}: ${code}`);
          if (code === 'OutcomeUnknown') continue;
          assert.equal(await isApplied(connection, write), code === 'done', `${write.name}: ${code}`);
        }
      },
    },
    {
      title: 'a read that is not answered is Timeout by its deadline, whatever the method',
      run: async (context) => {
        const { way, far } = await lossy(context);
        const methods: Method[] = await methodsFixture(context);
        way.loseAnswers();
        await forEachMethod(methods, ['read'], ({ path, call }) => {
          const options = { deadline: Date.now() + SOON_MS };
          return refuses(far, 'Timeout', within(SOON_MS + MOMENTS_MS, 'a call', call(far, options)), {
            path,
          });
        });
        await way.mend();
        await eventually('a read', () => far.position({ deadline: Date.now() + 1_000 }));
      },
    },
    {
      title:
        'what changes while a watch hears nothing is delivered when it hears again: changes, deletions, re-creations',
      run: async (context) => {
        const { connection } = context;
        const { way, far } = await lossy(context);
        for (const name of ['changed', 'deleted', 'recreated', 'kept'])
          await connection.create(`d/${name}`, utf8('1'));
        const names = ['changed', 'deleted', 'recreated', 'kept', 'made'];
        const followers = names.map((name) => follow(context, `d/${name}`, far));
        await Promise.all(
          followers.map((follower) => follower.until('the first state', (events) => events.length > 0)),
        );
        way.loseAnswers();
        await connection.update('d/changed', utf8('2'), null);
        await connection.delete('d/deleted', null);
        await connection.delete('d/recreated', null);
        await connection.create('d/recreated', utf8('2'));
        await connection.create('d/made', utf8('2'));
        await way.mend();
        const expected = ['2', undefined, '2', '1', '2'];
        await Promise.all(followers.map((follower, i) => follower.untilState(`d/${names[i]}`, expected[i])));
        followers.forEach((follower, i) => {
          neverGoesBack(follower.statesOf(`d/${names[i]}`));
        });
        assert.deepEqual(new Set(must(followers[3]).statesOf('d/kept')), new Set(['1']));
      },
    },
    {
      title:
        'what changes while a recursive watch hears nothing is delivered when it hears again, deletions included',
      when: needs.serversAndRecursiveWatch,
      run: async (context) => {
        const { connection } = context;
        const { way, far } = await lossy(context);
        for (const name of ['changed', 'deleted', 'e/deleted', 'kept'])
          await connection.create(`d/${name}`, utf8('1'));
        const follower = followAll(context, 'd', far);
        await follower.until('synced', (events) => events.some(({ type }) => type === 'synced'));
        way.loseAnswers();
        await connection.update('d/changed', utf8('2'), null);
        await connection.delete('d/deleted', null);
        await connection.delete('d/e/deleted', null);
        await connection.create('d/n/made', utf8('2'));
        await way.mend();
        await follower.untilState('d/changed', '2');
        await follower.untilState('d/deleted', undefined);
        await follower.untilState('d/e/deleted', undefined);
        await follower.untilState('d/n/made', '2');
        assert.deepEqual(new Set(follower.statesOf('d/kept')), new Set(['1']));
      },
    },
    {
      title:
        'however often connections break under writers, what was acknowledged is there and no write meets its own traces',
      run: async (context) => {
        const { way, far } = await lossy(context);
        const writers = writersWithoutRivals(far);
        for (let round = 0; round < 6; round++) {
          const before = writers.acknowledged();
          await eventually('writes', async () => writers.acknowledged() > before + 20);
          way.loseAnswers();
          await new Promise((resolve) => setTimeout(resolve, 10 + 5 * round));
          await way.mend();
        }
        await writers.stop();
        await context.connection.position();
        await writers.allThere(context.connection);
      },
    },
  ],
  needs.servers,
);
