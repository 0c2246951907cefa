import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { checkGraph, type GraphPart } from '../../src/graph/check.js';
import { applyGraph, planKeyspaceGraph, planVSchemaGraph } from '../../src/graph/rebuild.js';
import { parseTarget } from '../../src/graph/target.js';
import { parseAddress } from '../../src/topo/address.js';
import { encode } from '../../src/topo/codec.js';
import { Topology } from '../../src/topo/topology.js';
import { SETTINGS, withStore } from '../support/topologies.js';

const part: GraphPart = {
  target: parseTarget('24'),
  cells: [],
  allowPartial: false,
  keyspaces: undefined,
  vschema: true,
};
let server: string;
let topology: Topology;

const put = (scope: string, path: string, bytes: Uint8Array = new Uint8Array()) =>
  withStore(`memory://${server}/vitess/${scope}`, (store) => store.update(path, bytes, null));

beforeEach(async () => {
  server = `etcd:${randomUUID()}`;
  for (const cell of ['zone1', 'zone2'])
    await put(
      'global',
      `cells/${cell}/CellInfo`,
      encode('topodata.CellInfo', { server_address: server, root: `/vitess/${cell}` }),
    );
  await put('global', 'keyspaces/ks/Keyspace');
  await put('global', 'keyspaces/ks/shards/0/Shard', encode('topodata.Shard', { is_primary_serving: true }));
  await put('zone1', 'keyspaces/ks/shards/0/ShardReplication');
  topology = await Topology.open({
    global: parseAddress(`memory://${server}/vitess/global`),
    stores: storesFor(SETTINGS, 'write'),
  });
});
afterEach(() => topology.close());

const states = async (more: Partial<GraphPart> = {}) => {
  const { records } = await checkGraph(topology, { ...part, ...more });
  return Object.fromEntries(records.map(({ cell, kind, state }) => [`${cell} ${kind}`, state]));
};

test('a missing SrvKeyspace is stale only where the keyspace has tablets', async () => {
  expect(await states()).toEqual({
    'zone1 SrvKeyspace': 'missing',
    'zone2 SrvKeyspace': 'unneeded',
    'zone1 SrvVSchema': 'missing',
    'zone2 SrvVSchema': 'missing',
  });
});

test('what was rebuilt is current, and stale when the records it is made of change', async () => {
  await applyGraph(topology, await planKeyspaceGraph(topology, 'ks', part), part);
  await applyGraph(topology, await planVSchemaGraph(topology, part), part);
  expect(new Set(Object.values(await states()))).toEqual(new Set(['current']));
  await put('global', 'keyspaces/ks/VSchema', encode('vschema.Keyspace', { sharded: true }));
  expect(await states({ cells: ['zone2'] })).toEqual({
    'zone2 SrvKeyspace': 'current',
    'zone2 SrvVSchema': 'stale',
  });
});

test('a keyspace that cannot be rebuilt does not hide the others', async () => {
  await put('global', 'keyspaces/gap/Keyspace');
  const half = { is_primary_serving: true, key_range: { end: 'gA==' } };
  await put('global', 'keyspaces/gap/shards/-80/Shard', encode('topodata.Shard', half));
  await put('global', 'keyspaces/leftover/shards/0/Shard');
  const { records, refused } = await checkGraph(topology, part);
  expect(refused).toMatchObject([
    { of: 'gap', error: { code: 'Guard', message: expect.stringContaining('does not end with max key') } },
  ]);
  expect(records.some(({ path }) => path === 'keyspaces/ks/SrvKeyspace')).toBe(true);
});

test('a VSchema that does not decode is what SrvVSchema is refused for', async () => {
  await put('global', 'keyspaces/ks/VSchema', Uint8Array.of(0xff));
  const { refused } = await checkGraph(topology, part);
  expect(refused).toMatchObject([
    { of: 'SrvVSchema', error: { code: 'Corrupt', path: 'keyspaces/ks/VSchema' } },
  ]);
});

test('a SrvVSchema that does not decode is stale as a whole, and rebuilt', async () => {
  await put('zone1', 'SrvVSchema', Uint8Array.of(0xff));
  const { records } = await checkGraph(topology, { ...part, cells: ['zone1'], keyspaces: [] });
  expect(records).toMatchObject([{ state: 'stale', differences: [{ path: '(record)' }] }]);
  await applyGraph(topology, records, part);
  expect(await states({ cells: ['zone1'], keyspaces: [] })).toEqual({ 'zone1 SrvVSchema': 'current' });
});

test('a shard that will not serve is named, with its keyspace', async () => {
  const old = encode('topodata.Shard', { served_types: [{ tablet_type: 'PRIMARY' }] });
  await put('global', 'keyspaces/ks/shards/0/Shard', old);
  expect((await checkGraph(topology, part)).lostServing).toEqual([{ keyspace: 'ks', shard: '0' }]);
  const before12 = { ...part, target: parseTarget('11') };
  expect((await checkGraph(topology, before12)).lostServing).toEqual([]);
});

test('a keyspace or cell that is not there is refused', async () => {
  await expect(checkGraph(topology, { ...part, keyspaces: ['none'] })).rejects.toMatchObject({
    code: 'NoNode',
    path: 'keyspaces/none/Keyspace',
  });
  await expect(checkGraph(topology, { ...part, cells: ['zone9'] })).rejects.toMatchObject({ code: 'NoCell' });
});
