import { expect, test } from 'vitest';
import { lostServing, servingFlags, withoutPrimary } from '../../src/graph/serving.js';
import { parseTarget } from '../../src/graph/target.js';
import { encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';

const shard = (name: string, json: JsonObject) => ({ name, bytes: encode('topodata.Shard', json) });
const types = (...names: string[]) => names.map((tablet_type) => ({ tablet_type }));
const graph = (type: string, ...names: string[]) =>
  encode('topodata.SrvKeyspace', {
    partitions: [{ served_type: type, shard_references: names.map((name) => ({ name })) }],
  });

test('a shard with the flag set is not listed', () => {
  expect(servingFlags([shard('0', { is_primary_serving: true })], new Map())).toEqual([]);
});

test('served_types tell it, whatever the serving graph says', () => {
  const shards = [
    shard('-80', { served_types: types('REPLICA', 'PRIMARY') }),
    shard('80-', { served_types: types('REPLICA', 'RDONLY') }),
  ];
  expect(servingFlags(shards, new Map([['zone1', graph('PRIMARY', '80-')]]))).toEqual([
    { shard: '-80', serving: true, from: 'served_types', reason: 'served_types of the Shard has PRIMARY' },
    {
      shard: '80-',
      serving: false,
      from: 'served_types',
      reason: 'served_types of the Shard has no PRIMARY',
    },
  ]);
});

test('without served_types the PRIMARY partition of any cell tells it', () => {
  const shards = ['-80', '80-', 'x'].map((name) => shard(name, {}));
  const graphs = new Map([
    ['zone1', graph('PRIMARY', '-80')],
    ['zone2', graph('REPLICA', '-80', '80-')],
    ['zone3', graph('PRIMARY', 'x')],
  ]);
  const from = 'serving graph';
  expect(servingFlags(shards, graphs)).toEqual([
    {
      shard: '-80',
      serving: true,
      from,
      reason: 'the PRIMARY partition of zone1 has it, though not of zone3',
    },
    { shard: '80-', serving: false, from, reason: 'the PRIMARY partition of zone1, zone3 does not have it' },
    { shard: 'x', serving: true, from, reason: 'the PRIMARY partition of zone3 has it, though not of zone1' },
  ]);
});

test('a serving graph that names shards that there are not does not tell that others do not serve', () => {
  const shards = ['-80', '80-'].map((name) => shard(name, {}));
  const before = new Map([
    ['zone1', graph('PRIMARY', '0')],
    ['zone2', graph('PRIMARY', '0', '-80')],
  ]);
  expect(servingFlags(shards, before)).toEqual([
    {
      shard: '-80',
      ...{ serving: true, from: 'serving graph' },
      reason: 'the PRIMARY partition of zone2 has it',
    },
    {
      shard: '80-',
      ...{ serving: undefined, from: undefined },
      reason:
        'the PRIMARY partition of zone1, zone2 names shards that there are not, and nothing else says anything',
    },
  ]);
  const both = new Map([...before, ['zone3', graph('PRIMARY', '-80')]]);
  expect(servingFlags(shards, both)[1]).toMatchObject({
    serving: false,
    reason: 'the PRIMARY partition of zone3 does not have it',
  });
  // One that is there and cannot be read is known all the same.
  const known = new Set(['0', '-80', '80-']);
  expect(servingFlags(shards, before, known)[1]).toMatchObject({ serving: false });
});

test('without either nobody knows, and a serving graph without primaries tells nothing', () => {
  const asked = {
    serving: undefined,
    from: undefined,
    reason: expect.stringContaining('neither served_types'),
  };
  expect(servingFlags([shard('0', {})], new Map())).toEqual([{ shard: '0', ...asked }]);
  const replicas = new Map([['zone1', graph('REPLICA', '0')]]);
  expect(servingFlags([shard('0', {})], replicas)).toEqual([{ shard: '0', ...asked }]);
});

test('from 12 on a shard that serves by served_types alone is lost', () => {
  const shards = [
    shard('0', { served_types: types('PRIMARY') }),
    shard('1', { served_types: types('PRIMARY'), is_primary_serving: true }),
    shard('2', { served_types: types('REPLICA') }),
    shard('3', {}),
  ];
  expect(lostServing(shards, parseTarget('12'))).toEqual(['0']);
  expect(lostServing(shards, parseTarget('11'))).toEqual([]);
});

test('a Shard that does not decode is corrupt', () => {
  expect(() => servingFlags([{ name: '0', bytes: Uint8Array.of(0xff) }], new Map())).toThrow(
    expect.objectContaining({ code: 'Corrupt' }),
  );
});

test('a shard that serves and has no primary is named, one that does not serve needs none', () => {
  const alias = { cell: 'zone1', uid: 1 };
  const shards = [
    shard('0', { is_primary_serving: true }),
    shard('1', { is_primary_serving: true, primary_alias: alias }),
    shard('2', { served_types: types('PRIMARY') }),
    shard('3', { primary_alias: {}, is_primary_serving: true }),
    shard('4', {}),
  ];
  expect(withoutPrimary(shards)).toEqual(['0', '2', '3']);
});
