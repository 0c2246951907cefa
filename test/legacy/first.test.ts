import { describe, expect, test } from 'vitest';
import type { OldKind, OldRecord } from '../../src/legacy/places.js';
import { OLD_MESSAGES } from '../../src/legacy/places.js';
import { readOld } from '../../src/legacy/read.js';
import { decode } from '../../src/topo/codec.js';

/** Reads a record of generation 1: its canonical JSON, and what is told of it. */
function read(kind: OldKind, json: unknown, place: Partial<OldRecord> = {}, shards?: readonly string[]) {
  const record: OldRecord = { kind, path: 'p', cell: 'nyc', ...place };
  const value = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const { bytes, ...told } = readOld(record, value, { numbering: 'current', shards });
  return { ...told, json: bytes === undefined ? undefined : decode(OLD_MESSAGES[kind], bytes).json };
}

describe('Tablet', () => {
  const tablet = (fields: object) =>
    read('Tablet', { Type: 'replica', Keyspace: 'ks', Shard: '0', ...fields });

  test.each([
    ['master', 'PRIMARY'],
    ['replica', 'REPLICA'],
    ['rdonly', 'RDONLY'],
    ['batch', 'RDONLY'],
    ['spare', 'SPARE'],
    ['experimental', 'EXPERIMENTAL'],
    ['backup', 'BACKUP'],
    ['restore', 'RESTORE'],
    ['checker', 'DRAINED'],
    ['worker', 'DRAINED'],
  ])('of type %s is %s', (word, type) => {
    expect(tablet({ Type: word })).toMatchObject({ generation: 1, json: { type }, losses: [] });
  });

  test.each(['schema_apply', 'snapshot_source', 'lag', 'lag_orphan'])(
    'of type %s becomes spare, and is named',
    (word) => {
      const losses = [{ kind: 'tablet-type', path: 'p', field: 'Type', value: word }];
      expect(tablet({ Type: word })).toMatchObject({ json: { type: 'SPARE' }, losses });
    },
  );

  test.each(['idle', 'scrap'])('of type %s is left out, and everything in it goes with it', (word) => {
    const losses = [{ kind: 'tablet-type', path: 'p', field: 'Type', value: word }];
    expect(tablet({ Type: word, State: 'ReadOnly', Odd: 1 })).toMatchObject({ json: undefined, losses });
  });

  test('of 2014: Alias, Hostname, IPAddr and Portmap, its health lost', () => {
    const { json, losses } = tablet({
      Alias: { Cell: 'nyc', Uid: 4294967295 },
      Hostname: 'localhost',
      IPAddr: '127.0.0.1',
      Portmap: { vt: 8101, vts: 8102, mysql: 3306 },
      Tags: { rack: 'a' },
      Health: { replication_lag: 'high' },
      DbNameOverride: 'db',
    });
    expect(json).toEqual({
      alias: { cell: 'nyc', uid: 4294967295 },
      hostname: 'localhost',
      ip: '127.0.0.1',
      port_map: { mysql: 3306, vt: 8101, vts: 8102 },
      ...{ keyspace: 'ks', shard: '0', type: 'REPLICA', db_name_override: 'db', tags: { rack: 'a' } },
    });
    expect(losses).toEqual([
      { kind: 'health', path: 'p', field: 'Health', value: { replication_lag: 'high' } },
    ]);
  });

  test('of 2013: both forms at once are one, and where they differ the later one counts', () => {
    const both = {
      ...{ Cell: 'old', Uid: 1, Alias: { Cell: 'nyc', Uid: 1 } },
      ...{ Hostname: 'localhost', IPAddr: '127.0.0.1', Portmap: { vt: 8101, mysql: 3306 } },
      ...{
        Addr: 'localhost:8101',
        SecureAddr: '',
        MysqlAddr: 'localhost:3306',
        MysqlIpAddr: '127.0.0.1:3306',
      },
    };
    expect(tablet(both)).toMatchObject({
      json: { alias: { cell: 'nyc', uid: 1 }, hostname: 'localhost' },
      losses: [],
    });
    expect(tablet({ ...both, Addr: 'localhost:9999' })).toMatchObject({
      json: { port_map: { vt: 8101, mysql: 3306 } },
      losses: [{ kind: 'address', field: 'Addr', value: 'localhost:9999' }],
    });
  });

  test('with IPv6 addresses', () => {
    expect(tablet({ Addr: '[::1]:8101', MysqlIpAddr: '[::1]:3306' })).toMatchObject({
      json: { hostname: '::1', ip: '::1', port_map: { mysql: 3306, vt: 8101 } },
      losses: [],
    });
  });

  test('whose MySQL is on another host keeps that', () => {
    expect(
      tablet({ Addr: 'localhost:8101', MysqlAddr: 'other:3307', MysqlIpAddr: '127.0.0.2:3307' }),
    ).toMatchObject({
      json: { hostname: 'localhost', mysql_hostname: 'other', mysql_port: 3307, ip: '127.0.0.2' },
      losses: [],
    });
  });

  test.each(['localhost', 'localhost:', 'localhost:99999', ':::', 'a:b:1'])(
    'whose address %j is none loses it by name',
    (address) => {
      const losses = [{ kind: 'address', path: 'p', field: 'Addr', value: address }];
      expect(tablet({ Addr: address })).toMatchObject({ json: { type: 'REPLICA' }, losses });
    },
  );

  test('a zero parent is none, and a field that nobody knows is a loss', () => {
    expect(tablet({ Parent: { Cell: '', Uid: 0 }, Odd: [1] })).toMatchObject({
      losses: [{ kind: 'unknown-field', path: 'p', field: 'Odd', value: [1] }],
    });
  });

  test('whose alias is not that of its place gets a note', () => {
    const place = { alias: 'nyc-0000000002' };
    const { notes, json } = read('Tablet', { Type: 'spare', Cell: 'nyc', Uid: 1 }, place);
    expect(json).toMatchObject({ alias: { uid: 1 } });
    expect(notes).toEqual([
      { path: 'p', field: 'alias', text: 'the record says nyc-0000000001, its place nyc-0000000002' },
    ]);
  });
});

