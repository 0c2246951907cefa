import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SplitRequest, stepsOf } from '../../src/cells/split.js';
import { applyStep, changesOf } from '../../src/cells/split-changes.js';
import type { WhileLocked } from '../../src/cells/split-serving.js';
import { readSplit } from '../../src/cells/split-state.js';
import { storesFor } from '../../src/cli/stores.js';
import { NEWEST } from '../../src/graph/target.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { encode } from '../../src/topo/codec.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { Topology } from '../../src/topo/topology.js';
import { withFaults } from '../../src/topo/wrappers/fault.js';
import type { ChooseFault } from '../../src/topo/wrappers/fault-plan.js';
import { splitOperator } from '../support/split-operator.js';
import { contents, SETTINGS, withStore } from '../support/topologies.js';

const REQUEST: SplitRequest = {
  old: 'old',
  added: ['new'],
  alias: 'join',
  removeOld: true,
  vtgatesMoved: true,
  force: false,
};
const OPTIONS = { target: NEWEST, allowPartial: false };
/** Another name of the one server of these tests. */
const OTHER_NAME = 'zookeeper:other-name';

let server: string;
const opened: Topology[] = [];
const at = (scope: string) => `memory://${server}/vitess/${scope}`;

beforeEach(async () => {
  server = `zookeeper:${randomUUID()}`;
  await plantSmall();
});
afterEach(() => Promise.all(opened.splice(0).map((topology) => topology.close())));

/** One keyspace, one shard, two tablets, one cell in an alias. */
async function plantSmall(): Promise<void> {
  const alias = (uid: number) => ({ cell: 'old', uid });
  const info = { server_address: server, root: '/vitess/old' };
  await withStore(at('global'), async (store) => {
    await store.create('cells/old/CellInfo', encode('topodata.CellInfo', info));
    await store.create('cells_aliases/east/CellsAlias', encode('topodata.CellsAlias', { cells: ['old'] }));
    await store.create('keyspaces/ks/Keyspace', new Uint8Array());
    const shard = { is_primary_serving: true, primary_alias: alias(1) };
    await store.create('keyspaces/ks/shards/0/Shard', encode('topodata.Shard', shard));
  });
  await withStore(at('old'), async (store) => {
    for (const uid of [1, 2]) {
      const tablet = { alias: alias(uid), hostname: 'h', port_map: { vt: 1 }, keyspace: 'ks', shard: '0' };
      await store.create(`tablets/old-000000000${uid}/Tablet`, encode('topodata.Tablet', tablet));
    }
    const nodes = [1, 2].map((uid) => ({ tablet_alias: alias(uid) }));
    const path = 'keyspaces/ks/shards/0/ShardReplication';
    await store.create(path, encode('topodata.ShardReplication', { nodes }));
    await store.create('keyspaces/ks/SrvKeyspace', new Uint8Array());
    await store.create('SrvVSchema', new Uint8Array());
  });
}

async function open(choose: ChooseFault = () => undefined): Promise<Topology> {
  const stores = storesFor(SETTINGS, 'write');
  const topology = await Topology.open({
    global: parseAddress(at('global')),
    cells: new Map([['old', parseAddress(at('old'))]]),
    stores: {
      ...stores,
      open: async ({ server: name, ...address }, scope) => {
        const place = { ...address, server: name === OTHER_NAME ? server : name };
        return withFaults(await stores.open(place, scope), { clock: systemClock, choose });
      },
    },
  });
  opened.push(topology);
  return topology;
}

/** The lock that a rebuild takes, by whoever. */
function locker({ global }: Topology): WhileLocked {
  return async (keyspace, work) => {
    const lock = await global.lock(`keyspaces/${keyspace}`, 'RebuildKeyspace');
    try {
      await work({ signal: lock.lost, check: () => lock.check() });
    } finally {
      await lock.unlock();
    }
  };
}

/** Takes the next step, whoever's it is. Answers with its name; undefined: there is none. */
async function takeStep(topology: Topology, request: SplitRequest): Promise<string | undefined> {
  const state = await readSplit(topology, request, {});
  const next = stepsOf(state, request).find(({ done }) => !done);
  const operator = splitOperator(at, 'old', 'new');
  if (next === undefined) return undefined;
  if (next.name === 'start') await operator.start();
  else if (next.name === 'reparent') await operator.reparent();
  else if (next.name === 'stop') await operator.stop();
  else if (next.name !== 'move') {
    const places = { serverAddress: server, root: '/vitess/{cell}' };
    const plan = { topology, state, request, places };
    const changes = await changesOf(next.name, plan, OPTIONS);
    await applyStep(next.name, plan, changes, locker(topology), OPTIONS);
  }
  return next.name;
}

/** Goes on, whatever fails, until no step is left. */
async function toTheEnd(topology: Topology): Promise<string[]> {
  const taken: string[] = [];
  for (let round = 0; round < 40; round++) {
    try {
      const step = await takeStep(topology, REQUEST);
      if (step === undefined) return taken;
      taken.push(step);
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      taken.push(error.code);
    }
  }
  throw new Error(`no end: ${taken.join(' ')}`);
}

const everything = async () =>
  (await Promise.all(['global', 'old', 'new'].map((scope) => contents(at(scope))))).map((each) => [...each]);

