/** Where a topology's stores are, for command lines. */
export interface Place {
  /** What Vitess's documentation calls $TOPOLOGY. */
  readonly topology: readonly string[];
  readonly servers: string;
  root(scope: string): string;
}

/** A place by Vitess's triple, in its own spelling. */
export function placeOf(
  implementation: string,
  servers: string,
  root: (scope: string) => string = (scope) => `/vitess/${scope}`,
): Place {
  const topology = [
    ...['-topo_implementation', implementation],
    ...['-topo_global_server_address', servers],
    ...['-topo_global_root', root('global')],
  ];
  return { topology, servers, root };
}

/** A command line for a place: `$S` stands for its servers, `$R(scope)` for a root. */
export function lineOf({ topology, servers, root }: Place, line: string): string[] {
  const words = line
    .split(' ')
    .map((word) => word.replace('$S', servers).replace(/\$R\((\w+)\)/, (_, scope: string) => root(scope)));
  return ['vtctl', ...topology, ...words];
}

/** Lines that build a small topology, one after the other. */
export const BUILDING = [
  'AddCellInfo -server_address $S -root $R(zone1) zone1',
  'AddCellInfo --server-address=$S --root=$R(zone2) zone2',
  'AddCellsAlias -cells zone1,zone2 east',
  'CreateKeyspace commerce',
  'CreateKeyspace -durability-policy=semi_sync customer',
  'CreateKeyspace -force customer',
  'CreateShard commerce/0',
  'CreateShard -force customer/-80',
  'CreateShard customer/80-',
  'InitTablet -hostname h100 -port 15100 -grpc_port 16100 -mysql_host m100 -mysql_port 17100 -tags rack:7,role:cache -keyspace commerce -shard 0 zone1-100 master',
  'InitTablet -hostname h101 -port 15101 -grpc_port 16101 -keyspace commerce -shard 0 zone2-0000000101 replica',
  'InitTablet -keyspace customer -shard -80 zone1-200 PRIMARY',
  'InitTablet -parent -keyspace archive -shard 80- zone2-300 rdonly',
  'ApplyVSchema -vschema {"sharded":true,"vindexes":{"hash":{"type":"hash"}}} customer',
  'ApplyRoutingRules -rules {"rules":[{"from_table":"corder","to_tables":["customer.corder"]}]}',
  'ApplyShardRoutingRules -rules {"rules":[{"from_keyspace":"a","to_keyspace":"customer","shard":"-80"}]} -skip_rebuild',
  'RebuildVSchemaGraph',
  'RebuildKeyspaceGraph commerce customer',
] as const;

const TERM = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';

/** Lines that look at that topology, and what they print: text, a pattern of it, or JSON. */
export const LOOKING: readonly (readonly [line: string, printed: string | RegExp | object])[] = [
  ['GetCellInfoNames', 'zone1\nzone2\n'],
  ['getcellinfonames', 'zone1\nzone2\n'],
  ['GetCellsAliases', { east: { cells: ['zone1', 'zone2'] } }],
  ['GetKeyspaces', 'archive\ncommerce\ncustomer\n'],
  [
    'GetKeyspace customer',
    {
      keyspace_type: 0,
      base_keyspace: '',
      snapshot_time: null,
      durability_policy: 'semi_sync',
      throttler_config: null,
      sidecar_db_name: '_vt',
      vtorc_state: null,
      query_throttler_config: null,
    },
  ],
  [
    'GetShard customer/80-',
    {
      primary_alias: null,
      primary_term_start_time: null,
      key_range: { start: 'gA==', end: '' },
      source_shards: [],
      tablet_controls: [],
      is_primary_serving: true,
      vtorc_state: null,
    },
  ],
  ['FindAllShardsInKeyspace archive', { '80-': { key_range: { start: 'gA==' }, is_primary_serving: true } }],
  [
    'GetTablet zone2-101',
    {
      alias: { cell: 'zone2', uid: 101 },
      hostname: 'h101',
      port_map: { grpc: 16101, vt: 15101 },
      keyspace: 'commerce',
      shard: '0',
      key_range: null,
      type: 2,
      db_name_override: '',
      tags: {},
      mysql_hostname: '',
      mysql_port: 0,
      primary_term_start_time: null,
      default_conn_collation: 0,
      tablet_start_time: null,
      tablet_shutdown_time: null,
    },
  ],
  [
    'ListAllTablets',
    new RegExp(
      `^zone1-0000000100 commerce 0 primary h100:15100 m100:17100 \\[rack: "7" role: "cache"\\] ${TERM}\n` +
        `zone1-0000000200 customer -80 primary :0 :0 \\[\\] ${TERM}\n` +
        'zone2-0000000101 commerce 0 replica h101:15101 :0 \\[\\] <null>\n' +
        'zone2-0000000300 archive 80- rdonly :0 :0 \\[\\] <null>\n$',
    ),
  ],
  ['ListAllTablets zone2 -tablet_type rdonly', 'zone2-0000000300 archive 80- rdonly :0 :0 [] <null>\n'],
  ['GetTablets --keyspace archive', 'zone2-0000000300 archive 80- rdonly :0 :0 [] <null>\n'],
  ['ListTablets zone2-300', 'zone2-0000000300 archive 80- rdonly :0 :0 [] <null>\n'],
  [
    'ListShardTablets commerce/0',
    /^zone1-0000000100 commerce 0 primary .*\nzone2-0000000101 commerce 0 replica .*\n$/,
  ],
  ['GetShardReplication zone2 commerce/0', { nodes: [{ tablet_alias: { cell: 'zone2', uid: 101 } }] }],
  ['GetSrvKeyspaceNames zone1', 'commerce\ncustomer\n'],
  [
    'GetSrvKeyspace zone2 commerce',
    {
      partitions: [1, 2, 3].map((type) => ({
        served_type: type,
        shard_references: [{ name: '0', key_range: null }],
        shard_tablet_controls: [],
      })),
      throttler_config: null,
      query_throttler_config: null,
    },
  ],
  ['GetVSchema customer', { sharded: true, vindexes: { hash: { type: 'hash' } } }],
  ['GetVSchema commerce', {}],
  ['GetRoutingRules', { rules: [{ from_table: 'corder', to_tables: ['customer.corder'] }] }],
  ['GetShardRoutingRules', { rules: [{ from_keyspace: 'a', to_keyspace: 'customer', shard: '-80' }] }],
  ['GetKeyspaceRoutingRules', {}],
  [
    'GetSrvVSchema zone1',
    {
      keyspaces: Object.fromEntries(
        ['archive', 'commerce', 'customer'].map((name) => [
          name,
          {
            sharded: name === 'customer',
            vindexes: name === 'customer' ? { hash: { type: 'hash', params: {}, owner: '' } } : {},
            tables: {},
            require_explicit_routing: false,
            foreign_key_mode: 0,
            multi_tenant_spec: null,
          },
        ]),
      ),
      routing_rules: { rules: [{ from_table: 'corder', to_tables: ['customer.corder'] }] },
      shard_routing_rules: { rules: [{ from_keyspace: 'a', to_keyspace: 'customer', shard: '-80' }] },
      keyspace_routing_rules: null,
      mirror_rules: { rules: [] },
    },
  ],
];

