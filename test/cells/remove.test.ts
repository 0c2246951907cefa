import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planDeleteCellInfo } from '../../src/cells/info.js';
import { planRemoveKeyspaceCell, planRemoveShardCell } from '../../src/cells/remove.js';
import { applyChanges, planUndo } from '../../src/topo/changes.js';
import { decode, encode } from '../../src/topo/codec.js';
import { contents, withStore } from '../support/topologies.js';
import { type SampleTopology, SILENT, sampleOf } from './topology.js';

const options = { force: false, recursive: false };
const recursive = { force: false, recursive: true };
const DIR = 'keyspaces/commerce';
const REPLICATION = `${DIR}/shards/0/ShardReplication`;

let sample: SampleTopology;
beforeEach(async () => {
  sample = await sampleOf();
});
afterEach(() => sample.topology.close());

/** Takes the tablets of a shard from a cell, and its ShardReplication's nodes, as somebody would who stopped them. */
async function withoutTablets(cell: string, keyspace: string, shard: string): Promise<void> {
  const { topology } = sample;
  const changes = await planRemoveShardCell(topology, keyspace, shard, cell, recursive);
  await applyChanges(topology, changes, {});
  await withStore(sample.at(cell), (store) =>
    store.create(`keyspaces/${keyspace}/shards/${shard}/ShardReplication`, new Uint8Array()),
  );
}

describe('taking a shard from a cell', () => {
  test('deletes its ShardReplication once no tablets are left', async () => {
    await withoutTablets('zone2', 'commerce', '0');
    const changes = await planRemoveShardCell(sample.topology, 'commerce', '0', 'zone2', options);
    expect(changes).toMatchObject([{ scope: 'zone2', path: REPLICATION, after: undefined }]);
    await applyChanges(sample.topology, changes, {});
    expect((await contents(sample.at('zone2'))).has(REPLICATION)).toBe(false);
    expect(await planRemoveShardCell(sample.topology, 'commerce', '0', 'zone2', options)).toEqual([]);
  });

  test('with tablets is refused, and deletes them, too, when told to', async () => {
    const { topology } = sample;
    await expect(planRemoveShardCell(topology, 'commerce', '0', 'zone2', options)).rejects.toMatchObject({
      code: 'Guard',
      message: expect.stringMatching(/2 tablets in cell zone2: zone2-0000000101, zone2-0000000103/),
      hint: expect.stringContaining('--recursive'),
    });
    const changes = await planRemoveShardCell(topology, 'commerce', '0', 'zone2', recursive);
    expect(changes.map(({ path }) => path)).toEqual([
      'tablets/zone2-0000000101/Tablet',
      'tablets/zone2-0000000103/Tablet',
      REPLICATION,
      `${DIR}/SrvKeyspace`,
    ]);
    const before = await sample.everything();
    await applyChanges(topology, changes, {});
    const past = changes.map((change) => ({ ...change, before: change.before?.bytes }));
    await applyChanges(topology, await planUndo(topology, past, {}), {});
    expect(await sample.everything()).toBe(before);
  });

  test('takes it from the serving graph of that cell, by its name, and leaves all else there', async () => {
    const { topology } = sample;
    const path = 'keyspaces/orders/SrvKeyspace';
    const zone2 = sample.at('zone2');
    const stored = async () =>
      decode('topodata.SrvKeyspace', (await contents(zone2)).get(path) ?? Buffer.alloc(0));
    const { json: before } = await stored();
    const unknown = Buffer.from('8a0601ff', 'hex');
    await withStore(zone2, async (store) => {
      const { bytes, version } = await store.get(path);
      await store.update(path, Buffer.concat([bytes, unknown]), version);
    });
    const changes = await planRemoveShardCell(topology, 'orders', '-80', 'zone2', recursive);
    await applyChanges(topology, changes, {});
    const after = await stored();
    const partitions = (before['partitions'] ?? []) as { shard_references: { name: string }[] }[];
    expect(partitions).toHaveLength(3);
    expect(after.json).toEqual({
      ...before,
      partitions: partitions.map((partition) => ({
        ...partition,
        shard_references: partition.shard_references.filter(({ name }) => name !== '-80'),
      })),
    });
    expect(after.unknown).toHaveLength(1);
    expect(await planRemoveShardCell(topology, 'orders', '-80', 'zone2', recursive)).toEqual([]);
  });

  test('counts a tablet that no ShardReplication names', async () => {
    await withoutTablets('zone2', 'commerce', '0');
    await withStore(sample.at('zone2'), (store) =>
      store.create(
        'tablets/zone2-0000000999/Tablet',
        encode('topodata.Tablet', { keyspace: 'commerce', shard: '0' }),
      ),
    );
    await expect(
      planRemoveShardCell(sample.topology, 'commerce', '0', 'zone2', options),
    ).rejects.toMatchObject({ code: 'Guard', message: expect.stringContaining('zone2-0000000999') });
  });

  test('whose primary is there is refused, whatever is said', async () => {
    await expect(
      planRemoveShardCell(sample.topology, 'commerce', '0', 'zone1', { force: true, recursive: true }),
    ).rejects.toMatchObject({
      code: 'Guard',
      message: expect.stringMatching(/primary of shard commerce\/0 is in cell zone1/),
      hint: expect.stringContaining('PlannedReparentShard'),
    });
  });

  test('that is not there, or from a cell that is not, is refused', async () => {
    const { topology } = sample;
    await expect(planRemoveShardCell(topology, 'commerce', '9', 'zone2', options)).rejects.toMatchObject({
      code: 'NoNode',
      message: expect.stringContaining('no shard commerce/9'),
    });
    await expect(planRemoveShardCell(topology, 'commerce', '0', 'zone9', options)).rejects.toMatchObject({
      code: 'NoCell',
    });
  });

  test('with a Tablet that does not decode is refused by its name', async () => {
    await withStore(sample.at('zone2'), (store) =>
      store.create('tablets/zone2-0000000999/Tablet', Uint8Array.of(0xff)),
    );
    await expect(
      planRemoveShardCell(sample.topology, 'commerce', '0', 'zone2', recursive),
    ).rejects.toMatchObject({ code: 'Corrupt', path: 'tablets/zone2-0000000999/Tablet' });
  });

  test('whose store does not answer needs force, and then nothing is left to write', async () => {
    const { topology, at } = sample;
    const gone = encode('topodata.CellInfo', { server_address: `etcd:${SILENT}`, root: '/r' });
    await withStore(at('global'), (store) => store.create('cells/zone3/CellInfo', gone));
    await expect(planRemoveShardCell(topology, 'commerce', '0', 'zone3', options)).rejects.toMatchObject({
      code: 'Unavailable',
    });
    expect(
      await planRemoveShardCell(topology, 'commerce', '0', 'zone3', { ...options, force: true }),
    ).toEqual([]);
  });
});

