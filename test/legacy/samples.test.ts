import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readClientPlaces } from '../../src/cli/client-config.js';
import { differenceOf } from '../../src/legacy/vschemas.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, startZooKeeper } from '../servers/index.js';
import { clearZookeeper, plantZookeeper, writeClientConfig } from './plant.js';
import { FIRST } from './samples/first.js';
import { BROKEN, DIFFERING_VSCHEMAS, ODD } from './samples/odd.js';
import { nodesOf } from './samples/sample.js';
import { WHOLE_RECORDS, WHOLE_ZOOKEEPER, wholeEtcd } from './samples/whole.js';
import { etcdNodes, readNodes, readZnodes } from './znodes.js';

test('a whole topology of generation 2 is the same in both stores, without anything odd', () => {
  const { global, nyc, sfo } = wholeEtcd({ nyc: 'http://localhost:1', sfo: 'http://localhost:2' });
  const zookeeper = readZnodes(nodesOf(WHOLE_ZOOKEEPER));
  const etcd = readNodes([
    ...etcdNodes(undefined, nodesOf(global)),
    ...etcdNodes('nyc', nodesOf(nyc)),
    ...etcdNodes('sfo', nodesOf(sfo)),
  ]);
  expect(zookeeper.records).toEqual(WHOLE_RECORDS);
  expect(etcd.records).toEqual({
    ...WHOLE_RECORDS,
    'global:cells/nyc/CellInfo': { server_address: 'http://localhost:1', root: '/vt' },
    'global:cells/sfo/CellInfo': { server_address: 'http://localhost:2', root: '/vt' },
  });
  for (const { losses, notes, unreadable, left, derived } of [zookeeper, etcd])
    expect([losses, notes, unreadable, left, derived.length]).toEqual([[], [], [], [], 6 + 8]);
});