/** Lines that look at records as they are stored, and what they print. */
export const SHOWING: typeof LOOKING = [
  [
    'TopoCat -decode_proto -long /keyspaces/*/Keyspace',
    new RegExp(
      '^path=/keyspaces/archive/Keyspace version=\\d+\n\n' +
        'path=/keyspaces/commerce/Keyspace version=\\d+\ndurability_policy:"none" sidecar_db_name:"_vt"\n' +
        'path=/keyspaces/customer/Keyspace version=\\d+\ndurability_policy:"semi_sync" sidecar_db_name:"_vt"\n$',
    ),
  ],
  [
    'TopoCat -decode_proto keyspaces/customer/shards/80-/Shard',
    'key_range:{start:"\\x80"} is_primary_serving:true\n',
  ],
  [
    'TopoCat -cell zone2 -decode_proto_json /keyspaces/commerce/shards/0/ShardReplication',
    '[{"nodes":[{"tablet_alias":{"cell":"zone2","uid":101}}]}]\n',
  ],
  ['TopoCat -decode_proto_json /keyspaces/archive/VSchema /keyspaces/commerce/VSchema', '[{},{}]\n'],
  ['TopoCat /keyspaces/x*/Keyspace', ''],
  [
    'GetTopologyPath /',
    { name: '', path: '/', data: '', children: ['global', 'zone1', 'zone2'], version: '0' },
  ],
  [
    'GetTopologyPath /global/keyspaces',
    {
      name: 'keyspaces',
      path: '/global/keyspaces',
      data: '',
      children: ['archive', 'commerce', 'customer'],
      version: '0',
    },
  ],
  [
    'GetTopologyPath /zone2/keyspaces/commerce/shards/0/ShardReplication',
    /"data": "nodes:\{tablet_alias:\{cell:\\"zone2\\" uid:101\}\}",\n {2}"children": \[\],\n {2}"version": "\d+"/,
  ],
  ['GetTopologyPath --data-as-json /global/keyspaces/commerce/shards/0/Shard', /"is_primary_serving": true/],
];

/** Lines that take that topology apart again, but for its cells. */
export const TAKING_APART = [
  'SetShardIsPrimaryServing customer/80- false',
  'DeleteTablet zone2-101',
  'DeleteTablet -allow_primary zone1-100',
  'DeleteShard -even_if_serving commerce/0',
  'DeleteKeyspace commerce',
  'DeleteKeyspace -recursive customer',
  'DeleteKeyspace --recursive=true archive',
  'ApplyRoutingRules -rules {}',
  'ApplyShardRoutingRules -rules {}',
  'RebuildVSchemaGraph -cells zone1,zone2',
  'UpdateCellsAlias -cells zone1 east',
  'DeleteCellsAlias east',
  'UpdateCellInfo -root $R(zone2) zone2',
  'DeleteCellInfo zone2',
  'DeleteCellInfo -force zone1',
] as const;
