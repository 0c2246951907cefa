import { type Case, edited, keyspace } from '../planted.js';

const SPLIT = 'global:keyspaces/orders/shards/-40/Shard';
const ONLY = 'global:keyspaces/commerce/shards/0/Shard';
const PRIMARY = 'zone1:tablets/zone1-0000000600/Tablet';
const shards = (...names: string[]) => names.map((name) => `global:keyspaces/${name}`);
/** The tablet that was the primary of {@link SPLIT} is a replica. */
const steppedDown = edited(PRIMARY, { type: 'REPLICA', primary_term_start_time: undefined });

export const KEYSPACE_CASES: readonly Case[] = [
  {
    id: 'keyspace-without-record',
    changes: [['global:keyspaces/old/VSchema', { sharded: true }]],
    at: ['global:keyspaces/old/Keyspace'],
    says: /but a VSchema/,
  },
  {
    id: 'keyspace-without-shards',
    changes: keyspace('new').slice(0, 2),
  },
  { id: 'keyspace-without-vschema', changes: [['global:keyspaces/commerce/VSchema', null]] },
  {
    id: 'keyspace-not-serving',
    changes: [edited(ONLY, { is_primary_serving: undefined })],
    at: shards('commerce'),
    says: /none of the shards 0 serves/,
  },
  { id: 'base-keyspace-gone', changes: keyspace('monday', { base_keyspace: 'gone' }), says: /keyspace gone/ },
  {
    id: 'served-from-gone',
    changes: [
      edited('global:keyspaces/orders/Keyspace', {
        served_froms: [{ tablet_type: 'REPLICA', keyspace: 'gone' }],
      }),
    ],
    target: '18',
  },
  {
    id: 'key-range-gap',
    changes: [edited('global:keyspaces/customer/shards/80-/Shard', { is_primary_serving: undefined })],
    at: shards('customer'),
    severity: 'error',
    says: /holds 80-$/,
  },
  {
    id: 'key-range-gap',
    title: 'of a snapshot keyspace',
    changes: [
      ...keyspace('monday').slice(0, 2),
      [
        'global:keyspaces/monday/shards/80-/Shard',
        { is_primary_serving: true, key_range: { start: 'gA==' } },
      ],
    ],
    at: shards('monday'),
    severity: 'note',
    says: /holds -80$/,
  },
  {
    id: 'key-range-overlap',
    changes: [edited(SPLIT, { is_primary_serving: true })],
    at: shards('orders'),
    says: /overlap: -40 and -80$/,
  },
  {
    id: 'key-range-empty',
    changes: [
      edited(SPLIT, {
        source_shards: [
          { uid: 1, keyspace: 'orders', shard: '-80', key_range: { start: 'gA==', end: 'QA==' } },
        ],
      }),
    ],
  },
  { id: 'shard-key-range', changes: [edited(SPLIT, { key_range: { end: 'gA==' } })], says: /stands for -40/ },
  {
    id: 'shard-upper-case',
    changes: [
      ['global:keyspaces/monday/shards/80-C0/Shard', { key_range: { start: 'gA==', end: 'wA==' } }],
      ...keyspace('monday'),
    ],
    says: /80-c0/,
  },
  {
    id: 'serving-lost',
    changes: [edited(ONLY, { is_primary_serving: undefined, served_types: [{ tablet_type: 'PRIMARY' }] })],
    isRebuilt: false,
  },
  {
    id: 'shard-without-primary',
    changes: [
      edited(SPLIT, {
        is_primary_serving: undefined,
        primary_alias: undefined,
        primary_term_start_time: undefined,
      }),
      steppedDown,
    ],
    severity: 'note',
  },
  {
    id: 'shard-without-primary',
    title: 'that serves',
    changes: [
      edited(ONLY, { primary_alias: undefined, primary_term_start_time: undefined }),
      edited('zone1:tablets/zone1-0000000100/Tablet', {
        type: 'REPLICA',
        primary_term_start_time: undefined,
      }),
    ],
    severity: 'warn',
  },
  {
    id: 'source-shard-gone',
    changes: [edited(SPLIT, { source_shards: [{ uid: 1, keyspace: 'orders', shard: '-c0' }] })],
    says: /no shard orders\/-c0/,
  },
  {
    id: 'control-unknown-cell',
    changes: [
      edited(SPLIT, {
        tablet_controls: [{ tablet_type: 'REPLICA', cells: ['zone1', 'zone9', 'region1'] }],
      }),
    ],
    says: /no cell zone9, region1, which is an alias$/,
  },
  {
    id: 'bad-alias',
    changes: [edited(SPLIT, { primary_alias: { cell: 'zone/1', uid: 600 } }), steppedDown],
  },
  {
    id: 'primary-unknown-cell',
    changes: [edited(SPLIT, { primary_alias: { cell: 'zone9', uid: 600 } }), steppedDown],
    says: /no cell zone9/,
  },
  {
    id: 'primary-gone',
    changes: [edited(SPLIT, { primary_alias: { cell: 'zone1', uid: 999 } }), steppedDown],
    says: /no tablet zone1-0000000999/,
  },
  {
    id: 'primary-elsewhere',
    changes: [edited(SPLIT, { primary_alias: { cell: 'zone1', uid: 500 } }), steppedDown],
    says: /zone1-0000000500 is a tablet of orders\/80-/,
  },
  { id: 'primary-type', changes: [steppedDown], at: [SPLIT] },
  {
    id: 'primary-term',
    changes: [
      edited(PRIMARY, { primary_term_start_time: { seconds: '1780000000', nanoseconds: 1_000_000 } }),
    ],
    at: [SPLIT],
    says: /20:26:40.000Z in the shard, .*20:26:40.001Z in the tablet/,
  },
  ...(['1770000000', '1790000000'] as const).map(
    (seconds): Case => ({
      id: 'primary-unnamed',
      title: seconds,
      changes: [
        edited('zone1:tablets/zone1-0000000602/Tablet', {
          type: 'PRIMARY',
          primary_term_start_time: { seconds },
        }),
      ],
      severity: seconds === '1790000000' ? 'error' : 'warn',
      says: seconds === '1790000000' ? /takes over$/ : /steps down$/,
    }),
  ),
];
