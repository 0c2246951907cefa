import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planAddCellInfo, planDeleteCellInfo, planUpdateCellInfo } from '../../src/cells/info.js';
import { getCellInfo, getCellInfoNames } from '../../src/cells/read.js';
import { applyChanges, type Change, planUndo } from '../../src/topo/changes.js';
import { encode, readCellInfo } from '../../src/topo/codec.js';
import { withStore } from '../support/topologies.js';
import { type SampleTopology, SILENT, sampleOf } from './topology.js';

const options = { force: false };
const forced = { force: true };
let sample: SampleTopology;

beforeEach(async () => {
  sample = await sampleOf();
});
afterEach(() => sample.topology.close());

const zone3 = () => ({ serverAddress: sample.server, root: '/vitess/zone3' });

/** The plan is refused, and nothing was written. */
async function refused(
  plan: () => Promise<unknown>,
  code: string,
  message: RegExp,
  hint = /./,
): Promise<void> {
  const before = await sample.everything();
  await expect(plan()).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
  expect(await sample.everything()).toBe(before);
}

/** Makes changes, then undoes them: the stores are as before. */
async function madeAndUndone(changes: readonly Change[]): Promise<void> {
  const { topology, everything } = sample;
  const before = await everything();
  await applyChanges(topology, changes, {});
  expect(await everything()).not.toBe(before);
  const past = changes.map((change) => ({ ...change, before: change.before?.bytes }));
  await applyChanges(topology, await planUndo(topology, past, {}), {});
  expect(await everything()).toBe(before);
  expect(await planUndo(topology, past, {})).toEqual([]);
}

