import type { JsonObject } from '../../../src/topo/codec-json.js';
import type { Sample } from './sample.js';

/**
 * One topology of generation 2 in two cells, with every kind of record of its time and nothing odd: a rebuild of its serving graph changes
 * nothing. `main` is unsharded, `user` has two shards, `old` has moved into `main` but for its batch jobs.
 */
const alias = (cell: string, uid: number) => ({ cell, uid });
const nodes = (cell: string, ...uids: number[]) => ({
  nodes: uids.map((uid) => ({ tablet_alias: alias(cell, uid) })),
});
const ports = (uid: number) => ({ grpc: uid * 10 + 2, mysql: uid * 10 + 3, vt: uid * 10 + 1 });
const HEALTH = { replication_lag: 'high' };
const endPoint = (uid: number) => ({
  ...{ uid, host: 'localhost', port_map: ports(uid) },
  ...(uid === 210 ? { health_map: HEALTH } : {}),
});
const tablet = (cell: string, uid: number, place: JsonObject, type: number): JsonObject => ({
  ...{ alias: alias(cell, uid), hostname: 'localhost', ip: '127.0.0.1', port_map: ports(uid) },
  ...place,
  ...{ type, tags: { rack: `${cell}-1` } },
});

const [MASTER, REPLICA, RDONLY, SPARE] = [1, 2, 3, 4];
const LOW = { end: 'gA==' };
const HIGH = { start: 'gA==' };
const IN_MAIN = { keyspace: 'main', shard: '0' };
const IN_LOW = { keyspace: 'user', shard: '-80', key_range: LOW };
const IN_HIGH = { keyspace: 'user', shard: '80-', key_range: HIGH };
const SERVED = [{ tablet_type: MASTER }, { tablet_type: REPLICA }, { tablet_type: RDONLY }];
const CELLS = ['nyc', 'sfo'];

const SHARDS = {
  main: { master_alias: alias('nyc', 100), served_types: SERVED, cells: CELLS },
  low: {
    ...{ master_alias: alias('nyc', 110), key_range: LOW, served_types: SERVED, cells: CELLS },
    tablet_controls: [{ tablet_type: RDONLY, cells: ['sfo'], blacklisted_tables: ['big'] }],
  },
  high: {
    ...{ master_alias: alias('sfo', 220), key_range: HIGH, served_types: SERVED, cells: CELLS },
    source_shards: [{ uid: 1, keyspace: 'main', shard: '0', key_range: HIGH, tables: ['user'] }],
  },
} satisfies Record<string, JsonObject>;

const KEYSPACES = {
  main: {},
  old: {
    served_froms: [
      { tablet_type: MASTER, keyspace: 'main' },
      { tablet_type: REPLICA, cells: ['nyc'], keyspace: 'main' },
    ],
  },
  user: { sharding_column_name: 'id', sharding_column_type: 1, split_shard_count: 2 },
} satisfies Record<string, JsonObject>;

const VSCHEMAS = {
  main: { tables: { name_id: {}, user_seq: { type: 'sequence' } } },
  user: {
    sharded: true,
    vindexes: {
      hash: { type: 'hash' },
      name: { type: 'lookup', params: { table: 'name_id' }, owner: 'user' },
    },
    tables: {
      user: {
        column_vindexes: [
          { column: 'id', name: 'hash' },
          { column: 'name', name: 'name' },
        ],
        auto_increment: { column: 'id', sequence: 'user_seq' },
      },
    },
  },
} satisfies Record<string, JsonObject>;

const partitions = (...references: JsonObject[]) =>
  [MASTER, REPLICA, RDONLY].map((served_type) => ({ served_type, shard_references: references }));
const GRAPH = {
  main: { partitions: partitions({ name: '0' }) },
  user: {
    partitions: partitions({ name: '-80', key_range: LOW }, { name: '80-', key_range: HIGH }),
    ...{ sharding_column_name: 'id', sharding_column_type: 1 },
  },
} satisfies Record<string, JsonObject>;
const OLD_GRAPH = (cell: string): JsonObject => ({
  served_from: [MASTER, ...(cell === 'nyc' ? [REPLICA] : [])].map((tablet_type) => ({
    tablet_type,
    keyspace: 'main',
  })),
});

