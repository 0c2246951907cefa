import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import {
  type Asker,
  asBefore,
  ask,
  breakLock,
  EXPIRY_MS,
  got,
  inLine,
  inventory,
  lostSoon,
  rivalOf,
  stillHeld,
} from './lock-tools.js';
import { type Context, needs, theme } from './sentence.js';
import { eventually, failure, first, PATIENCE_MS, pause, refuses, within } from './tools.js';

const NAME = 'vtctld';
const PLACE = `elections/${NAME}`;

/** A candidate that waits behind others. */
async function candidate(context: Context, id: string, connection = context.connection): Promise<Asker> {
  const asker = ask(context, (options) => connection.campaign(NAME, id, options));
  await inLine(context, asker, id, PLACE);
  return asker;
}

/** Follows who leads until the end of the sentence. */
function followLeader(context: Context, connection = context.connection) {
  const abort = new AbortController();
  const ids: (string | undefined)[] = [];
  const ended = (async () => {
    for await (const { type, id } of connection.watchLeader(NAME, { signal: abort.signal })) {
      assert.equal(type, 'leader');
      ids.push(id);
    }
  })().catch((error: unknown) => error);
  const stop = () => {
    abort.abort();
    return within(PATIENCE_MS, 'the end of an aborted watch', ended);
  };
  context.after(stop);
  /** Until the last that was told to lead is `id`. */
  const until = (id: string | undefined, ms = PATIENCE_MS) =>
    eventually(`${id ?? 'nobody'} told to lead`, async () => ids.length > 0 && ids.at(-1) === id, ms);
  return { ids, until, stop, ended };
}

/** Until every one of `connections` says that `id` leads. */
async function leads(id: string | undefined, ...connections: readonly Connection[]): Promise<void> {
  for (const connection of connections) {
    await connection.position();
    assert.equal(await connection.leader(NAME), id);
  }
}

