import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planDeleteTablet } from '../../src/building/delete-tablet.js';
import { planCreateKeyspace } from '../../src/building/keyspace.js';
import { planCreateShard } from '../../src/building/shard.js';
import { planInitTablet, type TabletOptions, type TabletSpec } from '../../src/building/tablet.js';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { applyChanges, type Change } from '../../src/topo/changes.js';
import { decode, encode } from '../../src/topo/codec.js';
import { Topology } from '../../src/topo/topology.js';
import { contents, SETTINGS } from '../support/topologies.js';

let server: string;
let topology: Topology;

beforeEach(async () => {
  server = `zookeeper:${randomUUID()}`;
  topology = await Topology.open({
    global: parseAddress(`memory://${server}/vitess/global`),
    stores: storesFor(SETTINGS, 'write'),
  });
  for (const cell of ['zone1', 'zone2']) {
    const info = { server_address: server, root: `/vitess/${cell}` };
    await topology.global.create(`cells/${cell}/CellInfo`, encode('topodata.CellInfo', info));
  }
});
afterEach(() => topology.close());

const apply = (changes: readonly Change[]) => applyChanges(topology, changes, {});
const places = (changes: readonly Change[]) => changes.map(({ scope, path }) => `${scope}:${path}`);
const json = (message: string, bytes: Uint8Array | undefined) => decode(message, bytes ?? Buffer.of()).json;
const planned = (changes: readonly Change[], path: string) =>
  changes.find((change) => change.path === path)?.after;

const KEYSPACE = { durabilityPolicy: 'none', sidecarDbName: '_vt' };
const create = (name: string, more: Partial<Parameters<typeof planCreateKeyspace>[1]> = {}, flags = {}) =>
  planCreateKeyspace(
    topology,
    { ...KEYSPACE, name, ...more },
    { force: false, allowEmptyVSchema: false, ...flags },
  );

describe('CreateKeyspace', () => {
  test('writes Keyspace, an empty VSchema and SrvVSchema of every cell', async () => {
    const changes = await create('commerce');
    expect(places(changes)).toEqual([
      'global:keyspaces/commerce/Keyspace',
      'global:keyspaces/commerce/VSchema',
      'zone1:SrvVSchema',
      'zone2:SrvVSchema',
    ]);
    expect(json('topodata.Keyspace', changes[0]?.after)).toEqual({
      durability_policy: 'none',
      sidecar_db_name: '_vt',
    });
    expect(changes[1]?.after).toEqual(new Uint8Array());
    expect(json('vschema.SrvVSchema', changes[2]?.after)).toEqual({
      keyspaces: { commerce: {} },
      routing_rules: {},
      shard_routing_rules: {},
      mirror_rules: {},
    });
  });

  test('writes no VSchema when that is allowed, and SrvVSchema names the keyspace all the same', async () => {
    const changes = await create('commerce', {}, { allowEmptyVSchema: true });
    expect(places(changes)).toEqual([
      'global:keyspaces/commerce/Keyspace',
      'zone1:SrvVSchema',
      'zone2:SrvVSchema',
    ]);
  });

  test('of a snapshot writes the VSchema of its base, which is not routed to without its name', async () => {
    await apply(await create('customer'));
    const vschema = { sharded: true, vindexes: { hash: { type: 'hash' } } };
    await topology.global.update('keyspaces/customer/VSchema', encode('vschema.Keyspace', vschema), null);
    const snapshot = { baseKeyspace: 'customer', timeMs: 1_700_000_000_250 };
    const changes = await create('then', { snapshot });
    expect(json('topodata.Keyspace', planned(changes, 'keyspaces/then/Keyspace'))).toEqual({
      keyspace_type: 'SNAPSHOT',
      base_keyspace: 'customer',
      snapshot_time: { seconds: '1700000000', nanoseconds: 250_000_000 },
      durability_policy: 'none',
      sidecar_db_name: '_vt',
    });
    expect(json('vschema.Keyspace', planned(changes, 'keyspaces/then/VSchema'))).toEqual({
      ...vschema,
      require_explicit_routing: true,
    });
  });

  test('forced, leaves a keyspace alone and makes its VSchema when it is missing', async () => {
    await topology.global.create('keyspaces/old/Keyspace', new Uint8Array());
    await expect(create('old')).rejects.toMatchObject({ code: 'NodeExists' });
    expect(places(await create('old', {}, { force: true }))).toEqual([
      'global:keyspaces/old/VSchema',
      'zone1:SrvVSchema',
      'zone2:SrvVSchema',
    ]);
  });
});

