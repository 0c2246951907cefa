import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import { needs, theme } from './sentence.js';
import { absent, create, holds, must, refuses, remove, scanPaths, update, utf8 } from './tools.js';

const GLOBAL = { scope: 'global' } as const;

/** Makes a few records, also in a directory that is deep. */
async function furnish(writer: Connection): Promise<void> {
  await writer.create('keyspaces/ks/Keyspace', utf8('x'));
  await writer.create('keyspaces/ks/shards/0/Shard', utf8('x'));
  await writer.create('top', utf8('x'));
}

export const seals = theme(
  'seals',
  [
    {
      title: 'a sealed store refuses every write of others, and lets them read',
      run: async ({ connection, open }) => {
        await furnish(connection);
        const other = await open();
        const { version } = await other.get('top');
        const before = await scanPaths(other);
        const seal = await connection.seal({ ...GLOBAL, id: 'a', host: 'host-1', user: 'me' });
        assert.equal(seal.whole, true);
        const writes: readonly (readonly [string, () => Promise<unknown>])[] = [
          ['top', () => other.update('top', utf8('y'), version)],
          ['top', () => other.update('top', utf8('y'), null)],
          ['top', () => other.delete('top', version)],
          ['new', () => other.create('new', utf8('y'))],
          ['new/deep/er', () => other.create('new/deep/er', utf8('y'))],
          ['keyspaces/ks/shards/1/Shard', () => other.create('keyspaces/ks/shards/1/Shard', utf8('y'))],
          ['keyspaces/ks/shards/0/Shard', () => other.delete('keyspaces/ks/shards/0/Shard', null)],
        ];
        for (const [path, work] of writes) await refuses(other, 'Unauthorized', work(), { path });
        for (const op of [create('new'), update('top', version), remove('keyspaces/ks/Keyspace')])
          await refuses(other, 'Unauthorized', other.write([op]), { path: op.path });
        await holds(other, 'top', 'x');
        // The record of the seal may be there, too.
        const after = (await scanPaths(other)).filter((path) => !path.startsWith('topo2topo/'));
        assert.deepEqual(after, before);
        await connection.unseal();
      },
    },
    {
      title: 'when a seal is taken off everybody writes as before',
      run: async ({ connection, open }) => {
        await furnish(connection);
        const other = await open();
        await connection.seal({ ...GLOBAL, id: 'a' });
        const { seal, changed } = await other.unseal();
        assert.equal(must(seal).id, 'a');
        assert.deepEqual(changed, []);
        await other.update('top', utf8('y'), null);
        await other.create('keyspaces/ks/shards/1/Shard', utf8('y'));
        await other.delete('keyspaces/ks/shards/0/Shard', null);
        assert.deepEqual(await scanPaths(connection), [
          'keyspaces/ks/Keyspace',
          'keyspaces/ks/shards/1/Shard',
          'top',
        ]);
      },
    },
    {
      title: 'a seal tells everybody whose it is, and since when, until it is taken off',
      run: async ({ connection, open }) => {
        await furnish(connection);
        const other = await open();
        assert.equal(await other.sealed(), undefined);
        const begun = Date.now();
        await connection.seal({ ...GLOBAL, id: 'a', host: 'host-1', user: 'me' });
        const found = must(await other.sealed());
        assert.deepEqual([found.id, found.host, found.user, found.whole], ['a', 'host-1', 'me', true]);
        assert.ok(found.since >= begun - 1_000 && found.since <= Date.now());
        await connection.unseal({ id: 'a' });
        assert.equal(await other.sealed(), undefined);
      },
    },
    {
      title: 'what was prepared, and has changed since, is sealed all the same, and given back as it was',
      run: async ({ connection, open }) => {
        await furnish(connection);
        await connection.create('d/a', utf8('x'));
        await connection.create('d/b', utf8('x'));
        const other = await open();
        await connection.prepareSeal('global');
        assert.equal(await other.sealed(), undefined);
        await other.delete('d/a', null);
        await other.create('d/a/below', utf8('x'));
        await other.create('d/c', utf8('x'));
        await other.delete('keyspaces/ks/Keyspace', null);
        await other.update('top', utf8('y'), null);
        const before = await scanPaths(other);
        await connection.seal({ ...GLOBAL, id: 'a' });
        for (const path of [...before, 'd/new', 'd/a/new', 'keyspaces/ks/Keyspace'])
          await refuses(other, 'Unauthorized', other.update(path, utf8('z'), null), { path });
        await connection.unseal({ id: 'a' });
        for (const path of [...before, 'd/new', 'd/a/new', 'keyspaces/ks/Keyspace'])
          await other.update(path, utf8('z'), null);
      },
    },
    {
      title: 'a second seal is NodeExists, and the first stays on',
      run: async ({ connection, open }) => {
        await furnish(connection);
        const other = await open();
        await connection.seal({ ...GLOBAL, id: 'a' });
        await refuses(other, 'NodeExists', other.seal({ ...GLOBAL, id: 'b' }));
        await refuses(other, 'BadVersion', other.unseal({ id: 'b' }));
        await refuses(other, 'Unauthorized', other.create('new', utf8('y')), { path: 'new' });
        assert.equal(must(await other.sealed()).id, 'a');
        await connection.unseal({ id: 'a' });
        await other.seal({ ...GLOBAL, id: 'b' });
        await other.unseal({ id: 'b' });
      },
    },
    {
      title: 'to take off a seal that is not there does nothing',
      run: async ({ connection }) => {
        await furnish(connection);
        const before = await scanPaths(connection);
        for (const id of [undefined, 'a'])
          assert.deepEqual(await connection.unseal({ id }), { seal: undefined, restored: 0, changed: [] });
        assert.deepEqual(await scanPaths(connection), before);
      },
    },
    {
      title: 'a root where nothing is cannot be sealed: NoNode',
      run: async ({ connection }) => {
        await refuses(connection, 'NoNode', connection.seal({ ...GLOBAL, id: 'a' }));
        assert.equal(await connection.sealed(), undefined);
        await connection.create('a', utf8('x'));
      },
    },
    {
      title: 'a seal touches nothing outside of the root',
      run: async ({ connection, open, place }) => {
        await furnish(connection);
        const beside = await open(place('0'));
        await beside.create('a', utf8('x'));
        await connection.seal({ ...GLOBAL, id: 'a' });
        await beside.update('a', utf8('y'), null);
        await beside.create('b/c', utf8('y'));
        assert.equal(await beside.sealed(), undefined);
        await connection.unseal({ id: 'a' });
      },
    },
    {
      title: 'a lock that was held before can be given back while the store is sealed',
      run: async ({ connection, open }) => {
        await furnish(connection);
        const other = await open();
        const lock = await other.lock('keyspaces/ks', 'x');
        await connection.seal({ ...GLOBAL, id: 'a' });
        await lock.check();
        await lock.unlock();
        assert.deepEqual(await other.lockQueue('keyspaces/ks'), []);
        await connection.unseal({ id: 'a' });
        await (await other.tryLock('keyspaces/ks', 'x')).unlock();
      },
    },
    {
      title: 'to seal is Unsupported where the store cannot be sealed, and says what to do instead',
      when: needs.noSeals,
      run: async ({ connection }) => {
        for (const work of [() => connection.seal({ ...GLOBAL, id: 'a' }), () => connection.unseal()]) {
          const error = await refuses(connection, 'Unsupported', work(), { path: '' });
          assert.ok(error.hint);
        }
        assert.equal(await connection.sealed(), undefined);
        await absent(connection, 'topo2topo/seal');
      },
    },
  ],
  needs.seals,
);
