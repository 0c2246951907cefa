import type { JsonObject } from '../../../src/topo/codec-json.js';
import type { Sample } from './sample.js';

const alias = (Cell: string, Uid: number) => ({ Cell, Uid });
const NONE = alias('', 0);
const WHOLE = { Start: '', End: '' };

/** A tablet of 2012, as InitTablet wrote it: all fields, whether they say anything or not. */
const tablet = (Cell: string, Uid: number, fields: JsonObject): JsonObject => ({
  ...{ Cell, Uid, Parent: NONE, Addr: '', SecureAddr: '', MysqlAddr: '', MysqlIpAddr: '' },
  ...{ Keyspace: '', Shard: '', Type: 'idle', State: 'ReadOnly', DbNameOverride: '', KeyRange: WHOLE },
  ...fields,
});
const inLookup = { Keyspace: 'lookup', Shard: '0' };
const serving = (uid: number): JsonObject => ({
  ...inLookup,
  ...{ Addr: `localhost:${uid}1`, SecureAddr: `localhost:${uid}2` },
  ...{ MysqlAddr: `localhost:${uid}3`, MysqlIpAddr: `127.0.0.1:${uid}3` },
});
const entries = (uid: number) => ({
  entries: [
    {
      ...{ uid, host: 'localhost', port: 0 },
      named_port_map: { _mysql: uid * 10 + 3, _vtocc: uid * 10 + 1, _vts: uid * 10 + 2 },
    },
  ],
});

/**
 * What years leave in a tree of generation 1, one thing of each kind, in two cells. Keyspace `lookup` is unsharded and served, `user` is sharded
 * and serves nothing.
 */
