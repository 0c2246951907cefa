import type { JsonObject } from '../../../src/topo/codec-json.js';
import type { Sample } from './sample.js';

const NONE = { Cell: '', Uid: 0 };
const WHOLE = { Start: '', End: '' };
const nyc = (Uid: number) => ({ Cell: 'nyc', Uid });
const sfo = (Uid: number) => ({ Cell: 'sfo', Uid });

/** A tablet of 2012 and 2013. */
const old = (alias: { Cell: string; Uid: number }, fields: JsonObject): JsonObject => ({
  ...alias,
  Parent: NONE,
  Addr: `localhost:${alias.Uid}1`,
  SecureAddr: `localhost:${alias.Uid}2`,
  MysqlAddr: `localhost:${alias.Uid}3`,
  MysqlIpAddr: `127.0.0.1:${alias.Uid}3`,
  State: 'ReadOnly',
  DbNameOverride: '',
  KeyRange: WHOLE,
  ...fields,
});

/** A tablet of 2014. */
const later = (Alias: { Cell: string; Uid: number }, fields: JsonObject): JsonObject => ({
  Alias,
  Hostname: 'localhost',
  IPAddr: '127.0.0.1',
  Portmap: { vt: Alias.Uid * 10 + 1, mysql: Alias.Uid * 10 + 3 },
  Tags: null,
  Health: null,
  State: 'ReadOnly',
  DbNameOverride: '',
  KeyRange: WHOLE,
  ...fields,
});

/**
 * A legacy `zookeeper` tree of generation 1 in two cells, with what years of use leave in one: keyspace `main` is unsharded and of 2012, `user` is
 * being split and of 2014, `mixed` was written last by Vitess 2.0 and is of generation 2.
 */
