import { describe, expect, test } from 'vitest';
import { FIRST } from './samples/first.js';
import { nodesOf } from './samples/sample.js';
import { SECOND_ETCD, SECOND_ZOOKEEPER } from './samples/second.js';
import { etcdNodes, readNodes, readZnodes } from './znodes.js';

describe('a tree of both generations', () => {
  const tree = readZnodes(nodesOf(FIRST));
  const node = (cell: string, uid: number) => ({ tablet_alias: { cell, uid } });

  test('is read whole', () => {
    expect(tree.unreadable).toEqual([]);
    expect(Object.keys(tree.records)).toEqual([
      'global:keyspaces/main/Keyspace',
      'global:keyspaces/main/VSchema',
      'global:keyspaces/main/shards/0/Shard',
      'global:keyspaces/mixed/Keyspace',
      'global:keyspaces/mixed/VSchema',
      'global:keyspaces/mixed/shards/0/Shard',
      'global:keyspaces/user/Keyspace',
      'global:keyspaces/user/VSchema',
      'global:keyspaces/user/shards/-80/Shard',
      'global:keyspaces/user/shards/80-/Shard',
      'global:notes',
      'nyc:keyspaces/main/SrvKeyspace',
      'nyc:keyspaces/main/shards/0/ShardReplication',
      'nyc:keyspaces/mixed/shards/0/ShardReplication',
      'nyc:keyspaces/user/SrvKeyspace',
      'nyc:keyspaces/user/shards/-80/ShardReplication',
      'nyc:tablets/nyc-0000000100/Tablet',
      'nyc:tablets/nyc-0000000101/Tablet',
      'nyc:tablets/nyc-0000000110/Tablet',
      'nyc:tablets/nyc-0000000111/Tablet',
      'nyc:tablets/nyc-0000000120/Tablet',
      'sfo:SrvVSchema',
      'sfo:keyspaces/main/shards/0/ShardReplication',
      'sfo:tablets/sfo-0000000200/Tablet',
      'sfo:tablets/sfo-0000000201/Tablet',
    ]);
  });

  test('field by field', () => {
    expect(tree.records).toMatchObject({
      'global:keyspaces/user/Keyspace': {
        ...{ sharding_column_name: 'id', sharding_column_type: 'UINT64' },
        served_froms: [{ tablet_type: 'RDONLY', cells: ['sfo'], keyspace: 'main' }],
      },
      'global:keyspaces/user/shards/-80/Shard': {
        primary_alias: { cell: 'nyc', uid: 110 },
        served_types: [{ tablet_type: 'PRIMARY' }, { tablet_type: 'REPLICA', cells: ['nyc'] }],
        source_shards: [{ keyspace: 'user', shard: '0' }],
        tablet_controls: [{ tablet_type: 'RDONLY', disable_query_service: true }],
      },
      'global:keyspaces/user/shards/80-/Shard': { key_range: { start: 'gA==' } },
      'global:keyspaces/mixed/shards/0/Shard': { served_types: [{ tablet_type: 'PRIMARY' }] },
      'global:keyspaces/main/VSchema': { tables: { user_seq: { type: 'sequence' } } },
      'global:notes': 'kept as it is',
      'nyc:keyspaces/main/SrvKeyspace': {
        partitions: [{ served_type: 'PRIMARY', shard_references: [{ name: '0' }] }],
      },
      'nyc:keyspaces/main/shards/0/ShardReplication': { nodes: [node('nyc', 100), node('nyc', 101)] },
      'sfo:keyspaces/main/shards/0/ShardReplication': { nodes: [node('sfo', 200), node('sfo', 201)] },
      'nyc:keyspaces/user/shards/-80/ShardReplication': { nodes: [node('nyc', 110), node('nyc', 111)] },
      'nyc:keyspaces/mixed/shards/0/ShardReplication': { nodes: [node('nyc', 120)] },
      'nyc:tablets/nyc-0000000101/Tablet': { type: 'SPARE' },
      'nyc:tablets/nyc-0000000111/Tablet': { type: 'RDONLY', port_map: { vt: 1111, mysql: 1113 } },
    });
  });

  test('loses nothing in silence', () => {
    const counted = new Map<string, number>();
    for (const { kind } of tree.losses) counted.set(kind, (counted.get(kind) ?? 0) + 1);
    // A State each but in the one of generation 2, and the scrap one that is left out; parents: 3 of tablets, 1 of a link, 3 of nested nodes.
    expect(Object.fromEntries(counted)).toEqual({ state: 6, parent: 7, health: 1, 'tablet-type': 2 });
    expect(tree.derived.map(({ path }) => path)).toEqual([
      '/zk/nyc/vt/ns/main/0',
      '/zk/nyc/vt/ns/main/0/master',
      '/zk/nyc/vt/ns/mixed/0',
    ]);
    expect(tree.left).toEqual([
      { native: '/zk/global/vt/keyspaces/main/actionlog/0000000007', why: 'the result of a lock’s holder' },
      { native: '/zk/global/vt/keyspaces/main/shards/0/action/0000000003', why: 'a lock' },
      { native: '/zk/global/vt/election/vtctld', why: 'an entry of an election' },
      { native: '/zk/global/vt/election/vtctld/0000000001', why: 'an entry of an election' },
      { native: '/zk/nyc/vt/tablets/0000000100/pid', why: 'the process of a tablet' },
      { native: '/zk/nyc/vt/tablets/copy', why: 'not the number of a tablet' },
      { native: '/zk/nyc/vt/tablets/0000000102', why: 'a tablet of type scrap' },
    ]);
    expect(tree.vschemas.map(({ keyspace, home }) => `${keyspace} ${home}`)).toEqual([
      'main shared',
      'mixed both',
      'user shared',
    ]);
  });

  test('names what is odd', () => {
    expect(tree.notes.map(({ path }) => path)).toEqual(['keyspaces/main/Keyspace']);
  });
});

