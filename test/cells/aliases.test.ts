import { afterEach, beforeEach, expect, test } from 'vitest';
import { planAddCellsAlias, planDeleteCellsAlias, planUpdateCellsAlias } from '../../src/cells/aliases.js';
import { getCellsAliases } from '../../src/cells/read.js';
import { applyChanges, planUndo } from '../../src/topo/changes.js';
import { withStore } from '../support/topologies.js';
import { type SampleTopology, sampleOf } from './topology.js';

let sample: SampleTopology;
beforeEach(async () => {
  sample = await sampleOf();
});
afterEach(() => sample.topology.close());

const aliases = async () =>
  Object.fromEntries((await getCellsAliases(sample.topology, {})).map(({ name, cells }) => [name, cells]));

test('an alias is removed, added and updated, and each of it can be taken back', async () => {
  const { topology } = sample;
  for (const [plan, after] of [
    [() => planDeleteCellsAlias(topology, 'region1', {}), {}],
    [() => planAddCellsAlias(topology, 'east', ['zone1'], {}), { east: ['zone1'] }],
    [() => planUpdateCellsAlias(topology, 'east', ['zone1', 'zone2'], {}), { east: ['zone1', 'zone2'] }],
  ] as const) {
    const before = await sample.everything();
    const changes = await plan();
    await applyChanges(topology, changes, {});
    expect(await aliases()).toEqual(after);
    const past = changes.map((change) => ({ ...change, before: change.before?.bytes }));
    await applyChanges(topology, await planUndo(topology, past, {}), {});
    expect(await sample.everything()).toBe(before);
    await applyChanges(topology, await plan(), {});
  }
});

test('an update to the cells that it has changes nothing, whatever their order', async () => {
  expect(await planUpdateCellsAlias(sample.topology, 'region1', ['zone2', 'zone1'], {})).toEqual([]);
});

test('an update keeps fields that this schema lacks', async () => {
  const unknown = Buffer.from('c2f304026869', 'hex');
  const path = 'cells_aliases/region1/CellsAlias';
  await withStore(sample.at('global'), async (store) => {
    await store.update(path, Buffer.concat([(await store.get(path)).bytes, unknown]), null);
  });
  const [change] = await planUpdateCellsAlias(sample.topology, 'region1', ['zone1'], {});
  expect(Buffer.from(change?.after ?? []).includes(unknown)).toBe(true);
});

test.each([
  ['region1', ['zone1'], 'NodeExists', /alias region1 already/],
  ['east', ['zone1'], 'Guard', /cell zone1 is in alias region1 already/],
  ['east', ['zone9'], 'NoCell', /no cell zone9/],
  ['east', [], 'Usage', /has no cells/],
  ['east', ['zone1', 'zone1'], 'Usage', /zone1 is named twice/],
  ['a/b', ['zone1'], 'InvalidPath', /invalid character/],
])('adding %j of %j is refused', async (name, cells, code, message) => {
  await expect(planAddCellsAlias(sample.topology, name, cells, {})).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test('an alias that is not there is refused with those that are', async () => {
  const missing = { code: 'NoNode', hint: 'there are region1' };
  await expect(planUpdateCellsAlias(sample.topology, 'east', ['zone1'], {})).rejects.toMatchObject(missing);
  await expect(planDeleteCellsAlias(sample.topology, 'east', {})).rejects.toMatchObject(missing);
});

test('an alias that does not decode is named', async () => {
  await withStore(sample.at('global'), (store) =>
    store.create('cells_aliases/bad/CellsAlias', Uint8Array.of(0xff)),
  );
  await expect(planAddCellsAlias(sample.topology, 'east', ['zone1'], {})).rejects.toMatchObject({
    code: 'Corrupt',
    path: 'cells_aliases/bad/CellsAlias',
  });
});
