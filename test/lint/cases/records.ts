import { type Case, edited, keyspace } from '../planted.js';

const BROKEN = Uint8Array.of(0xff);
const TEXT = Buffer.from('x');
const kinds = [
  'global:cells/zone2/CellInfo',
  'global:cells_aliases/region1/CellsAlias',
  'global:keyspaces/orders/Keyspace',
  'global:keyspaces/orders/VSchema',
  'global:keyspaces/orders/shards/-80/Shard',
  'global:RoutingRules',
  'global:ShardRoutingRules',
  'global:routing_rules/keyspace/Rules',
  'global:MirrorRules',
  'global:ExternalClusters/vitess/archive',
  'zone1:keyspaces/orders/shards/-80/ShardReplication',
  'zone1:keyspaces/orders/SrvKeyspace',
  'zone1:SrvVSchema',
  'zone1:tablets/zone1-0000000400/Tablet',
];
const neverEmpty = kinds.filter((place) => /(Tablet|CellsAlias|RoutingRules|archive)$/.test(place));

export const RECORD_CASES: readonly Case[] = [
  ...kinds.map(
    (place): Case => ({
      id: 'undecodable',
      title: place,
      changes: [[place, BROKEN]],
      isRebuilt: false,
    }),
  ),
  ...neverEmpty.map(
    (place): Case => ({ id: 'empty-record', title: place, changes: [[place, new Uint8Array()]] }),
  ),
  {
    id: 'listed-twice',
    changes: [
      [
        'global:MirrorRules',
        {
          rules: ['orders', 'orders'].map(() => ({
            from_table: 'commerce.corder',
            to_table: 'orders.corder',
          })),
        },
      ],
    ],
    severity: 'error',
    says: /rules\[commerce.corder\]/,
  },
  {
    id: 'listed-twice',
    title: 'what is dropped with the next change',
    changes: [
      edited('zone1:keyspaces/commerce/shards/0/ShardReplication', {
        nodes: [100, 102, 102].map((uid) => ({ tablet_alias: { cell: 'zone1', uid } })),
      }),
    ],
    severity: 'note',
  },
  {
    id: 'illegal-name',
    title: 'a keyspace, told once',
    changes: keyspace('my.shop'),
    severity: 'error',
    says: /invalid character \. in name/,
  },
  { id: 'illegal-name', title: 'before 17', changes: keyspace('my.shop'), target: '16', severity: 'note' },
  { id: 'unknown-file', changes: [['global:custom/x', TEXT]] },
  { id: 'unknown-file', title: 'in a cell', changes: [['zone2:keyspaces/commerce/shards/0/x', TEXT]] },
  { id: 'misplaced-record', changes: [['global:SrvVSchema', TEXT]], says: /no SrvVSchema is kept/ },
  { id: 'not-a-tablet', changes: [['zone1:tablets-old', TEXT]] },
  {
    id: 'ignored-field',
    changes: [edited('global:keyspaces/orders/Keyspace', { sharding_column_name: 'id' })],
    says: /sharding_column_name, which nothing reads from Vitess 15 on$/,
  },
  {
    id: 'ignored-field',
    title: 'of a tablet',
    changes: [edited('zone1:tablets/zone1-0000000400/Tablet', { ip: '192.0.2.1', db_server_version: '8.0' })],
    says: /ip.*2\.2.*; db_server_version.*17/,
  },
  {
    id: 'ignored-field',
    title: 'served_types of a shard that serves',
    changes: [
      edited('global:keyspaces/commerce/shards/0/Shard', { served_types: [{ tablet_type: 'PRIMARY' }] }),
    ],
  },
  {
    id: 'ignored-setting',
    changes: [
      edited('global:keyspaces/orders/Keyspace', {
        served_froms: [{ tablet_type: 'REPLICA', keyspace: 'commerce' }],
      }),
    ],
    says: /served_froms, .* \(its place: RoutingRules\)/,
  },
  {
    id: 'ignored-setting',
    title: 'of a tablet control',
    changes: [
      edited('global:keyspaces/orders/shards/80-/Shard', {
        tablet_controls: [{ tablet_type: 'RDONLY', disable_query_service: true }],
      }),
    ],
  },
  { id: 'ignored-record', changes: [['global:workflows/1/Workflow', { uuid: '1', name: 'w' }]] },
  {
    id: 'lock-orphan',
    changes: [['global:keyspaces/commerce/locks/0000000007', TEXT]],
    at: ['global:keyspaces/commerce'],
  },
  {
    id: 'cell-unusable',
    changes: [['global:cells/zone3/CellInfo', { root: '/vitess/zone3' }]],
    says: /servers \(none\)/,
  },
  { id: 'cell-unusable', title: 'an empty record', changes: [['global:cells/zone3/CellInfo', {}]] },
  ...['/vitess/zone2', '/vitess/zone2/x', '/vitess', '/vitess/global'].map(
    (root): Case => ({
      id: 'cell-overlap',
      title: root,
      changes: (server) => [['global:cells/zone3/CellInfo', { server_address: server, root }]],
      isRebuilt: false,
    }),
  ),
  {
    id: 'alias-unknown-cell',
    changes: [edited('global:cells_aliases/region1/CellsAlias', { cells: ['zone1', 'zone2', 'zone9'] })],
    says: /no cell zone9/,
  },
  { id: 'alias-overlap', changes: [['global:cells_aliases/west/CellsAlias', { cells: ['zone2'] }]] },
  {
    id: 'alias-hidden',
    changes: [
      ['global:cells_aliases/zone1/CellsAlias', { cells: ['zone1', 'zone2'] }],
      ['global:cells_aliases/region1/CellsAlias', null],
    ],
  },
];
