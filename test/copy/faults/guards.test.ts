import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryStore } from '../../../src/backends/memory/stores.js';
import { sampleTopology } from '../../../src/cli/demo/sample.js';
import { parseAddress } from '../../../src/topo/address.js';
import { decode, encode, readCellInfo } from '../../../src/topo/codec.js';
import type { JsonObject } from '../../../src/topo/codec-json.js';
import { cli } from '../../support/cli.js';
import { contents, withStore } from '../../support/topologies.js';
import { equal, type Places, placesInMemory, plantSample, SCOPES } from '../followers.js';

const SHARD = 'keyspaces/commerce/shards/0/Shard';
const PRIMARY = 'tablets/zone1-0000000100/Tablet';
const REPLICA = 'tablets/zone1-0000000102/Tablet';
const EVERYTHING = ['--delete', '--max-delete', '1000'];

let places: Places;
let more: string[];

beforeEach(async () => {
  places = placesInMemory();
  more = [];
  await plantSample(places);
});

const copy = (...flags: string[]) =>
  cli([
    ...['copy', places.source('global'), places.destination('global'), '--to-cell-root', places.cellRoot],
    ...more,
    ...flags,
  ]);
const put = (place: string, path: string, bytes: Uint8Array | string) =>
  withStore(place, (store) => store.update(path, Buffer.from(bytes), null));
const remove = (place: string, path: string) => withStore(place, (store) => store.delete(path, null));
const read = async (place: string, path: string) => (await contents(place)).get(path);
const inSource = (path: string) => read(places.source('global'), path);
const inDestination = (path: string) => read(places.destination('global'), path);
const tabletsIn = async (place: string) =>
  [...(await contents(place)).keys()].filter((path) => path.startsWith('tablets/'));

/** Says that a cell of the source is somewhere else. */
async function moveCell(cell: string, root: string): Promise<string> {
  const path = `cells/${cell}/CellInfo`;
  const info = { server_address: places.server, root };
  await put(places.source('global'), path, encode('topodata.CellInfo', info));
  return `memory://${places.server}${root}`;
}

/** Everything in the destination. */
async function snapshot(): Promise<unknown> {
  return Promise.all(SCOPES.map(async (scope) => [...(await contents(places.destination(scope)))]));
}

/**
 * A copy with `flags` is stopped by a guard that says `what` and leaves the destination as it is; with `overruling` beside them it goes
 * through.
 */
async function isStopped(what: RegExp, flags: string[], overruling: string): Promise<void> {
  await refuses(what, flags);
  const overruled = await copy(...flags, ...overruling.split(' '));
  expect(overruled.err).toBe('');
  expect(overruled.code).toBe(0);
}

async function refuses(what: RegExp, flags: string[]): Promise<void> {
  const before = await snapshot();
  const stopped = await copy(...flags);
  expect(stopped.err).toMatch(what);
  expect(stopped.code).toBe(4);
  expect(await snapshot()).toEqual(before);
}

async function copied(): Promise<void> {
  expect(await copy()).toMatchObject({ code: 0, err: '' });
  expect(await equal(places)).toBe(true);
}

