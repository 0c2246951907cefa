import assert from 'node:assert/strict';
import { needs, theme } from './sentence.js';
import {
  absent,
  create,
  createMany,
  first,
  holds,
  must,
  refuses,
  scanAll,
  scanPaths,
  utf8,
} from './tools.js';

const numberIn = (bytes: Uint8Array) => Number(Buffer.from(bytes).toString());

export const visibility = theme('visibility', [
  {
    title: 'two connections to the same place have the same name, others another',
    run: async ({ connection, open, place }) => {
      assert.equal((await open()).store, connection.store);
      assert.notEqual((await open(place('0'))).store, connection.store);
      assert.ok(connection.store.length > 0);
    },
  },
  {
    title: 'the capabilities are those of every connection, and make sense',
    run: async ({ connection, open }) => {
      const { capabilities } = connection;
      assert.deepEqual((await open()).capabilities, capabilities);
      assert.ok(capabilities.maxValueBytes > 0 && capabilities.maxPathBytes > 0);
      assert.ok(capabilities.batch.maxOps >= 0);
      assert.ok(
        capabilities.batch.maxOps === 0 || capabilities.batch.maxBytes > capabilities.maxValueBytes / 2,
      );
    },
  },
  {
    title: 'nothing outside the root is seen: /x/zone1 does not see /x/zone10',
    run: async ({ connection, raw, open, place, subject, writer }) => {
      const neighbour = await (raw.writer ?? subject.open)(place('0'));
      await createMany(neighbour, [
        ['a', utf8('neighbour')],
        ['d/b', utf8('neighbour')],
      ]);
      await neighbour.close();
      await connection.position();
      assert.deepEqual(await scanPaths(connection), []);
      await absent(connection, 'a');
      await refuses(connection, 'NoNode', connection.listDir('d'), { path: 'd' });
      await writer.create('d/own', utf8('own'));
      assert.deepEqual(await scanPaths(connection), ['d/own']);
      assert.deepEqual(await connection.listDir(''), ['d']);
      assert.deepEqual(await scanPaths(await open(place('0'))), ['a', 'd/b']);
    },
  },
  {
    title: 'nothing outside the root is written: places side by side stay as they are',
    when: needs.writes,
    run: async ({ connection, open, place, capabilities }) => {
      const neighbour = await open(place('0'));
      const version = await neighbour.create('d/a', utf8('neighbour'));
      await connection.create('d/a', utf8('own'));
      await connection.update('d/a', utf8('newer'), null);
      if (capabilities.batch.maxOps > 1)
        await connection.write([create('d/b'), { type: 'delete', path: 'd/a', version: null }]);
      await connection.delete(capabilities.batch.maxOps > 1 ? 'd/b' : 'd/a', null);
      assert.deepEqual(await scanPaths(connection), []);
      await neighbour.position();
      assert.ok((await holds(neighbour, 'd/a', 'neighbour')).equals(version));
    },
  },
  {
    title: 'a place inside another is seen from the outer one, under its path',
    when: needs.writes,
    run: async ({ connection, open, place }) => {
      const inner = await open(place('/inner/most'));
      await inner.create('a/b', utf8('x'));
      await connection.position();
      assert.deepEqual(await scanPaths(connection), ['inner/most/a/b']);
      await connection.create('inner/most/a/c', utf8('y'));
      await inner.position();
      assert.deepEqual(await inner.listDir('a'), ['b', 'c']);
    },
  },
  {
    title: 'reads see at once what this connection was told is written',
    when: needs.writes,
    run: async ({ connection }) => {
      for (let i = 0; i < 20; i++) {
        const version = await connection.create(`d${i}/a`, utf8(String(i)));
        assert.ok((await holds(connection, `d${i}/a`, String(i))).equals(version));
        assert.deepEqual(await connection.listDir(`d${i}`), ['a']);
        await connection.update(`d${i}/a`, utf8('newer'), version);
        await holds(connection, `d${i}/a`, 'newer');
        if (i % 2 === 0) {
          await connection.delete(`d${i}/a`, null);
          await absent(connection, `d${i}/a`);
        }
      }
      assert.equal((await connection.listDir('')).length, 10);
    },
  },
  {
    title: 'reads begun after position see everything that was acknowledged before it, whoever wrote it',
    run: async ({ connection, writer, raw, subject, root }) => {
      const other = await (raw.writer ?? subject.open)(root);
      for (let i = 0; i < 20; i++) {
        const by = i % 2 === 0 ? other : writer;
        const version = await by.create(`d/${i}`, utf8(String(i)));
        await connection.position();
        assert.ok((await holds(connection, `d/${i}`, String(i))).equals(version));
        await by.update(`d/${i}`, utf8('newer'), version);
        await connection.position();
        await holds(connection, `d/${i}`, 'newer');
        assert.equal((await connection.listDir('d')).length, i + 1);
        assert.equal((await first(connection.watch(`d/${i}`))).path, `d/${i}`);
      }
      await other.close();
    },
  },
  {
    title: 'a scan sees everything that was acknowledged before it began, whoever wrote it',
    run: async ({ connection, raw, subject, root }) => {
      const other = await (raw.writer ?? subject.open)(root);
      for (let i = 0; i < 20; i++) {
        await other.create(`d/${i}`, utf8(String(i)));
        assert.equal((await scanPaths(connection)).length, i + 1);
      }
      await other.close();
    },
  },
  {
    title: 'reads never go back in time',
    when: needs.writes,
    run: async ({ connection, open }) => {
      const other = await open();
      await other.create('a', utf8('0'));
      await connection.position();
      let running = true;
      const writing = (async () => {
        for (let i = 1; running; i++) await other.update('a', utf8(String(i)), null);
      })();
      try {
        let last = -1;
        for (let i = 0; i < 100; i++) {
          const read = i % 4 === 3 ? must((await scanAll(connection)).records[0]) : await connection.get('a');
          const seen = numberIn(read.bytes);
          assert.ok(seen >= last, `${seen} after ${last}`);
          last = seen;
        }
      } finally {
        running = false;
        await writing;
      }
    },
  },
  {
    title: 'position grows with every change, whoever made it, and never falls',
    run: async ({ connection, writer, capabilities }) => {
      let last = await connection.position();
      const grows = async (what: string) => {
        const position = await connection.position();
        assert.ok(position > last, `${what}: ${position} after ${last}`);
        last = position;
      };
      const version = await writer.create('d/a', utf8('1'));
      await grows('create');
      await writer.update('d/a', utf8('2'), version);
      await grows('update');
      if (capabilities.batch.maxOps > 0) {
        await writer.write([create('d/b'), create('d/c')]);
        await grows('write');
      }
      await writer.delete('d/a', null);
      await grows('delete');
      assert.ok((await connection.position()) >= last);
    },
  },
  {
    title: 'a write that fails with a refusal leaves no trace for another connection either',
    when: needs.writes,
    run: async ({ connection, open }) => {
      const other = await open();
      const version = await connection.create('a', utf8('1'));
      await refuses(connection, 'NodeExists', connection.create('a', utf8('2')));
      await refuses(connection, 'NoNode', connection.update('n/b', utf8('2'), version));
      await refuses(connection, 'NoNode', connection.delete('n/b', null));
      await other.position();
      assert.deepEqual(await scanPaths(other), ['a']);
      assert.deepEqual(await other.listDir(''), ['a']);
    },
  },
]);
