import type { Sample } from './sample.js';

const alias = (cell: string, uid: number) => ({ cell, uid });
const SHARD_80 = {
  master_alias: alias('nyc', 110),
  key_range: { end: 'gA==' },
  served_types: [{ tablet_type: 1 }],
  cells: ['nyc', 'sfo'],
};
const PARTITION = { served_type: 1, shard_references: [{ name: '-80', key_range: { end: 'gA==' } }] };
const VSCHEMA = {
  sharded: true,
  vindexes: { hash: { type: 'hash' } },
  tables: { t: { column_vindexes: [{ column: 'id', name: 'hash' }] } },
};
const TABLET = {
  alias: alias('nyc', 110),
  hostname: 'localhost',
  port_map: { grpc: 1102, vt: 1101 },
  keyspace: 'user',
  shard: '-80',
  key_range: { end: 'gA==' },
  type: 1,
};
const REPLICATION = { nodes: [{ tablet_alias: alias('nyc', 110) }] };

/** One topology of generation 2 as a legacy `zookeeper` tree. */
export const SECOND_ZOOKEEPER: Sample = {
  '/zk/global/vt/keyspaces/user': { sharding_column_name: 'id', sharding_column_type: 1 },
  '/zk/global/vt/keyspaces/user/action': null,
  '/zk/global/vt/keyspaces/user/actionlog': null,
  '/zk/global/vt/keyspaces/user/shards': null,
  '/zk/global/vt/keyspaces/user/shards/-80': SHARD_80,
  '/zk/global/vt/keyspaces/user/vschema': VSCHEMA,
  '/zk/global/vt/cells/nyc/CellInfo': '\n\u000blocalhost:1\u0012\u0003/vt',
  '/zk/global/vt/metadata/key': 'raw',
  '/zk/nyc/vt/tablets/0000000110': TABLET,
  '/zk/nyc/vt/replication/user/-80': REPLICATION,
  '/zk/nyc/vt/ns/user': { partitions: [PARTITION], sharding_column_name: 'id', sharding_column_type: 1 },
  '/zk/nyc/vt/ns/user/-80': { name: '-80', key_range: { end: 'gA==' }, master_cell: 'nyc' },
  '/zk/nyc/vt/ns/user/-80/master': { entries: [{ uid: 110, host: 'localhost', port_map: { vt: 1101 } }] },
  '/zk/nyc/vt/vschema': { keyspaces: { user: VSCHEMA } },
};

/** The same topology in legacy `etcd` stores: keys of the global store, and those of the cell `nyc`. */
export const SECOND_ETCD: { readonly global: Sample; readonly nyc: Sample } = {
  global: {
    '/vt/keyspaces/user/_Data': { sharding_column_name: 'id', sharding_column_type: 1 },
    '/vt/keyspaces/user/_Lock': 'open',
    '/vt/keyspaces/user/-80/_Data': SHARD_80,
    '/vt/keyspaces/user/-80/_Lock': '',
    '/vt/keyspaces/user/_VSchema': VSCHEMA,
    '/vt/cells/nyc': 'localhost:1',
    '/vt/metadata/key': 'raw',
  },
  nyc: {
    '/vt/tablets/nyc-0000000110/_Data': TABLET,
    '/vt/replication/user/-80/_Data': REPLICATION,
    '/vt/ns/user/_Data': { partitions: [PARTITION], sharding_column_name: 'id', sharding_column_type: 1 },
    '/vt/ns/user/-80/_Data': { name: '-80', key_range: { end: 'gA==' }, master_cell: 'nyc' },
    '/vt/ns/user/-80/master/_Data': { entries: [{ uid: 110, host: 'localhost', port_map: { vt: 1101 } }] },
    '/vt/ns/_VSchema': { keyspaces: { user: VSCHEMA } },
  },
};
