import { describe, expect, test } from 'vitest';
import { findNumbering } from '../../src/legacy/numbering.js';
import { readOld } from '../../src/legacy/read.js';
import { linksIn, shardReplication } from '../../src/legacy/replication.js';
import { differenceOf, joinVSchemas } from '../../src/legacy/vschemas.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { sharedNumbers } from '../../src/topo/shared-numbers.js';

const bytesOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('the replication graph of a shard', () => {
  const alias = (cell: string, uid: number) => ({ cell, uid });
  const shown = (records: ReadonlyMap<string, Uint8Array>) =>
    Object.fromEntries(
      [...records].map(([cell, bytes]) => [cell, decode('topodata.ShardReplication', bytes).json]),
    );

  test('is the union of links, parents, nested nodes and the primary, each in its own cell', () => {
    const { records, losses, notes } = shardReplication({
      ...{ keyspace: 'ks', shard: '0', primary: alias('nyc', 1) },
      links: [
        { alias: alias('nyc', 2), parent: alias('nyc', 1) },
        { alias: alias('sfo', 3), parent: alias('sfo', 9) },
      ],
      nested: [
        ['nyc-0000000001'],
        ['nyc-0000000001', 'lon-0000000004'],
        ['nyc-0000000001', 'nyc-0000000002'],
      ],
    });
    expect(shown(records)).toEqual({
      lon: { nodes: [{ tablet_alias: alias('lon', 4) }] },
      nyc: { nodes: [{ tablet_alias: alias('nyc', 1) }, { tablet_alias: alias('nyc', 2) }] },
      sfo: { nodes: [{ tablet_alias: alias('sfo', 3) }, { tablet_alias: alias('sfo', 9) }] },
    });
    expect(losses.map(({ field, value }) => [field, value])).toEqual([
      ['lon-0000000004', 'nyc-0000000001'],
      ['nyc-0000000002', 'nyc-0000000001'],
    ]);
    expect(notes).toEqual([]);
  });

  test('of nothing is nothing', () => {
    expect(
      shardReplication({ keyspace: 'ks', shard: '0', primary: undefined, links: [], nested: [] }).records
        .size,
    ).toBe(0);
  });

  test('another tablet on top than the primary gets a note', () => {
    const members = { keyspace: 'ks', shard: '0', links: [], nested: [['nyc-7'], ['nyc-7', 'nyc-8']] };
    const path = 'keyspaces/ks/shards/0';
    const field = 'nyc-0000000007';
    const text = 'it is on top of the replication graph, and the primary is';
    expect(shardReplication({ ...members, primary: undefined }).notes).toEqual([
      { path, field, text: `${text} none` },
    ]);
    expect(shardReplication({ ...members, primary: alias('nyc', 8) }).notes).toEqual([
      { path, field, text: `${text} nyc-0000000008` },
    ]);
    expect(shardReplication({ ...members, primary: alias('nyc', 7) }).notes).toEqual([]);
  });

  test('links are read in both generations', () => {
    const record = { kind: 'ShardReplication', path: 'p', cell: 'nyc' } as const;
    const first = {
      ReplicationLinks: [{ TabletAlias: { Cell: 'nyc', Uid: 2 }, Parent: { Cell: 'sfo', Uid: 1 } }],
    };
    expect(linksIn(record, bytesOf(first))).toEqual([{ alias: alias('nyc', 2), parent: alias('sfo', 1) }]);
    const second = { nodes: [{ tablet_alias: { cell: 'nyc', uid: 2 } }, { tablet_alias: {} }] };
    expect(linksIn(record, bytesOf(second))).toEqual([{ alias: alias('nyc', 2), parent: undefined }]);
    expect(linksIn(record, bytesOf(''))).toEqual([]);
    expect(() => linksIn(record, bytesOf('x'))).toThrow(
      expect.objectContaining({ code: 'Corrupt', path: 'p' }),
    );
  });
});

