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
  expect(servingFlags([shard('0', { is_primary_serving: true })], [])).toEqual([]);
});

test('served_types tell it, whatever the serving graph says', () => {
  const shards = [
    shard('-80', { served_types: types('REPLICA', 'PRIMARY') }),
    shard('80-', { served_types: types('REPLICA', 'RDONLY') }),
  ];
  expect(servingFlags(shards, [graph('PRIMARY', '80-')])).toEqual([
    { shard: '-80', serving: true, from: 'served_types' },
    { shard: '80-', serving: false, from: 'served_types' },
  ]);
});

test('without served_types the PRIMARY partition of any cell tells it', () => {
  const shards = ['-80', '80-', 'x'].map((name) => shard(name, {}));
  const graphs = [graph('PRIMARY', '-80'), graph('REPLICA', '-80', '80-'), graph('PRIMARY', 'x')];
  expect(servingFlags(shards, graphs)).toEqual([
    { shard: '-80', serving: true, from: 'serving graph' },
    { shard: '80-', serving: false, from: 'serving graph' },
    { shard: 'x', serving: true, from: 'serving graph' },
  ]);
});

test('without either nobody knows', () => {
  expect(servingFlags([shard('0', {})], [])).toEqual([{ shard: '0', serving: undefined, from: undefined }]);
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
  expect(() => servingFlags([{ name: '0', bytes: Uint8Array.of(0xff) }], [])).toThrow(
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
