import assert from 'node:assert/strict';
import { type Context, needs, theme } from './sentence.js';
import { absent, changesNothing, create, failure, holds, refuses, remove, scanPaths, utf8 } from './tools.js';

async function isGone({ connection }: Context, path: string): Promise<void> {
  await refuses(connection, 'NoNode', connection.listDir(path), { path });
}

export const directories = theme(
  'directories',
  [
    {
      title: 'a record brings all directories above it into being',
      run: async ({ connection }) => {
        await connection.create('a/b/c/d', utf8('x'));
        assert.deepEqual(await connection.listDir(''), ['a']);
        assert.deepEqual(await connection.listDir('a'), ['b']);
        assert.deepEqual(await connection.listDir('a/b'), ['c']);
        assert.deepEqual(await connection.listDir('a/b/c'), ['d']);
      },
    },
    {
      title: 'an unconditional update of an absent record brings its directories into being',
      run: async ({ connection }) => {
        await connection.update('a/b/c', utf8('x'), null);
        assert.deepEqual(await connection.listDir('a/b'), ['c']);
      },
    },
    {
      title: 'the last record below them takes the directories away',
      run: async (context) => {
        const { connection } = context;
        const version = await connection.create('a/b/c/d', utf8('x'));
        await connection.create('kept', utf8('x'));
        await connection.delete('a/b/c/d', version);
        for (const path of ['a/b/c', 'a/b', 'a']) await isGone(context, path);
        assert.deepEqual(await connection.listDir(''), ['kept']);
      },
    },
    {
      title: 'a directory stays while a record is anywhere below it',
      run: async (context) => {
        const { connection } = context;
        await connection.create('a/b/c/d', utf8('x'));
        await connection.create('a/e/f', utf8('x'));
        await connection.delete('a/b/c/d', null);
        await isGone(context, 'a/b');
        assert.deepEqual(await connection.listDir('a'), ['e']);
      },
    },
    {
      title: 'a directory that vanished can come into being again',
      run: async ({ connection }) => {
        for (let round = 0; round < 3; round++) {
          const version = await connection.create('a/b/c', utf8(`round ${round}`));
          await holds(connection, 'a/b/c', `round ${round}`);
          await connection.delete('a/b/c', version);
        }
        await connection.create('a/b', utf8('a record where a directory was'));
        assert.deepEqual(await scanPaths(connection), ['a/b']);
      },
    },
    {
      title: 'a directory is no record: get, conditional update and delete are NoNode',
      run: async ({ connection, writer }) => {
        await connection.create('a/b', utf8('x'));
        const version = await connection.create('other', utf8('x'));
        await changesNothing(writer, async () => {
          await refuses(connection, 'NoNode', connection.get('a'), { path: 'a' });
          await refuses(connection, 'NoNode', connection.update('a', utf8('y'), version), { path: 'a' });
          await refuses(connection, 'NoNode', connection.delete('a', null), { path: 'a' });
          await refuses(connection, 'NoNode', connection.delete('a', version), { path: 'a' });
        });
      },
    },
    {
      title: 'a record can be made where a directory is, and below another record',
      when: needs.recordsWithChildren,
      run: async ({ connection }) => {
        await connection.create('a/b', utf8('child'));
        await connection.create('a', utf8('parent'));
        await connection.create('a/b/c', utf8('grandchild'));
        await holds(connection, 'a', 'parent');
        await holds(connection, 'a/b', 'child');
        assert.deepEqual(await scanPaths(connection), ['a', 'a/b', 'a/b/c']);
      },
    },
    {
      title: 'deleting a record that is also a directory takes the record alone, or is NotEmpty',
      when: needs.recordsWithChildren,
      run: async ({ connection }) => {
        await connection.create('a/b', utf8('child'));
        const version = await connection.create('a', utf8('parent'));
        const outcome = await connection.delete('a', version).catch((error: unknown) => error);
        if (outcome === undefined) await absent(connection, 'a');
        else {
          await refuses(connection, 'NotEmpty', connection.delete('a', version), { path: 'a' });
          await holds(connection, 'a', 'parent');
        }
        await holds(connection, 'a/b', 'child');
      },
    },
    {
      title: 'a record cannot be made where a directory is: NodeExists',
      when: needs.plainRecords,
      run: async ({ connection }) => {
        await connection.create('a/b/c', utf8('x'));
        await changesNothing(connection, async () => {
          await refuses(connection, 'NodeExists', connection.create('a', utf8('y')), { path: 'a' });
          await refuses(connection, 'NodeExists', connection.create('a/b', utf8('y')), { path: 'a/b' });
        });
      },
    },
    {
      title: 'an unconditional update where a directory is fails, and nothing is changed',
      when: needs.plainRecords,
      run: async ({ connection }) => {
        await connection.create('a/b', utf8('x'));
        await changesNothing(connection, async () => {
          const { code } = await failure(connection.update('a', utf8('y'), null));
          assert.notEqual(code, 'OutcomeUnknown');
        });
      },
    },
    {
      title: 'a record cannot be made below another record, and nothing is changed',
      when: needs.plainRecords,
      run: async ({ connection, capabilities }) => {
        await connection.create('a', utf8('x'));
        await changesNothing(connection, async () => {
          for (const path of ['a/b', 'a/b/c']) {
            const { code } = await failure(connection.create(path, utf8('y')));
            assert.notEqual(code, 'OutcomeUnknown');
            if (capabilities.batch.maxOps > 1)
              await failure(connection.write([create('other'), create(path)]));
          }
        });
      },
    },
    {
      title: 'a batch that creates makes the directories, each however many records need it',
      when: needs.batches,
      run: async ({ connection, capabilities }) => {
        const paths = ['a/b/1', 'a/b/2', 'a/c/1', 'd', 'e/f/g/h'].slice(0, capabilities.batch.maxOps);
        await connection.write(paths.map((path) => create(path)));
        assert.deepEqual(await scanPaths(connection), paths);
        assert.deepEqual(await connection.listDir('a/b'), ['1', '2']);
      },
    },
    {
      title: 'a batch that deletes the last records takes their directories away',
      when: needs.batches,
      run: async (context) => {
        const { connection } = context;
        await connection.create('kept', utf8('x'));
        await connection.write([create('a/b/1'), create('a/b/2'), create('a/c/1')]);
        await connection.write([remove('a/b/1'), remove('a/b/2'), remove('a/c/1')]);
        for (const path of ['a/b', 'a/c', 'a']) await isGone(context, path);
        assert.deepEqual(await connection.listDir(''), ['kept']);
      },
    },
    {
      title: 'a batch that deletes the last record of a directory and creates another leaves the directory',
      when: needs.batches,
      run: async ({ connection }) => {
        await connection.create('a/b/old', utf8('x'));
        await connection.write([remove('a/b/old'), create('a/b/new')]);
        assert.deepEqual(await connection.listDir('a/b'), ['new']);
        await connection.write([create('a/b/newest'), remove('a/b/new')]);
        assert.deepEqual(await connection.listDir('a/b'), ['newest']);
        await connection.write([remove('a/b/newest'), create('a/c/moved')]);
        assert.deepEqual(await scanPaths(connection), ['a/c/moved']);
        assert.deepEqual(await connection.listDir('a'), ['c']);
      },
    },
    {
      title: 'a batch leaves a directory that others still use',
      when: needs.batches,
      run: async ({ connection }) => {
        await connection.write([create('a/b/1'), create('a/b/2'), create('a/b/c/3')]);
        await connection.write([remove('a/b/1'), remove('a/b/2')]);
        assert.deepEqual(await connection.listDir('a/b'), ['c']);
      },
    },
    {
      title: 'a batch that fails makes no directory and removes none',
      when: needs.batches,
      run: async (context) => {
        const { connection } = context;
        await connection.create('a/b/last', utf8('x'));
        await connection.create('there', utf8('x'));
        const batch = [remove('a/b/last'), create('n/e/w'), create('there')];
        await refuses(connection, 'NodeExists', connection.write(batch), { path: 'there', index: 2 });
        assert.deepEqual(await connection.listDir('a/b'), ['last']);
        await isGone(context, 'n');
        await isGone(context, 'n/e');
      },
    },
  ],
  needs.writes,
);
