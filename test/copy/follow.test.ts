import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FollowOptions } from '../../src/copy/follow-options.js';
import { Ledger } from '../../src/copy/ledger.js';
import { encode } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { contents, withStore } from '../support/topologies.js';
import {
  CountedScans,
  EmptyListings,
  Failing,
  Hanging,
  LosingAnswers,
  LosingWatches,
} from './follower-faults.js';
import {
  equal,
  following,
  type Places,
  placesInMemory,
  plantSample,
  type Running,
  startFollower,
  until,
  type Wraps,
} from './followers.js';

let places: Places;
let stop: AbortController;

beforeEach(async () => {
  places = placesInMemory();
  stop = new AbortController();
  await plantSample(places);
});
afterEach(() => stop.abort());

const start = (more: Partial<FollowOptions> = {}, wraps: Wraps = {}): Promise<Running> =>
  startFollower(places, { signal: stop.signal, ...more }, wraps);
const same = () => equal(places);
const inSource = <T>(scope: string, work: (store: Connection) => Promise<T>) =>
  withStore(places.source(scope), work);
const inDestination = <T>(scope: string, work: (store: Connection) => Promise<T>) =>
  withStore(places.destination(scope), work);
const change = (path: string, text: string) =>
  inSource('global', async (store) => void (await store.update(path, Buffer.from(text), null)));