export const ODD: Sample = {
  // What an operation in progress looks like, at each of the three places.
  '/zk/global/vt/keyspaces/lookup': null,
  '/zk/global/vt/keyspaces/lookup/action': null,
  '/zk/global/vt/keyspaces/lookup/action/0000000012': '{"Action": "RebuildKeyspace", "State": "Running"}',
  '/zk/global/vt/keyspaces/lookup/actionlog': null,
  '/zk/global/vt/keyspaces/lookup/shards': null,
  '/zk/global/vt/keyspaces/lookup/shards/0': {
    ...{ MasterAlias: alias('nyc', 274), KeyRange: WHOLE, ServedTypes: ['master', 'replica', 'batch'] },
    ...{ SourceShards: [], Cells: ['nyc'] },
  },
  '/zk/global/vt/keyspaces/lookup/shards/0/action': null,
  '/zk/global/vt/keyspaces/lookup/shards/0/action/0000000003':
    '{"Action": "ReparentShard", "State": "Running"}',
  '/zk/global/vt/keyspaces/lookup/shards/0/actionlog': null,
  '/zk/global/vt/keyspaces/lookup/shards/0/actionlog/0000000002':
    '{"Action": "ReparentShard", "State": "Done"}',

  // A keyspace had no data of its own; what is there is somebody else's.
  '/zk/global/vt/keyspaces/user': 'junk that some other tool left here',
  '/zk/global/vt/keyspaces/user/action': null,
  '/zk/global/vt/keyspaces/user/actionlog': null,
  '/zk/global/vt/keyspaces/user/shards': null,
  '/zk/global/vt/keyspaces/user/shards/10-20': {
    ...{ MasterAlias: alias('nyc', 278), KeyRange: { Start: '10', End: '20' }, Cells: ['nyc'] },
    SourceShards: [{ Uid: 3, Keyspace: 'lookup', Shard: '0', KeyRange: WHOLE, Tables: ['t'] }],
    TabletControlMap: { master: { Cells: ['nyc'], DisableQueryService: false, BlacklistedTables: ['t'] } },
  },
  // Somebody else than the primary is on top of the replication graph, and one of its tablets is in another cell.
  '/zk/global/vt/keyspaces/user/shards/10-20/nyc-0000000279': null,
  '/zk/global/vt/keyspaces/user/shards/10-20/nyc-0000000279/sfo-0000000280': null,
  // Served from another keyspace, before there were cells in it.
  '/zk/global/vt/keyspaces/moved': { ServedFrom: { rdonly: 'lookup' } },
  '/zk/global/vt/keyspaces/moved/shards': null,

  // Old documents spell it so, and nothing ever read it.
  '/zk/global/vt/SvrVSchema': '{}',

  '/zk/nyc/vt/tablets/0000000274': tablet('nyc', 274, {
    ...serving(274),
    Type: 'master',
    State: 'ReadWrite',
  }),
  '/zk/nyc/vt/tablets/0000000274/action': null,
  '/zk/nyc/vt/tablets/0000000274/action/0000000001': '{"Action": "Ping", "State": "Queued"}',
  '/zk/nyc/vt/tablets/0000000274/actionlog': null,
  '/zk/nyc/vt/tablets/0000000274/pid': '{"pid": 4711}',
  '/zk/nyc/vt/tablets/0000000275': tablet('nyc', 275, {
    ...serving(275),
    Type: 'batch',
    Parent: alias('nyc', 274),
  }),
  // MySQL on a host of its own.
  '/zk/nyc/vt/tablets/0000000276': tablet('nyc', 276, {
    ...{ ...serving(276), Type: 'schema_apply', MysqlAddr: 'db276:2763', DbNameOverride: 'lookup_old' },
  }),
  '/zk/nyc/vt/tablets/0000000277': tablet('nyc', 277, { ...serving(277), Type: 'snapshot_source' }),
  '/zk/nyc/vt/tablets/0000000278': tablet('nyc', 278, {
    ...{ Keyspace: 'user', Shard: '10-20', Type: 'master', KeyRange: { Start: '10', End: '20' } },
    Addr: 'localhost:2781',
  }),
  '/zk/nyc/vt/tablets/0000000300': tablet('nyc', 300, { ...serving(300), Type: 'lag_orphan' }),
  '/zk/nyc/vt/tablets/0000000301': tablet('nyc', 301, { ...serving(301), Type: 'worker' }),
  '/zk/nyc/vt/tablets/0000000302': tablet('nyc', 302, { ...serving(302), Type: 'backup' }),
  '/zk/nyc/vt/tablets/0000000303': tablet('nyc', 303, { ...serving(303), Type: 'restore' }),
  '/zk/nyc/vt/tablets/0000000304': tablet('nyc', 304, { ...serving(304), Type: 'experimental' }),
  '/zk/nyc/vt/tablets/0000000308': tablet('nyc', 308, {}),
  '/zk/nyc/vt/tablets/0000000309': tablet('nyc', 309, { ...inLookup, Type: 'scrap' }),
  // 275 is there; 999 is a tablet that nobody has.
  '/zk/nyc/vt/replication/lookup/0': {
    ReplicationLinks: [
      { TabletAlias: alias('nyc', 275), Parent: alias('nyc', 274) },
      { TabletAlias: alias('nyc', 999), Parent: alias('nyc', 274) },
    ],
  },
  '/zk/nyc/vt/ns/lookup': {
    Shards: [{ KeyRange: WHOLE, ServedTypes: ['master', 'batch'], TabletTypes: ['master', 'batch'] }],
    TabletTypes: ['master', 'batch'],
  },
  '/zk/nyc/vt/ns/lookup/0': {
    KeyRange: WHOLE,
    ServedTypes: ['master', 'batch'],
    TabletTypes: ['master', 'batch'],
  },
  '/zk/nyc/vt/ns/lookup/0/master': entries(274),
  '/zk/nyc/vt/ns/lookup/0/batch': entries(275),

  // The same number as in nyc.
  '/zk/sfo/vt/tablets/0000000300': tablet('sfo', 300, { ...serving(300), Type: 'replica' }),
  // The serving graph of this cell names shards that there are no more.
  '/zk/sfo/vt/ns/user': {
    Partitions: {
      master: {
        Shards: [{ KeyRange: { Start: '', End: '80' }, ServedTypes: null, TabletTypes: ['master'] }],
      },
    },
    ...{ ShardingColumnName: 'id', ShardingColumnType: 'uint64' },
  },
  '/zk/sfo/vt/ns/user/-80': {
    KeyRange: { Start: '', End: '80' },
    ServedTypes: ['master'],
    TabletTypes: ['master'],
  },
  '/zk/sfo/vt/ns/user/-80/master': entries(998),
};

/** Overlaid on a sample: a VSchema in both homes, and they differ. */
export const DIFFERING_VSCHEMAS: Sample = {
  '/zk/global/vt/vschema': { Keyspaces: { lookup: { Sharded: false, Tables: { t: '' } } } },
  '/zk/global/vt/keyspaces/lookup/vschema': { sharded: true },
};

/** Overlaid on a sample: znodes that are of neither generation. */
export const BROKEN: Sample = {
  '/zk/global/vt/keyspaces/lookup/shards/0': 'not a shard',
  '/zk/nyc/vt/tablets/0000000275': '{"Cell": "nyc", "Uid": "two"}',
};
