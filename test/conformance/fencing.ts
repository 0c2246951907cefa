import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import type { Lock } from '../../src/topo/locks.js';
import { breakLock, codeOf, DIR, endOwner, lockable, lockSoon, stillHeld } from './lock-tools.js';
import { needs, theme } from './sentence.js';
import {
  absent,
  changesNothing,
  check,
  create,
  eventually,
  holds,
  must,
  PATIENCE_MS,
  refuses,
  remove,
  scanPaths,
  update,
  utf8,
  within,
} from './tools.js';

const PATH = `${DIR}/fenced`;

/** A batch that depends on `fence` is LockLost and changes no record but the lock's own. */
async function isFenced(connection: Connection, fence: Lock): Promise<void> {
  const work = connection.write([create(PATH), create('elsewhere')], { fence });
  const error = await refuses(connection, 'LockLost', work, { path: fence.dir });
  assert.equal(error.index, undefined, 'it is no operation that failed');
  await absent(connection, PATH);
  await absent(connection, 'elsewhere');
}

export const fencing = theme(
  'fencing',
  [
    {
      title: 'a batch that depends on a lock is applied while the lock is held, and answers as without it',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        const [made, ...others] = await connection.write([create(PATH, 'one'), check('absent', null)], {
          fence: lock,
        });
        assert.deepEqual(others, [undefined]);
        const [changed] = await connection.write([update(PATH, must(made), 'two')], { fence: lock });
        assert.ok(must(changed).equals(await holds(connection, PATH, 'two')));
        await connection.write([remove(PATH, must(changed))], { fence: lock });
        await absent(connection, PATH);
        await stillHeld(lock);
        await lock.unlock();
      },
    },
    {
      title:
        'after unlock it is LockLost, names the lock, and nothing is done, also when the lock is held anew',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        await lock.unlock();
        await isFenced(connection, lock);
        const next = await connection.lock(DIR, 'x');
        await isFenced(connection, lock);
        await connection.write([create(PATH)], { fence: next });
      },
    },
    {
      title:
        'right after the entry of the lock was deleted it is LockLost, whether or not that is known here',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        for (let round = 0; round < 5; round++) {
          const lock = await connection.lock(DIR, 'x');
          await breakLock(context, lock);
          await isFenced(connection, lock);
          await refuses(connection, 'LockLost', lock.check());
        }
      },
    },
    {
      title: 'when somebody else holds the lock by now it is LockLost, and the new holder can write',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        await breakLock(context, lock);
        const other = await open();
        const next = await lockSoon(other, 'x');
        await isFenced(connection, lock);
        await other.write([create(PATH)], { fence: next });
        await stillHeld(next);
      },
    },
    {
      title:
        'when the session or lease of the lock was ended it is LockLost, whether or not that is known here',
      when: needs.fencingAndEndedOwners,
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        await endOwner(context, lock);
        await eventually('the answer', () => isFenced(connection, lock));
        const next = await eventually('a new lock', () => connection.tryLock(DIR, 'x'));
        await isFenced(connection, lock);
        await connection.write([create(PATH)], { fence: next });
      },
    },
    {
      title: 'whoever goes on writing under a lost lock writes nothing once another holds it',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        let written = 0;
        const writing = codeOf(
          (async () => {
            for (let i = 0; i < 100_000; i++) {
              await connection.write([create(`log/${String(i).padStart(6, '0')}`)], { fence: lock });
              written += 1;
            }
          })(),
        );
        await eventually('some writes', async () => written >= 5);
        await breakLock(context, lock);
        const other = await open();
        const next = await lockSoon(other, 'y');
        await other.position();
        const then = await scanPaths(other, 'log');
        assert.equal(await within(PATIENCE_MS, 'the end of the writes', writing), 'LockLost');
        await other.position();
        assert.deepEqual(await scanPaths(other, 'log'), then);
        assert.equal(then.length, written);
        await next.unlock();
      },
    },
    {
      title: 'what fails for another reason fails as without the lock: by its code, path and index',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const past = await connection.create(PATH, utf8('1'));
        await connection.update(PATH, utf8('2'), past);
        const lock = await connection.lock(DIR, 'x');
        // The first of all may write the entry of the lock.
        await connection.write([create('first')], { fence: lock });
        await changesNothing(connection, async () => {
          const bad = connection.write([create('a'), update(PATH, past)], { fence: lock });
          await refuses(connection, 'BadVersion', bad, { path: PATH, index: 1 });
          const taken = connection.write([create(PATH), create('b')], { fence: lock });
          await refuses(connection, 'NodeExists', taken, { path: PATH, index: 0 });
          const missing = connection.write([create('a'), create('b'), remove('c')], { fence: lock });
          await refuses(connection, 'NoNode', missing, { path: 'c', index: 2 });
          await refuses(connection, 'InvalidBatch', connection.write([], { fence: lock }));
        });
        await stillHeld(lock);
      },
    },
    {
      title: 'leadership of an election, and the lock of a name, fence as well',
      run: async (context) => {
        const { connection } = context;
        for (const take of [
          () => connection.campaign('vtctld', 'a'),
          () => connection.lockName('ks/a', 'x'),
        ]) {
          const lock = await take();
          await connection.write([create('under')], { fence: lock });
          await connection.delete('under', null);
          await breakLock(context, lock);
          await isFenced(connection, lock);
        }
      },
    },
    {
      title: 'the lock counts as one operation of the batch',
      when: needs.fencingAndBatchOpsLimit,
      run: async (context) => {
        const { connection, capabilities } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        const ops = Array.from({ length: capabilities.batch.maxOps }, (_, i) => create(`d/${i}`, ''));
        await refuses(connection, 'TooLarge', connection.write(ops, { fence: lock }));
        await connection.write(ops.slice(1), { fence: lock });
        assert.equal((await scanPaths(connection, 'd')).length, ops.length - 1);
      },
    },
    {
      title: 'a lock of another store is Unsupported as a fence',
      run: async (context) => {
        const { connection, open, place } = context;
        const other = await open(place('0'));
        await lockable({ writer: other, connection: other });
        const lock = await other.lock(DIR, 'x');
        await changesNothing(connection, () =>
          refuses(connection, 'Unsupported', connection.write([create('a')], { fence: lock })),
        );
      },
    },
    {
      title: 'where capabilities.fencing is false, a batch that depends on a lock is Unsupported',
      when: needs.noFencing,
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        await refuses(connection, 'Unsupported', connection.write([create('a')], { fence: lock }));
        await absent(connection, 'a');
        await stillHeld(lock);
      },
    },
  ],
  needs.fencing,
);