describe('a follower', () => {
  test('copies, then brings over what is made, changed and deleted, and ends when it is told to', async () => {
    const running = await start();
    await following(running);
    expect(await same()).toBe(true);
    await change('metadata/owner', 'changed');
    await change('metadata/made', 'made');
    await until(same, running);
    await inSource('global', (store) => store.delete('metadata/made', null));
    await until(same, running);
    await until(() => running.state()?.waiting === 0, running);
    expect(running.state()).toMatchObject({ passes: 1, lagMs: 0, failures: 0 });
    stop.abort();
    expect((await running.end).written).toBeGreaterThan(3);
  });

  test('stops at a record of the destination that somebody else wrote, names it, and leaves it', async () => {
    const running = await start();
    await following(running);
    await inDestination('global', (store) => store.update('metadata/owner', Buffer.from('theirs'), null));
    await change('metadata/owner', 'ours');
    await expect(running.end).rejects.toMatchObject({ code: 'Guard', path: 'metadata/owner' });
    expect((await contents(places.destination('global'))).get('metadata/owner')?.toString()).toBe('theirs');
  });

  test.each([
    [
      'made',
      (store: Connection) => store.create('metadata/theirs', Buffer.from('theirs')),
      'metadata/theirs',
    ],
    [
      'changed',
      (store: Connection) => store.update('metadata/owner', Buffer.from('x'), null),
      'metadata/owner',
    ],
    ['deleted', (store: Connection) => store.delete('metadata/owner', null), 'metadata/owner'],
  ])(
    'finds what somebody else %s there, and nothing led it to, at its next complete pass',
    async (_, work, path) => {
      const running = await start({ passEveryMs: 20 });
      await until(() => (running.state()?.passes ?? 0) > 1, running);
      await inDestination('global', async (store) => void (await work(store)));
      await expect(running.end).rejects.toMatchObject({ code: 'Guard', path });
    },
  );

  test('adopts what already equals the source: two of them do no harm', async () => {
    const both = await Promise.all([start({ passEveryMs: 20 }), start({ passEveryMs: 20 })]);
    await following(...both);
    for (let i = 0; i < 50; i++) {
      await change('metadata/owner', String(i));
      await change('metadata/flickers', String(i));
      await inSource('global', (store) => store.delete('metadata/flickers', null));
    }
    await until(same, ...both);
    const passes = both.map(({ state }) => state()?.passes ?? 0);
    await until(() => both.every(({ state }, i) => (state()?.passes ?? 0) > (passes[i] ?? 0) + 2), ...both);
    stop.abort();
    await Promise.all(both.map(({ end }) => end));
    expect(await same()).toBe(true);
  });

  test('goes on from what another one wrote that died before it had brought over the last change', async () => {
    const first = await start();
    await following(first);
    const second = await start({ gatherMs: 200 });
    await following(second);
    await change('metadata/owner', 'in between');
    await until(
      async () =>
        (await contents(places.destination('global'))).get('metadata/owner')?.toString() === 'in between',
      first,
    );
    await change('metadata/owner', 'last');
    await until(same, first, second);
    stop.abort();
    await Promise.all([first.end, second.end]);
  });

  test('begins beside another one that brings over what it does not know, and stops where nobody does', async () => {
    const theirs = (text: string) =>
      inDestination('global', (store) => store.update('metadata/owner', Buffer.from(text), null));
    await change('metadata/owner', 'new');
    for (const text of ['older', 'new']) {
      const ledger = new Ledger();
      ledger.resumed();
      await theirs('old');
      await inDestination('global', (store) => store.update('metadata/gone', Buffer.from(text), null));
      const scans = new CountedScans();
      const running = await start(
        { ledgers: new Map([['global', ledger]]), graceMs: text === 'older' ? 100 : 60_000 },
        { destination: (store, scope) => (scope === 'global' ? scans.of(store) : store) },
      );
      if (text === 'older') {
        await expect(running.end).rejects.toMatchObject({
          code: 'Guard',
          objections: [
            { guard: 'foreign', about: [expect.stringContaining('metadata/owner')] },
            { guard: 'extra', about: ['global:metadata/gone'] },
          ],
        });
        expect((await contents(places.destination('global'))).get('metadata/owner')?.toString()).toBe('old');
        continue;
      }
      await until(() => scans.ended > 0, running);
      await theirs('new');
      await inDestination('global', (store) => store.delete('metadata/gone', null));
      await following(running);
      expect(await same()).toBe(true);
    }
  });

  test('stops when much goes at once, or little by little between two complete passes', async () => {
    const { end, ...running } = await start();
    await following({ end, ...running });
    const paths = await inSource('zone1', tabletsOf);
    for (const path of paths) {
      await inSource('zone1', (store) => store.delete(path, null)).catch(() => {});
      const isOver = await Promise.race([
        end.then(
          () => true,
          () => true,
        ),
        pause(30),
      ]);
      if (isOver === true) break;
    }
    await expect(end).rejects.toThrow(/went at once: zone1: Tablet|the primary of a shard/);
    expect((await inDestination('zone1', tabletsOf)).length).toBeGreaterThan(1);
  });

  test.each(['global', 'zone1'])(
    'stops when a complete pass finds nothing in a store that was full: %s',
    async (scope) => {
      const listings = new EmptyListings(scope);
      const running = await start({ passEveryMs: 20 }, { source: (store, of) => listings.of(store, of) });
      await until(() => (running.state()?.passes ?? 0) > 1, running);
      const before = await contents(places.destination(scope));
      listings.empty = true;
      await expect(running.end).rejects.toMatchObject({
        code: 'Guard',
        message: expect.stringMatching(/the source lost more than a tenth while it was copied/),
      });
      expect(await contents(places.destination(scope))).toEqual(before);
    },
  );

  test('never deletes the Tablet that its Shard names, and does once the Shard names another', async () => {
    const running = await start({ overrules: { shrunk: true } });
    await following(running);
    const shard = 'keyspaces/commerce/shards/0/Shard';
    const [first = '', second = ''] = await inSource('zone1', tabletsOf);
    const name = (path: string) =>
      inSource('global', (store) =>
        store.update(shard, encode('topodata.Shard', { primary_alias: aliasOf(path) }), null),
      );
    await inSource('zone1', (store) =>
      Promise.all(
        [first, second].map((path) =>
          store.update(
            path,
            encode('topodata.Tablet', {
              alias: aliasOf(path),
              keyspace: 'commerce',
              shard: '0',
              hostname: 'h',
            }),
            null,
          ),
        ),
      ),
    );
    await name(first);
    await until(same, running);
    // The Shard's new primary and the end of the old one in one round.
    await name(second);
    await inSource('zone1', (store) => store.delete(first, null));
    await until(same, running);
    await inSource('zone1', (store) => store.delete(second, null));
    await expect(running.end).rejects.toMatchObject({ code: 'Guard', path: second });
    expect(await inDestination('zone1', tabletsOf)).toContain(second);
  });

  test('that is told to end during its first pass ends well, with none', async () => {
    const { end } = await start({ onPlan: () => stop.abort() });
    expect(await end).toMatchObject({ passes: 0, written: 0, phase: 'copying' });
  });

  test('until equal ends by itself once a complete pass has nothing to do', async () => {
    const state = await (await start({ untilEqual: true })).end;
    expect(state.passes).toBeGreaterThan(1);
    expect(await same()).toBe(true);
  });

  test('stops at a new cell, which has no address in the destination', async () => {
    const running = await start();
    await following(running);
    await change('cells/zone9/CellInfo', '');
    await expect(running.end).rejects.toMatchObject({ code: 'Guard', path: 'cells/zone9/CellInfo' });
  });

  test('finds what changed while its watch was lost, however often it cannot be had again', async () => {
    const watches = new LosingWatches();
    const running = await start({}, { source: (store) => watches.of(store) });
    await following(running);
    await watches.lose(3, async () => {
      await change('metadata/owner', 'unseen');
      expect(running.state()?.lagMs).toBeGreaterThan(0);
    });
    await until(same, running);
    await change('metadata/owner', 'seen');
    await until(same, running);
    await until(() => running.state()?.lagMs === 0, running);
  });

  test('is behind for as long as the destination does not answer', async () => {
    const hanging = new Hanging();
    const running = await start({}, { destination: (store) => hanging.of(store) });
    await following(running);
    hanging.hang();
    await change('metadata/owner', 'late');
    await until(() => (running.state()?.lagMs ?? 0) > 200, running);
    expect(running.state()).toMatchObject({ waiting: 1 });
    hanging.goOn();
    await until(same, running);
    await until(() => running.state()?.lagMs === 0, running);
  });

  test('survives a destination that fails in the middle of the first copy', async () => {
    const failing = new Failing(3);
    const running = await start({}, { destination: (store) => failing.of(store) });
    await following(running);
    expect(running.state()?.failures).toBeGreaterThan(0);
    expect(await same()).toBe(true);
  });

  test('knows its own writes though their answers are lost, and the source has moved on since', async () => {
    const losing: LosingAnswers = new LosingAnswers(() =>
      change('metadata/owner', `moved on ${losing.lost}`),
    );
    const running = await start({}, { destination: (store) => losing.of(store) });
    await following(running);
    losing.left = 3;
    await change('metadata/owner', 'first');
    await until(() => losing.lost === 3, running);
    await until(same, running);
  });
});

async function tabletsOf(store: Connection): Promise<string[]> {
  const paths: string[] = [];
  for await (const { records } of store.scan('tablets')) paths.push(...records.map(({ path }) => path));
  return paths;
}

function aliasOf(path: string) {
  const [, cell = '', uid = ''] = /^tablets\/(.+)-(\d+)\/Tablet$/.exec(path) ?? [];
  return { cell, uid: Number(uid) };
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}
