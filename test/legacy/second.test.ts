import { describe, expect, test } from 'vitest';
import { filledIn } from '../../src/graph/filled-in.js';
import { OLD_MESSAGES, type OldKind, type OldRecord } from '../../src/legacy/places.js';
import { readOld } from '../../src/legacy/read.js';
import type { Numbering } from '../../src/legacy/reading.js';
import { writeOld } from '../../src/legacy/write.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import type { LossKind } from '../../src/topo/told.js';

const at = (kind: OldKind): OldRecord => ({ kind, path: 'p', cell: 'nyc' });

function read(kind: OldKind, json: unknown, numbering: Numbering = 'current') {
  const value = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const { bytes, ...told } = readOld(at(kind), value, { numbering });
  return { ...told, json: bytes === undefined ? undefined : decode(OLD_MESSAGES[kind], bytes).json };
}

function write(
  kind: OldKind,
  json: JsonObject,
  accepted: LossKind[] = [],
  numbering: Numbering = 'current',
): string {
  const options = { numbering, accepted: new Set(accepted) };
  return Buffer.from(writeOld(at(kind), encode(OLD_MESSAGES[kind], json), options).value).toString();
}

describe('as Go wrote it', () => {
  test('a Shard', () => {
    const text = `{
  "master_alias": {
    "cell": "nyc",
    "uid": 100
  },
  "key_range": {
    "end": "gA=="
  },
  "served_types": [
    {
      "tablet_type": 1
    },
    {
      "tablet_type": 3,
      "cells": [
        "nyc"
      ]
    }
  ],
  "cells": [
    "nyc"
  ],
  "tablet_controls": [
    {
      "tablet_type": 2,
      "disable_query_service": true,
      "blacklisted_tables": [
        "a\\u003cb\\u0026c\\u003e\\u2028\\u0008\\\\b"
      ]
    }
  ]
}`;
    const json = {
      primary_alias: { cell: 'nyc', uid: 100 },
      key_range: { end: 'gA==' },
      served_types: [{ tablet_type: 'PRIMARY' }, { tablet_type: 'RDONLY', cells: ['nyc'] }],
      cells: ['nyc'],
      tablet_controls: [
        { tablet_type: 'REPLICA', disable_query_service: true, denied_tables: ['a<b&c>\u2028\b\\b'] },
      ],
    };
    expect(write('Shard', json)).toBe(text);
    expect(read('Shard', text)).toEqual({ generation: 2, json, losses: [], derived: [], notes: [] });
  });

  test('a Tablet: entries of maps are sorted and none is left out, what is at its default is', () => {
    const json = { port_map: { vt: 8101, grpc: 0 }, tags: { b: '', a: 'x' }, type: 'SPARE', keyspace: '' };
    const text = '{"port_map":{"grpc":0,"vt":8101},"type":4,"tags":{"a":"x","b":""}}';
    expect(JSON.stringify(JSON.parse(write('Tablet', json)))).toBe(text);
  });

  test('a record without fields is an empty object, and no bytes are one too', () => {
    expect(write('Keyspace', {})).toBe('{}');
    expect(read('Shard', '')).toMatchObject({ generation: undefined, json: {}, losses: [] });
  });

  test('an empty key range is there, and an absent one is not', () => {
    expect(write('Shard', { key_range: {} })).toBe('{\n  "key_range": {}\n}');
    expect(read('Shard', { key_range: {} }).json).toEqual({ key_range: {} });
    expect(read('Shard', { key_range: null }).json).toEqual({});
  });
});