const TABLETS: Readonly<Record<string, JsonObject>> = {
  'nyc-0000000100': tablet('nyc', 100, IN_MAIN, MASTER),
  'nyc-0000000101': tablet('nyc', 101, IN_MAIN, REPLICA),
  'nyc-0000000110': tablet('nyc', 110, IN_LOW, MASTER),
  'nyc-0000000111': { ...tablet('nyc', 111, IN_LOW, RDONLY), db_name_override: 'low' },
  'nyc-0000000120': tablet('nyc', 120, IN_HIGH, REPLICA),
  'sfo-0000000200': tablet('sfo', 200, IN_MAIN, REPLICA),
  'sfo-0000000210': { ...tablet('sfo', 210, IN_LOW, REPLICA), health_map: HEALTH },
  'sfo-0000000220': tablet('sfo', 220, IN_HIGH, MASTER),
  'sfo-0000000221': tablet('sfo', 221, IN_HIGH, SPARE),
};
const REPLICATION = {
  nyc: { main: nodes('nyc', 100, 101), low: nodes('nyc', 110, 111), high: nodes('nyc', 120) },
  sfo: { main: nodes('sfo', 200), low: nodes('sfo', 210), high: nodes('sfo', 220, 221) },
};
const SRV_SHARDS = {
  main: { name: '0', master_cell: 'nyc' },
  low: { name: '-80', key_range: LOW, master_cell: 'nyc' },
  high: { name: '80-', key_range: HIGH, master_cell: 'sfo' },
};
/** `<keyspace>/<shard>/<type>` of each cell, and who is there. */
const END_POINTS: Readonly<Record<string, readonly [place: string, ...uids: number[]][]>> = {
  nyc: [
    ['main/0/master', 100],
    ['main/0/replica', 101],
    ['user/-80/master', 110],
    ['user/-80/rdonly', 111],
    ['user/80-/replica', 120],
  ],
  sfo: [
    ['main/0/replica', 200],
    ['user/-80/replica', 210],
    ['user/80-/master', 220],
  ],
};

/** Records that are kept as bytes. */
const RAW = {
  RoutingRules: '\n\u000e\n\u0001t\u0012\tuser.user',
  'metadata/tool': 'kept as it is',
  'workflows/1/Workflow': '\n\u00011\u0012\u0004copy',
};

const srvVSchema = { keyspaces: { ...VSCHEMAS, old: {} } };
const companions = (path: string, ...names: string[]): Sample =>
  Object.fromEntries(names.map((name) => [`${path}/${name}`, null]));

const KS = '/zk/global/vt/keyspaces';
const zookeeperCell = (cell: 'nyc' | 'sfo'): Sample => {
  const [vt, { main, low, high }] = [`/zk/${cell}/vt`, REPLICATION[cell]];
  const tablets = Object.entries(TABLETS).filter(([name]) => name.startsWith(cell));
  return {
    ...Object.fromEntries(
      tablets.flatMap(([name, json]) => {
        const path = `${vt}/tablets/${name.slice(-10)}`;
        return [[path, json], ...Object.entries(companions(path, 'action', 'actionlog'))];
      }),
    ),
    [`${vt}/replication/main/0`]: main,
    [`${vt}/replication/user/-80`]: low,
    [`${vt}/replication/user/80-`]: high,
    [`${vt}/ns/main`]: GRAPH.main,
    [`${vt}/ns/old`]: OLD_GRAPH(cell),
    [`${vt}/ns/user`]: GRAPH.user,
    [`${vt}/ns/main/0`]: SRV_SHARDS.main,
    [`${vt}/ns/user/-80`]: SRV_SHARDS.low,
    [`${vt}/ns/user/80-`]: SRV_SHARDS.high,
    ...Object.fromEntries(
      (END_POINTS[cell] ?? []).map(([place, ...uids]) => [
        `${vt}/ns/${place}`,
        { entries: uids.map(endPoint) },
      ]),
    ),
    [`${vt}/vschema`]: srvVSchema,
  };
};

