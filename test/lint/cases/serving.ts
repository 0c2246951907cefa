import { type Case, type Change, edited, keyspace } from '../planted.js';

const CUSTOMER = 'zone1:keyspaces/customer/SrvKeyspace';
const ORDERS = 'zone1:keyspaces/orders/SrvKeyspace';
const halves = [
  { name: '-80', key_range: { end: 'gA==' } },
  { name: '80-', key_range: { start: 'gA==' } },
];
const partitions = (...references: object[][]) =>
  ['PRIMARY', 'REPLICA', 'RDONLY'].map((served_type, index) => ({
    served_type,
    shard_references: references[index] ?? halves,
  })) as never;
const both = ['zone1:SrvVSchema', 'zone2:SrvVSchema'];

export const SERVING_CASES: readonly Case[] = [
  {
    id: 'graph-stale',
    changes: [edited('global:RoutingRules', { rules: [{ from_table: 'commerce.t', to_tables: [] }] })],
    isRebuilt: false,
    at: both,
    says: /routing_rules/,
  },
  {
    id: 'graph-stale',
    title: 'of a keyspace',
    changes: [[ORDERS, { partitions: partitions([{ name: '-' }]) }]],
    isRebuilt: false,
    says: /partitions\[primary\]/,
  },
  {
    id: 'graph-missing',
    changes: [['zone1:keyspaces/commerce/SrvKeyspace', null]],
    isRebuilt: false,
    severity: 'error',
  },
  {
    id: 'graph-missing',
    title: 'SrvVSchema',
    changes: [['zone2:SrvVSchema', null]],
    isRebuilt: false,
    severity: 'warn',
  },
  {
    id: 'graph-refused',
    changes: [
      [
        ORDERS,
        {
          partitions: [
            {
              served_type: 'RDONLY',
              shard_references: halves,
              shard_tablet_controls: [
                { name: '80-', key_range: { start: 'gA==' }, query_service_disabled: true },
              ],
            },
          ],
        },
      ],
    ],
    isRebuilt: false,
    at: ['global:keyspaces/orders'],
    says: /while a migration is on going/,
  },
  { id: 'srv-keyspace-gone', changes: [['zone1:keyspaces/gone/SrvKeyspace', {}]] },
  {
    id: 'srv-vschema-lacks',
    changes: keyspace('monday'),
    isRebuilt: false,
    at: both,
    says: /lacks monday$/,
  },
  {
    id: 'srv-vschema-gone',
    changes: keyspace('monday'),
    afterwards: [
      ...keyspace('monday').map(([place]): Change => [place, null]),
      ['zone1:keyspaces/monday/SrvKeyspace', null],
      ['zone2:keyspaces/monday/SrvKeyspace', null],
    ],
    at: both,
    says: /has monday$/,
  },
  {
    id: 'partition-cover',
    changes: [[CUSTOMER, { partitions: partitions(halves.slice(0, 1)) }]],
    isRebuilt: false,
    says: /partitions\[0\]: its shards end at 80/,
  },
  {
    id: 'reference-key-range',
    changes: [
      [
        CUSTOMER,
        {
          partitions: partitions([
            { name: '-80', key_range: { start: 'gA==' } },
            { name: '80-', key_range: { end: 'gA==' } },
          ]),
        },
      ],
    ],
    isRebuilt: false,
    at: [CUSTOMER, CUSTOMER],
  },
];