describe('what years leave in a tree of generation 1', () => {
  const tree = readZnodes(nodesOf(ODD));

  const node = (cell: string, uid: number) => ({ tablet_alias: { cell, uid } });
  const tablet = (cell: string, uid: number, type: string, more = {}) => ({
    ...{ alias: { cell, uid }, hostname: 'localhost', ip: '127.0.0.1' },
    port_map: { mysql: uid * 10 + 3, vt: uid * 10 + 1, vts: uid * 10 + 2 },
    ...{ keyspace: 'lookup', shard: '0', type, ...more },
  });
  const range = { start: 'EA==', end: 'IA==' };

  test('becomes these records', () => {
    expect(tree.unreadable).toEqual([]);
    expect(tree.records).toEqual({
      // Nobody knows that name: kept as it is.
      'global:SvrVSchema': '{}',
      'global:keyspaces/lookup/Keyspace': {},
      'global:keyspaces/lookup/shards/0/Shard': {
        primary_alias: { cell: 'nyc', uid: 274 },
        served_types: [{ tablet_type: 'PRIMARY' }, { tablet_type: 'REPLICA' }, { tablet_type: 'RDONLY' }],
        cells: ['nyc'],
      },
      'global:keyspaces/moved/Keyspace': { served_froms: [{ tablet_type: 'RDONLY', keyspace: 'lookup' }] },
      'global:keyspaces/user/Keyspace': {},
      'global:keyspaces/user/shards/10-20/Shard': {
        ...{ primary_alias: { cell: 'nyc', uid: 278 }, key_range: range, cells: ['nyc'] },
        source_shards: [{ uid: 3, keyspace: 'lookup', shard: '0', tables: ['t'] }],
        tablet_controls: [{ tablet_type: 'PRIMARY', cells: ['nyc'], denied_tables: ['t'] }],
      },
      // Of SrvKeyspace without partitions, and of links; 999 has no Tablet record.
      'nyc:keyspaces/lookup/SrvKeyspace': {
        partitions: ['PRIMARY', 'RDONLY'].map((served_type) => ({
          served_type,
          shard_references: [{ name: '0' }],
        })),
      },
      'nyc:keyspaces/lookup/shards/0/ShardReplication': {
        nodes: [274, 275, 999].map((uid) => node('nyc', uid)),
      },
      // Of nested nodes, and the primary, which is in none of them.
      'nyc:keyspaces/user/shards/10-20/ShardReplication': { nodes: [node('nyc', 278), node('nyc', 279)] },
      'sfo:keyspaces/user/shards/10-20/ShardReplication': { nodes: [node('sfo', 280)] },
      'sfo:keyspaces/user/SrvKeyspace': {
        partitions: [
          { served_type: 'PRIMARY', shard_references: [{ name: '-80', key_range: { end: 'gA==' } }] },
        ],
        ...{ sharding_column_name: 'id', sharding_column_type: 'UINT64' },
      },
      'nyc:tablets/nyc-0000000274/Tablet': tablet('nyc', 274, 'PRIMARY'),
      'nyc:tablets/nyc-0000000275/Tablet': tablet('nyc', 275, 'RDONLY'),
      'nyc:tablets/nyc-0000000276/Tablet': tablet('nyc', 276, 'SPARE', {
        ...{ db_name_override: 'lookup_old', mysql_hostname: 'db276', mysql_port: 2763 },
      }),
      'nyc:tablets/nyc-0000000277/Tablet': tablet('nyc', 277, 'SPARE'),
      'nyc:tablets/nyc-0000000278/Tablet': {
        ...{ alias: { cell: 'nyc', uid: 278 }, hostname: 'localhost', port_map: { vt: 2781 } },
        ...{ keyspace: 'user', shard: '10-20', key_range: range, type: 'PRIMARY' },
      },
      'nyc:tablets/nyc-0000000300/Tablet': tablet('nyc', 300, 'SPARE'),
      'nyc:tablets/nyc-0000000301/Tablet': tablet('nyc', 301, 'DRAINED'),
      'nyc:tablets/nyc-0000000302/Tablet': tablet('nyc', 302, 'BACKUP'),
      'nyc:tablets/nyc-0000000303/Tablet': tablet('nyc', 303, 'RESTORE'),
      'nyc:tablets/nyc-0000000304/Tablet': tablet('nyc', 304, 'EXPERIMENTAL'),
      'sfo:tablets/sfo-0000000300/Tablet': tablet('sfo', 300, 'REPLICA'),
    });
  });

  test('and these losses', () => {
    const shown = (kind: string) =>
      tree.losses.flatMap((loss) =>
        loss.kind === kind ? [`${loss.path} ${loss.field} ${String(loss.value)}`] : [],
      );
    const of = (uid: number, cell = 'nyc') => `tablets/${cell}-0000000${uid}/Tablet`;
    expect(shown('state')).toEqual([
      `${of(274)} State ReadWrite`,
      ...[275, 276, 277, 278, 300, 301, 302, 303, 304].map((uid) => `${of(uid)} State ReadOnly`),
      `${of(300, 'sfo')} State ReadOnly`,
    ]);
    expect(shown('parent')).toEqual([
      `${of(275)} Parent nyc-0000000274`,
      'keyspaces/lookup/shards/0/ShardReplication ReplicationLinks[0].Parent nyc-0000000274',
      'keyspaces/lookup/shards/0/ShardReplication ReplicationLinks[1].Parent nyc-0000000274',
      'keyspaces/user/shards/10-20 sfo-0000000280 nyc-0000000279',
    ]);
    expect(shown('tablet-type')).toEqual([
      `${of(276)} Type schema_apply`,
      `${of(277)} Type snapshot_source`,
      `${of(300)} Type lag_orphan`,
      `${of(308)} Type idle`,
      `${of(309)} Type scrap`,
    ]);
    expect(tree.losses).toHaveLength(11 + 4 + 5);
  });

  test('with everything else named', () => {
    expect(tree.notes.map(({ path, text }) => `${path}: ${text}`)).toEqual([
      'keyspaces/user/Keyspace: what is in it is left behind, since it is not JSON: "junk that some other tool left here"',
      'keyspaces/user/shards/10-20: it is on top of the replication graph, and the primary is nyc-0000000278',
      'tablets/nyc-0000000300/Tablet: the tablets nyc-0000000300, sfo-0000000300 have one number',
    ]);
    expect(tree.derived.map(({ path, what }) => `${path} ${what}`)).toEqual([
      '/zk/nyc/vt/ns/lookup/0 SrvShard',
      '/zk/nyc/vt/ns/lookup/0/master EndPoints',
      '/zk/nyc/vt/ns/lookup/0/batch EndPoints',
      '/zk/sfo/vt/ns/user/-80 SrvShard',
      '/zk/sfo/vt/ns/user/-80/master EndPoints',
    ]);
    expect(tree.left.map(({ native, why }) => `${native} ${why}`)).toEqual([
      '/zk/global/vt/keyspaces/lookup/action/0000000012 a lock',
      '/zk/global/vt/keyspaces/lookup/shards/0/action/0000000003 a lock',
      '/zk/global/vt/keyspaces/lookup/shards/0/actionlog/0000000002 the result of a lock’s holder',
      '/zk/nyc/vt/tablets/0000000274/action/0000000001 a lock',
      '/zk/nyc/vt/tablets/0000000274/pid the process of a tablet',
      '/zk/nyc/vt/tablets/0000000308 a tablet of type idle',
      '/zk/nyc/vt/tablets/0000000309 a tablet of type scrap',
    ]);
  });

  test('but for what is of neither generation, and for VSchemas that differ', () => {
    const broken = readZnodes(nodesOf({ ...ODD, ...BROKEN }));
    expect(broken.unreadable.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'Corrupt keyspaces/lookup/shards/0/Shard',
      'Corrupt tablets/nyc-0000000275/Tablet',
    ]);
    const { vschemas } = readZnodes(nodesOf({ ...ODD, ...DIFFERING_VSCHEMAS }));
    expect(differenceOf(vschemas)?.message).toMatch(/lookup \(sharded.*\)/);
  });
});

describe.runIf(available.zookeeper('3.8'))('planted into a real ZooKeeper', () => {
  let server: Awaited<ReturnType<typeof startZooKeeper>>;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    server = await startZooKeeper({ version: '3.8' });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each([
    ['both generations', FIRST],
    ['the whole', WHOLE_ZOOKEEPER],
  ])('%s: every znode, and what a session owns until it leaves', async (_, sample) => {
    const planted = await plantZookeeper(sample, server.servers);
    const client = await connectOwnClient({ servers: server.servers.split(',') });
    try {
      const owned: string[] = [];
      for (const { path, value } of nodesOf(sample)) {
        const { data, stat } = await client.getData(path);
        expect([path, data?.toString()]).toEqual([path, value?.toString()]);
        if (stat.ephemeralOwner !== 0n) owned.push(path);
      }
      expect(owned).toEqual(
        Object.keys(sample).filter((path) => /\/(action|election\/\w+)\/\d+$|\/pid$/.test(path)),
      );
      const places = readClientPlaces(await writeClientConfig(folder, planted), {});
      expect(places.global.server).toBe(server.servers);
      expect([...places.cells.keys()]).toEqual(['nyc', 'sfo']);
      await planted.leave();
      for (const path of owned) expect((await client.exists(path)).stat).toBeUndefined();
      await clearZookeeper(server.servers);
      expect((await client.getChildren('/')).children).toEqual(['zookeeper']);
    } finally {
      await client.close();
    }
  });
});