describe('key ranges', () => {
  const shard = (KeyRange: unknown, name: string) =>
    read('Shard', { KeyRange, Cells: ['a'] }, { shard: name });

  test.each([
    ['-80', { Start: '', End: '80' }, { end: 'gA==' }],
    ['80-', { Start: '80', End: '' }, { start: 'gA==' }],
    ['80-c0', { Start: '80', End: 'C0' }, { start: 'gA==', end: 'wA==' }],
    ['8000-c000', { Start: '8000', End: 'c000' }, { start: 'gAA=', end: 'wAA=' }],
    // The end of all keys in the first versions.
    ['80-', { Start: '80', End: 'FF'.repeat(64) }, { start: 'gA==' }],
    ['-', { Start: '', End: '' }, {}],
    ['-', null, {}],
    ['0', { Start: '', End: '' }, undefined],
    ['0', { Start: '', End: 'ff'.repeat(64) }, undefined],
  ])('of shard %s, %j', (name, range, expected) => {
    const { json, notes, losses } = shard(range, name);
    expect([json?.['key_range'], notes, losses]).toEqual([expected, [], []]);
  });

  test('that do not fit the name are carried over with a note', () => {
    expect(shard({ Start: '40', End: '80' }, '-80')).toMatchObject({
      json: { key_range: { start: 'QA==', end: 'gA==' } },
      notes: [
        { path: 'p', field: 'KeyRange', text: 'the key range is 40-80, and the shard is called "-80"' },
      ],
    });
    expect(shard({ Start: '', End: '' }, '40-80').notes).toMatchObject([{ field: 'KeyRange' }]);
    expect(shard({ Start: '', End: '' }, '40-80-c0').notes).toMatchObject([
      { text: '"40-80-c0" is no name of a shard' },
    ]);
  });

  test.each([
    { Start: '8', End: '' },
    { Start: 'xx', End: '' },
    { Start: 'gA==', End: '' },
  ])('%j is no hex', (range) => {
    expect(() => shard(range, '80-')).toThrow(
      expect.objectContaining({
        code: 'Corrupt',
        path: 'p',
        message: expect.stringContaining('not a Shard of generation 1: KeyRange.Start: hex is wanted'),
      }),
    );
  });
});

