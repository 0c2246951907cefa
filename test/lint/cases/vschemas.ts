import type { JsonObject } from '../../../src/topo/codec-json.js';
import { type Case, type Change, edited } from '../planted.js';

const HASH = { hash: { type: 'hash' } };
const KEYED = { column_vindexes: [{ column: 'id', name: 'hash' }] };

/** The VSchema of customer with some more. */
function customer(tables: JsonObject, vindexes: JsonObject = {}): Change {
  return edited('global:keyspaces/customer/VSchema', {
    tables: { customer: KEYED, ...tables },
    vindexes: { ...HASH, ...vindexes },
  });
}

const rule = (from: string, ...to: string[]) =>
  edited('global:RoutingRules', { rules: [{ from_table: from, to_tables: to }] });

export const VSCHEMA_CASES: readonly Case[] = [
  {
    id: 'vindex-unknown',
    changes: [customer({ t: { column_vindexes: [{ column: 'id', name: 'md5' }] } })],
    says: /table t uses the vindex md5/,
  },
  {
    id: 'vindex-type-unknown',
    changes: [customer({}, { own: { type: 'own' } })],
    says: /vindex own is of type own/,
  },
  ...Object.entries<[JsonObject, RegExp]>({
    'no vindex': [{}, /no primary vindex/],
    'an unpinned sequence': [{ type: 'sequence' }, /must be pinned/],
    'no type': [{ ...KEYED, type: 'view' }, /view is no type/],
    'a bad pin': [{ pinned: '8' }, /pinned is no keyspace id/],
    'column and columns': [
      { column_vindexes: [{ column: 'id', columns: ['id'], name: 'hash' }] },
      /both set for vindex hash/,
    ],
    'no column': [{ column_vindexes: [{ name: 'hash' }] }, /no column is named/],
    'a column twice': [{ ...KEYED, columns: [{ name: 'a' }, { name: 'A' }] }, /column a is there twice/],
  }).map(
    ([title, [table, says]]): Case => ({
      id: 'table-invalid',
      title,
      changes: [customer({ t: table })],
      says,
    }),
  ),
  { id: 'owner-gone', changes: [customer({}, { l: { type: 'hash', owner: 't' } })], says: /owned by t,/ },
  ...['gone.l', 'orders.l', 'l'].map(
    (table): Case => ({
      id: 'lookup-gone',
      title: table,
      changes: [customer({}, { l: { type: 'lookup_unique', params: { table } } })],
    }),
  ),
  ...['gone.seq', 'orders.seq', 'seq', 'a.b.c'].map(
    (sequence): Case => ({
      id: 'sequence-gone',
      title: sequence,
      changes: [customer({ t: { ...KEYED, auto_increment: { column: 'id', sequence } } })],
    }),
  ),
  ...['gone.t', 'commerce.t', 'customer.customer'].map(
    (source): Case => ({
      id: 'source-gone',
      title: source,
      changes: [customer({ t: { type: 'reference', source } })],
    }),
  ),
  { id: 'rule-keyspace-gone', changes: [rule('commerce.t', 'gone.t')], says: /there is no keyspace gone/ },
  {
    id: 'rule-keyspace-gone',
    title: 'of shards',
    changes: [
      edited('global:ShardRoutingRules', {
        rules: [{ from_keyspace: 'customer', to_keyspace: 'gone', shard: '-80' }],
      }),
    ],
  },
  {
    id: 'rule-keyspace-gone',
    title: 'of keyspaces',
    changes: [
      edited('global:routing_rules/keyspace/Rules', {
        rules: [{ from_keyspace: 'shop@replica', to_keyspace: 'gone' }],
      }),
    ],
  },
  { id: 'rule-from-gone', changes: [rule('gone.t@replica', 'commerce.t')] },
  {
    id: 'rule-from-gone',
    title: 'of shards',
    changes: [
      edited('global:ShardRoutingRules', {
        rules: [{ from_keyspace: 'gone', to_keyspace: 'orders', shard: '80-' }],
      }),
    ],
  },
  { id: 'rule-table-gone', changes: [rule('commerce.t', 'customer.t')], says: /of customer has no table t$/ },
  {
    id: 'rule-table-gone',
    title: 'unqualified',
    changes: [rule('t', 'customer')],
    says: /names no keyspace/,
  },
  {
    id: 'rule-table-gone',
    title: 'mirrored',
    changes: [
      edited('global:MirrorRules', {
        rules: [{ from_table: 'commerce.t', to_table: 'orders.t', percent: 1 }],
      }),
    ],
  },
  {
    id: 'rule-shard-gone',
    changes: [
      edited('global:ShardRoutingRules', {
        rules: [{ from_keyspace: 'customer', to_keyspace: 'orders', shard: '-c0' }],
      }),
    ],
    says: /orders, which has no shard -c0/,
  },
  { id: 'several-targets', changes: [rule('commerce.t', 'commerce.t', 'commerce.u')] },
  {
    id: 'mirror-percent',
    changes: [
      edited('global:MirrorRules', {
        rules: [{ from_table: 'commerce.corder', to_table: 'orders.corder', percent: 101 }],
      }),
    ],
  },
];
