import assert from 'node:assert/strict';
import { needs, theme } from './sentence.js';
import { absent, changesNothing, holds, picture, refuses, sameBytes, utf8 } from './tools.js';

const SECRET = 'a-value-that-nobody-may-see';

export const records = theme(
  'records',
  [
    {
      title: 'get gives the bytes, the version, and that the record is not ephemeral',
      when: needs.nothing,
      run: async ({ connection, writer }) => {
        const version = await writer.create('a/b', utf8('contents'));
        const value = await connection.get('a/b');
        sameBytes(value.bytes, utf8('contents'), 'a/b');
        assert.ok(value.version.equals(version));
        assert.equal(value.ephemeral, false);
      },
    },
    {
      title: 'get of what is absent is NoNode',
      when: needs.nothing,
      run: async ({ connection, writer }) => {
        await refuses(connection, 'NoNode', connection.get('a'), { path: 'a' });
        await writer.create('a/b', utf8('x'));
        for (const path of ['b', 'a/c', 'a/b2', 'x/y/z', 'A/b'])
          await refuses(connection, 'NoNode', connection.get(path), { path });
      },
    },
    {
      title: 'create makes a record, which is then there for every method that reads',
      run: async ({ connection }) => {
        await connection.create('a/b', utf8('x'));
        await holds(connection, 'a/b', 'x');
        assert.deepEqual(await connection.listDir('a'), ['b']);
        assert.deepEqual(Object.keys(await picture(connection)), ['a/b']);
      },
    },
    {
      title: 'create of what exists is NodeExists, and nothing is changed',
      run: async ({ connection }) => {
        await connection.create('a', utf8('first'));
        await changesNothing(connection, async () => {
          await refuses(connection, 'NodeExists', connection.create('a', utf8('second')), { path: 'a' });
          await refuses(connection, 'NodeExists', connection.create('a', utf8('first')), { path: 'a' });
        });
      },
    },
    {
      title: 'update with the right version replaces the record and nothing else',
      run: async ({ connection }) => {
        const version = await connection.create('a/b', utf8('old'));
        const other = await connection.create('a/c', utf8('other'));
        const next = await connection.update('a/b', utf8('new'), version);
        assert.ok((await holds(connection, 'a/b', 'new')).equals(next));
        assert.ok((await holds(connection, 'a/c', 'other')).equals(other));
      },
    },
    {
      title: 'update with a version that is past is BadVersion, and nothing is changed',
      run: async ({ connection }) => {
        const past = await connection.create('a', utf8('1'));
        await connection.update('a', utf8('2'), past);
        await changesNothing(connection, () =>
          refuses(connection, 'BadVersion', connection.update('a', utf8('3'), past), { path: 'a' }),
        );
      },
    },
    {
      title: 'update with the version of another record is BadVersion',
      run: async ({ connection }) => {
        await connection.create('a', utf8('a'));
        const first = await connection.create('b', utf8('b'));
        const later = await connection.update('b', utf8('b2'), first);
        await refuses(connection, 'BadVersion', connection.update('a', utf8('x'), later), { path: 'a' });
        await holds(connection, 'a', 'a');
      },
    },
    {
      title: 'update of what is absent, with a version, is NoNode and creates nothing',
      run: async ({ connection }) => {
        const version = await connection.create('a', utf8('a'));
        await connection.delete('a', version);
        await connection.create('d/there', utf8('x'));
        await changesNothing(connection, async () => {
          for (const path of ['a', 'd/a', 'x/y'])
            await refuses(connection, 'NoNode', connection.update(path, utf8('x'), version), { path });
        });
      },
    },
    {
      title: 'update without a version replaces what exists in any state',
      run: async ({ connection }) => {
        const version = await connection.create('a', utf8('1'));
        const next = await connection.update('a', utf8('2'), null);
        assert.ok(!next.equals(version));
        assert.ok((await holds(connection, 'a', '2')).equals(next));
      },
    },
    {
      title: 'update without a version creates what is absent',
      run: async ({ connection }) => {
        const version = await connection.update('a/b', utf8('made'), null);
        assert.ok((await holds(connection, 'a/b', 'made')).equals(version));
        await refuses(connection, 'NodeExists', connection.create('a/b', utf8('x')), { path: 'a/b' });
      },
    },
    {
      title: 'delete with the right version takes the record away and nothing else',
      run: async ({ connection }) => {
        const version = await connection.create('a/b', utf8('x'));
        await connection.create('a/c', utf8('kept'));
        assert.equal(await connection.delete('a/b', version), undefined);
        await absent(connection, 'a/b');
        await holds(connection, 'a/c', 'kept');
      },
    },
    {
      title: 'delete with a version that is past is BadVersion, and nothing is changed',
      run: async ({ connection }) => {
        const past = await connection.create('a', utf8('1'));
        await connection.update('a', utf8('2'), past);
        await changesNothing(connection, () =>
          refuses(connection, 'BadVersion', connection.delete('a', past), { path: 'a' }),
        );
      },
    },
    {
      title: 'delete without a version takes the record away in any state',
      run: async ({ connection }) => {
        await connection.update('a', utf8('2'), await connection.create('a', utf8('1')));
        await connection.delete('a', null);
        await absent(connection, 'a');
      },
    },
    {
      title: 'delete of what is absent is NoNode, with a version and without',
      run: async ({ connection }) => {
        const version = await connection.create('a', utf8('a'));
        await connection.delete('a', version);
        for (const path of ['a', 'x/y']) {
          await refuses(connection, 'NoNode', connection.delete(path, version), { path });
          await refuses(connection, 'NoNode', connection.delete(path, null), { path });
        }
      },
    },
    {
      title: 'records whose paths begin alike are apart',
      run: async ({ connection }) => {
        const paths = ['zone1', 'zone10', 'zone1-', 'zone', 'zone1.x'];
        for (const path of paths) await connection.create(path, utf8(path));
        await connection.delete('zone1', null);
        for (const path of paths.slice(1)) await holds(connection, path, path);
        await absent(connection, 'zone1');
      },
    },
    {
      title: 'a failure never shows what a record holds',
      run: async ({ connection }) => {
        const past = await connection.create('a', utf8(SECRET));
        await connection.update('a', utf8(`${SECRET}!`), past);
        const failures = [
          await refuses(connection, 'NodeExists', connection.create('a', utf8(SECRET))),
          await refuses(connection, 'BadVersion', connection.update('a', utf8(SECRET), past)),
          await refuses(connection, 'InvalidPath', connection.create('/a', utf8(SECRET))),
        ];
        for (const error of failures) {
          for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
            assert.ok(
              !`${cause.message} ${JSON.stringify(cause)}`.includes(SECRET),
              `${error.code} shows the value`,
            );
        }
      },
    },
  ],
  needs.writes,
);
