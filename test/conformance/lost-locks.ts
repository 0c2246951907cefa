import assert from 'node:assert/strict';
import { follow, followAll } from './follower.js';
import {
  asBefore,
  ask,
  breakLock,
  codeOf,
  DIR,
  EXPIRY_MS,
  endOwner,
  got,
  inLine,
  inventory,
  lockable,
  lockSoon,
  lostSoon,
  onlyEntry,
  stillHeld,
} from './lock-tools.js';
import { needs, theme } from './sentence.js';
import { eventually, failure, PATIENCE_MS, pause, refuses, utf8, within } from './tools.js';

/** Less than the time to live of any lock that is not chosen. */
const BEFORE_EXPIRY_MS = 8_000;

export const lostLocks = theme(
  'lost locks',
  [
    {
      title:
        'a lock whose entry is deleted by hand is lost at once: lost fires, check and unlock are LockLost',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const before = await inventory(connection);
        const lock = await connection.lock(DIR, 'x');
        const other = await connection.lockName('ks/a', 'kept');
        await breakLock(context, lock);
        await lostSoon(lock, BEFORE_EXPIRY_MS);
        await refuses(connection, 'LockLost', lock.check(), { path: DIR });
        await refuses(connection, 'LockLost', lock.unlock(), { path: DIR });
        await refuses(connection, 'LockLost', lock.unlock(), { path: DIR });
        await stillHeld(other);
        await other.unlock();
        await asBefore(connection, before);
      },
    },
    {
      title: 'check asks the store: it is LockLost right after the entry was deleted',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        for (let round = 0; round < 5; round++) {
          const lock = await connection.lock(DIR, 'x');
          await connection.delete(lock.entry, null);
          await refuses(connection, 'LockLost', lock.check(), { path: DIR });
          await lostSoon(lock, 0);
          await refuses(connection, 'LockLost', lock.unlock(), { path: DIR });
        }
      },
    },
    {
      title: 'unlock right after the entry was deleted is LockLost, too',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        await connection.delete(lock.entry, null);
        await refuses(connection, 'LockLost', lock.unlock(), { path: DIR });
        assert.deepEqual(await connection.lockQueue(DIR), []);
      },
    },
    {
      title: 'who lost a lock takes nothing of the one that has it now',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const other = await open();
        const lock = await connection.lock(DIR, 'first');
        await breakLock(context, lock);
        const next = await lockSoon(other, 'next', BEFORE_EXPIRY_MS);
        const entry = await onlyEntry(other);
        await refuses(connection, 'LockLost', lock.check());
        await refuses(connection, 'LockLost', lock.unlock());
        await lostSoon(lock);
        await stillHeld(next);
        assert.deepEqual((await onlyEntry(other)).path, entry.path);
        await next.unlock();
      },
    },
    {
      title:
        'a lock whose session or lease is ended from outside is lost: lost fires, and the next waiter gets it',
      when: needs.endedOwners,
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const before = await inventory(connection);
        const lock = await connection.lock(DIR, 'first');
        const other = await open();
        const waiter = ask(context, (options) => other.lock(DIR, 'second', options));
        await inLine(context, waiter, 'second');
        await endOwner(context, lock);
        await lostSoon(lock);
        const next = await got(waiter);
        await refuses(connection, 'LockLost', lock.check(), { path: DIR });
        await refuses(connection, 'LockLost', lock.unlock(), { path: DIR });
        await stillHeld(next);
        await next.unlock();
        await asBefore(connection, before);
      },
    },
    {
      title: 'after its session or lease was ended a connection locks, reads, writes and watches as before',
      when: needs.endedOwners,
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const follower = follow(context, 'd/a');
        await follower.untilState('d/a', undefined);
        const { watchRecursive } = context.capabilities;
        const all = watchRecursive ? followAll(context, 'd') : undefined;
        await all?.until('synced', (events) => events.length > 0);
        const lock = await connection.lock(DIR, 'first');
        await endOwner(context, lock);
        const other = await open();
        await other.create('d/a', utf8('1'));
        await lostSoon(lock);
        await follower.untilState('d/a', '1');
        await all?.untilState('d/a', '1');
        const next = await eventually('a lock', () => connection.tryLock(DIR, 'again'));
        await connection.update('d/a', utf8('2'), null);
        await other.delete('d/a', null);
        await follower.untilState('d/a', undefined);
        await all?.untilState('d/a', undefined);
        await stillHeld(next);
        await next.unlock();
      },
    },
    {
      title: 'close gives locks back, and they count as lost',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const before = await inventory(connection);
        const other = await open();
        const held = [
          await other.lock(DIR, 'x'),
          await other.lockName('ks/a', 'x'),
          await other.campaign('vtctld', 'x'),
        ];
        await within(PATIENCE_MS, 'close', other.close());
        for (const lock of held) {
          await lostSoon(lock, 0);
          await refuses(other, 'LockLost', lock.check(), { path: lock.dir });
          await refuses(other, 'LockLost', within(PATIENCE_MS, 'unlock', lock.unlock()), { path: lock.dir });
        }
        await asBefore(connection, before, BEFORE_EXPIRY_MS);
      },
    },
    {
      title: 'a lock is kept alive for longer than its time to live',
      run: async (context) => {
        const { open, root } = context;
        await lockable(context);
        const connection = await open(root, { lockTtlMs: 2_000 });
        const lock = await connection.lock(DIR, 'x');
        const { ttlLeftMs } = await onlyEntry(connection);
        // Where the store does not tell, or has a long life only, it would take too long.
        if (ttlLeftMs !== undefined && ttlLeftMs < 3_000) await pause(ttlLeftMs + 1_500);
        await stillHeld(lock);
        assert.equal((await onlyEntry(connection)).path, lock.entry);
      },
    },
    {
      title: 'a store that does not answer for a moment costs no lock',
      when: needs.locksAndFaults,
      run: async (context) => {
        const { open, root, faults } = context;
        await lockable(context);
        const connection = await open(root, { lockTtlMs: 15_000 });
        const lock = await connection.lock(DIR, 'x');
        await faults.freeze();
        await pause(800);
        await faults.thaw();
        await eventually('the answer of check', () => lock.check({ deadline: Date.now() + 3_000 }));
        await stillHeld(lock);
        await lock.unlock();
      },
    },
    {
      title: 'a lock whose store does not answer for its time to live is lost, and no call about it hangs',
      when: needs.endingLocksAndFaults,
      run: async (context) => {
        const { connection, open, root, faults } = context;
        await lockable(context);
        const other = await open(root, { lockTtlMs: 2_000 });
        const lock = await other.lock(DIR, 'x');
        await faults.freeze();
        const asked = await failure(within(PATIENCE_MS, 'check', lock.check({ deadline: Date.now() + 500 })));
        assert.ok(['Timeout', 'Unavailable'].includes(asked.code), asked.code);
        await lostSoon(lock, EXPIRY_MS);
        await refuses(other, 'LockLost', lock.check(), { path: DIR });
        const unlocking = lock.unlock();
        await faults.thaw();
        await refuses(other, 'LockLost', within(EXPIRY_MS, 'unlock', unlocking), { path: DIR });
        await eventually('a free lock', () => connection.tryLock(DIR, 'next'), EXPIRY_MS);
      },
    },
    {
      title: 'unlock while no server answers ends soon, with an error that says so',
      when: needs.locksAndFaults,
      run: async (context) => {
        const { connection, open, root, faults } = context;
        await lockable(context);
        const other = await open(root, { lockTtlMs: 2_000 });
        const lock = await other.lock(DIR, 'x');
        await faults.kill();
        const code = codeOf(within(EXPIRY_MS, 'unlock', lock.unlock()));
        await pause(300);
        await faults.restart();
        assert.ok(['done', 'Unavailable', 'Timeout', 'LockLost'].includes(await code), await code);
        await eventually('a free lock', () => connection.tryLock(DIR, 'next'), EXPIRY_MS);
      },
    },
  ],
  needs.locks,
);
