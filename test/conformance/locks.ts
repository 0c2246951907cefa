import assert from 'node:assert/strict';
import type { Lock } from '../../src/topo/locks.js';
import {
  asBefore,
  ask,
  codeOf,
  DIR,
  got,
  inLine,
  inventory,
  lockable,
  lockSoon,
  onlyEntry,
  ownedAs,
  stillHeld,
  VITESS_CONTENTS,
} from './lock-tools.js';
import { needs, theme } from './sentence.js';
import { changesNothing, holds, must, PATIENCE_MS, pause, refuses, utf8, within } from './tools.js';

export const locks = theme(
  'locks',
  [
    {
      title: 'a lock is held until unlock, and its entry is an ephemeral record that holds the contents',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, VITESS_CONTENTS);
        assert.deepEqual([lock.store, lock.dir], [connection.store, DIR]);
        await stillHeld(lock);
        for (const reader of [connection, await open()]) {
          await reader.position();
          await holds(reader, lock.entry, VITESS_CONTENTS);
          assert.equal((await reader.get(lock.entry)).ephemeral, true);
        }
        await lock.unlock();
        await refuses(connection, 'NoNode', connection.get(lock.entry));
        assert.equal(lock.lost.aborted, false, 'a lock that was given back is not lost');
      },
    },
    {
      title: 'lockQueue shows who holds the lock, with what it wrote; nobody before, nobody after',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        assert.deepEqual(await connection.lockQueue(DIR), []);
        assert.deepEqual(await connection.lockQueue('absent'), []);
        const lock = await connection.lock(DIR, VITESS_CONTENTS);
        for (const reader of [connection, await open()]) {
          const entry = await onlyEntry(reader);
          assert.deepEqual([entry.path, entry.contents, entry.holds], [lock.entry, VITESS_CONTENTS, true]);
          ownedAs(connection.capabilities, entry);
          assert.ok(
            entry.version.equals((await reader.get(lock.entry)).version),
            'the version of its record',
          );
          assert.ok(entry.ttlLeftMs === undefined || entry.ttlLeftMs > 0);
          assert.ok(entry.since === undefined || entry.since > 1_500_000_000_000);
        }
        await lock.unlock();
        assert.deepEqual(await connection.lockQueue(DIR), []);
      },
    },
    {
      title: 'lock contents are kept as they are: none, long ones, lines and letters of all kinds',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        for (const contents of ['', 'x'.repeat(8_192), 'a\n\tb\r\n', 'Grüße, 世界 🚀']) {
          const lock = await connection.lock(DIR, contents);
          assert.equal((await onlyEntry(connection)).contents, contents);
          await lock.unlock();
        }
      },
    },
    {
      title: 'to lock what is absent is NoNode, however it is asked, and nothing is made',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const dir = 'keyspaces/other';
        await changesNothing(connection, async () => {
          await refuses(connection, 'NoNode', connection.lock(dir, 'x'), { path: dir });
          await refuses(connection, 'NoNode', connection.tryLock(dir, 'x'), { path: dir });
          await refuses(connection, 'NoNode', connection.lockWithTtl(dir, 'x', 30_000), { path: dir });
        });
        await refuses(connection, 'NoNode', connection.listDir(dir));
      },
    },
    {
      title: 'to lock a record with nothing below it is NoNode',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const before = await inventory(connection);
        const path = `${DIR}/Keyspace`;
        await refuses(connection, 'NoNode', connection.lock(path, 'x'), { path });
        await refuses(connection, 'NoNode', connection.tryLock(path, 'x'), { path });
        assert.deepEqual(await inventory(connection), before);
      },
    },
    {
      title: 'a path that is not legal is InvalidPath for a lock, too',
      run: async ({ connection }) => {
        for (const path of ['/a', 'a/', 'a//b', 'a/../b'])
          for (const ask of [
            () => connection.lock(path, 'x'),
            () => connection.tryLock(path, 'x'),
            () => connection.lockQueue(path),
          ])
            await refuses(connection, 'InvalidPath', ask(), { path });
        await refuses(connection, 'InvalidPath', connection.lockName('', 'x'));
        await refuses(connection, 'InvalidPath', connection.campaign('a//b', 'x'));
      },
    },
    {
      title: 'unlock leaves the store as it was: records, versions, directories',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const before = await inventory(connection);
        for (const begin of [
          () => connection.lock(DIR, 'x'),
          () => connection.tryLock(DIR, 'x'),
          () => connection.lockWithTtl(`${DIR}/shards/0`, 'x', 30_000),
          () => connection.lockName('ks/workflow', 'x'),
          () => connection.campaign('vtctld', 'x'),
        ]) {
          const lock = await begin();
          assert.notDeepEqual(await inventory(connection), before, 'a lock can be seen');
          await lock.unlock();
          assert.deepEqual(await inventory(connection), before);
        }
      },
    },
    {
      title: 'unlock can be called again and again; after it, check is LockLost and lost does not fire',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        await Promise.all([lock.unlock(), lock.unlock()]);
        await lock.unlock();
        await refuses(connection, 'LockLost', lock.check(), { path: DIR });
        const next = await connection.lock(DIR, 'y');
        await lock.unlock();
        await refuses(connection, 'LockLost', lock.check(), { path: DIR });
        await stillHeld(next);
        assert.equal(lock.lost.aborted, false);
      },
    },
    {
      title:
        'tryLock of a lock that is held is NodeExists at once, also by the same connection, and leaves nothing',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const lock = await connection.lock(DIR, 'x');
        const before = await inventory(connection);
        for (const other of [connection, await open()]) {
          await other.position();
          await refuses(other, 'NodeExists', within(PATIENCE_MS / 3, 'tryLock', other.tryLock(DIR, 'y')), {
            path: DIR,
          });
        }
        await asBefore(connection, before);
        await stillHeld(lock);
        await lock.unlock();
        await stillHeld(await lockSoon(connection, 'z'));
      },
    },
    {
      title:
        'of many who tryLock at once at most one gets it, the others are NodeExists at once and leave nothing',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const before = await inventory(connection);
        const askers = [connection, await open(), await open(), await open()];
        for (let round = 0; round < 3; round++) {
          const tries = Array.from({ length: 16 }, (_, i) => must(askers[i % 4]).tryLock(DIR, `${i}`));
          const outcomes = await within(PATIENCE_MS, 'tryLock', Promise.allSettled(tries));
          const won: Lock[] = [];
          for (const outcome of outcomes) {
            if (outcome.status === 'fulfilled') won.push(outcome.value);
            else await refuses(connection, 'NodeExists', Promise.reject(outcome.reason), { path: DIR });
          }
          assert.ok(won.length <= 1, `${won.length} hold it`);
          const winner = won[0] ?? (await lockSoon(connection, 'late'));
          await stillHeld(winner);
          await winner.unlock();
          await asBefore(connection, before);
        }
      },
    },
    {
      title: 'locks of different directories and places do not meet, nor does one below the other',
      run: async (context) => {
        const { connection, open, place } = context;
        await lockable(context);
        const neighbour = await open(place('0'));
        await lockable({ writer: neighbour, connection: neighbour });
        const held = [
          await connection.tryLock(DIR, 'x'),
          await connection.tryLock(`${DIR}/shards/0`, 'x'),
          await connection.tryLock('keyspaces', 'x'),
          await neighbour.tryLock(DIR, 'x'),
          await connection.lockName('ks/a', 'x'),
          await connection.lockName('ks/b', 'x'),
        ];
        for (const lock of held) await stillHeld(lock);
        for (const lock of held) await lock.unlock();
      },
    },
    {
      title: 'a lock keeps nobody from reading and writing',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        await connection.create(`${DIR}/sub/there`, utf8('x'));
        const lock = await connection.lock(DIR, 'x');
        const other = await open();
        const { version } = await other.get(`${DIR}/sub/there`);
        await other.update(`${DIR}/sub/there`, utf8('changed'), version);
        await other.create(`${DIR}/sub/new`, utf8('x'));
        await other.delete(`${DIR}/sub/new`, null);
        await stillHeld(lock);
        await lock.unlock();
        await holds(other, `${DIR}/sub/there`, 'changed');
      },
    },
    {
      title: 'lockName needs nothing to be there, excludes whoever locks the same name, and leaves nothing',
      run: async (context) => {
        const { connection, open } = context;
        const before = await inventory(connection);
        const other = await open();
        const lock = await connection.lockName('ks/workflow', 'one');
        assert.equal(lock.dir, 'internal/named_locks/ks/workflow');
        assert.equal((await onlyEntry(connection, lock.dir)).path, lock.entry);
        const waiter = ask(context, (options) => other.lockName('ks/workflow', 'two', options));
        await inLine(context, waiter, 'two', lock.dir);
        await lock.unlock();
        const second = await got(waiter);
        assert.equal((await onlyEntry(connection, lock.dir)).contents, 'two');
        await second.unlock();
        await asBefore(connection, before);
      },
    },
    {
      title: 'lockWithTtl takes any time to live between 0 and a day; others are a matter of Usage',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        for (const ttlMs of [1, 2_500, 60_000, 86_400_000]) {
          const lock = await connection.lockWithTtl(DIR, 'x', ttlMs);
          await stillHeld(lock);
          await lock.unlock();
        }
        for (const ttlMs of [0, -1, Number.NaN, 86_400_001, Number.POSITIVE_INFINITY])
          await refuses(connection, 'Usage', connection.lockWithTtl(DIR, 'x', ttlMs), { path: DIR });
      },
    },
    {
      title: 'signal and deadline of the call that took a lock do nothing to it afterwards',
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        const abort = new AbortController();
        const deadline = Date.now() + 1_500;
        const lock = await connection.lock(DIR, 'x', { signal: abort.signal, deadline });
        abort.abort();
        await stillHeld(lock);
        await pause(deadline - Date.now() + 50);
        await stillHeld(lock);
        await lock.unlock();
      },
    },
    {
      title: 'where there are no locks, every way to lock is Unsupported, and nothing is made',
      when: needs.noLocks,
      run: async (context) => {
        const { connection } = context;
        await lockable(context);
        await changesNothing(connection, async () => {
          const codes = await Promise.all(
            [
              connection.lock(DIR, 'x'),
              connection.tryLock(DIR, 'x'),
              connection.lockWithTtl(DIR, 'x', 30_000),
              connection.lockName('ks/a', 'x'),
              connection.campaign('vtctld', 'x'),
            ].map(codeOf),
          );
          assert.deepEqual(new Set(codes), new Set(['Unsupported']));
        });
      },
    },
  ],
  needs.locks,
);