describe('other spellings', () => {
  test.each([
    ['today’s names', { primary_alias: { cell: 'nyc', uid: 1 } }],
    ['the names of then', { master_alias: { cell: 'nyc', uid: 1 } }],
    ['jsonpb’s names', { masterAlias: { cell: 'nyc', uid: 1 } }],
  ])('%s', (_, json) => {
    expect(read('Shard', json)).toMatchObject({
      json: { primary_alias: { cell: 'nyc', uid: 1 } },
      losses: [],
    });
  });

  test('enums as words, in any case, and as numbers that no version has', () => {
    expect(read('Tablet', { type: 'MASTER' }).json).toEqual({ type: 'PRIMARY' });
    expect(read('Tablet', { type: 'batch' }).json).toEqual({ type: 'RDONLY' });
    expect(read('Tablet', { type: 77 }).json).toEqual({ type: 77 });
    expect(read('Keyspace', { sharding_column_type: 'BYTES' }).json).toEqual({
      sharding_column_type: 'BYTES',
    });
    expect(read('Keyspace', { sharding_column_type: 1 }).json).toEqual({ sharding_column_type: 'UINT64' });
  });

  test('the names of June 2015', () => {
    expect(read('Tablet', { portmap: { vt: 1 } }).json).toEqual({ port_map: { vt: 1 } });
    expect(
      read('ShardReplication', { replication_links: [{ tablet_alias: { cell: 'a', uid: 1 } }] }).json,
    ).toEqual({
      nodes: [{ tablet_alias: { cell: 'a', uid: 1 } }],
    });
    expect(read('Shard', { served_type_map: [{ tablet_type: 1 }] }).json).toEqual({
      served_types: [{ tablet_type: 'PRIMARY' }],
    });
  });

  test('lists by type as objects, maps as lists of entries', () => {
    expect(read('Shard', { served_types: { 1: { cells: ['a'] }, replica: {} } }).json).toEqual({
      served_types: [{ tablet_type: 'PRIMARY', cells: ['a'] }, { tablet_type: 'REPLICA' }],
    });
    expect(read('SrvKeyspace', { served_from: { 3: 'other' } }).json).toEqual({
      served_from: [{ tablet_type: 'RDONLY', keyspace: 'other' }],
    });
    expect(read('Tablet', { port_map: [{ key: 'vt', value: 1 }], tags: [] }).json).toEqual({
      port_map: { vt: 1 },
    });
  });
});

test('null is nothing, a name that nobody knows is a loss', () => {
  const json = { keyspace: null, tags: null, key_range: null, odd: { a: 1 }, port_map: {} };
  expect(read('Tablet', json)).toMatchObject({
    json: {},
    losses: [{ kind: 'unknown-field', path: 'p', field: 'odd', value: { a: 1 } }],
  });
  expect(read('Shard', { tablet_controls: [{ odd: 1 }] }).losses).toMatchObject([
    { field: 'tablet_controls[0].odd' },
  ]);
  // Of two spellings of one field only one can count.
  expect(read('Tablet', { port_map: { vt: 1 }, portmap: { vt: 2 } })).toMatchObject({
    json: { port_map: { vt: 1 } },
    losses: [{ kind: 'unknown-field', field: 'portmap' }],
  });
});

describe('what is in neither form', () => {
  test.each([
    ['Shard', { served_types: 1 }, 'served_types: a list is wanted, and there is a number'],
    ['Shard', { cells: ['a', null] }, 'cells[1]: a value is wanted, and there is null'],
    ['Shard', { cells: { 1: 'a' } }, 'cells: a list is wanted, and there is an object'],
    ['Shard', { key_range: { start: '80' } }, 'key_range.start: base64 is wanted'],
    ['Shard', { key_range: '80-' }, 'key_range: an object is wanted, and there is a text'],
    [
      'Shard',
      { source_shards: [{ uid: -1 }] },
      'source_shards[0].uid: a number from 0 to 4294967295 is wanted',
    ],
    ['Tablet', { port_map: { vt: 1.5 } }, 'port_map[vt]: a whole number is wanted'],
    [
      'Tablet',
      { port_map: { vt: 2147483648 } },
      'port_map[vt]: a number from -2147483648 to 2147483647 is wanted',
    ],
    ['Tablet', { port_map: [{ value: 1 }] }, 'port_map[0]: an entry with key and value is wanted'],
    ['Tablet', { port_map: 'vt' }, 'port_map: an object is wanted, and there is a text'],
    ['Tablet', { type: 'nothing' }, 'type: it is no type of tablet'],
    ['Tablet', { type: true }, 'type: it is no type of tablet'],
    ['Keyspace', { sharding_column_type: 'INT' }, 'sharding_column_type: it is no KeyspaceIdType'],
    ['VSchema', { sharded: 'yes' }, 'sharded: true or false is wanted, and there is a text'],
    ['SrvVSchema', { keyspaces: { ks: null } }, 'keyspaces[ks]: a value is wanted, and there is null'],
  ] as const)('%s %j', (kind, json, message) => {
    expect(() => read(kind, json)).toThrow(
      expect.objectContaining({
        code: 'Corrupt',
        path: 'p',
        message: expect.stringContaining(`not a ${kind} of generation 2: ${message}`),
        hint: expect.any(String),
      }),
    );
  });
});