describe('adding a cell', () => {
  test('writes its CellInfo, and can be taken back', async () => {
    const changes = await planAddCellInfo(sample.topology, 'zone3', zone3(), options);
    expect(changes).toMatchObject([{ scope: 'global', path: 'cells/zone3/CellInfo', before: undefined }]);
    expect(readCellInfo(changes[0]?.after ?? new Uint8Array())).toEqual(zone3());
    await madeAndUndone(changes);
    await applyChanges(sample.topology, changes, {});
    expect(await getCellInfoNames(sample.topology, {})).toEqual(['zone1', 'zone2', 'zone3']);
  });

  test.each([
    ['/vitess/global', /cell zone3 and the global data would overlap/],
    ['/vitess', /would overlap/],
    ['/vitess/global/zone3', /cell zone3 and the global data would overlap/],
    ['/vitess/zone1', /cell zone3 and cell zone1 would overlap/],
    ['/vitess/zone2/below', /cell zone3 and cell zone2 would overlap/],
    ['//vitess/zone2/', /cell zone3 and cell zone2 would overlap/],
  ])('at %s is refused', async (root, message) => {
    const address = { ...zone3(), root };
    for (const each of [options, forced])
      await refused(() => planAddCellInfo(sample.topology, 'zone3', address, each), 'Usage', message, /root/);
  });

  test('beside a cell whose name begins alike is fine', async () => {
    const address = { ...zone3(), root: '/vitess/zone10' };
    expect(await planAddCellInfo(sample.topology, 'zone10', address, options)).toHaveLength(1);
  });

  test('at a root of another name that holds global data or tablets of another cell is refused', async () => {
    const elsewhere = `memory://${sample.server}-2`;
    await withStore(`${elsewhere}/vitess/zone3`, (store) =>
      store.create('tablets/zone1-0000000001/Tablet', new Uint8Array()),
    );
    await withStore(`${elsewhere}/vitess/main`, (store) =>
      store.create('cells/zone1/CellInfo', new Uint8Array()),
    );
    for (const [root, message] of [
      ['/vitess/zone3', /tablets of another cell: zone1-0000000001/],
      ['/vitess/main', /holds the global data of a topology/],
    ] as const) {
      const address = { serverAddress: `${sample.server}-2`, root };
      await refused(() => planAddCellInfo(sample.topology, 'zone3', address, options), 'Guard', message);
    }
  });

  test('that does not answer is refused, unless forced', async () => {
    const address = { serverAddress: `etcd:${SILENT}`, root: '/vitess/zone3' };
    const plan = () => planAddCellInfo(sample.topology, 'zone3', address, options);
    await refused(plan, 'Unavailable', /cell zone3: no server answers/);
    expect(await planAddCellInfo(sample.topology, 'zone3', address, forced)).toHaveLength(1);
  });

  test.each([
    ['zone1', 'NodeExists', /there is a cell zone1 already/],
    ['global', 'InvalidPath', /global/],
    ['a/b', 'InvalidPath', /invalid character/],
    ['', 'InvalidPath', /empty name/],
  ])('called %j is refused', async (name, code, message) => {
    const plan = planAddCellInfo(sample.topology, name, zone3(), options);
    await expect(plan).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('without a root is refused', () =>
    refused(
      () => planAddCellInfo(sample.topology, 'zone3', { ...zone3(), root: '' }, options),
      'InvalidAddress',
      /no root/,
      /--root/,
    ));
});

describe('updating a cell', () => {
  test('changes what is given and keeps the rest, unknown fields too', async () => {
    const unknown = Buffer.from('c2f304026869', 'hex');
    const path = 'cells/zone1/CellInfo';
    await withStore(sample.at('global'), async (store) => {
      const { bytes } = await store.get(path);
      await store.update(path, Buffer.concat([bytes, unknown]), null);
    });
    const changes = await planUpdateCellInfo(sample.topology, 'zone1', { root: '/other/zone1' }, forced);
    const [change] = changes;
    expect(readCellInfo(change?.after ?? new Uint8Array())).toEqual({
      serverAddress: sample.server,
      root: '/other/zone1',
    });
    expect(Buffer.from(change?.after ?? []).includes(unknown)).toBe(true);
    await applyChanges(sample.topology, changes, {});
    const past = changes.map((each) => ({ ...each, before: each.before?.bytes }));
    await applyChanges(sample.topology, await planUndo(sample.topology, past, {}), {});
    expect(await getCellInfo(sample.topology, 'zone1', {})).toMatchObject({ root: '/vitess/zone1' });
  });

  test('to what it is changes nothing', async () => {
    expect(await planUpdateCellInfo(sample.topology, 'zone1', { root: '/vitess/zone1' }, options)).toEqual(
      [],
    );
  });

  test('to a place that holds nothing, away from one that does, is refused', () =>
    refused(
      () => planUpdateCellInfo(sample.topology, 'zone1', { root: '/vitess/zone9' }, options),
      'Guard',
      /the new place of cell zone1 holds nothing, and the old one does not/,
      /copy the cell there first/,
    ));

  test('to the place of another cell or the global one is refused', async () => {
    for (const root of ['/vitess/zone2', '/vitess/global', '/vitess'])
      await refused(
        () => planUpdateCellInfo(sample.topology, 'zone1', { root }, forced),
        'Usage',
        /would overlap/,
      );
  });

  test('that is not there is refused with those that are', () =>
    refused(
      () => planUpdateCellInfo(sample.topology, 'zone9', { root: '/x' }, options),
      'NoCell',
      /no cell zone9/,
      /it has zone1, zone2/,
    ));

  test('based on an old state is not written over', async () => {
    const changes = await planUpdateCellInfo(sample.topology, 'zone1', { root: '/other/zone1' }, forced);
    await withStore(sample.at('global'), (store) =>
      store.update('cells/zone1/CellInfo', encode('topodata.CellInfo', { root: '/x' }), null),
    );
    await expect(applyChanges(sample.topology, changes, {})).rejects.toMatchObject({ code: 'BadVersion' });
    const past = changes.map((each) => ({ ...each, before: each.before?.bytes }));
    await refused(() => planUndo(sample.topology, past, {}), 'Guard', /changed by somebody else/);
  });
});

describe('removing a cell', () => {
  test('that is in use is refused with what uses it', () =>
    refused(
      () => planDeleteCellInfo(sample.topology, 'zone1', options),
      'Guard',
      /cell zone1 is still in use: alias region1, keyspaces\/commerce\/SrvKeyspace/,
      /remove-keyspace/,
    ));

  test('that only holds SrvVSchema is done, and can be taken back', async () => {
    const { topology, at } = sample;
    await applyChanges(topology, await planAddCellInfo(topology, 'zone3', zone3(), options), {});
    await withStore(at('zone3'), (store) => store.create('SrvVSchema', new Uint8Array()));
    const changes = await planDeleteCellInfo(topology, 'zone3', options);
    expect(changes).toMatchObject([{ path: 'cells/zone3/CellInfo', after: undefined }]);
    await madeAndUndone(changes);
  });

  test('whose store does not answer, or whose record is broken, is done when forced', async () => {
    const { topology, at } = sample;
    const gone = encode('topodata.CellInfo', { server_address: `etcd:${SILENT}`, root: '/r' });
    for (const [bytes, code] of [
      [gone, 'Unavailable'],
      [Uint8Array.of(0xff), 'NoCell'],
    ] as const) {
      await withStore(at('global'), (store) => store.update('cells/zone3/CellInfo', bytes, null));
      await refused(
        () => planDeleteCellInfo(topology, 'zone3', options),
        code,
        /still in use cannot be seen/,
        /--force/,
      );
      expect(await planDeleteCellInfo(topology, 'zone3', forced)).toHaveLength(1);
    }
  });

  test('that is not there is refused', () =>
    refused(() => planDeleteCellInfo(sample.topology, 'zone9', forced), 'NoCell', /no cell zone9/));
});

test('a CellInfo that does not decode is named when others are to be judged by it', async () => {
  await withStore(sample.at('global'), (store) =>
    store.update('cells/zone2/CellInfo', Uint8Array.of(0xff), null),
  );
  const plan = () => planAddCellInfo(sample.topology, 'zone3', zone3(), options);
  await refused(plan, 'Corrupt', /cells\/zone2\/CellInfo/, /repair/);
});
