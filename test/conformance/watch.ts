import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { follow, neverGoesBack } from './follower.js';
import { needs, theme } from './sentence.js';
import { create, first, holds, must, PATIENCE_MS, pause, refuses, remove, utf8, within } from './tools.js';

export const watch = theme('watch', [
  {
    title: 'a watch first delivers the present state of a record',
    run: async (context) => {
      const version = await context.writer.create('d/a', utf8('now'));
      await context.connection.position();
      const event = await first(context.connection.watch('d/a'));
      assert.equal(event.type, 'record');
      assert.equal(event.path, 'd/a');
      assert.equal(Buffer.from(must(event.value).bytes).toString(), 'now');
      assert.ok(must(event.value).version.equals(version));
      assert.equal(must(event.value).ephemeral, false);
    },
  },
  {
    title: 'a watch first delivers that a record does not exist',
    run: async ({ connection, writer }) => {
      assert.equal((await first(connection.watch('n/o/n/e'))).value, undefined);
      await writer.create('d/a', utf8('x'));
      assert.equal((await first(connection.watch('d'))).value, undefined, 'a directory is no record');
    },
  },
  {
    title: 'a watch delivers a change',
    run: async (context) => {
      const version = await context.writer.create('a', utf8('1'));
      const follower = follow(context, 'a');
      await follower.untilState('a', '1');
      const next = await context.writer.update('a', utf8('2'), version);
      await follower.untilState('a', '2');
      const event = follower.events.at(-1);
      assert.ok(
        event?.type === 'record' && event.value?.version.equals(next),
        'the version is that of the change',
      );
    },
  },
  {
    title: 'a watch delivers creation, deletion and re-creation',
    run: async (context) => {
      const { writer } = context;
      const follower = follow(context, 'd/a');
      await follower.untilState('d/a', undefined);
      for (const life of ['1', '2', '3']) {
        await writer.create('d/a', utf8(life));
        await follower.untilState('d/a', life);
        await writer.delete('d/a', null);
        await follower.untilState('d/a', undefined);
      }
      neverGoesBack(follower.statesOf('d/a'));
    },
  },
  {
    title: 'a watch delivers what a batch does',
    when: needs.batches,
    run: async (context) => {
      const { connection } = context;
      const [a, b] = [follow(context, 'd/a'), follow(context, 'd/b')];
      await Promise.all([a.untilState('d/a', undefined), b.untilState('d/b', undefined)]);
      await connection.write([create('d/a', '1'), create('d/b', '1')]);
      await Promise.all([a.untilState('d/a', '1'), b.untilState('d/b', '1')]);
      await connection.write([remove('d/a'), remove('d/b')]);
      await Promise.all([a.untilState('d/a', undefined), b.untilState('d/b', undefined)]);
    },
  },
  {
    title: 'of many quick changes some may be left out, never the last, and none comes after a newer one',
    run: async (context) => {
      const { writer } = context;
      let version = await writer.create('a', utf8('0'));
      const follower = follow(context, 'a');
      await follower.untilState('a', '0');
      for (let i = 1; i <= 60; i++) version = await writer.update('a', utf8(String(i)), version);
      await follower.untilState('a', '60');
      neverGoesBack(follower.statesOf('a'));
    },
  },
  {
    title: 'a reader who is slow gets the last state',
    run: async ({ connection, writer }) => {
      let version = await writer.create('a', utf8('0'));
      let last = '';
      for await (const event of connection.watch('a')) {
        last = Buffer.from(must(event.value).bytes).toString();
        if (last === '30') break;
        if (last !== '0') continue;
        for (let i = 1; i <= 30; i++) version = await writer.update('a', utf8(String(i)), version);
      }
      assert.equal(last, '30');
    },
  },
  {
    title: 'a change made while the watch begins is not missed',
    run: async (context) => {
      const { writer } = context;
      for (let round = 0; round < 10; round++) {
        const path = `d/${round}`;
        const follower = follow(context, path);
        await writer.create(path, utf8('1'));
        await follower.untilState(path, '1');
      }
    },
  },
  {
    title: 'a watch delivers what another connection does',
    run: async (context) => {
      const other = await (context.raw.writer ?? context.subject.open)(context.root);
      context.after(() => other.close());
      const follower = follow(context, 'a');
      await follower.untilState('a', undefined);
      await other.create('a', utf8('1'));
      await follower.untilState('a', '1');
      await other.update('a', utf8('2'), null);
      await follower.untilState('a', '2');
      await other.delete('a', null);
      await follower.untilState('a', undefined);
    },
  },
  {
    title: 'a delivered version can be written with',
    when: needs.writes,
    run: async (context) => {
      const { connection } = context;
      await connection.create('a', utf8('1'));
      const { value } = await first(connection.watch('a'));
      await connection.update('a', utf8('2'), must(value).version);
      await holds(connection, 'a', '2');
    },
  },
  {
    title: 'a watch tells only of its own record',
    run: async (context) => {
      const { writer } = context;
      const follower = follow(context, 'a');
      await follower.untilState('a', undefined);
      for (const path of ['a0', 'a-', 'ab/c', 'b']) await writer.create(path, utf8('x'));
      await writer.create('a', utf8('own'));
      await follower.untilState('a', 'own');
      for (const event of follower.events) assert.ok(event.type === 'record' && event.path === 'a');
      assert.deepEqual([...new Set(follower.statesOf('a'))], [undefined, 'own']);
    },
  },
  {
    title: 'fifty watches of one record all get the change',
    run: async (context) => {
      await context.writer.create('a', utf8('1'));
      const followers = Array.from({ length: 50 }, () => follow(context, 'a'));
      await Promise.all(followers.map((follower) => follower.untilState('a', '1')));
      await context.writer.update('a', utf8('2'), null);
      await Promise.all(followers.map((follower) => follower.untilState('a', '2')));
    },
  },
  {
    title: 'an abort ends a watch with Interrupted',
    run: async (context) => {
      const { connection } = context;
      await context.writer.create('a', utf8('1'));
      const follower = follow(context, 'a');
      await follower.untilState('a', '1');
      await refuses(connection, 'Interrupted', Promise.reject(await follower.stop()), { path: 'a' });
    },
  },
  {
    title: 'a deadline ends a watch with Timeout, and none of its own does',
    run: async ({ connection, writer }) => {
      await writer.create('a', utf8('1'));
      const deadline = Date.now() + 300;
      const quiet = async () => {
        for await (const _ of connection.watch('a', { deadline }));
      };
      await refuses(connection, 'Timeout', within(PATIENCE_MS, 'the deadline of a watch', quiet()), {
        path: 'a',
      });
      assert.ok(Date.now() >= deadline - 5, 'before the deadline');
    },
  },
  {
    title: 'a watch without a deadline outlives the time limit of calls',
    run: async (context) => {
      const { writer } = context;
      const connection = await context.open(context.root, { requestTimeoutMs: 500 });
      const follower = follow(context, 'a', connection);
      await follower.untilState('a', undefined);
      await pause(700);
      await writer.create('a', utf8('late'));
      await follower.untilState('a', 'late');
    },
  },
  {
    title: 'closing the connection ends its watches with Interrupted',
    run: async (context) => {
      const connection = await context.open();
      await context.writer.create('a', utf8('1'));
      const follower = follow(context, 'a', connection);
      await follower.until('the first state', (events) => events.length > 0);
      await connection.close();
      const end = within(PATIENCE_MS, 'the end of a watch', follower.ended);
      await refuses(connection, 'Interrupted', Promise.reject(await end), { path: 'a' });
    },
  },
  {
    title: 'leaving the loop releases the watch: nothing stays on the signal, and the connection goes on',
    run: async ({ connection, writer }) => {
      await writer.create('a', utf8('1'));
      const { signal } = new AbortController();
      for (let round = 0; round < 20; round++) for await (const _ of connection.watch('a', { signal })) break;
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      await connection.position();
      await holds(connection, 'a', '1');
    },
  },
]);