describe('the way back refuses what JSON of that time cannot hold', () => {
  test('naming record, field and value', () => {
    const json = { is_primary_serving: true, tablet_controls: [{ tablet_type: 'PRIMARY', frozen: true }] };
    expect(() => write('Shard', json)).toThrow(
      expect.objectContaining({
        code: 'Unsupported',
        path: 'p',
        message:
          'the form of this store has no place for tablet_controls[0].frozen = true (newer-field), is_primary_serving = true (newer-field) (path p)',
        losses: [
          { kind: 'newer-field', path: 'p', field: 'tablet_controls[0].frozen', value: true },
          { kind: 'newer-field', path: 'p', field: 'is_primary_serving', value: true },
        ],
      }),
    );
    expect(JSON.parse(write('Shard', json, ['newer-field']))).toEqual({
      tablet_controls: [{ tablet_type: 1 }],
    });
  });

  test('fields of versions to come, at every depth', () => {
    // Field 9999 with the value 1, within the alias of a Tablet and behind it.
    const bytes = Buffer.from('0a090a01611001f8f00401f8f00401', 'hex');
    expect(() => writeOld(at('Tablet'), bytes, { numbering: 'current', accepted: new Set() })).toThrow(
      expect.objectContaining({
        losses: ['alias.#9999', '#9999'].map((field) => ({
          kind: 'newer-field',
          path: 'p',
          field,
          value: 'AQ==',
        })),
      }),
    );
  });

  test('many at once in few words', () => {
    const apps = Array.from({ length: 9 }, (_, i) => [`k${i}`, { name: `a${i}` }]);
    const json = { throttler_config: { throttled_apps: Object.fromEntries(apps) } };
    expect(() => write('Keyspace', json)).toThrow(/^.{0,260}…/);
  });

  test('bytes that are no such record', () => {
    expect(() =>
      writeOld(at('Shard'), Uint8Array.of(0xff), { numbering: 'current', accepted: new Set() }),
    ).toThrow(expect.objectContaining({ code: 'Corrupt' }));
  });
});

describe('numbers of 2.0.0-alpha1 to alpha4', () => {
  test.each([
    [0, undefined],
    [2, 'PRIMARY'],
    [3, 'REPLICA'],
    [4, 'RDONLY'],
    [5, 'SPARE'],
    [6, 'EXPERIMENTAL'],
    [8, 'BACKUP'],
    [9, 'RESTORE'],
    [10, 'DRAINED'],
  ])('%i is %s, and comes back', (number, type) => {
    expect(read('Tablet', { type: number, shard: '0' }, 'first')).toMatchObject({ losses: [] });
    expect(read('Tablet', { type: number, shard: '0' }, 'first').json?.['type']).toBe(type);
    expect(JSON.parse(write('Tablet', { type: type ?? 0, shard: '0' }, [], 'first')).type ?? 0).toBe(number);
  });

  test('7 becomes spare; tablets of type 1 and 11 are left out', () => {
    expect(read('Tablet', { type: 7 }, 'first')).toMatchObject({
      json: { type: 'SPARE' },
      losses: [{ kind: 'tablet-type', value: 7 }],
    });
    for (const type of [1, 11])
      expect(read('Tablet', { type, odd: 1 }, 'first')).toMatchObject({
        json: undefined,
        losses: [{ kind: 'tablet-type', value: type }],
      });
  });

  test('words are not numbered, and what has no number is refused', () => {
    expect(read('Tablet', { type: 'MASTER' }, 'first').json).toEqual({ type: 'PRIMARY' });
    expect(() => write('Tablet', { type: 11 }, [], 'first')).toThrow(
      expect.objectContaining({ losses: [{ kind: 'tablet-type', path: 'p', field: 'type', value: 11 }] }),
    );
  });
});

test('who fills in what the old forms do not have is said of the fields that are empty', () => {
  const tablet = encode('topodata.Tablet', { hostname: 'localhost', port_map: { vt: 1 } });
  expect(filledIn('topodata.Tablet', tablet)).toContainEqual({
    field: 'mysql_port',
    by: 'vttablet writes it at its start',
  });
  expect(filledIn('topodata.Tablet', tablet).map(({ field }) => field)).not.toContain('hostname');
  expect(filledIn('topodata.Keyspace', new Uint8Array()).map(({ field }) => field)).toEqual([
    'sidecar_db_name',
  ]);
  expect(filledIn('topodata.CellInfo', new Uint8Array())).toEqual([]);
});
