import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import type { Lock } from '../../src/topo/locks.js';
import { FaultWay } from '../servers/index.js';
import {
  type Asker,
  asBefore,
  ask,
  codeOf,
  DIR,
  EXPIRY_MS,
  got,
  inLine,
  inventory,
  lockable,
  stillHeld,
} from './lock-tools.js';
import { type Context, needs, theme } from './sentence.js';
import { eventually, holds, MOMENTS_MS, must, PATIENCE_MS, pause, refuses, utf8, within } from './tools.js';

const SOON_MS = 600;

/** Asks for the lock with `contents` and waits until it is in line. */
async function waiterFor(
  context: Context,
  contents: string,
  connection = context.connection,
): Promise<Asker> {
  const asker = ask(context, (options) => connection.lock(DIR, contents, options));
  await inLine(context, asker, contents);
  return asker;
}

/** A lock for a moment, and the assurance that nobody else has it meanwhile. */
async function alone(lock: Lock, section: { inside: number }): Promise<void> {
  section.inside += 1;
  assert.equal(section.inside, 1, 'two hold the lock');
  await pause(1);
  assert.equal(section.inside, 1, 'two hold the lock');
  section.inside -= 1;
  await lock.unlock();
}

export const lockWaits = theme(
  'lock waits',
  [
    {
      title: 'who waits gets the lock when it is given back, and not before',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const first = await connection.lock(DIR, 'first');
        const waiter = await waiterFor(context, 'second', await open());
        await pause(100);
        assert.equal(waiter.state(), 'waits');
        await first.unlock();
        const second = await got(waiter);
        await stillHeld(second);
        await refuses(connection, 'LockLost', first.check());
      },
    },
    {
      title: 'waiters get the lock in the order in which they came, and the queue shows it',
      when: needs.fairLocks,
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const connections = [connection, await open(), await open()];
        const holder = await connection.lock(DIR, '0');
        const names = ['1', '2', '3', '4', '5', '6'];
        const order: string[] = [];
        const served: Promise<void>[] = [];
        for (const [i, name] of names.entries()) {
          const waiter = await waiterFor(context, name, must(connections[i % 3]));
          served.push(
            got(waiter).then(async (lock) => {
              order.push(name);
              await lock.unlock();
            }),
          );
        }
        await connection.position();
        assert.deepEqual(
          (await connection.lockQueue(DIR)).map((entry) => [entry.contents, entry.holds]),
          ['0', ...names].map((name, i) => [name, i === 0]),
        );
        await holder.unlock();
        await Promise.all(served);
        assert.deepEqual(order, names);
      },
    },
    {
      title: 'of fifty who contend for one lock never two hold it, all get it, and nothing is left',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const before = await inventory(connection);
        const connections = [connection, await open(), await open(), await open(), await open()];
        const section = { inside: 0 };
        const contenders = Array.from({ length: 50 }, async (_, i) => {
          const lock = await must(connections[i % 5]).lock(DIR, `${i}`);
          await alone(lock, section);
        });
        await within(50_000, 'fifty locks', Promise.all(contenders));
        await asBefore(connection, before);
      },
    },
    {
      title: 'a wait whose signal fires is Interrupted and leaves nothing; the others keep their turn',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const before = await inventory(connection);
        const holder = await connection.lock(DIR, 'holder');
        const alone = await inventory(connection);
        const other = await open();
        const impatient = await waiterFor(context, 'impatient', other);
        impatient.abort();
        await refuses(other, 'Interrupted', got(impatient), { path: DIR });
        await asBefore(connection, alone);
        const second = await waiterFor(context, 'impatient again', other);
        const patient = await waiterFor(context, 'patient');
        second.abort();
        await refuses(other, 'Interrupted', got(second), { path: DIR });
        await holder.unlock();
        await (await got(patient)).unlock();
        await asBefore(connection, before);
      },
    },
    {
      title: 'a wait whose deadline passes is Timeout within moments, and leaves nothing',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const before = await inventory(connection);
        const other = await open();
        const calls = [
          other.lock(DIR, 'late', { deadline: Date.now() + SOON_MS }),
          other.lockWithTtl(DIR, 'late', 60_000, { deadline: Date.now() + SOON_MS }),
        ];
        await Promise.all(
          calls.map((call) =>
            refuses(other, 'Timeout', within(SOON_MS + MOMENTS_MS, 'a wait', call), { path: DIR }),
          ),
        );
        await asBefore(connection, before);
        await stillHeld(holder);
      },
    },
    {
      title: 'a wait without deadline outlives the time limit of calls',
      run: async (context) => {
        const { connection, open, root } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const waiter = await waiterFor(context, 'patient', await open(root, { requestTimeoutMs: 300 }));
        await pause(800);
        assert.equal(waiter.state(), 'waits');
        await holder.unlock();
        await stillHeld(await got(waiter));
      },
    },
    {
      title:
        'an abort that meets the asking at any moment leaves nothing behind, whether the lock was free or held',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const other = await open();
        for (const held of [false, true]) {
          const holder = held ? await connection.lock(DIR, 'holder') : undefined;
          const before = await inventory(connection);
          for (let round = 0; round < 24; round++) {
            const abort = new AbortController();
            const work = other.lock(DIR, `${round}`, { signal: abort.signal });
            if (round % 4 === 1) await Promise.resolve();
            if (round % 4 === 2) await new Promise((resolve) => setImmediate(resolve));
            if (round % 4 === 3) await pause(round / 4);
            abort.abort();
            const outcome = await within(PATIENCE_MS, 'an aborted call', work).catch(
              (error: unknown) => error,
            );
            if (outcome instanceof Error)
              await refuses(other, 'Interrupted', Promise.reject(outcome), { path: DIR });
            else await (await work).unlock();
          }
          await asBefore(connection, before);
          await holder?.unlock();
        }
        await stillHeld(await connection.tryLock(DIR, 'free'));
      },
    },
    {
      title: 'a deadline that meets the asking at any moment leaves nothing behind',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const before = await inventory(connection);
        const other = await open();
        for (let round = 0; round < 24; round++) {
          const work = other.lock(DIR, `${round}`, { deadline: Date.now() + (round % 8) });
          const code = await codeOf(within(PATIENCE_MS, 'a call', work));
          assert.ok(['done', 'Timeout'].includes(code), code);
          if (code === 'done') await (await work).unlock();
        }
        await asBefore(connection, before);
      },
    },
    {
      title:
        'when the answer to the asking is lost, the call ends by its deadline, and its place in line goes away',
      when: needs.locksAndServers,
      run: async (context) => {
        const { connection, open, root, subject } = context;
        await lockable(context);
        const before = await inventory(connection);
        const way = await FaultWay.to(must(subject.servers, 'servers')());
        context.after(() => way.close());
        const far = await open(root, { servers: way.servers, lockTtlMs: 2_000 });
        await far.position();
        way.loseAnswers();
        const work = far.lock(DIR, 'far', { deadline: Date.now() + SOON_MS });
        await refuses(far, ['Timeout', 'Unavailable'], within(SOON_MS + MOMENTS_MS, 'a wait', work), {
          path: DIR,
        });
        await way.mend();
        await asBefore(connection, before, EXPIRY_MS);
        const lock = await eventually('a lock', () => far.lock(DIR, 'far', { deadline: Date.now() + 5_000 }));
        await lock.unlock();
      },
    },
    {
      title: 'a waiter moves up when the one before it gives up',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const [a, b] = [
          await waiterFor(context, 'a', await open()),
          await waiterFor(context, 'b', await open()),
        ];
        a.abort();
        await refuses(connection, 'Interrupted', got(a));
        await eventually('the end of its place', async () => {
          await connection.position();
          return (await connection.lockQueue(DIR)).every(({ contents }) => contents !== 'a');
        });
        // Its place is gone, the holder's is not.
        await pause(200);
        assert.equal(b.state(), 'waits');
        await stillHeld(holder);
        await holder.unlock();
        await stillHeld(await got(b));
      },
    },
    {
      title: 'a waiter whose entry is deleted by hand stands in line again',
      when: needs.fairLocks,
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const waiter = await waiterFor(context, 'waiter', await open());
        const entry = must((await connection.lockQueue(DIR)).find(({ contents }) => contents === 'waiter'));
        await connection.delete(entry.path, entry.version);
        await backInLine(connection, entry.path);
        assert.equal(waiter.state(), 'waits');
        await holder.unlock();
        await stillHeld(await got(waiter));
      },
    },
    {
      title: 'a waiter whose session or lease is ended from outside stands in line again',
      when: needs.fairAndEndedOwners,
      run: async (context) => {
        const { connection, open, raw, root } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const waiter = await waiterFor(context, 'waiter', await open(root, { lockTtlMs: 2_000 }));
        const entry = must((await connection.lockQueue(DIR)).find(({ contents }) => contents === 'waiter'));
        await must(raw.endOwner)(must(entry.owner));
        await backInLine(connection, entry.path);
        assert.equal(waiter.state(), 'waits');
        await holder.unlock();
        await stillHeld(await got(waiter));
      },
    },
    {
      title: 'a wait goes on through a restart of the servers',
      when: needs.locksAndFaults,
      run: async (context) => {
        const { connection, open, faults } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const waiter = await waiterFor(context, 'waiter', await open());
        await faults.kill();
        await faults.restart();
        await pause(200);
        assert.notEqual(waiter.state(), 'failed');
        const code = await codeOf(holder.unlock());
        assert.ok(['done', 'LockLost', 'Unavailable', 'Timeout'].includes(code), code);
        await stillHeld(await got(waiter, EXPIRY_MS));
      },
    },
    {
      title:
        'who asks while the servers are down is told by the deadline; without one, the lock comes when they are back',
      when: needs.locksAndFaults,
      run: async (context) => {
        const { connection, open, root, faults } = context;
        await lockable(context);
        const before = await inventory(connection);
        const other = await open(root, { lockTtlMs: 2_000 });
        await faults.kill();
        const deadline = Date.now() + SOON_MS;
        const told = [
          other.lock(DIR, 'late', { deadline }),
          other.tryLock(DIR, 'late', { deadline }),
          other.campaign('vtctld', 'late', { deadline }),
        ];
        await Promise.all(
          told.map((call) =>
            refuses(
              other,
              ['Unavailable', 'Timeout'],
              within(SOON_MS + MOMENTS_MS, 'a wait while the servers are down', call),
            ),
          ),
        );
        const patient = ask(context, (options) => other.lock(DIR, 'patient', options));
        await pause(100);
        assert.equal(patient.state(), 'waits');
        await faults.restart();
        const lock = await got(patient, EXPIRY_MS);
        await stillHeld(lock);
        await lock.unlock();
        await asBefore(connection, before, EXPIRY_MS);
      },
    },
    {
      title: 'while one waits, its connection does everything else',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const other = await open();
        const waiters = await Promise.all(['a', 'b', 'c'].map((name) => waiterFor(context, name, other)));
        await within(PATIENCE_MS, 'a create', other.create('d/new', utf8('new')));
        await holds(other, 'd/new', 'new');
        await (await other.tryLock('d', 'x')).unlock();
        await holder.unlock();
        await Promise.all(waiters.map(async (waiter) => (await got(waiter)).unlock()));
      },
    },
    {
      title: 'close ends waits with Interrupted, and nothing of them stays',
      run: async (context) => {
        const { connection, open } = context;
        await lockable(context);
        const holder = await connection.lock(DIR, 'holder');
        const before = await inventory(connection);
        const other = await open();
        const waiters = [await waiterFor(context, 'a', other), await waiterFor(context, 'b', other)];
        const asking = ask(context, (options) => other.lock(DIR, 'just asked', options));
        await within(PATIENCE_MS, 'close', other.close());
        for (const waiter of [...waiters, asking])
          await refuses(other, 'Interrupted', got(waiter), { path: DIR });
        await asBefore(connection, before);
        await stillHeld(holder);
      },
    },
  ],
  needs.locks,
);

/** Until `waiter` has another entry than the one at `path`. */
async function backInLine(connection: Connection, path: string): Promise<void> {
  await eventually('a new place in the queue', async () => {
    const queue = await connection.lockQueue(DIR);
    return queue.some((entry) => entry.contents === 'waiter' && entry.path !== path);
  });
}