export const FIRST: Sample = {
  '/zk/global/vt/keyspaces': null,
  '/zk/global/vt/keyspaces/main': 'left by somebody',
  '/zk/global/vt/keyspaces/main/action': null,
  '/zk/global/vt/keyspaces/main/actionlog': null,
  '/zk/global/vt/keyspaces/main/actionlog/0000000007': '{"Action": "RebuildKeyspace", "State": "Done"}',
  '/zk/global/vt/keyspaces/main/shards': null,
  '/zk/global/vt/keyspaces/main/shards/0': {
    MasterAlias: nyc(100),
    KeyRange: WHOLE,
    ServedTypes: null,
    Cells: ['nyc', 'sfo'],
  },
  '/zk/global/vt/keyspaces/main/shards/0/action': null,
  '/zk/global/vt/keyspaces/main/shards/0/action/0000000003': '{"Action": "ApplySchema"}',
  '/zk/global/vt/keyspaces/main/shards/0/nyc-0000000100': null,
  '/zk/global/vt/keyspaces/main/shards/0/nyc-0000000100/nyc-0000000101': null,
  '/zk/global/vt/keyspaces/main/shards/0/nyc-0000000100/sfo-0000000200': null,
  '/zk/global/vt/keyspaces/main/shards/0/nyc-0000000100/sfo-0000000200/sfo-0000000201': null,

  '/zk/global/vt/keyspaces/user': {
    ShardingColumnName: 'id',
    ShardingColumnType: 'uint64',
    ServedFromMap: { rdonly: { Cells: ['sfo'], Keyspace: 'main' } },
  },
  '/zk/global/vt/keyspaces/user/shards': null,
  '/zk/global/vt/keyspaces/user/shards/-80': {
    MasterAlias: nyc(110),
    KeyRange: { Start: '', End: '80' },
    ServedTypesMap: { master: { Cells: null }, replica: { Cells: ['nyc'] } },
    SourceShards: [{ Uid: 0, Keyspace: 'user', Shard: '0', KeyRange: WHOLE, Tables: null }],
    Cells: ['nyc'],
    TabletControlMap: { rdonly: { Cells: null, DisableQueryService: true, BlacklistedTables: null } },
  },
  '/zk/global/vt/keyspaces/user/shards/80-': {
    MasterAlias: NONE,
    KeyRange: { Start: '80', End: '' },
    ServedTypes: [],
    Cells: [],
  },

  '/zk/global/vt/keyspaces/mixed': { served_froms: [{ tablet_type: 3, keyspace: 'main' }] },
  '/zk/global/vt/keyspaces/mixed/shards': null,
  '/zk/global/vt/keyspaces/mixed/shards/0': {
    master_alias: { cell: 'nyc', uid: 120 },
    served_types: [{ tablet_type: 1 }],
    cells: ['nyc'],
  },
  '/zk/global/vt/keyspaces/mixed/vschema': { tables: { t: {} } },

  '/zk/global/vt/vschema': {
    Keyspaces: {
      main: { Sharded: false, Tables: { user_seq: 'seq' }, Classes: { seq: { Type: 'Sequence' } } },
      user: {
        Sharded: true,
        Vindexes: { hash: { Type: 'hash', Owner: '' } },
        Tables: {
          user: { ColVindexes: [{ Col: 'id', Name: 'hash' }], Autoinc: { Col: 'id', Sequence: 'user_seq' } },
        },
      },
      mixed: { Tables: { t: {} } },
    },
  },
  '/zk/global/vt/election': null,
  '/zk/global/vt/election/vtctld': null,
  '/zk/global/vt/election/vtctld/0000000001': 'localhost:15000',
  '/zk/global/vt/notes': 'kept as it is',

  '/zk/nyc/vt/tablets': null,
  '/zk/nyc/vt/tablets/0000000100': old(nyc(100), {
    Keyspace: 'main',
    Shard: '0',
    Type: 'master',
    State: 'ReadWrite',
  }),
  '/zk/nyc/vt/tablets/0000000100/action': null,
  '/zk/nyc/vt/tablets/0000000100/pid': '{"pid": 1}',
  '/zk/nyc/vt/tablets/0000000101': old(nyc(101), {
    Keyspace: 'main',
    Shard: '0',
    Type: 'lag',
    Parent: nyc(100),
  }),
  '/zk/nyc/vt/tablets/0000000102': old(nyc(102), { Keyspace: 'main', Shard: '0', Type: 'scrap' }),
  '/zk/nyc/vt/tablets/0000000110': later(nyc(110), {
    Keyspace: 'user',
    Shard: '-80',
    Type: 'master',
    KeyRange: { Start: '', End: '80' },
  }),
  '/zk/nyc/vt/tablets/0000000111': later(nyc(111), {
    ...{ Keyspace: 'user', Shard: '-80', Type: 'batch', KeyRange: { Start: '', End: '80' } },
    Health: { replication_lag: 'high' },
  }),
  '/zk/nyc/vt/tablets/0000000120': {
    ...{ alias: { cell: 'nyc', uid: 120 }, hostname: 'localhost', port_map: { vt: 1201 } },
    ...{ keyspace: 'mixed', shard: '0', type: 1 },
  },
  '/zk/nyc/vt/tablets/copy': 'of a tablet',
  '/zk/nyc/vt/replication/user/-80': { ReplicationLinks: [{ TabletAlias: nyc(111), Parent: nyc(110) }] },
  '/zk/nyc/vt/replication/mixed/0': { nodes: [{ tablet_alias: { cell: 'nyc', uid: 120 } }] },
  '/zk/nyc/vt/ns': null,
  '/zk/nyc/vt/ns/main': { Shards: [{ KeyRange: WHOLE, TabletTypes: ['master'] }], TabletTypes: ['master'] },
  '/zk/nyc/vt/ns/main/0': { KeyRange: WHOLE, ServedTypes: null, TabletTypes: ['master'] },
  '/zk/nyc/vt/ns/main/0/master': {
    entries: [{ uid: 100, host: 'localhost', port: 0, named_port_map: { _vtocc: 1001 } }],
  },
  '/zk/nyc/vt/ns/user': {
    Partitions: {
      master: {
        ShardReferences: [
          { Name: '-80', KeyRange: { Start: '', End: '80' } },
          { Name: '80-', KeyRange: { Start: '80', End: '' } },
        ],
      },
    },
    ...{ ShardingColumnName: 'id', ShardingColumnType: 'uint64' },
  },
  '/zk/nyc/vt/ns/mixed': null,
  '/zk/nyc/vt/ns/mixed/0': { name: '0', master_cell: 'nyc' },

  '/zk/sfo/vt/tablets/0000000200': old(sfo(200), {
    Keyspace: 'main',
    Shard: '0',
    Type: 'replica',
    Parent: nyc(100),
  }),
  '/zk/sfo/vt/tablets/0000000201': old(sfo(201), {
    Keyspace: 'main',
    Shard: '0',
    Type: 'rdonly',
    Parent: sfo(200),
  }),
  '/zk/sfo/vt/vschema': { keyspaces: { mixed: { tables: { t: {} } } } },
};
