import { describe, expect, test } from 'vitest';
import { servingFlags } from '../../src/graph/serving.js';
import type { LegacyNode } from '../support/fixtures.js';
import { legacyFixture } from '../support/fixtures.js';
import { readZnodes } from './znodes.js';

const objects = legacyFixture('legacy-gen1-objects');
const paths = legacyFixture('legacy-gen1-replication-paths');

const read = (znodes: readonly LegacyNode[] | undefined) => readZnodes(znodes ?? []);
const node = (cell: string, uid: number) => ({ tablet_alias: { cell, uid } });

describe.runIf(objects !== undefined)('one object of each kind as the zk tool of the time printed it', () => {
  const tree = read(objects);

  test('all records, field by field', () => {
    expect(tree.unreadable).toEqual([]);
    expect(tree.records).toEqual({
      'global:keyspaces/rlookup/Keyspace': {},
      'global:keyspaces/rlookup/shards/0/Shard': {
        primary_alias: { cell: 'nyc', uid: 200274 },
        served_types: [{ tablet_type: 'PRIMARY' }, { tablet_type: 'REPLICA' }],
        cells: ['nyc'],
      },
      'global:keyspaces/ruser/Keyspace': {},
      'global:keyspaces/ruser/shards/10-20/Shard': {
        primary_alias: { cell: 'nyc', uid: 200278 },
        key_range: { start: 'EA==', end: 'IA==' },
        cells: ['nyc'],
      },
      'nyc:keyspaces/rlookup/SrvKeyspace': {
        partitions: [
          { served_type: 'PRIMARY', shard_references: [{ name: '0' }] },
          { served_type: 'REPLICA', shard_references: [{ name: '0' }] },
        ],
      },
      'nyc:keyspaces/rlookup/shards/0/ShardReplication': {
        nodes: [node('nyc', 200274), node('nyc', 200275)],
      },
      'nyc:keyspaces/ruser/shards/10-20/ShardReplication': { nodes: [node('nyc', 200278)] },
      'nyc:tablets/nyc-0000200274/Tablet': {
        alias: { cell: 'nyc', uid: 200274 },
        hostname: 'rl1.nyc.example.com',
        ip: '10.0.200.82',
        port_map: { mysql: 3306, vt: 8101, vts: 8102 },
        keyspace: 'rlookup',
        shard: '0',
        type: 'PRIMARY',
      },
      'nyc:tablets/nyc-0000200275/Tablet': {
        alias: { cell: 'nyc', uid: 200275 },
        hostname: 'rl2.nyc.example.com',
        ip: '10.0.200.83',
        port_map: { mysql: 3306, vt: 8101, vts: 8102 },
        keyspace: 'rlookup',
        shard: '0',
        type: 'REPLICA',
      },
      'nyc:tablets/nyc-0000200278/Tablet': {
        alias: { cell: 'nyc', uid: 200278 },
        hostname: 'ru1.nyc.example.com',
        ip: '10.0.200.86',
        port_map: { mysql: 3306, vt: 8101, vts: 8102 },
        keyspace: 'ruser',
        shard: '10-20',
        key_range: { start: 'EA==', end: 'IA==' },
        type: 'PRIMARY',
      },
    });
  });

  test('every loss, with its value', () => {
    expect(tree.losses.map(({ kind, path, field, value }) => [kind, path, field, value])).toEqual([
      ['tablet-type', 'tablets/nyc-0000200308/Tablet', 'Type', 'idle'],
      ['state', 'tablets/nyc-0000200274/Tablet', 'State', 'ReadWrite'],
      ['parent', 'tablets/nyc-0000200275/Tablet', 'Parent', 'nyc-0000200274'],
      ['state', 'tablets/nyc-0000200275/Tablet', 'State', 'ReadOnly'],
      ['state', 'tablets/nyc-0000200278/Tablet', 'State', 'ReadWrite'],
      [
        'parent',
        'keyspaces/rlookup/shards/0/ShardReplication',
        'ReplicationLinks[0].Parent',
        'nyc-0000200274',
      ],
    ]);
  });

  test('junk, what is derived and the idle tablet are named', () => {
    expect(tree.notes).toEqual([
      {
        scope: 'global',
        path: 'keyspaces/rlookup/Keyspace',
        field: '',
        text: 'what is in it is left behind, since it is not JSON: "junk that some other tool left here"',
      },
    ]);
    expect(tree.derived).toEqual([
      { scope: 'nyc', path: '/zk/nyc/vt/ns/rlookup/0', field: '', what: 'SrvShard' },
      { scope: 'nyc', path: '/zk/nyc/vt/ns/rlookup/0/master', field: '', what: 'EndPoints' },
      { scope: 'nyc', path: '/zk/nyc/vt/ns/rlookup/0/replica', field: '', what: 'EndPoints' },
    ]);
    expect(tree.left).toEqual([{ native: '/zk/nyc/vt/tablets/0000200308', why: 'a tablet of type idle' }]);
  });

  test('the serving flag of rlookup is told by ServedTypes, that of ruser by nothing', () => {
    const flags = (keyspace: string, shard: string) =>
      servingFlags(
        tree.bytes.flatMap(({ path, bytes }) =>
          path === `keyspaces/${keyspace}/shards/${shard}/Shard` ? [{ name: shard, bytes }] : [],
        ),
        new Map(
          tree.bytes.flatMap(({ scope, path, bytes }) =>
            path === `keyspaces/${keyspace}/SrvKeyspace` ? [[scope, bytes] as const] : [],
          ),
        ),
      );
    expect(flags('rlookup', '0')).toMatchObject([{ serving: true, from: 'served_types' }]);
    expect(flags('ruser', '10-20')).toMatchObject([{ serving: undefined, from: undefined }]);
  });
});

