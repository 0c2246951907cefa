import assert from 'node:assert/strict';
import {
  asBefore,
  ask,
  DIR,
  got,
  inLine,
  inventory,
  lockable,
  onlyEntry,
  ownedAs,
  rivalOf,
  stillHeld,
  VITESS_CONTENTS,
} from './lock-tools.js';
import { needs, theme } from './sentence.js';
import { eventually, must, pause, refuses } from './tools.js';

export const lockRivals = theme(
  'locks beside others',
  [
    {
      title: 'a rival that locks as Vitess does keeps this process out until it gives the lock back',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const before = await inventory(connection);
        const rival = await rivalOf(context, VITESS_CONTENTS);
        assert.equal(await rival.holds(), true);
        const entry = await onlyEntry(connection);
        assert.deepEqual([entry.contents, entry.holds], [VITESS_CONTENTS, true]);
        ownedAs(connection.capabilities, entry);
        await refuses(connection, 'NodeExists', connection.tryLock(DIR, 'ours'), { path: DIR });
        const waiter = ask(context, (options) => connection.lock(DIR, 'ours', options));
        await inLine(context, waiter, 'ours');
        await rival.release();
        const lock = await got(waiter);
        await stillHeld(lock);
        await lock.unlock();
        await asBefore(connection, before);
      },
    },
    {
      title: 'a lock of this process keeps such a rival out, who sees its contents, until unlock',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, VITESS_CONTENTS);
        const rival = await rivalOf(context, 'the rival');
        await pause(100);
        assert.equal(await rival.holds(), false);
        assert.equal(await rival.holder(), VITESS_CONTENTS);
        await stillHeld(lock);
        await lock.unlock();
        await eventually('the rival with the lock', () => rival.holds());
        assert.equal(await rival.holder(), 'the rival');
        assert.equal((await onlyEntry(connection)).contents, 'the rival');
        await refuses(connection, 'NodeExists', connection.tryLock(DIR, 'x'), { path: DIR });
      },
    },
    {
      title: 'such rivals and this process get the lock in the order in which they came, and see one queue',
      when: needs.fairRivals,
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const first = await connection.lock(DIR, 'first');
        const second = await rivalOf(context, 'second');
        const third = ask(context, (options) => connection.lock(DIR, 'third', options));
        await inLine(context, third, 'third');
        const fourth = await rivalOf(context, 'fourth');
        await connection.position();
        assert.deepEqual(
          (await connection.lockQueue(DIR)).map((entry) => [entry.contents, entry.holds]),
          [
            ['first', true],
            ['second', false],
            ['third', false],
            ['fourth', false],
          ],
        );
        await first.unlock();
        await eventually('the second with the lock', () => second.holds());
        assert.deepEqual([third.state(), await fourth.holds()], ['waits', false]);
        await second.release();
        const lock = await got(third);
        assert.equal(await fourth.holds(), false);
        await lock.unlock();
        await eventually('the fourth with the lock', () => fourth.holds());
      },
    },
    {
      title: 'a rival that dies with the lock gives way',
      when: needs.endingLocks,
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const rival = await rivalOf(context, 'the rival');
        assert.equal(await rival.holds(), true);
        const waiter = ask(context, (options) => connection.lock(DIR, 'ours', options));
        await inLine(context, waiter, 'ours');
        await rival.die();
        await stillHeld(await got(waiter));
      },
    },
    {
      title:
        'an entry that nobody owns is shown as such, is in the way of tryLock, and can be deleted by its version',
      when: needs.orphans,
      run: async (context) => {
        const { connection, raw, root } = context;
        await lockable(context);
        const before = await inventory(connection);
        await must(raw.orphan)(root, DIR, 'left over');
        const entry = await onlyEntry(connection);
        assert.deepEqual([entry.contents, entry.owner], ['left over', undefined]);
        await refuses(connection, 'NodeExists', connection.tryLock(DIR, 'x'), { path: DIR });
        await connection.delete(entry.path, entry.version);
        await asBefore(connection, before);
        await stillHeld(await connection.tryLock(DIR, 'x'));
      },
    },
  ],
  needs.rivals,
);