describe('CreateShard', () => {
  const shard = (name: string) => planCreateShard(topology, 'ks', name, { force: false, parent: false });
  const made = async (...names: string[]) => {
    for (const name of names) await apply(await shard(name));
    const records = await contents(`memory://${server}/vitess/global`);
    return Object.fromEntries(
      names.map((name) => [name, json('topodata.Shard', records.get(`keyspaces/ks/shards/${name}/Shard`))]),
    );
  };
  beforeEach(async () => apply(await create('ks')));

  test('stores the key range in the name: none, all, or a part', async () => {
    expect(await made('0')).toEqual({ 0: { is_primary_serving: true } });
    const changes = await planCreateShard(topology, 'other', '-', { force: false, parent: true });
    expect(places(changes)).toEqual([
      'global:keyspaces/other/Keyspace',
      'global:keyspaces/other/shards/-/Shard',
    ]);
    expect(changes[0]?.after).toEqual(new Uint8Array());
    expect(Buffer.from(changes[1]?.after ?? []).toString('hex')).toBe('12003801');
  });

  test('of custom sharding lets the first one serve alone', async () => {
    expect(await made('0', '1')).toEqual({ 0: { is_primary_serving: true }, 1: {} });
  });

  test('lets a shard serve unless another has keyspace ids in common with it', async () => {
    expect(await made('-80', '80-', '-40', '40-80', 'C0-')).toEqual({
      '-80': { key_range: { end: 'gA==' }, is_primary_serving: true },
      '80-': { key_range: { start: 'gA==' }, is_primary_serving: true },
      '-40': { key_range: { end: 'QA==' } },
      '40-80': { key_range: { start: 'QA==', end: 'gA==' } },
      'C0-': { key_range: { start: 'wA==' } },
    });
  });

  test('knows that zero bytes at the end of a range mean nothing', async () => {
    expect((await made('-8000', '80-'))['80-']).toMatchObject({ is_primary_serving: true });
    expect((await made('00-10'))['00-10']).toEqual({ key_range: { start: 'AA==', end: 'EA==' } });
  });
});

test('shards that CreateShard lets serve never have keyspace ids in common', async () => {
  const edge = fc.integer({ min: 0, max: 8 }).map((eighth) => eighth * 32);
  const range = fc.tuple(edge, edge).filter(([start, end]) => start < end);
  const hex = (byte: number) => (byte === 0 || byte === 256 ? '' : byte.toString(16).padStart(2, '0'));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(range, { maxLength: 8, selector: String }), async (ranges) => {
      const keyspace = `ks${run++}`;
      await apply(await create(keyspace));
      const serving: [number, number][] = [];
      for (const [start, end] of ranges) {
        const name = `${hex(start)}-${hex(end)}`;
        const changes = await planCreateShard(topology, keyspace, name, { force: false, parent: false });
        await apply(changes);
        if (json('topodata.Shard', changes[0]?.after)['is_primary_serving'] === true)
          serving.push([start, end]);
        // Whether one serves depends on all that were there, serving or not.
        else expect(ranges.some(([a, b]) => (a !== start || b !== end) && a < end && start < b)).toBe(true);
      }
      const sorted = serving.toSorted(([a], [b]) => a - b);
      for (const [i, [start]] of sorted.entries())
        expect(start).toBeGreaterThanOrEqual(sorted[i - 1]?.[1] ?? 0);
    }),
    { numRuns: 60 },
  );
});

const TABLET: TabletSpec = {
  alias: { cell: 'zone1', uid: 100 },
  keyspace: 'ks',
  shard: '-80',
  type: 'REPLICA',
  hostname: 'h1',
  ports: { vt: 1 },
  mysqlHostname: '',
  mysqlPort: 0,
  dbNameOverride: '',
  tags: {},
};
const NOW = 1_700_000_000_000;
const TERM = { seconds: '1700000000' };
const init = (spec: Partial<TabletSpec> = {}, flags: Partial<TabletOptions> = {}) =>
  planInitTablet(
    topology,
    { ...TABLET, ...spec },
    {
      allowUpdate: false,
      allowDifferentShard: false,
      allowPrimaryOverride: false,
      parent: false,
      now: NOW,
      ...flags,
    },
  );
const TABLET_PATH = 'tablets/zone1-0000000100/Tablet';