/** As a legacy `zookeeper` tree. */
export const WHOLE_ZOOKEEPER: Sample = {
  [`${KS}/main`]: KEYSPACES.main,
  ...companions(`${KS}/main`, 'action', 'actionlog', 'shards'),
  [`${KS}/main/shards/0`]: SHARDS.main,
  ...companions(`${KS}/main/shards/0`, 'action', 'actionlog'),
  [`${KS}/main/vschema`]: VSCHEMAS.main,
  [`${KS}/old`]: KEYSPACES.old,
  ...companions(`${KS}/old`, 'action', 'actionlog', 'shards'),
  [`${KS}/user`]: KEYSPACES.user,
  ...companions(`${KS}/user`, 'action', 'actionlog', 'shards'),
  [`${KS}/user/shards/-80`]: SHARDS.low,
  ...companions(`${KS}/user/shards/-80`, 'action', 'actionlog'),
  [`${KS}/user/shards/80-`]: SHARDS.high,
  ...companions(`${KS}/user/shards/80-`, 'action', 'actionlog'),
  [`${KS}/user/vschema`]: VSCHEMAS.user,
  ...Object.fromEntries(Object.entries(RAW).map(([path, text]) => [`/zk/global/vt/${path}`, text])),
  ...zookeeperCell('nyc'),
  ...zookeeperCell('sfo'),
};

const etcdCell = (cell: 'nyc' | 'sfo'): Sample => {
  const { main, low, high } = REPLICATION[cell];
  const tablets = Object.entries(TABLETS).filter(([name]) => name.startsWith(cell));
  return {
    ...Object.fromEntries(tablets.map(([name, json]) => [`/vt/tablets/${name}/_Data`, json])),
    '/vt/replication/main/0/_Data': main,
    '/vt/replication/user/-80/_Data': low,
    '/vt/replication/user/80-/_Data': high,
    '/vt/ns/main/_Data': GRAPH.main,
    '/vt/ns/old/_Data': OLD_GRAPH(cell),
    '/vt/ns/user/_Data': GRAPH.user,
    '/vt/ns/main/0/_Data': SRV_SHARDS.main,
    '/vt/ns/user/-80/_Data': SRV_SHARDS.low,
    '/vt/ns/user/80-/_Data': SRV_SHARDS.high,
    ...Object.fromEntries(
      (END_POINTS[cell] ?? []).map(([place, ...uids]) => [
        `/vt/ns/${place}/_Data`,
        { entries: uids.map(endPoint) },
      ]),
    ),
    '/vt/ns/_VSchema': srvVSchema,
  };
};

/** As legacy `etcd` stores, by cell; `addresses`: of the cells’ servers. */
export function wholeEtcd(addresses: Readonly<Record<'nyc' | 'sfo', string>>) {
  const global: Sample = {
    '/vt/keyspaces/main/_Data': KEYSPACES.main,
    '/vt/keyspaces/main/_Lock': 'open',
    '/vt/keyspaces/main/0/_Data': SHARDS.main,
    '/vt/keyspaces/main/0/_Lock': 'open',
    '/vt/keyspaces/main/_VSchema': VSCHEMAS.main,
    '/vt/keyspaces/old/_Data': KEYSPACES.old,
    '/vt/keyspaces/old/_Lock': 'open',
    '/vt/keyspaces/user/_Data': KEYSPACES.user,
    '/vt/keyspaces/user/_Lock': '',
    '/vt/keyspaces/user/-80/_Data': SHARDS.low,
    '/vt/keyspaces/user/-80/_Lock': 'open',
    '/vt/keyspaces/user/80-/_Data': SHARDS.high,
    '/vt/keyspaces/user/80-/_Lock': 'open',
    '/vt/keyspaces/user/_VSchema': VSCHEMAS.user,
    '/vt/cells/nyc': addresses.nyc,
    '/vt/cells/sfo': addresses.sfo,
    ...Object.fromEntries(Object.entries(RAW).map(([path, text]) => [`/vt/${path}`, text])),
  };
  return { global, nyc: etcdCell('nyc'), sfo: etcdCell('sfo') };
}