export const elections = theme(
  'elections',
  [
    {
      title:
        'nobody leads where nobody stands; the first candidate leads at once, and every connection is told its id',
      run: async (context) => {
        const { connection, open } = context;
        const before = await inventory(connection);
        const other = await open();
        await leads(undefined, connection, other);
        const leadership = await connection.campaign(NAME, 'host-a:15000');
        assert.deepEqual([leadership.dir, leadership.store], [PLACE, connection.store]);
        await stillHeld(leadership);
        await leads('host-a:15000', connection, other);
        await leadership.unlock();
        await leads(undefined, connection, other);
        assert.deepEqual(await inventory(connection), before);
      },
    },
    {
      title: 'a candidate waits while another leads, and leads when that one resigns',
      run: async (context) => {
        const { connection, open } = context;
        const other = await open();
        const leadership = await connection.campaign(NAME, 'a');
        const second = await candidate(context, 'b', other);
        await leads('a', connection, other);
        await leadership.unlock();
        const next = await got(second);
        await leads('b', connection, other);
        await stillHeld(next);
        await refuses(connection, 'LockLost', leadership.check(), { path: PLACE });
      },
    },
    {
      title: 'candidates lead in the order in which they came, and the queue of the election shows them',
      when: needs.fairLocks,
      run: async (context) => {
        const { connection, open } = context;
        const leadership = await connection.campaign(NAME, 'a');
        const other = await open();
        const [b, c] = [await candidate(context, 'b', other), await candidate(context, 'c')];
        await connection.position();
        assert.deepEqual(
          (await connection.lockQueue(PLACE)).map((entry) => [entry.contents, entry.holds]),
          [
            ['a', true],
            ['b', false],
            ['c', false],
          ],
        );
        await leadership.unlock();
        const second = await got(b);
        await leads('b', connection);
        assert.equal(c.state(), 'waits');
        await second.unlock();
        await got(c);
        await leads('c', connection);
      },
    },
    {
      title: 'a candidate that gives up waiting leaves the election',
      run: async (context) => {
        const { connection, open } = context;
        const leadership = await connection.campaign(NAME, 'a');
        const before = await inventory(connection);
        const other = await open();
        const second = await candidate(context, 'b', other);
        second.abort();
        await refuses(other, 'Interrupted', got(second), { path: PLACE });
        const late = other.campaign(NAME, 'late', { deadline: Date.now() + 400 });
        await refuses(other, 'Timeout', within(PATIENCE_MS, 'a campaign', late), { path: PLACE });
        await asBefore(connection, before);
        await leadership.unlock();
        await pause(100);
        await leads(undefined, connection, other);
      },
    },
    {
      title: 'watchLeader tells the present leader first, nobody included, and then each that leads',
      run: async (context) => {
        const { connection, open } = context;
        const watcher = followLeader(context, await open());
        await watcher.until(undefined);
        const leadership = await connection.campaign(NAME, 'a');
        await watcher.until('a');
        const second = await candidate(context, 'b', await open());
        const late = await first(connection.watchLeader(NAME));
        assert.deepEqual(late, { type: 'leader', id: 'a' });
        await leadership.unlock();
        const next = await got(second);
        await watcher.until('b');
        await next.unlock();
        await watcher.until(undefined);
        assert.ok(watcher.ids.lastIndexOf('a') < watcher.ids.indexOf('b'), 'none after a newer one');
      },
    },
    {
      title: 'watchLeader hears of one election only',
      run: async (context) => {
        const { connection } = context;
        const watcher = followLeader(context);
        await watcher.until(undefined);
        const other = await connection.campaign(`${NAME}0`, 'stranger');
        const leadership = await connection.campaign(NAME, 'a');
        await watcher.until('a');
        assert.ok(!watcher.ids.includes('stranger'));
        await other.unlock();
        await stillHeld(leadership);
      },
    },
    {
      title: 'an abort or close ends watchLeader with Interrupted, a deadline with Timeout',
      run: async (context) => {
        const { connection, open } = context;
        const aborted = followLeader(context);
        await aborted.until(undefined);
        assert.ok(isTopologyError(await aborted.stop(), 'Interrupted'));
        const other = await open();
        const closed = followLeader(context, other);
        await closed.until(undefined);
        await other.close();
        assert.ok(isTopologyError(await within(PATIENCE_MS, 'the end', closed.ended), 'Interrupted'));
        const timed = (async () => {
          for await (const _ of connection.watchLeader(NAME, { deadline: Date.now() + 400 }));
        })();
        assert.equal((await failure(within(PATIENCE_MS, 'the end', timed))).code, 'Timeout');
      },
    },
    {
      title: 'a leader whose entry is deleted is told so, and the next one leads',
      run: async (context) => {
        const { connection, open } = context;
        const other = await open();
        const leadership = await connection.campaign(NAME, 'a');
        const watcher = followLeader(context, other);
        await watcher.until('a');
        const second = await candidate(context, 'b', other);
        await breakLock(context, leadership);
        await lostSoon(leadership);
        await stillHeld(await got(second));
        await watcher.until('b');
        await refuses(connection, 'LockLost', leadership.unlock(), { path: PLACE });
        await leads('b', connection, other);
      },
    },
    {
      title: 'close resigns',
      run: async (context) => {
        const { connection, open } = context;
        const other = await open();
        const leadership = await other.campaign(NAME, 'a');
        const second = await candidate(context, 'b');
        await other.close();
        await lostSoon(leadership, 0);
        await got(second);
        await leads('b', connection);
      },
    },
    {
      title:
        'a rival that campaigns as Vitess does leads, is seen to lead, and gives way when it resigns or dies',
      when: needs.rivals,
      run: async (context) => {
        const { connection } = context;
        const watcher = followLeader(context);
        await watcher.until(undefined);
        for (const [id, end] of [
          ['rival-a:1', 'release'],
          ['rival-b:1', 'die'],
        ] as const) {
          const rival = await rivalOf(context, id, NAME);
          assert.equal(await rival.holds(), true);
          await leads(id, connection);
          await watcher.until(id);
          const ours = await candidate(context, 'ours:1');
          await rival[end]();
          const leadership = await got(ours);
          await leads('ours:1', connection);
          await watcher.until('ours:1');
          await leadership.unlock();
          await watcher.until(undefined);
        }
      },
    },
    {
      title: 'such a rival sees who of this process leads, and waits for it',
      when: needs.rivals,
      run: async (context) => {
        const { connection } = context;
        const leadership = await connection.campaign(NAME, 'ours:1');
        const rival = await rivalOf(context, 'rival:1', NAME);
        assert.equal(await rival.holds(), false);
        assert.equal(await rival.holder(), 'ours:1');
        await leadership.unlock();
        await eventually('the rival in the lead', () => rival.holds());
        await leads('rival:1', connection);
      },
    },
    {
      title: 'watchLeader and candidates go on through a restart of the servers',
      when: needs.locksAndFaults,
      run: async (context) => {
        const { connection, open, faults } = context;
        const leadership = await connection.campaign(NAME, 'a');
        const watcher = followLeader(context, await open());
        await watcher.until('a');
        const second = await candidate(context, 'b', await open());
        await faults.kill();
        await faults.restart();
        await leadership.unlock().catch(() => {});
        await got(second, EXPIRY_MS);
        await watcher.until('b', EXPIRY_MS);
      },
    },
  ],
  needs.locks,
);