describe('Shard', () => {
  test('with everything the lists had', () => {
    const value = {
      MasterAlias: { Cell: '', Uid: 0 },
      ServedTypes: ['master', 'rdonly', 'batch'],
      SourceShards: [
        { Uid: 4294967295, Keyspace: 'from', Shard: '-80', KeyRange: { Start: '', End: '80' }, Tables: null },
        { Uid: 1, Keyspace: 'from', Shard: '0', KeyRange: { Start: '', End: '' }, Tables: ['t1', 't2'] },
      ],
      Cells: ['nyc', 'sfo'],
    };
    expect(read('Shard', value, { shard: '0' })).toMatchObject({ losses: [], notes: [] });
    expect(read('Shard', value, { shard: '0' }).json).toEqual({
      served_types: [{ tablet_type: 'PRIMARY' }, { tablet_type: 'RDONLY' }],
      source_shards: [
        { uid: 4294967295, keyspace: 'from', shard: '-80', key_range: { end: 'gA==' } },
        { uid: 1, keyspace: 'from', shard: '0', tables: ['t1', 't2'] },
      ],
      cells: ['nyc', 'sfo'],
    });
  });

  test('with the maps that came later', () => {
    const value = {
      ServedTypes: ['replica'],
      ServedTypesMap: { master: { Cells: null }, replica: { Cells: ['nyc'] } },
      TabletControlMap: {
        rdonly: { Cells: ['nyc'], DisableQueryService: true, BlacklistedTables: null },
        master: { Cells: null, DisableQueryService: false, BlacklistedTables: ['t'] },
      },
    };
    expect(read('Shard', value, { shard: '0' }).json).toEqual({
      served_types: [{ tablet_type: 'PRIMARY' }, { tablet_type: 'REPLICA', cells: ['nyc'] }],
      tablet_controls: [
        { tablet_type: 'RDONLY', cells: ['nyc'], disable_query_service: true },
        { tablet_type: 'PRIMARY', denied_tables: ['t'] },
      ],
    });
  });
});

describe('Keyspace', () => {
  test('with its sharding column and where it is served from', () => {
    const old = {
      ShardingColumnName: 'id',
      ShardingColumnType: 'uint64',
      SplitShardCount: 4,
      ServedFrom: { rdonly: 'other' },
    };
    expect(read('Keyspace', old).json).toEqual({
      ...{ sharding_column_name: 'id', sharding_column_type: 'UINT64', split_shard_count: 4 },
      served_froms: [{ tablet_type: 'RDONLY', keyspace: 'other' }],
    });
    const later = {
      ShardingColumnType: 'bytes',
      ServedFromMap: { master: { Cells: ['nyc'], Keyspace: 'other' } },
    };
    expect(read('Keyspace', later).json).toEqual({
      sharding_column_type: 'BYTES',
      served_froms: [{ tablet_type: 'PRIMARY', cells: ['nyc'], keyspace: 'other' }],
    });
  });

  test.each([
    ['', 0],
    ['{}', 0],
    ['null', 0],
    ['junk', 1],
    ['5', 1],
    ['[]', 1],
    ['{"ShardingColumnName": "i', 1],
  ])('of %j is an empty one, with %i notes', (text, count) => {
    const { generation, json, notes, losses } = read('Keyspace', text);
    expect([generation, json, notes.length, losses]).toEqual([undefined, {}, count, []]);
  });

  test('that begins as one of generation 2 and ends too soon is not taken for what somebody else left', () => {
    expect(() => read('Keyspace', '{\n  "served_froms": [{"tablet_type": 1')).toThrow(
      expect.objectContaining({ code: 'Corrupt', message: expect.stringContaining('it is not JSON') }),
    );
  });

  test('that is JSON of another form is not left behind in silence', () => {
    expect(() => read('Keyspace', { ShardingColumnType: 'int' })).toThrow(
      expect.objectContaining({
        code: 'Corrupt',
        message: expect.stringContaining('ShardingColumnType: it is no type'),
      }),
    );
    expect(read('Keyspace', { what: 1 }).losses).toMatchObject([
      { kind: 'unknown-field', field: 'what', value: 1 },
    ]);
  });
});