describe('InitTablet', () => {
  beforeEach(async () => {
    await apply(await create('ks'));
    for (const shard of ['-80', '80-'])
      await apply(await planCreateShard(topology, 'ks', shard, { force: false, parent: false }));
  });

  test('writes Tablet and its entry in ShardReplication', async () => {
    const changes = await init();
    expect(places(changes)).toEqual([
      `zone1:${TABLET_PATH}`,
      'zone1:keyspaces/ks/shards/-80/ShardReplication',
    ]);
    expect(json('topodata.Tablet', changes[0]?.after)).toEqual({
      alias: { cell: 'zone1', uid: 100 },
      hostname: 'h1',
      port_map: { vt: 1 },
      keyspace: 'ks',
      shard: '-80',
      key_range: { end: 'gA==' },
      type: 'REPLICA',
    });
    expect(json('topodata.ShardReplication', changes[1]?.after)).toEqual({
      nodes: [{ tablet_alias: { cell: 'zone1', uid: 100 } }],
    });
  });

  test('of a primary names it in Shard, with one term for both', async () => {
    const changes = await init({ type: 'PRIMARY' });
    expect(json('topodata.Shard', planned(changes, 'keyspaces/ks/shards/-80/Shard'))).toEqual({
      primary_alias: { cell: 'zone1', uid: 100 },
      primary_term_start_time: TERM,
      key_range: { end: 'gA==' },
      is_primary_serving: true,
    });
    expect(json('topodata.Tablet', planned(changes, TABLET_PATH))).toMatchObject({
      type: 'PRIMARY',
      primary_term_start_time: TERM,
    });
  });

  test('with -parent makes keyspace, VSchema and shard', async () => {
    const changes = await init({ keyspace: 'new', shard: '0' }, { parent: true });
    expect(places(changes)).toEqual([
      'global:keyspaces/new/Keyspace',
      'global:keyspaces/new/VSchema',
      'global:keyspaces/new/shards/0/Shard',
      `zone1:${TABLET_PATH}`,
      'zone1:keyspaces/new/shards/0/ShardReplication',
    ]);
  });

  test('writes the shard in lower case, as tablets do', async () => {
    await apply(await planCreateShard(topology, 'ks', 'c0-', { force: false, parent: false }));
    expect(json('topodata.Tablet', planned(await init({ shard: 'C0-' }), TABLET_PATH))).toMatchObject({
      shard: 'c0-',
    });
  });

  test('of another shard moves the entry', async () => {
    await apply(await init());
    await expect(init({ shard: '80-' }, { allowUpdate: true })).rejects.toMatchObject({ code: 'Guard' });
    const changes = await init({ shard: '80-' }, { allowUpdate: true, allowDifferentShard: true });
    expect(
      json('topodata.ShardReplication', planned(changes, 'keyspaces/ks/shards/-80/ShardReplication')),
    ).toEqual({});
    await apply(changes);
    const paths = [...(await contents(`memory://${server}/vitess/zone1`)).entries()];
    const nodes = paths.filter(([path]) => path.endsWith('ShardReplication'));
    expect(nodes.map(([path, bytes]) => [path, json('topodata.ShardReplication', bytes)])).toEqual([
      ['keyspaces/ks/shards/-80/ShardReplication', {}],
      [
        'keyspaces/ks/shards/80-/ShardReplication',
        { nodes: [{ tablet_alias: { cell: 'zone1', uid: 100 } }] },
      ],
    ]);
  });

  test('overrides another primary only when that is allowed', async () => {
    await apply(await init({ type: 'PRIMARY' }));
    const other = { alias: { cell: 'zone2', uid: 7 }, type: 'PRIMARY' };
    await expect(init(other)).rejects.toMatchObject({ code: 'Guard' });
    const changes = await init(other, { allowPrimaryOverride: true });
    expect(json('topodata.Shard', planned(changes, 'keyspaces/ks/shards/-80/Shard'))).toMatchObject({
      primary_alias: { cell: 'zone2', uid: 7 },
    });
  });

  test('is refused for a shard whose record has another range than its name', async () => {
    await topology.global.update('keyspaces/ks/shards/-80/Shard', encode('topodata.Shard', {}), null);
    await expect(init()).rejects.toMatchObject({ code: 'Guard', message: /another key range/ });
  });

  test('keeps what a Shard has that this version does not know', async () => {
    const path = 'keyspaces/ks/shards/-80/Shard';
    const { bytes } = await topology.global.get(path);
    const unknown = Buffer.from('f2e30403616263', 'hex');
    await topology.global.update(path, Buffer.concat([bytes, unknown]), null);
    const changed = Buffer.from(planned(await init({ type: 'PRIMARY' }), path) ?? []);
    expect(changed.includes(unknown)).toBe(true);
  });

  test('a tablet that is deleted leaves Shard and ShardReplication', async () => {
    await apply(await init({ type: 'PRIMARY' }));
    const options = { allowPrimary: true, now: NOW + 1000 };
    const { changes, isPrimary } = await planDeleteTablet(topology, TABLET.alias, options);
    expect(isPrimary).toBe(true);
    expect(places(changes)).toEqual([
      'global:keyspaces/ks/shards/-80/Shard',
      `zone1:${TABLET_PATH}`,
      'zone1:keyspaces/ks/shards/-80/ShardReplication',
    ]);
    expect(json('topodata.Shard', changes[0]?.after)).toEqual({
      primary_term_start_time: { seconds: '1700000001' },
      key_range: { end: 'gA==' },
      is_primary_serving: true,
    });
    expect(changes[1]?.after).toBeUndefined();
    expect(json('topodata.ShardReplication', changes[2]?.after)).toEqual({});
  });
});
