import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { followAll, neverGoesBack } from './follower.js';
import { needs, theme } from './sentence.js';
import {
  create,
  createMany,
  first,
  must,
  PATIENCE_MS,
  refuses,
  remove,
  update,
  utf8,
  within,
} from './tools.js';

const synced = (events: readonly { type: string }[]) => events.some((event) => event.type === 'synced');

export const watchRecursive = theme(
  'recursive watch',
  [
    {
      title: 'a recursive watch first delivers each record that exists, once, then one synced',
      run: async (context) => {
        const paths = ['d/a', 'd/b/c', 'd/b/e/f', 'd/zero'];
        await createMany(
          context.writer,
          paths.map((path) => [path, utf8(path === 'd/zero' ? '' : path)] as const),
        );
        await context.connection.position();
        const follower = followAll(context, 'd');
        await follower.until('synced', synced);
        const before = follower.events.slice(
          0,
          follower.events.findIndex((event) => event.type === 'synced'),
        );
        const seen = before.flatMap((event) => (event.type === 'record' ? [event.path] : []));
        assert.deepEqual(seen.sort(), paths);
        for (const path of paths) assert.deepEqual(follower.statesOf(path), [path === 'd/zero' ? '' : path]);
        assert.equal(follower.events.filter((event) => event.type === 'synced').length, 1);
      },
    },
    {
      title: 'over an absent directory it delivers synced alone, and then what comes',
      run: async (context) => {
        const follower = followAll(context, 'n/o/n/e');
        await follower.until('synced', synced);
        assert.equal(follower.events.length, 1);
        await context.writer.create('n/o/n/e/a', utf8('1'));
        await follower.untilState('n/o/n/e/a', '1');
      },
    },
    {
      title: 'it delivers creation, change, deletion and re-creation at any depth',
      run: async (context) => {
        const { writer } = context;
        const follower = followAll(context, '');
        await follower.until('synced', synced);
        for (const path of ['a', 'd/b', 'd/e/f/g/h']) {
          const version = await writer.create(path, utf8('1'));
          await follower.untilState(path, '1');
          await writer.update(path, utf8('2'), version);
          await follower.untilState(path, '2');
          await writer.delete(path, null);
          await follower.untilState(path, undefined);
          await writer.create(path, utf8('3'));
          await follower.untilState(path, '3');
          neverGoesBack(follower.statesOf(path));
        }
      },
    },
    {
      title: 'it delivers all that a batch does',
      when: needs.recursiveWatch,
      run: async (context) => {
        const { writer, capabilities } = context;
        if (capabilities.batch.maxOps === 0) return;
        const follower = followAll(context, 'd');
        await follower.until('synced', synced);
        const [a] = await writer.write([create('d/a', '1'), create('d/b', '1'), create('x/c', '1')]);
        await Promise.all([follower.untilState('d/a', '1'), follower.untilState('d/b', '1')]);
        await writer.write([update('d/a', must(a), '2'), remove('d/b')]);
        await follower.untilState('d/a', '2');
        await follower.untilState('d/b', undefined);
      },
    },
    {
      title: 'it tells only of what is below its directory: zone1 does not hear of zone10',
      run: async (context) => {
        const { writer } = context;
        for (const path of ['zone1/a', 'zone10/a', 'zone1-x', 'zone/a']) await writer.create(path, utf8('1'));
        await context.connection.position();
        const follower = followAll(context, 'zone1');
        await follower.until('synced', synced);
        for (const path of ['zone10/b', 'zone1.x/b', 'zone2', 'zone1/last'])
          await writer.create(path, utf8('1'));
        await follower.untilState('zone1/last', '1');
        const heard = follower.events.flatMap((event) => (event.type === 'record' ? [event.path] : []));
        assert.deepEqual([...new Set(heard)].sort(), ['zone1/a', 'zone1/last']);
      },
    },
    {
      title: 'of many quick changes the last of every record is delivered, none after a newer one',
      run: async (context) => {
        const { writer } = context;
        const paths = Array.from({ length: 10 }, (_, i) => `d/${i}`);
        const follower = followAll(context, 'd');
        for (let i = 1; i <= 12; i++)
          await Promise.all(paths.map((path) => writer.update(path, utf8(String(i)), null)));
        for (const path of paths) {
          await follower.untilState(path, '12');
          neverGoesBack(follower.statesOf(path));
        }
      },
    },
    {
      title: 'changes made while it begins are not missed',
      run: async (context) => {
        const { writer } = context;
        await createMany(
          writer,
          Array.from({ length: 300 }, (_, i) => [`d/${i}`, utf8('0')] as const),
        );
        for (let round = 1; round <= 5; round++) {
          const follower = followAll(context, 'd');
          const path = `d/${round}`;
          const gone = `d/${round + 100}`;
          await Promise.all([writer.update(path, utf8(String(round)), null), writer.delete(gone, null)]);
          await follower.until('synced', synced);
          await follower.untilState(path, String(round));
          await follower.until('the deletion', () => follower.statesOf(gone).at(-1) === undefined);
        }
      },
    },
    {
      title: 'an abort ends it with Interrupted, a deadline with Timeout, close with Interrupted',
      run: async (context) => {
        const { connection } = context;
        const follower = followAll(context, 'd');
        await follower.until('synced', synced);
        await refuses(connection, 'Interrupted', Promise.reject(await follower.stop()), { path: 'd' });
        const quiet = async () => {
          for await (const _ of connection.watchRecursive('d', { deadline: Date.now() + 200 }));
        };
        await refuses(connection, 'Timeout', within(PATIENCE_MS, 'the deadline of a watch', quiet()), {
          path: 'd',
        });
        const other = await context.open();
        const last = followAll(context, 'd', other);
        await last.until('synced', synced);
        await other.close();
        const end = await within(PATIENCE_MS, 'the end of a watch', last.ended);
        await refuses(other, 'Interrupted', Promise.reject(end), { path: 'd' });
      },
    },
    {
      title: 'leaving the loop of a recursive watch releases it',
      run: async ({ connection, writer }) => {
        await writer.create('d/a', utf8('1'));
        const { signal } = new AbortController();
        for (let round = 0; round < 10; round++) {
          for await (const event of connection.watchRecursive('d', { signal }))
            if (event.type === 'synced') break;
        }
        assert.equal(getEventListeners(signal, 'abort').length, 0);
        await connection.position();
      },
    },
    {
      title: 'where recursive watches are not supported, watchRecursive is Unsupported',
      when: needs.noRecursiveWatch,
      run: async ({ connection }) => {
        const begin = async () => first(connection.watchRecursive('d'));
        await refuses(connection, 'Unsupported', begin(), { path: 'd' });
      },
    },
  ],
  needs.recursiveWatch,
);