describe('SrvKeyspace', () => {
  const graph = (json: unknown, shards?: readonly string[]) => read('SrvKeyspace', json, {}, shards);
  const shard = (Start: string, End: string, more: object = {}) => ({ KeyRange: { Start, End }, ...more });

  test('with Partitions', () => {
    const value = {
      Partitions: {
        master: { Shards: [shard('', '80'), shard('80', '')] },
        replica: { ShardReferences: [{ Name: '0' }] },
      },
      Shards: [shard('', '')],
      TabletTypes: ['master'],
      ...{ ShardingColumnName: 'id', ShardingColumnType: 'bytes', ServedFrom: { rdonly: 'other' } },
    };
    expect(graph(value)).toMatchObject({ losses: [] });
    expect(graph(value).json).toEqual({
      partitions: [
        {
          served_type: 'PRIMARY',
          shard_references: [
            { name: '-80', key_range: { end: 'gA==' } },
            { name: '80-', key_range: { start: 'gA==' } },
          ],
        },
        { served_type: 'REPLICA', shard_references: [{ name: '0' }] },
      ],
      ...{ sharding_column_name: 'id', sharding_column_type: 'BYTES' },
      served_from: [{ tablet_type: 'RDONLY', keyspace: 'other' }],
    });
  });

  test.each([
    ['ServedTypes', { ServedTypes: ['master', 'rdonly'] }, {}, ['PRIMARY', 'RDONLY']],
    [
      'the tablets of the shard',
      { TabletTypes: ['rdonly', 'spare', 'batch'] },
      { TabletTypes: ['master'] },
      ['RDONLY'],
    ],
    ['their addresses', { AddrsByType: { master: {}, lag: {} }, ReadOnly: false }, {}, ['PRIMARY']],
    ['the tablets of the keyspace', {}, { TabletTypes: ['replica', 'master'] }, ['PRIMARY', 'REPLICA']],
  ])('without Partitions a shard serves what %s tell', (_, ofShard, ofKeyspace, types) => {
    const { json, losses } = graph({ Shards: [shard('', '', ofShard)], ...ofKeyspace });
    expect(losses).toEqual([]);
    expect(json?.['partitions']).toEqual(
      types.map((served_type) => ({ served_type, shard_references: [{ name: '0' }] })),
    );
  });

  test.each([
    [undefined, '0'],
    [[], '0'],
    [['main'], 'main'],
    [['-80', '80-', '-'], '-'],
  ])('among the shards %j, the one without range is %s', (shards, name) => {
    const { json } = graph({ Shards: [shard('', '', { ServedTypes: ['master'] })] }, shards);
    expect(json).toMatchObject({ partitions: [{ shard_references: [{ name }] }] });
  });

  test('among several shards without range none is chosen', () => {
    const { json, losses } = graph({ Shards: [shard('', '', { ServedTypes: ['master'] })] }, ['0', '1']);
    expect(json).toEqual({ partitions: [{ served_type: 'PRIMARY' }] });
    expect(losses).toMatchObject([{ kind: 'shard-name', field: 'Shards[0].Name' }]);
  });

  test('the name of a range is that of the shard, in its case', () => {
    const { json } = graph({ Shards: [shard('80', 'C0', { ServedTypes: ['master'] })] }, ['80-C0']);
    expect(json).toMatchObject({ partitions: [{ shard_references: [{ name: '80-C0', key_range: {} }] }] });
  });
});

