import { afterEach, beforeEach, expect, test } from 'vitest';
import { forgetMemoryStores } from '../../src/backends/memory/stores.js';
import { storesFor } from '../../src/cli/stores.js';
import { isStale } from '../../src/graph/derived.js';
import { applyGraph, keyspacesOf, planKeyspaceGraph, planVSchemaGraph } from '../../src/graph/rebuild.js';
import { parseTarget } from '../../src/graph/target.js';
import { parseAddress } from '../../src/topo/address.js';
import { encode } from '../../src/topo/codec.js';
import { Topology } from '../../src/topo/topology.js';
import { SETTINGS, withStore } from '../support/topologies.js';

const GLOBAL = 'memory://etcd:graph/vitess/global';
const local = (cell: string) => `memory://etcd:graph/vitess/${cell}`;
const options = { target: parseTarget('24'), cells: [], allowPartial: false };

let topology: Topology;

const put = (address: string, path: string, bytes: Uint8Array) =>
  withStore(address, (store) => store.update(path, bytes, null));
const shard = (serving: boolean) => encode('topodata.Shard', { is_primary_serving: serving });

beforeEach(async () => {
  for (const cell of ['zone1', 'zone2'])
    await put(
      GLOBAL,
      `cells/${cell}/CellInfo`,
      encode('topodata.CellInfo', { server_address: 'etcd:graph', root: `/vitess/${cell}` }),
    );
  await put(GLOBAL, 'keyspaces/ks/Keyspace', new Uint8Array());
  await put(GLOBAL, 'keyspaces/ks/VSchema', encode('vschema.Keyspace', { sharded: true }));
  await put(GLOBAL, 'keyspaces/ks/shards/0/Shard', shard(true));
  await put(GLOBAL, 'keyspaces/bare/shards/0/Shard', shard(true));
  topology = await Topology.open({ global: parseAddress(GLOBAL), stores: storesFor(SETTINGS, 'write') });
});

afterEach(async () => {
  await topology.close();
  forgetMemoryStores();
});

test('what is missing is stale; after the rebuild nothing is, and nothing is written again', async () => {
  const planned = await planKeyspaceGraph(topology, 'ks', options);
  expect(planned.map(({ cell, path, before }) => [cell, path, before])).toEqual([
    ['zone1', 'keyspaces/ks/SrvKeyspace', undefined],
    ['zone2', 'keyspaces/ks/SrvKeyspace', undefined],
  ]);
  expect(await applyGraph(topology, planned, options)).toHaveLength(2);
  const again = await planKeyspaceGraph(topology, 'ks', options);
  expect(again.map(isStale)).toEqual([false, false]);
  expect(await applyGraph(topology, again, options)).toEqual([]);
});

test('a stale record is told field by field', async () => {
  await applyGraph(topology, await planKeyspaceGraph(topology, 'ks', options), options);
  await put(GLOBAL, 'keyspaces/ks/shards/0/Shard', shard(false));
  const [first] = await planKeyspaceGraph(topology, 'ks', { ...options, cells: ['zone1'] });
  expect(first?.differences.map(({ path }) => path)).toEqual([
    'partitions[primary]',
    'partitions[replica]',
    'partitions[rdonly]',
  ]);
});

test('a record that moved since the plan is not written over', async () => {
  const planned = await planKeyspaceGraph(topology, 'ks', options);
  await put(local('zone1'), 'keyspaces/ks/SrvKeyspace', encode('topodata.SrvKeyspace', {}));
  await expect(applyGraph(topology, planned, options)).rejects.toMatchObject({ code: 'NodeExists' });
});

test('every keyspace directory is in SrvVSchema, one without records too', async () => {
  expect(await keyspacesOf(topology, {})).toEqual(['bare', 'ks']);
  const [zone1] = await planVSchemaGraph(topology, options);
  const { decode } = await import('../../src/topo/codec.js');
  expect(decode('vschema.SrvVSchema', zone1?.after ?? new Uint8Array()).json).toEqual({
    keyspaces: { bare: {}, ks: { sharded: true } },
    routing_rules: {},
    shard_routing_rules: {},
    mirror_rules: {},
  });
});

test('a keyspace without record is refused, and from 22 on cleared in the cells that are named', async () => {
  await expect(planKeyspaceGraph(topology, 'bare', options)).rejects.toMatchObject({ code: 'NoNode' });
  await put(local('zone1'), 'keyspaces/bare/SrvKeyspace', new Uint8Array());
  const named = { ...options, cells: ['zone1'] };
  const old = { ...named, target: parseTarget('21') };
  await expect(planKeyspaceGraph(topology, 'bare', old)).rejects.toMatchObject({ code: 'NoNode' });
  const planned = await planKeyspaceGraph(topology, 'bare', named);
  expect(await applyGraph(topology, planned, named)).toHaveLength(1);
  await withStore(local('zone1'), async (store) => {
    await expect(store.get('keyspaces/bare/SrvKeyspace')).rejects.toMatchObject({ code: 'NoNode' });
  });
});

test('an unknown cell is refused by name', async () => {
  const wrong = { ...options, cells: ['zone9'] };
  await expect(planVSchemaGraph(topology, wrong)).rejects.toMatchObject({
    code: 'NoCell',
    hint: 'it has zone1, zone2',
  });
});
