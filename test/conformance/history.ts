import assert from 'node:assert/strict';
import type { Connection, HistoryEnd, PastState } from '../../src/topo/connection.js';
import { needs, theme } from './sentence.js';
import { first, must, refuses, sameBytes, utf8 } from './tools.js';

/** The states of a record as text, and what the history says of its end. */
async function told(connection: Connection, path: string): Promise<string[]> {
  const items: (PastState | HistoryEnd)[] = [];
  for await (const item of connection.history(path)) items.push(item);
  return items.map((item) => {
    if (item.type === 'end') return item.reason;
    return item.value === undefined ? 'deleted' : Buffer.from(item.value.bytes).toString();
  });
}

export const history = theme(
  'history',
  [
    {
      title:
        'a history gives every state, newest first, with its bytes and version, and says that it is whole',
      run: async ({ connection }) => {
        const versions = [await connection.create('d/a', utf8('1'))];
        const positions = [await connection.position()];
        for (const text of ['2', '', '4']) {
          await connection.create(`d/beside-${text}`, utf8(text));
          versions.push(await connection.update('d/a', utf8(text), must(versions.at(-1))));
          positions.push(await connection.position());
        }
        const items: (PastState | HistoryEnd)[] = [];
        for await (const item of connection.history('d/a')) items.push(item);
        const end = must(items.pop());
        assert.ok(end.type === 'end', 'the last item tells the end');
        assert.equal(items.length, 4);
        for (const [index, text] of ['4', '', '2', '1'].entries()) {
          const item = must(items[index]);
          assert.ok(item.type === 'past' && item.value !== undefined);
          sameBytes(item.value.bytes, utf8(text), `state ${index}`);
          assert.ok(item.value.version.equals(must(versions[3 - index])), `version of state ${index}`);
          assert.equal(item.position, must(positions[3 - index]), `position of state ${index}`);
        }
      },
    },
    {
      title: 'of a record that is gone a history tells the deletion, and every life before it',
      run: async ({ connection }) => {
        for (const life of ['first', 'second', 'third']) {
          await connection.create('a', utf8(life));
          await connection.update('a', utf8(`${life}, changed`), null);
          await connection.delete('a', null);
          await connection.create(`beside/${life}`, utf8('x'));
        }
        const gone = await told(connection, 'a');
        assert.deepEqual(gone.slice(0, -1), [
          'deleted',
          'third, changed',
          'third',
          'deleted',
          'second, changed',
          'second',
          'deleted',
          'first, changed',
          'first',
        ]);
        await connection.create('a', utf8('again'));
        assert.deepEqual(await told(connection, 'a'), ['again', ...gone]);
      },
    },
    {
      title: 'a history of what never was is NoNode, as is that of a directory',
      run: async ({ connection }) => {
        await connection.create('d/a', utf8('1'));
        await refuses(connection, 'NoNode', first(connection.history('b')), { path: 'b' });
        await refuses(connection, 'NoNode', first(connection.history('d')), { path: 'd' });
      },
    },
    {
      title: 'a history sees its own root alone, and no longer path',
      run: async ({ connection, open, place }) => {
        const other = await open(place('0'));
        await other.create('a', utf8('other'));
        await connection.create('a', utf8('1'));
        await connection.create('a/b', utf8('below'));
        await connection.create('ab', utf8('beside'));
        assert.deepEqual((await told(connection, 'a')).slice(0, -1), ['1']);
      },
    },
    {
      title: 'a history can be left after any state',
      run: async ({ connection }) => {
        await connection.create('a', utf8('1'));
        await connection.update('a', utf8('2'), null);
        const newest = await first(connection.history('a'));
        assert.ok(newest.type === 'past');
        sameBytes(must(newest.value).bytes, utf8('2'), 'newest');
      },
    },
    {
      title: 'a history that was compacted says so',
      when: needs.compaction,
      run: async ({ connection, raw }) => {
        for (const text of ['1', '2', '3']) await connection.update('a', utf8(text), null);
        await connection.create('gone', utf8('x'));
        await connection.delete('gone', null);
        await must(raw.compact)();
        assert.deepEqual(await told(connection, 'a'), ['3', 'compacted']);
        await refuses(connection, 'NoNode', first(connection.history('gone')), { path: 'gone' });
        await connection.update('a', utf8('4'), null);
        await connection.delete('a', null);
        assert.deepEqual(await told(connection, 'a'), ['deleted', '4', '3', 'compacted']);
        await connection.create('born', utf8('later'));
        assert.deepEqual(await told(connection, 'born'), ['later', 'compacted']);
      },
    },
    {
      title: 'a history is Unsupported where the store keeps none, and says what to do instead',
      when: needs.noHistory,
      run: async ({ connection, writer }) => {
        await writer.create('a', utf8('1'));
        const error = await refuses(connection, 'Unsupported', first(connection.history('a')), { path: 'a' });
        assert.match(error.hint ?? '', /backup/);
      },
    },
  ],
  needs.history,
);