describe('VSchemas in both homes', () => {
  const own = (json: unknown) =>
    readOld(
      { kind: 'VSchema', path: 'keyspaces/ks/VSchema', cell: undefined, keyspace: 'ks' },
      bytesOf(json),
      {
        numbering: 'current',
      },
    );
  const second = { sharded: true, vindexes: { hash: { type: 'hash' } } };
  const read = (shared: unknown, mine?: unknown) =>
    joinVSchemas(
      shared === undefined ? undefined : bytesOf(shared),
      new Map(mine === undefined ? [] : [['ks', own(mine)]]),
      'current',
    );
  const json = (found: ReturnType<typeof read>) =>
    found.vschemas.map(({ keyspace, home, bytes }) => [
      keyspace,
      home,
      decode('vschema.Keyspace', bytes).json,
    ]);

  test('with classes, as until 2016', () => {
    const found = read({
      Keyspaces: {
        ks: {
          Sharded: true,
          Vindexes: { lookup: { Type: 'lookup', Params: { Table: 't', n: 5, on: true }, Owner: 'user' } },
          Classes: {
            user: { ColVindexes: [{ Col: 'id', Name: 'hash' }], Autoinc: { Col: 'id', Sequence: 'seq' } },
            seq: { Type: 'Sequence' },
            nobody: { ColVindexes: [] },
          },
          Tables: { user: 'user', user_seq: 'seq', plain: '' },
        },
        main: {},
      },
      Odd: 1,
    });
    expect(json(found)).toEqual(
      [
        [
          'ks',
          'shared',
          {
            sharded: true,
            vindexes: {
              lookup: { type: 'lookup', params: { Table: 't', n: '5', on: 'true' }, owner: 'user' },
            },
            tables: {
              plain: {},
              user: {
                column_vindexes: [{ column: 'id', name: 'hash' }],
                auto_increment: { column: 'id', sequence: 'seq' },
              },
              user_seq: { type: 'sequence' },
            },
          },
        ],
        ['main', 'shared', {}],
      ].sort(),
    );
    expect(found.shared.losses).toEqual([{ kind: 'unknown-field', path: 'vschema', field: 'Odd', value: 1 }]);
    expect(found.vschemas.flatMap(({ losses }) => losses)).toEqual([
      {
        kind: 'unused-class',
        path: 'vschema',
        field: 'Keyspaces[ks].Classes[nobody]',
        value: { ColVindexes: [] },
      },
    ]);
  });

  test.each([
    [
      'tables with their own vindexes',
      { Sharded: true, Tables: { t: { ColVindexes: [{ Col: 'id', Name: 'h' }] } } },
    ],
    [
      'names in small letters, written by hand',
      { sharded: true, tables: { t: { colVindexes: [{ col: 'id', name: 'h' }] } } },
    ],
    [
      'the form of today',
      { sharded: true, tables: { t: { column_vindexes: [{ column: 'id', name: 'h' }] } } },
    ],
    [
      'today’s fields under capital letters',
      { Sharded: true, Tables: { t: { column_vindexes: [{ column: 'id', name: 'h' }] } } },
    ],
  ])('%s', (_, keyspace) => {
    const expected = { sharded: true, tables: { t: { column_vindexes: [{ column: 'id', name: 'h' }] } } };
    const found = read({ keyspaces: { ks: keyspace } });
    expect(json(found)).toEqual([['ks', 'shared', expected]]);
    expect(found.vschemas[0]?.losses).toEqual([]);
    expect(decode('vschema.Keyspace', own(keyspace).bytes ?? bytesOf('')).json).toEqual(expected);
  });

  test('that are the same are one, whatever their form', () => {
    const found = read(
      { Keyspaces: { ks: { Sharded: true, Vindexes: { hash: { Type: 'hash' } } } } },
      second,
    );
    expect(found.vschemas).toMatchObject([{ keyspace: 'ks', home: 'both', differences: [] }]);
    expect(differenceOf(found.vschemas)).toBeUndefined();
  });

  test('that differ are refused, by keyspace and field', () => {
    const { vschemas } = read(
      { Keyspaces: { ks: { Sharded: false, Vindexes: { hash: { Type: 'hash' } } } } },
      second,
    );
    expect(vschemas).toMatchObject([{ home: 'both', differences: [{ path: 'sharded' }] }]);
    expect(differenceOf(vschemas)).toMatchObject({
      code: 'Guard',
      path: 'vschema',
      message: expect.stringContaining('ks (sharded)'),
    });
  });

  test.each([
    ['junk', 'it is not JSON'],
    [{ Keyspaces: [] }, 'Keyspaces: an object is wanted'],
    [{ Keyspaces: { ks: { Tables: { t: 'none' } } } }, 'Keyspaces[ks].Tables[t]: there is no such class'],
    [{ Keyspaces: { ks: { sharded: 1 } } }, 'Keyspaces[ks].sharded: true or false is wanted'],
  ])('%j is none', (shared, message) => {
    expect(() => read(shared)).toThrow(
      expect.objectContaining({
        code: 'Corrupt',
        path: 'vschema',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('the numbering of types of tablets', () => {
  const record = (message: string, path: string, json: JsonObject) => ({
    path,
    bytes: encode(message, json),
  });
  const shard = (uid: number, ...types: number[]) =>
    record('topodata.Shard', 'shard', {
      primary_alias: { cell: 'nyc', uid },
      served_types: types.map((tablet_type) => ({ tablet_type })),
    });
  const tablet = (uid: number, type: number, keyspace = 'ks') =>
    record('topodata.Tablet', `tablet ${uid}`, {
      alias: { cell: 'nyc', uid },
      type,
      ...(keyspace ? { keyspace } : {}),
    });
  const graph = (...types: number[]) =>
    record('topodata.SrvKeyspace', 'graph', { partitions: types.map((served_type) => ({ served_type })) });
  const find = (
    shards: ReturnType<typeof shard>[],
    tablets: ReturnType<typeof tablet>[],
    graphs: ReturnType<typeof graph>[] = [],
  ) => findNumbering({ shards, tablets, srvKeyspaces: graphs });

  test.each([
    ['the primary of a shard', [shard(1)], [tablet(1, 1), tablet(2, 2)], [], 'current'],
    ['the primary of a shard', [shard(1)], [tablet(1, 2), tablet(2, 3)], [], 'first'],
    ['types that are gone', [], [tablet(1, 9)], [], 'first'],
    ['served types', [shard(1, 1, 2, 3)], [], [], 'current'],
    ['served types', [shard(1, 2, 3, 4)], [], [], 'first'],
    ['the serving graph', [], [], [graph(1, 2, 3)], 'current'],
    ['the serving graph', [], [], [graph(2, 3, 4)], 'first'],
    ['an idle tablet', [shard(1)], [tablet(5, 1, '')], [], 'first'],
    ['a lone replica tells nothing', [shard(1)], [tablet(2, 2)], [graph(2, 3)], undefined],
    ['nothing tells nothing', [], [], [], undefined],
    ['signs that disagree', [shard(1)], [tablet(1, 1)], [graph(2, 3, 4)], undefined],
  ] as const)('%s', (_, shards, tablets, graphs, numbering) => {
    expect(find([...shards], [...tablets], [...graphs]).numbering).toBe(numbering);
  });

  test('each sign names its record and its reason', () => {
    expect(find([shard(1, 1)], [tablet(1, 2)]).signs).toEqual([
      { path: 'shard', numbering: 'current', reason: 'type 1 is served' },
      { path: 'tablet 1', numbering: 'first', reason: 'the primary of a shard is of type 2' },
    ]);
  });
});

test('tablets of one number are named together', () => {
  expect(sharedNumbers(['nyc-0000000001', 'nyc-0000000002', 'us-east-0000000001'])).toEqual([
    {
      path: 'tablets/nyc-0000000001/Tablet',
      field: 'alias',
      text: 'the tablets nyc-0000000001, us-east-0000000001 have one number',
    },
  ]);
});
