import { encode } from '../../topo/codec.js';
import type { JsonObject } from '../../topo/codec-json.js';
import { KINDS, type Kind } from '../../topo/kinds.js';

/** One record of the sample topology. */
export interface SampleRecord {
  /** `global`, or a cell. */
  readonly scope: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

const CELLS = ['zone1', 'zone2'];

interface SampleShard {
  readonly keyspace: string;
  readonly name: string;
  readonly serving: boolean;
  /** Tablets as `cell:type`, the primary first; uids count up from {@link firstUid}. */
  readonly tablets: readonly string[];
  readonly firstUid: number;
}

const FULL = ['zone1:PRIMARY', 'zone2:REPLICA', 'zone1:REPLICA', 'zone2:RDONLY'];

/** `orders/-80` is being split into `-40` and `40-80`, which do not serve yet. */
const SHARDS: readonly SampleShard[] = [
  { keyspace: 'commerce', name: '0', serving: true, tablets: FULL, firstUid: 100 },
  { keyspace: 'customer', name: '-80', serving: true, tablets: FULL, firstUid: 200 },
  { keyspace: 'customer', name: '80-', serving: true, tablets: FULL, firstUid: 300 },
  { keyspace: 'orders', name: '-80', serving: true, tablets: FULL, firstUid: 400 },
  { keyspace: 'orders', name: '80-', serving: true, tablets: FULL, firstUid: 500 },
  { keyspace: 'orders', name: '-40', serving: false, tablets: FULL.slice(0, 3), firstUid: 600 },
  { keyspace: 'orders', name: '40-80', serving: false, tablets: FULL.slice(0, 3), firstUid: 700 },
];
const KEYSPACES = [...new Set(SHARDS.map((shard) => shard.keyspace))];
const PRIMARY_SINCE = { seconds: '1780000000' };

/**
 * A small topology as Vitess would have written it: 2 cells, 3 keyspaces, one of them with a resharding in progress, 26
 * tablets, every kind of record, and a file that is none of Vitess's. CellInfo names `server` and `/vitess/<cell>`.
 */
export function sampleTopology(server: string): SampleRecord[] {
  return [...globalRecords(server), ...CELLS.flatMap(cellRecords)];
}

/** What somebody does to the sample afterwards: a replica moved to another host, a routing rule, a new metadata key. */
export function sampleChanges(): SampleRecord[] {
  const [shard] = SHARDS;
  if (shard === undefined) return [];
  const moved = {
    ...tablet(shard, 1),
    hostname: 'replacement-101.example.com',
    mysql_hostname: 'replacement-101.example.com',
  };
  return [
    { scope: 'zone2', path: tabletPath('zone2', 101), bytes: encodeKind('Tablet', moved) },
    record('RoutingRules', 'RoutingRules', routingRules(['customer', 'corder', 'invoice'])),
    { scope: 'global', path: 'metadata/on-call', bytes: Buffer.from('team-topology') },
  ];
}

function globalRecords(server: string): SampleRecord[] {
  return [
    ...CELLS.map((cell) =>
      record('CellInfo', `cells/${cell}/CellInfo`, { server_address: server, root: `/vitess/${cell}` }),
    ),
    record('CellsAlias', 'cells_aliases/region1/CellsAlias', { cells: CELLS }),
    ...KEYSPACES.map((name) => record('Keyspace', `keyspaces/${name}/Keyspace`, keyspace(name))),
    ...KEYSPACES.map((name) => record('VSchema', `keyspaces/${name}/VSchema`, vschema(name))),
    ...SHARDS.map((shard) =>
      record('Shard', `keyspaces/${shard.keyspace}/shards/${shard.name}/Shard`, shardRecord(shard)),
    ),
    record('RoutingRules', 'RoutingRules', routingRules(['customer', 'corder'])),
    record('ShardRoutingRules', 'ShardRoutingRules', {
      rules: [{ from_keyspace: 'customer', to_keyspace: 'orders', shard: '80-' }],
    }),
    record('KeyspaceRoutingRules', 'routing_rules/keyspace/Rules', {
      rules: [{ from_keyspace: 'shop', to_keyspace: 'commerce' }],
    }),
    record('MirrorRules', 'MirrorRules', {
      rules: [{ from_table: 'commerce.corder', to_table: 'orders.corder', percent: 12.5 }],
    }),
    record('ExternalVitessCluster', 'ExternalClusters/vitess/archive', {
      topo_config: { topo_type: 'etcd2', server: 'etcd.archive.example.com:2379', root: '/vitess/global' },
    }),
    record('Workflow', 'workflows/5b5a0e2e-8d7a-4a3a-9b5e-0a7a4f0d1f00/Workflow', {
      uuid: '5b5a0e2e-8d7a-4a3a-9b5e-0a7a4f0d1f00',
      factory_name: 'horizontal_resharding',
      name: 'split orders/-80',
      state: 'Running',
    }),
    { scope: 'global', path: 'metadata/owner', bytes: Buffer.from('payments') },
    { scope: 'global', path: 'custom/dashboard.bin', bytes: Uint8Array.from([0, 255, 1, 254, 128]) },
  ];
}

function cellRecords(cell: string): SampleRecord[] {
  const local = (kind: Kind, path: string, json: JsonObject) => ({
    ...record(kind, path, json),
    scope: cell,
  });
  const tablets = SHARDS.flatMap((shard) => shard.tablets.map((placed, index) => ({ shard, placed, index })));
  return [
    ...tablets
      .filter(({ placed }) => placed.startsWith(`${cell}:`))
      .map(({ shard, index }) =>
        local('Tablet', tabletPath(cell, shard.firstUid + index), tablet(shard, index)),
      ),
    ...SHARDS.map((shard) =>
      local(
        'ShardReplication',
        `keyspaces/${shard.keyspace}/shards/${shard.name}/ShardReplication`,
        replication(shard, cell),
      ),
    ),
    ...KEYSPACES.map((name) => local('SrvKeyspace', `keyspaces/${name}/SrvKeyspace`, srvKeyspace(name))),
    local('SrvVSchema', 'SrvVSchema', {
      keyspaces: Object.fromEntries(KEYSPACES.map((name) => [name, vschema(name)])),
      routing_rules: routingRules(['customer', 'corder']),
      shard_routing_rules: {},
      mirror_rules: {},
    }),
  ];
}

function record(kind: Kind, path: string, json: JsonObject): SampleRecord {
  return { scope: 'global', path, bytes: encodeKind(kind, json) };
}

function encodeKind(kind: Kind, json: JsonObject): Uint8Array {
  const message = KINDS.find((row) => row.kind === kind)?.message;
  if (message === null || message === undefined) throw new Error(`${kind} has no message`);
  return encode(message, json);
}

function tabletPath(cell: string, uid: number): string {
  return `tablets/${cell}-${String(uid).padStart(10, '0')}/Tablet`;
}

function keyspace(name: string): JsonObject {
  return { durability_policy: name === 'commerce' ? 'none' : 'semi_sync', sidecar_db_name: '_vt' };
}

function vschema(name: string): JsonObject {
  if (name === 'commerce') return { tables: { product: {} } };
  const table = { column_vindexes: [{ column: 'customer_id', name: 'hash' }] };
  return {
    sharded: true,
    vindexes: { hash: { type: 'hash' } },
    tables: name === 'customer' ? { customer: table } : { corder: table },
  };
}

function routingRules(tables: readonly string[]): JsonObject {
  return {
    rules: tables.map((table) => ({
      from_table: `commerce.${table}`,
      to_tables: [`${table === 'customer' ? 'customer' : 'orders'}.${table}`],
    })),
  };
}

function keyRange(name: string): JsonObject {
  if (!name.includes('-')) return {};
  const [start = '', end = ''] = name.split('-').map((hex) => Buffer.from(hex, 'hex').toString('base64'));
  return { key_range: { ...(start === '' ? {} : { start }), ...(end === '' ? {} : { end }) } };
}

function shardRecord(shard: SampleShard): JsonObject {
  return {
    primary_alias: { cell: 'zone1', uid: shard.firstUid },
    primary_term_start_time: PRIMARY_SINCE,
    ...keyRange(shard.name),
    is_primary_serving: shard.serving,
    ...(shard.serving ? {} : { source_shards: [{ uid: 1, keyspace: shard.keyspace, shard: '-80' }] }),
  };
}

function tablet(shard: SampleShard, index: number): JsonObject {
  const [cell = '', type = ''] = shard.tablets[index]?.split(':') ?? [];
  const uid = shard.firstUid + index;
  const hostname = `tablet-${uid}.${cell}.example.com`;
  return {
    alias: { cell, uid },
    hostname,
    port_map: { vt: 15_000 + (uid % 1000), grpc: 16_000 + (uid % 1000) },
    keyspace: shard.keyspace,
    shard: shard.name,
    ...keyRange(shard.name),
    type,
    mysql_hostname: hostname,
    mysql_port: 17_000 + (uid % 1000),
    ...(type === 'PRIMARY' ? { primary_term_start_time: PRIMARY_SINCE } : {}),
  };
}

function replication(shard: SampleShard, cell: string): JsonObject {
  const uids = shard.tablets.flatMap((placed, index) =>
    placed.startsWith(`${cell}:`) ? [shard.firstUid + index] : [],
  );
  return { nodes: uids.map((uid) => ({ tablet_alias: { cell, uid } })) };
}

function srvKeyspace(name: string): JsonObject {
  const shards = SHARDS.filter((shard) => shard.keyspace === name && shard.serving);
  const references = shards.map((shard) => ({ name: shard.name, ...keyRange(shard.name) }));
  return {
    partitions: ['PRIMARY', 'REPLICA', 'RDONLY'].map((type) => ({
      served_type: type,
      shard_references: references,
    })),
  };
}