describe.runIf(paths !== undefined)('what CreateKeyspace and InitTablet of 2012 left', () => {
  const tree = read(paths);

  test('nested paths become ShardReplication, and only tablets with a shard are in it', () => {
    expect(tree.unreadable).toEqual([]);
    expect(tree.records).toMatchObject({
      'global:keyspaces/test_keyspace/Keyspace': {},
      'global:keyspaces/test_keyspace/shards/0/Shard': { primary_alias: { cell: 'test_nj', uid: 62344 } },
      'global:keyspaces/test_keyspace/shards/1/Shard': { primary_alias: { cell: 'test_nj', uid: 62349 } },
      'test_nj:keyspaces/test_keyspace/shards/0/ShardReplication': {
        nodes: [62344, 62345, 62346, 62347].map((uid) => node('test_nj', uid)),
      },
      'test_nj:keyspaces/test_keyspace/shards/1/ShardReplication': {
        nodes: [62349, 62350].map((uid) => node('test_nj', uid)),
      },
    });
    const tablets = Object.keys(tree.records).filter((path) => path.startsWith('test_nj:tablets/'));
    expect(tablets).toEqual(
      [62344, 62345, 62346, 62347, 62349, 62350].map((uid) => `test_nj:tablets/test_nj-00000${uid}/Tablet`),
    );
    expect(Object.keys(tree.records)).toHaveLength(3 + 2 + 6);
  });

  test('the idle tablet is left behind by name, and so is who replicates from whom', () => {
    expect(tree.left).toEqual([
      { native: '/zk/test_nj/vt/tablets/0000062348', why: 'a tablet of type idle' },
    ]);
    expect(tree.losses).toContainEqual({
      scope: 'test_nj',
      kind: 'tablet-type',
      path: 'tablets/test_nj-0000062348/Tablet',
      ...{ field: 'Type', value: 'idle' },
    });
    const nested = tree.losses.filter(({ kind, path }) => kind === 'parent' && path.startsWith('keyspaces/'));
    expect(nested.map(({ path, field, value }) => `${path} ${field} < ${String(value)}`)).toEqual([
      'keyspaces/test_keyspace/shards/0 test_nj-0000062345 < test_nj-0000062344',
      'keyspaces/test_keyspace/shards/0 test_nj-0000062346 < test_nj-0000062344',
      'keyspaces/test_keyspace/shards/0 test_nj-0000062347 < test_nj-0000062344',
      'keyspaces/test_keyspace/shards/1 test_nj-0000062350 < test_nj-0000062349',
    ]);
    expect(tree.notes).toEqual([]);
  });
});