/** The same, whatever the server is called. */
const outcome = async () =>
  JSON.stringify(
    (await everything()).map((scope) => scope.map(([path, bytes]) => [path, bytes.toString('latin1')])),
  ).replaceAll(server, 'SERVER');

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'delete']);

/** A fault for one write of all that are made, counted from 1 over all stores. */
function failing(nth: number, kind: 'drop request' | 'drop answer'): ChooseFault & { writes: () => number } {
  let writes = 0;
  const choose: ChooseFault = ({ method }) => {
    if (!WRITES.has(method)) return undefined;
    writes++;
    return writes === nth ? { kind } : undefined;
  };
  return Object.assign(choose, { writes: () => writes });
}

test('its steps come in their order', async () => {
  expect(await toTheEnd(await open())).toEqual([
    ...['add', 'join', 'serve', 'start', 'reparent', 'stop', 'empty', 'leave', 'remove', 'clear'],
  ]);
});

test('interrupted at any write, it goes on when it is run again, to the same end', async () => {
  const counting = failing(0, 'drop request');
  await toTheEnd(await open(counting));
  const end = await outcome();
  expect(counting.writes()).toBe(11);
  for (const kind of ['drop request', 'drop answer'] as const) {
    for (let nth = 1; nth <= counting.writes(); nth++) {
      server = `zookeeper:${randomUUID()}`;
      await plantSmall();
      const taken = await toTheEnd(await open(failing(nth, kind)));
      expect(taken).toContain(kind === 'drop request' ? 'Unavailable' : 'OutcomeUnknown');
      expect(await outcome()).toBe(end);
    }
  }
});

describe('the place of the old cell', () => {
  const until = async (topology: Topology, step: string) => {
    for (let round = 0; round < 20; round++) {
      const next = stepsOf(await readSplit(topology, REQUEST, {}), REQUEST).find(({ done }) => !done);
      if (next?.name === step) return;
      await takeStep(topology, REQUEST);
    }
    throw new Error(`no step ${step}`);
  };

  test.each(['empty', 'clear'])(
    'that is another cell’s under another name of the servers is not touched: %s',
    async (step) => {
      const topology = await open();
      await until(topology, step);
      const twin = encode('topodata.CellInfo', { server_address: OTHER_NAME, root: '/vitess/old' });
      await topology.global.create('cells/twin/CellInfo', twin);
      const before = await everything();
      await expect(takeStep(topology, REQUEST)).rejects.toMatchObject({
        code: 'Guard',
        message: expect.stringContaining('is also that of cell twin'),
      });
      expect(await everything()).toEqual(before);
    },
  );

  test('that holds tablets of another cell is not emptied', async () => {
    const topology = await open();
    await until(topology, 'empty');
    await withStore(at('old'), (store) => store.create('tablets/x-0000000001/Tablet', new Uint8Array()));
    await expect(takeStep(topology, REQUEST)).rejects.toMatchObject({
      code: 'Guard',
      message: expect.stringContaining('tablets of another cell: x-0000000001'),
    });
  });

  test('that is the global data’s, too, is emptied, and what is left is left', async () => {
    const root = '/vitess/global';
    await withStore(at('global'), async (store) => {
      for (const [path, bytes] of await contents(at('old'))) await store.create(path, bytes);
      const info = encode('topodata.CellInfo', { server_address: server, root });
      await store.update('cells/old/CellInfo', info, null);
    });
    const stores = storesFor(SETTINGS, 'write');
    const topology = await Topology.open({ global: parseAddress(at('global')), stores });
    opened.push(topology);
    const operator = splitOperator((scope) => at(scope === 'old' ? 'global' : scope), 'old', 'new');
    for (const step of ['add', 'join', 'serve']) expect(await takeStep(topology, REQUEST)).toBe(step);
    await operator.start();
    await operator.reparent();
    await operator.stop();
    for (const step of ['empty', 'leave', 'remove']) expect(await takeStep(topology, REQUEST)).toBe(step);
    const left = [...(await contents(at('global'))).keys()];
    expect(left).toEqual([
      'SrvVSchema',
      'cells/new/CellInfo',
      'cells_aliases/east/CellsAlias',
      'keyspaces/ks/Keyspace',
      'keyspaces/ks/shards/0/Shard',
    ]);
    const given = new Map([['old', parseAddress(at('global'))]]);
    const last = await Topology.open({ global: parseAddress(at('global')), cells: given, stores });
    opened.push(last);
    await expect(takeStep(last, REQUEST)).rejects.toMatchObject({
      code: 'Guard',
      message: expect.stringContaining('is also that of the global data'),
    });
  });
});

test('a keyspace that changes while its serving graph is written is not served as it was', async () => {
  const topology = await open();
  for (const step of ['add', 'join']) expect(await takeStep(topology, REQUEST)).toBe(step);
  const state = await readSplit(topology, REQUEST, {});
  const plan = { topology, state, request: REQUEST, places: { serverAddress: undefined, root: undefined } };
  const changes = await changesOf('serve', plan, OPTIONS);
  await topology.global.update('keyspaces/ks/shards/0/Shard', encode('topodata.Shard', {}), null);
  await expect(applyStep('serve', plan, changes, locker(topology), OPTIONS)).rejects.toMatchObject({
    code: 'Guard',
    message: expect.stringContaining('keyspace ks changed since'),
  });
  expect((await contents(at('new'))).size).toBe(0);
});