describe('what is lost without the guard against', () => {
  test('a cell that holds nothing: all tablets of a cell whose address means another store here', async () => {
    await moveCell('zone2', '/elsewhere');
    await isStopped(/local store holds nothing for: cell zone2/, [], '--allow-empty-cells');
    expect(await inDestination('cells/zone2/CellInfo')).toBeDefined();
    expect(await tabletsIn(places.destination('zone2'))).toEqual([]);
    expect(await tabletsIn(places.source('zone2'))).not.toEqual([]);
  });

  test('a commit before a cell is there: its tablets, for all who start by then', async () => {
    await isStopped(
      /cell zone1, cell zone2 are not copied yet/,
      ['--cells', 'global'],
      '--allow-empty-cells',
    );
    expect(await inDestination('cells/zone1/CellInfo')).toBeDefined();
    expect(await tabletsIn(places.destination('zone1'))).toEqual([]);
  });

  test('a source that shrank: the records that a stale store did not show', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    try {
      more = ['--journal', join(folder, 'journal')];
      await copied();
      const hidden = [102, 202, 302].map((uid) => `tablets/zone1-0000000${uid}/Tablet`);
      for (const path of hidden) await remove(places.source('zone1'), path);
      await isStopped(/less than at the last run.*zone1: Tablet/, EVERYTHING, '--allow-shrunk');
      const left = await tabletsIn(places.destination('zone1'));
      expect(hidden.filter((path) => left.includes(path))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a store of another cell: a cell gets the tablets of that one, and none of its own', async () => {
    const elsewhere = await moveCell('zone2', '/elsewhere');
    for (const { path, bytes } of sampleTopology(places.server).filter(({ scope }) => scope === 'zone1'))
      await put(elsewhere, path, bytes);
    await isStopped(/tablets of another cell: zone2:tablets\/zone1-/, [], '--allow-other-cell');
    const got = await tabletsIn(places.destination('zone2'));
    expect(got.filter((path) => path.startsWith('tablets/zone2-'))).toEqual([]);
  });

  test('records that do not decode: a good record, for one that was cut short', async () => {
    await copied();
    const good = (await inSource(SHARD)) ?? Buffer.alloc(0);
    const cut = good.subarray(0, good.length - 1);
    await put(places.source('global'), SHARD, cut);
    await refuses(/do not decode: global:keyspaces\/commerce\/shards\/0\/Shard/, []);
    expect(await inDestination(SHARD)).toEqual(good);
    expect((await copy('--allow-undecodable')).code).toBe(0);
    expect(await inDestination(SHARD)).toEqual(Buffer.from(cut));
  });

  test('an older primary: the primary that the destination’s cluster has by now', async () => {
    await copied();
    const shard = decode('topodata.Shard', (await inSource(SHARD)) ?? Buffer.alloc(0)).json;
    const promoted: JsonObject = {
      ...shard,
      primary_alias: { cell: 'zone1', uid: 102 },
      primary_term_start_time: { seconds: '1790000000' },
    };
    await put(places.destination('global'), SHARD, encode('topodata.Shard', promoted));
    await isStopped(/newer than the source: global:.*older primary/, [], '--allow-older');
    expect(await inDestination(SHARD)).toEqual(await inSource(SHARD));
  });

  test('locks: one half of what their holder is about to change', async () => {
    await copied();
    memoryStore(places.server).putEphemeral(
      '/vitess/global/keyspaces/commerce/shards/0/locks/0000000001',
      Buffer.from('{}'),
    );
    const shard = decode('topodata.Shard', (await inSource(SHARD)) ?? Buffer.alloc(0)).json;
    const half = encode('topodata.Shard', { ...shard, primary_alias: { cell: 'zone1', uid: 102 } });
    await put(places.source('global'), SHARD, half);
    await isStopped(/locks are held in the source/, [], '--allow-locks');
    const replica = (await read(places.destination('zone1'), REPLICA)) ?? Buffer.alloc(0);
    expect(await inDestination(SHARD)).toEqual(Buffer.from(half));
    expect(decode('topodata.Tablet', replica).json['type']).toBe('REPLICA');
  });

  test('records that only the destination has: what another topology has under the same names', async () => {
    await put(places.destination('global'), 'keyspaces/another/Keyspace', new Uint8Array());
    const theirs = encode('vschema.Keyspace', { tables: { theirs: {} } });
    await put(places.destination('global'), 'keyspaces/commerce/VSchema', theirs);
    await isStopped(/that the source does not: global:keyspaces\/another/, [], '--allow-extra');
    expect(await inDestination('keyspaces/commerce/VSchema')).not.toEqual(Buffer.from(theirs));
    expect(await inDestination('keyspaces/another/Keyspace')).toBeDefined();
  });

  test('many deletions: what a listing did not show', async () => {
    await copied();
    for (const path of ['metadata/owner', 'RoutingRules']) await remove(places.source('global'), path);
    await isStopped(/2 records would be deleted/, ['--delete'], '--max-delete 2');
    expect([await inDestination('metadata/owner'), await inDestination('RoutingRules')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('a CellInfo that leads into the source: what is written through it goes to the old store', async () => {
    const { root } = parseAddress(places.source('zone1'));
    const info = encode('topodata.CellInfo', { server_address: places.server, root });
    await put(places.destination('global'), 'cells/zone9/CellInfo', info);
    await isStopped(/CellInfo of zone9 leads into the source/, [], '--allow-cell-in-source');
    const { serverAddress, root: led } = readCellInfo(
      (await inDestination('cells/zone9/CellInfo')) ?? Buffer.alloc(0),
    );
    await put(`memory://${serverAddress}${led}`, REPLICA, 'overwritten');
    expect((await read(places.source('zone1'), REPLICA))?.toString()).toBe('overwritten');
  });

  test('one place as both sides: the source itself', async () => {
    const { server } = places;
    const args = ['copy', `memory://${server}/vitess/global`, `memory://${server}/vitess/zone1`];
    const flags = [...args, '--to-cell-root', '/new/{cell}', ...EVERYTHING];
    const before = await tabletsIn(places.source('zone1'));
    expect(await cli(flags)).toMatchObject({ code: 4, err: expect.stringContaining('the same place') });
    expect(await tabletsIn(places.source('zone1'))).toEqual(before);
    // What notices the loss then comes too late.
    expect((await cli([...flags, '--allow-same-place'])).err).toContain('97 records written');
    expect(await tabletsIn(places.source('zone1'))).toEqual([]);
  });
});

describe('nothing overrules the guard against', () => {
  const ALL = ['empty-cells', 'shrunk', 'extra', 'older', 'undecodable', 'locks', 'other-cell'].map(
    (name) => `--allow-${name}`,
  );

  test('a source without cells: a wrong root would empty the destination', async () => {
    await copied();
    places = { ...places, source: (scope) => `memory://${places.server}/wrong/${scope}` };
    await refuses(/the source holds nothing/, [...EVERYTHING, ...ALL]);
  });

  test('the deletion of a Tablet that a Shard names: its shard would have no primary', async () => {
    await copied();
    await remove(places.source('zone1'), PRIMARY);
    await refuses(/the primary of a shard would be deleted: zone1:tablets\/zone1-0000000100/, [
      ...EVERYTHING,
      ...ALL,
    ]);
    // The Shard that names it is in the part that is not copied.
    await refuses(/the primary of a shard would be deleted: zone1:tablets\/zone1-0000000100/, [
      ...['--cells', 'zone1'],
      ...EVERYTHING,
      ...ALL,
    ]);
  });

  test('a blank Tablet over a filled one: it stays, and all else is copied', async () => {
    await copied();
    const filled = await read(places.source('zone1'), REPLICA);
    const tablet = decode('topodata.Tablet', filled ?? Buffer.alloc(0)).json;
    const blank = encode('topodata.Tablet', { ...tablet, hostname: '', port_map: {} });
    await put(places.source('zone1'), REPLICA, blank);
    await put(places.source('global'), 'metadata/owner', 'another');
    expect((await copy(...ALL)).code).toBe(4);
    expect(await read(places.destination('zone1'), REPLICA)).toEqual(filled);
    expect((await inDestination('metadata/owner'))?.toString()).toBe('another');
  });

  test('a record of the destination that belongs to a lease: what is written there goes away with it', async () => {
    const { server, root } = parseAddress(places.destination('global'));
    memoryStore(server).putEphemeral(`${root}/metadata/owner`, Buffer.from('leased'));
    await refuses(/will go away by themselves: global:metadata\/owner/, ALL);
  });
});
