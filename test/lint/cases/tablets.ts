import { type Case, edited, tablet } from '../planted.js';

const REPLICA = 'zone1:tablets/zone1-0000000602/Tablet';
const NEW = 'zone1:tablets/zone1-0000000900/Tablet';
const ORDERS = 'zone1:keyspaces/orders/shards/-40/ShardReplication';
const COMMERCE = 'zone1:keyspaces/commerce/shards/0/ShardReplication';
const STOPPED = { hostname: undefined, mysql_hostname: undefined, port_map: undefined };
const nodes = (...uids: number[]) => ({
  nodes: uids.map((uid) => ({ tablet_alias: { cell: 'zone1', uid } })),
});

export const TABLET_CASES: readonly Case[] = [
  {
    id: 'tablet-directory',
    changes: [tablet('zone1:tablets/zone1-900/Tablet', { keyspace: 'commerce', shard: '0' })],
    says: /zone1-0000000900/,
  },
  { id: 'alias-mismatch', changes: [edited(REPLICA, { alias: { cell: 'zone1', uid: 603 } })] },
  {
    id: 'wrong-cell',
    changes: [tablet('zone1:tablets/zone2-0000000900/Tablet', { keyspace: 'commerce', shard: '0' })],
  },
  {
    id: 'tablet-shard-gone',
    changes: [tablet(NEW, { keyspace: 'commerce', shard: '1' })],
    says: /no shard commerce\/1/,
  },
  {
    id: 'tablet-shard-gone',
    title: 'with its keyspace',
    changes: [tablet(NEW, { keyspace: 'x', shard: '0' })],
  },
  { id: 'tablet-without-keyspace', changes: [tablet(NEW, { type: 'SPARE' })] },
  { id: 'tablet-key-range', changes: [edited(REPLICA, { key_range: { end: 'gA==' } })] },
  { id: 'tablet-type-unknown', changes: [edited(REPLICA, { type: undefined })], severity: 'warn' },
  {
    id: 'tablet-type-unknown',
    title: 'of an alpha',
    changes: [edited(REPLICA, { type: 9 })],
    severity: 'error',
  },
  { id: 'blank-hostname', changes: [edited(REPLICA, STOPPED)], severity: 'note' },
  {
    id: 'blank-hostname',
    title: 'with ports',
    changes: [edited(REPLICA, { hostname: undefined })],
    severity: 'warn',
    says: /but a mysql_hostname and ports$/,
  },
  {
    id: 'blank-hostname',
    title: 'of a primary',
    changes: [edited('zone1:tablets/zone1-0000000600/Tablet', STOPPED)],
    severity: 'warn',
  },
  { id: 'bad-port', changes: [edited(REPLICA, { mysql_port: 70_000 })] },
  { id: 'replication-missing', changes: [edited(ORDERS, nodes(600))], says: /zone1-0000000602/ },
  {
    id: 'replication-missing',
    title: 'no record at all',
    changes: [[COMMERCE, null]],
    at: [COMMERCE, COMMERCE],
  },
  { id: 'replication-gone', changes: [edited(ORDERS, nodes(600, 602, 999))], says: /zone1-0000000999/ },
  {
    id: 'replication-elsewhere',
    changes: [edited(ORDERS, nodes(600, 602, 100))],
    says: /zone1-0000000100, as that of commerce\/0 does/,
  },
  {
    id: 'replication-elsewhere',
    title: 'and not where it belongs',
    changes: [edited(ORDERS, nodes(600, 602, 102)), edited(COMMERCE, nodes(100))],
    says: /zone1-0000000102, which is of commerce\/0/,
  },
  {
    id: 'replication-wrong-cell',
    changes: [
      edited(ORDERS, {
        nodes: [...nodes(600, 602).nodes, { tablet_alias: { cell: 'zone2', uid: 601 } }],
      }),
    ],
  },
  {
    id: 'bad-alias',
    title: 'in ShardReplication',
    changes: [edited(ORDERS, { nodes: [...nodes(600, 602).nodes, {}] })],
  },
  {
    id: 'replication-shard-gone',
    changes: [['zone1:keyspaces/commerce/shards/1/ShardReplication', nodes(9)]],
  },
];