const TYPES = ['PRIMARY', 'REPLICA', 'RDONLY'];
const served = TYPES.map((tablet_type) => ({ tablet_type }));
const today = (...references: JsonObject[]) =>
  TYPES.map((served_type) => ({ served_type, shard_references: references }));
const todayGraph = {
  main: { partitions: today({ name: '0' }) },
  user: {
    partitions: today({ name: '-80', key_range: LOW }, { name: '80-', key_range: HIGH }),
    ...{ sharding_column_name: 'id', sharding_column_type: 'UINT64' },
  },
};
const TODAY_TYPES = new Map([
  [MASTER, 'PRIMARY'],
  [REPLICA, 'REPLICA'],
  [RDONLY, 'RDONLY'],
  [SPARE, 'SPARE'],
]);

/** The canonical tree, by `scope:path`, as JSON of today; CellInfo, which each store has in its own way, left out. */
export const WHOLE_RECORDS: Readonly<Record<string, JsonObject | string>> = {
  'global:RoutingRules': { rules: [{ from_table: 't', to_tables: ['user.user'] }] },
  'global:keyspaces/main/Keyspace': {},
  'global:keyspaces/main/VSchema': VSCHEMAS.main,
  'global:keyspaces/main/shards/0/Shard': {
    primary_alias: alias('nyc', 100),
    served_types: served,
    cells: CELLS,
  },
  'global:keyspaces/old/Keyspace': {
    served_froms: [
      { tablet_type: 'PRIMARY', keyspace: 'main' },
      { tablet_type: 'REPLICA', cells: ['nyc'], keyspace: 'main' },
    ],
  },
  'global:keyspaces/user/Keyspace': {
    ...{ sharding_column_name: 'id', sharding_column_type: 'UINT64', split_shard_count: 2 },
  },
  'global:keyspaces/user/VSchema': VSCHEMAS.user,
  'global:keyspaces/user/shards/-80/Shard': {
    ...{ primary_alias: alias('nyc', 110), key_range: LOW, served_types: served, cells: CELLS },
    tablet_controls: [{ tablet_type: 'RDONLY', cells: ['sfo'], denied_tables: ['big'] }],
  },
  'global:keyspaces/user/shards/80-/Shard': {
    ...{ primary_alias: alias('sfo', 220), key_range: HIGH, served_types: served, cells: CELLS },
    source_shards: [{ uid: 1, keyspace: 'main', shard: '0', key_range: HIGH, tables: ['user'] }],
  },
  'global:metadata/tool': 'kept as it is',
  'global:workflows/1/Workflow': { uuid: '1', factory_name: 'copy' },
  ...Object.fromEntries(
    (['nyc', 'sfo'] as const).flatMap((cell): [string, JsonObject][] => [
      [`${cell}:SrvVSchema`, srvVSchema],
      [`${cell}:keyspaces/main/SrvKeyspace`, todayGraph.main],
      [
        `${cell}:keyspaces/old/SrvKeyspace`,
        {
          served_from: ['PRIMARY', ...(cell === 'nyc' ? ['REPLICA'] : [])].map((tablet_type) => ({
            ...{ tablet_type, keyspace: 'main' },
          })),
        },
      ],
      [`${cell}:keyspaces/user/SrvKeyspace`, todayGraph.user],
      [`${cell}:keyspaces/main/shards/0/ShardReplication`, REPLICATION[cell].main],
      [`${cell}:keyspaces/user/shards/-80/ShardReplication`, REPLICATION[cell].low],
      [`${cell}:keyspaces/user/shards/80-/ShardReplication`, REPLICATION[cell].high],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(TABLETS).map(([name, json]) => [
      `${name.slice(0, 3)}:tablets/${name}/Tablet`,
      { ...json, type: TODAY_TYPES.get(Number(json['type'])) ?? '' },
    ]),
  ),
};