test('ShardReplication keeps the tablets of its own cell, and names those of others', () => {
  const link = (cell: string, Uid: number, parent: string) => ({
    TabletAlias: { Cell: cell, Uid },
    Parent: { Cell: parent, Uid: 1 },
  });
  const { json, notes, losses } = read('ShardReplication', {
    ReplicationLinks: [link('nyc', 2, 'sfo'), link('nyc', 2, 'sfo')],
  });
  expect(json).toEqual({ nodes: [{ tablet_alias: { cell: 'nyc', uid: 2 } }] });
  expect(notes).toEqual([
    { path: 'p', field: 'ReplicationLinks', text: 'sfo-0000000001 belongs into the record of its own cell' },
  ]);
  expect(losses.map(({ field }) => field)).toEqual([
    'ReplicationLinks[0].Parent',
    'ReplicationLinks[1].Parent',
  ]);
});

describe('the serving graph of shards', () => {
  test('SrvShard has its name from its place', () => {
    const value = {
      KeyRange: { Start: '', End: '80' },
      ServedTypes: ['master'],
      TabletTypes: ['master'],
      MasterCell: 'nyc',
    };
    expect(read('SrvShard', value, { shard: '-80' })).toMatchObject({
      json: { name: '-80', key_range: { end: 'gA==' }, master_cell: 'nyc' },
      losses: [],
      derived: [{ field: 'ServedTypes' }, { field: 'TabletTypes' }],
    });
  });

  test('EndPoints have the names of ports that Tablet has', () => {
    const entry = {
      uid: 1,
      host: 'localhost',
      port: 8101,
      named_port_map: { _vtocc: 8101, _vts: 8102, _mysql: 3306, x: 1 },
    };
    const { generation, json, losses } = read('EndPoints', { entries: [entry] });
    expect([generation, losses]).toEqual([1, []]);
    expect(json).toEqual({
      entries: [{ uid: 1, host: 'localhost', port_map: { vt: 8101, vts: 8102, mysql: 3306, x: 1 } }],
    });
  });
});

describe('neither generation', () => {
  test.each([
    ['Shard', 'not json', 'not a Shard of either generation: it is not JSON'],
    ['Shard', '{"Cells": [', 'not a Shard of either generation: it is not JSON'],
    ['Shard', '{} {}', 'not a Shard of either generation: it is not JSON from character 3 on'],
    ['Shard', '[]', 'not a Shard of either generation: an object is wanted, and there is a list'],
    ['Shard', { Cells: 'nyc' }, 'not a Shard of generation 1: Cells: a list is wanted, and there is a text'],
    [
      'Shard',
      { Cells: [1] },
      'not a Shard of generation 1: Cells[0]: a text is wanted, and there is a number',
    ],
    ['Shard', { MasterAlias: 'nyc-1' }, 'MasterAlias: an object is wanted, and there is a text'],
    ['Shard', { ServedTypes: ['mastr'] }, 'ServedTypes[0]: it is no type of tablet'],
    [
      'Shard',
      { TabletControlMap: { master: { DisableQueryService: 1 } } },
      'TabletControlMap[master].DisableQueryService: true or false',
    ],
    ['Tablet', { Uid: 4294967296 }, 'Uid: a number from 0 to 4294967295 is wanted'],
    ['Tablet', { Uid: 1.5 }, 'Uid: a whole number is wanted'],
    ['Tablet', { Portmap: { vt: '8101' } }, 'Portmap[vt]: a number is wanted, and there is a text'],
    [
      'ShardReplication',
      { ReplicationLinks: [null] },
      'ReplicationLinks[0]: an object is wanted, and there is null',
    ],
  ] as const)('%s %j', (kind, json, message) => {
    expect(() => read(kind, json)).toThrow(
      expect.objectContaining({ code: 'Corrupt', path: 'p', message: expect.stringContaining(message) }),
    );
  });

  test('bytes that are no UTF-8', () => {
    const record: OldRecord = { kind: 'Shard', path: 'p', cell: undefined };
    expect(() => readOld(record, Uint8Array.of(0x7b, 0xff, 0x7d), { numbering: 'current' })).toThrow(
      'it is not UTF-8',
    );
  });

  test('messages do not repeat values', () => {
    expect(() => read('Shard', '{"Cells": secret}')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});
