import assert from 'node:assert/strict';
import { needs, theme } from './sentence.js';
import { changesNothing, check, create, first, refuses, remove, update, utf8 } from './tools.js';

export const readOnly = theme(
  'read only',
  [
    {
      title: 'a read-only connection refuses every write with ReadOnly, and nothing is changed',
      run: async ({ connection, writer }) => {
        const version = await writer.create('d/a', utf8('x'));
        await changesNothing(writer, async () => {
          await refuses(connection, 'ReadOnly', connection.create('d/new', utf8('y')), { path: 'd/new' });
          await refuses(connection, 'ReadOnly', connection.update('d/new', utf8('y'), null), {
            path: 'd/new',
          });
          await refuses(connection, 'ReadOnly', connection.update('d/a', utf8('y'), version), {
            path: 'd/a',
          });
          await refuses(connection, 'ReadOnly', connection.delete('d/a', version), { path: 'd/a' });
          await refuses(connection, 'ReadOnly', connection.delete('d/a', null), { path: 'd/a' });
          for (const op of [create('d/b'), update('d/a', version), remove('d/a'), check('d/a', version)])
            await refuses(connection, 'ReadOnly', connection.write([op]));
        });
      },
    },
    {
      title:
        'a read-only connection refuses every way to lock with ReadOnly, and tells who holds and who leads',
      when: needs.readOnlyLocks,
      run: async ({ connection, writer }) => {
        await writer.create('d/a', utf8('x'));
        await changesNothing(writer, async () => {
          await refuses(connection, 'ReadOnly', connection.lock('d', 'x'), { path: 'd' });
          await refuses(connection, 'ReadOnly', connection.lockWithTtl('d', 'x', 30_000), { path: 'd' });
          await refuses(connection, 'ReadOnly', connection.tryLock('d', 'x'), { path: 'd' });
          await refuses(connection, 'ReadOnly', connection.lockName('ks/a', 'x'));
          await refuses(connection, 'ReadOnly', connection.campaign('vtctld', 'x'));
        });
        const [lock, leadership] = [await writer.lock('d', 'held'), await writer.campaign('vtctld', 'a:1')];
        await connection.position();
        const queue = await connection.lockQueue('d');
        assert.deepEqual(
          queue.map(({ path, contents }) => [path, contents]),
          [[lock.entry, 'held']],
        );
        assert.equal(await connection.leader('vtctld'), 'a:1');
        assert.deepEqual(await first(connection.watchLeader('vtctld')), { type: 'leader', id: 'a:1' });
        await lock.unlock();
        await leadership.unlock();
      },
    },
    {
      title: 'a read-only connection is the same store: versions read from it can be written with',
      run: async ({ connection, writer }) => {
        await writer.create('d/a', utf8('x'));
        await connection.position();
        const { version } = await connection.get('d/a');
        await writer.update('d/a', utf8('y'), version);
      },
    },
  ],
  needs.readOnly,
);