describe('taking a keyspace from a cell', () => {
  test('takes every shard and its SrvKeyspace, and leaves other keyspaces alone', async () => {
    const { topology, at } = sample;
    const changes = await planRemoveKeyspaceCell(topology, 'customer', 'zone2', recursive);
    await applyChanges(topology, changes, {});
    const left = [...(await contents(at('zone2'))).keys()];
    expect(left.filter((path) => path.includes('customer'))).toEqual([]);
    expect(left.filter((path) => path.startsWith('tablets/zone2-00000002'))).toEqual([]);
    expect(left).toContain(`${DIR}/SrvKeyspace`);
    expect(left).toContain('tablets/zone2-0000000101/Tablet');
  });

  test('of all keyspaces leaves a cell that can be removed', async () => {
    const { topology } = sample;
    for (const keyspace of ['commerce', 'customer', 'orders'])
      await applyChanges(topology, await planRemoveKeyspaceCell(topology, keyspace, 'zone2', recursive), {});
    await expect(planDeleteCellInfo(topology, 'zone2', { force: false })).rejects.toMatchObject({
      message: expect.stringMatching(/still in use: alias region1$/),
    });
  });

  test('with the primary of one shard there is refused, and so is an unknown keyspace', async () => {
    await expect(
      planRemoveKeyspaceCell(sample.topology, 'customer', 'zone1', recursive),
    ).rejects.toMatchObject({ code: 'Guard', message: expect.stringContaining('customer/-80') });
    await expect(planRemoveKeyspaceCell(sample.topology, 'none', 'zone2', recursive)).rejects.toMatchObject({
      code: 'NoNode',
      message: expect.stringContaining('no keyspace none'),
    });
  });
});