test('what cannot be read is listed, and stops nothing else', () => {
  const tree = readZnodes(
    nodesOf({
      '/zk/global/vt/keyspaces': 'data where none belongs',
      '/zk/global/vt/keyspaces/ks': null,
      '/zk/global/vt/keyspaces/ks/shards/0': 'junk',
      '/zk/global/vt/vschema': 'junk',
      '/zk/nyc/vt/tablets/0000000001': { Uid: 'one' },
      '/zk/nyc/vt/ns/ks': null,
    }),
  );
  expect(tree.records).toEqual({ 'global:keyspaces/ks/Keyspace': {} });
  expect(tree.unreadable.map(({ code, path }) => `${code} ${path}`)).toEqual([
    'Corrupt keyspaces/ks/shards/0/Shard',
    'Corrupt tablets/nyc-0000000001/Tablet',
    'Corrupt vschema',
  ]);
  expect(tree.left).toEqual([{ native: '/zk/global/vt/keyspaces', why: 'data in a directory' }]);
});

test('one topology of generation 2 is the same in both stores', () => {
  const zookeeper = readZnodes(nodesOf(SECOND_ZOOKEEPER));
  const etcd = readNodes([
    ...etcdNodes(undefined, nodesOf(SECOND_ETCD.global)),
    ...etcdNodes('nyc', nodesOf(SECOND_ETCD.nyc)),
  ]);
  expect(etcd.records).toEqual(zookeeper.records);
  expect(etcd.records).toMatchObject({
    'global:cells/nyc/CellInfo': { server_address: 'localhost:1', root: '/vt' },
    'global:keyspaces/user/shards/-80/Shard': { primary_alias: { cell: 'nyc', uid: 110 } },
    'global:metadata/key': 'raw',
    'nyc:SrvVSchema': { keyspaces: { user: { sharded: true } } },
    'nyc:tablets/nyc-0000000110/Tablet': { type: 'PRIMARY' },
  });
  expect(Object.keys(etcd.records)).toHaveLength(9);
  for (const { losses, notes, unreadable, derived } of [zookeeper, etcd])
    expect([losses, notes, unreadable, derived.length]).toEqual([[], [], [], 2]);
  expect([...zookeeper.left, ...etcd.left]).toEqual([]);
  const held = { ...SECOND_ETCD.global, '/vt/keyspaces/user/-80/_Lock': '{"Action": "x"}' };
  expect(readNodes(etcdNodes(undefined, nodesOf(held))).left).toEqual([
    { native: '/vt/keyspaces/user/-80/_Lock', why: 'a lock' },
  ]);
});

test('tablets of one number in two cells are named', () => {
  const { notes } = readZnodes(
    nodesOf({
      '/zk/nyc/vt/tablets/0000000001': { alias: { cell: 'nyc', uid: 1 } },
      '/zk/sfo/vt/tablets/0000000001': { alias: { cell: 'sfo', uid: 1 } },
      '/zk/lon/vt/tablets/0000000001': { Cell: 'lon', Uid: 1, Type: 'scrap' },
    }),
  );
  expect(notes.map(({ text }) => text)).toEqual([
    'the tablets nyc-0000000001, sfo-0000000001 have one number',
  ]);
});

test('a link into another cell is carried over to it, and needs no note', () => {
  const link = { TabletAlias: { Cell: 'nyc', Uid: 2 }, Parent: { Cell: 'sfo', Uid: 1 } };
  const { records, notes } = readZnodes(
    nodesOf({ '/zk/nyc/vt/replication/ks/0': { ReplicationLinks: [link] } }),
  );
  expect(records).toEqual({
    'nyc:keyspaces/ks/shards/0/ShardReplication': { nodes: [{ tablet_alias: { cell: 'nyc', uid: 2 } }] },
    'sfo:keyspaces/ks/shards/0/ShardReplication': { nodes: [{ tablet_alias: { cell: 'sfo', uid: 1 } }] },
  });
  expect(notes).toEqual([]);
});
