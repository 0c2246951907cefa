import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import { follow, followAll, neverGoesBack } from './follower.js';
import { type Context, needs, theme } from './sentence.js';
import { eventually, failure, utf8 } from './tools.js';
import { writersWithoutRivals } from './writers.js';

const RECOVERY_MS = 25_000;

/** A write through a connection of its own, as soon as the server takes it. */
async function writeSoon(
  context: Context,
  write: (connection: Connection) => Promise<unknown>,
): Promise<void> {
  const other = await eventually('a new connection', () => context.open(), RECOVERY_MS);
  await write(other);
}

const deadline = () => ({ deadline: Date.now() + 2_000 });

export const restarts = theme(
  'a server that restarts',
  [
    {
      title: 'a watch goes on through a restart: a later change is delivered, and nothing older',
      run: async (context) => {
        const { connection, faults } = context;
        await connection.create('a', utf8('1'));
        await connection.update('a', utf8('2'), null);
        const follower = follow(context, 'a');
        const other = follow(context, 'b');
        await follower.untilState('a', '2');
        await other.untilState('b', undefined);
        await faults.kill();
        await faults.restart();
        await writeSoon(context, (late) => late.update('a', utf8('3'), null));
        await writeSoon(context, (late) => late.create('b', utf8('4')));
        await follower.untilState('a', '3');
        await other.untilState('b', '4');
        neverGoesBack(follower.statesOf('a'));
        await eventually('a write', () => connection.update('a', utf8('5'), null), RECOVERY_MS);
        await follower.untilState('a', '5');
        neverGoesBack(follower.statesOf('a'));
        assert.ok(!follower.statesOf('a').includes(undefined), 'the record was never absent');
      },
    },
    {
      title: 'a watch goes on through a restart: a deletion, and a re-creation, right after it is delivered',
      run: async (context) => {
        const { connection, faults } = context;
        await connection.create('d/a', utf8('1'));
        await connection.create('d/b', utf8('1'));
        const [a, b] = [follow(context, 'd/a'), follow(context, 'd/b')];
        await Promise.all([a.untilState('d/a', '1'), b.untilState('d/b', '1')]);
        await faults.kill();
        await faults.restart();
        await writeSoon(context, async (late) => {
          await late.delete('d/a', null);
          await late.delete('d/b', null);
          await late.create('d/b', utf8('2'));
        });
        await a.untilState('d/a', undefined);
        await b.untilState('d/b', '2');
      },
    },
    {
      title:
        'a recursive watch goes on through a restart: changes and deletions right after it are delivered',
      when: needs.recursiveWatchAndFaults,
      run: async (context) => {
        const { connection, faults } = context;
        for (const name of ['kept', 'changed', 'deleted']) await connection.create(`d/${name}`, utf8('1'));
        const follower = followAll(context, 'd');
        await follower.until('synced', (events) => events.some(({ type }) => type === 'synced'));
        await faults.kill();
        await faults.restart();
        await writeSoon(context, async (late) => {
          await late.delete('d/deleted', null);
          await late.update('d/changed', utf8('2'), null);
          await late.create('d/new', utf8('1'));
        });
        await follower.untilState('d/deleted', undefined);
        await follower.untilState('d/changed', '2');
        await follower.untilState('d/new', '1');
        assert.ok(!follower.statesOf('d/kept').includes(undefined), 'what was kept was never absent');
        neverGoesBack(follower.statesOf('d/changed'));
      },
    },
    {
      title:
        'every write acknowledged before, during and after a restart is there, and no write meets its own traces',
      run: async (context) => {
        const { connection, faults } = context;
        const writers = writersWithoutRivals(connection);
        await eventually('writes before the restart', async () => writers.acknowledged() > 100);
        await faults.kill();
        const before = writers.acknowledged();
        await faults.restart();
        await eventually(
          'writes after the restart',
          async () => writers.acknowledged() > before + 100,
          RECOVERY_MS,
        );
        await writers.stop();
        await connection.position();
        await writers.allThere(connection);
      },
    },
    {
      title: 'versions given before a restart hold after it',
      run: async (context) => {
        const { connection, faults } = context;
        const version = await connection.create('a', utf8('1'));
        const past = await connection.create('b', utf8('1'));
        await connection.update('b', utf8('2'), past);
        await faults.kill();
        await faults.restart();
        await eventually('a read', () => connection.get('a', deadline()), RECOVERY_MS);
        await connection.update('a', utf8('2'), version);
        const { code } = await failure(connection.update('b', utf8('3'), past));
        assert.equal(code, 'BadVersion');
      },
    },
  ],
  needs.faults,
);
