import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decode,
  decodeProblem,
  encode,
  readCellInfo,
  reencode,
  rewriteCellInfo,
} from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { diffRecords } from '../../src/topo/diff.js';
import { ErrorCode, isTopologyError } from '../../src/topo/errors.js';
import { classify, KINDS } from '../../src/topo/kinds.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const roundTrip = (message: string, json: JsonObject) => decode(message, encode(message, json)).json;

/** The message of the error with `code` that `call` throws. */
function refusal(code: ErrorCode, call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isTopologyError(error, code)) return error.message;
    throw error;
  }
  return 'accepted';
}

describe.each(FIXTURES)('records written by Vitess, %s', (name) => {
  const records = fixtures(name);

  it.runIf(records !== undefined)('have the kind that their positions say', () => {
    for (const { scope, path, kind } of records ?? []) {
      const row = classify(scope === 'global' ? 'global' : 'cell', path, false);
      expect(row.message, path).toBe(kind);
      expect(row.kind === 'Unknown', path).toBe(path.startsWith('custom/'));
    }
  });

  it.runIf(records !== undefined)('decode to what Vitess decodes them to', () => {
    for (const { path, kind, value, json } of records ?? [])
      if (kind !== null) expect(decode(kind, value).json, path).toEqual(json);
  });

  it.runIf(records !== undefined)('are written again with the same fields, and the same size', () => {
    for (const { path, kind, value } of records ?? []) {
      if (kind === null) continue;
      const again = reencode(kind, value, (json) => json);
      expect(diffRecords(kind, value, again), path).toEqual([]);
      expect(again.byteLength, path).toBe(value.byteLength);
    }
  });

  it.runIf(records !== undefined)('keep a field that the schema does not know', () => {
    const found = (records ?? []).filter(
      ({ kind, value }) => kind !== null && decode(kind, value).unknown.length > 0,
    );
    expect(found.map(({ path }) => path)).toEqual(['tablets/zone1-0000000101/Tablet']);
    for (const { value } of found) {
      const { json, unknown } = decode('topodata.Tablet', value);
      expect(unknown).toMatchObject([{ path: '#9999', number: 9999, wireType: 2 }]);
      const renamed = reencode('topodata.Tablet', value, () => ({ ...json, hostname: 'elsewhere' }));
      const back = reencode('topodata.Tablet', renamed, () => json);
      for (const again of [renamed, back]) expect(decode('topodata.Tablet', again).unknown).toEqual(unknown);
      // It was the last of the record, behind the maps, whose entries come in any order.
      const field = value.subarray(-('from-the-future'.length + 4));
      expect(toHex(back.subarray(-field.byteLength))).toBe(toHex(field));
      expect(back.byteLength).toBe(value.byteLength);
    }
  });
});

describe('bytes as Vitess writes them', () => {
  it.each<[string, string, JsonObject]>([
    [
      'topodata.Shard',
      '0a060a027a31106412030a01803207080122017428013801420408011002',
      {
        primary_alias: { cell: 'z1', uid: 100 },
        primary_term_start_time: { seconds: '1', nanoseconds: 2 },
        key_range: { start: 'gA==' },
        tablet_controls: [{ tablet_type: 'PRIMARY', denied_tables: ['t'], frozen: true }],
        is_primary_serving: true,
      },
    ],
    ['topodata.Shard', '12003801', { key_range: {}, is_primary_serving: true }],
    ['topodata.Shard', '3801', { is_primary_serving: true }],
    ['topodata.Shard', '', {}],
    [
      'topodata.Tablet',
      '0a060a027a31106412016822080a0467727063100022060a02767410012a0173320338302d3a030a0180400352050a016112008a010b08ffffffffffffffffff01',
      {
        alias: { cell: 'z1', uid: 100 },
        hostname: 'h',
        port_map: { grpc: 0, vt: 1 },
        keyspace: 's',
        shard: '80-',
        key_range: { start: 'gA==' },
        type: 'RDONLY',
        tags: { a: '' },
        tablet_start_time: { seconds: '-1' },
      },
    ],
    [
      'topodata.SrvKeyspace',
      '0a07080112030a01300a07080212030a01300a07080312030a0130',
      {
        partitions: ['PRIMARY', 'REPLICA', 'RDONLY'].map((served_type) => ({
          served_type,
          shard_references: [{ name: '0' }],
        })),
      },
    ],
    [
      'topodata.SrvKeyspace',
      '0a09080112050a012d12000a09080212050a012d12000a09080312050a012d1200',
      {
        partitions: ['PRIMARY', 'REPLICA', 'RDONLY'].map((served_type) => ({
          served_type,
          shard_references: [{ name: '-', key_range: {} }],
        })),
      },
    ],
    [
      'topodata.Keyspace',
      '4a34080111000000000000f83f2a170a017812120a017811000000000000e03f1a04080c10053a0e0a036c616711000000000000f07f',
      {
        throttler_config: {
          enabled: true,
          threshold: 1.5,
          throttled_apps: { x: { name: 'x', ratio: 0.5, expires_at: { seconds: '12', nanoseconds: 5 } } },
          metric_thresholds: { lag: 'Infinity' },
        },
      },
    ],
    [
      'vschema.Keyspace',
      '0801120e0a046861736812060a04686173681a1b0a01741216120a0a02696412046861736822080a016310953040002803',
      {
        sharded: true,
        vindexes: { hash: { type: 'hash' } },
        tables: {
          t: {
            column_vindexes: [{ column: 'id', name: 'hash' }],
            columns: [{ name: 'c', type: 'VARCHAR', nullable: false }],
          },
        },
        foreign_key_mode: 'managed',
      },
    ],
    [
      'vschema.SrvVSchema',
      '0a050a0175120012001a002a00',
      { keyspaces: { u: {} }, routing_rules: {}, shard_routing_rules: {}, mirror_rules: {} },
    ],
    ['topodata.CellsAlias', '12027a3112027a32', { cells: ['z1', 'z2'] }],
    [
      'topodata.ExternalVitessCluster',
      '0a100a0565746364321203683a311a022f72',
      { topo_config: { topo_type: 'etcd2', server: 'h:1', root: '/r' } },
    ],
    [
      'topodata.ShardReplication',
      '0a080a060a027a311064',
      { nodes: [{ tablet_alias: { cell: 'z1', uid: 100 } }] },
    ],
  ])('%s %s', (message, bytes, json) => {
    expect(decode(message, hex(bytes))).toEqual({ json, unknown: [] });
    expect(toHex(encode(message, json))).toBe(bytes);
  });

  it('fields are shown in the order in which Vitess prints them', () => {
    const shard = hex('0a060a027a31106412030a01803207080122017428013801420408011002');
    expect(Object.keys(decode('topodata.Shard', shard).json)).toEqual([
      'primary_alias',
      'primary_term_start_time',
      'key_range',
      'tablet_controls',
      'is_primary_serving',
    ]);
  });
});

describe('values', () => {
  it('64-bit integers are strings, and exact', () => {
    const time = { seconds: '-9223372036854775808', nanoseconds: -1 };
    expect(roundTrip('vttime.Time', time)).toEqual(time);
    expect(roundTrip('vttime.Time', { seconds: 5 })).toEqual({ seconds: '5' });
  });

  it('doubles may be no numbers', () => {
    const json = { metric_thresholds: { a: 'NaN', b: 'Infinity', c: '-Infinity', d: 0, e: 1e300 } };
    expect(roundTrip('topodata.ThrottlerConfig', json)).toEqual(json);
  });

  it('32-bit floats are shown with their own digits', () => {
    for (const percent of [0.1, 12.5, 33.333332, 1e-45, 3.4028234663852886e38, 100])
      expect(roundTrip('vschema.MirrorRule', { percent })).toEqual({ percent });
  });

  it('enums are shown by their first name, read by any, and kept where they have none', () => {
    expect(roundTrip('topodata.Tablet', { type: 'MASTER' })).toEqual({ type: 'PRIMARY' });
    expect(roundTrip('topodata.Tablet', { type: 'BATCH' })).toEqual({ type: 'RDONLY' });
    expect(roundTrip('topodata.Tablet', { type: 'WORKER' })).toEqual({ type: 'DRAINED' });
    expect(roundTrip('topodata.Tablet', { type: 99 })).toEqual({ type: 99 });
    expect(roundTrip('topodata.Tablet', { type: -3 })).toEqual({ type: -3 });
    expect(roundTrip('topodata.Tablet', { type: 0 })).toEqual({});
  });

  it('a column knows whether it was said to be nullable', () => {
    for (const column of [{ name: 'c' }, { name: 'c', nullable: false }, { name: 'c', nullable: true }])
      expect(roundTrip('vschema.Column', column)).toEqual(column);
  });

  it('a source shard may have a number beyond 2^31, in the old and in the new form', () => {
    const json = { source_shards: [{ uid: 4294967295 }] };
    expect(roundTrip('topodata.Shard', json)).toEqual(json);
    expect(decode('topodata.Shard', hex('220b08ffffffffffffffffff01')).json).toEqual(json);
  });

  it('maps keep zero values and odd keys', () => {
    const json = JSON.parse('{"tags": {"": "", "__proto__": "x", "10": "b", "constructor": "c"}}');
    const again = roundTrip('topodata.Tablet', json);
    expect(JSON.stringify(again)).toBe(
      JSON.stringify({ tags: JSON.parse('{"10":"b","":"","__proto__":"x","constructor":"c"}') }),
    );
    expect(roundTrip('topodata.Tablet', { port_map: { grpc: 0 } })).toEqual({ port_map: { grpc: 0 } });
  });

  it('names may be given in camelCase', () => {
    expect(roundTrip('topodata.Shard', { primaryAlias: { cell: 'z' }, isPrimaryServing: true })).toEqual({
      primary_alias: { cell: 'z' },
      is_primary_serving: true,
    });
  });
});

describe('bytes that are no such message are refused with the reason', () => {
  it.each([
    ['0a', 'it ends within a field'],
    ['0a060a02', 'it ends within a field'],
    ['3801ff', 'it ends within a field'],
    ['0a040a02fffe', 'a string is not valid UTF-8'],
    ['3a00', 'field is_primary_serving has wire type 2'],
    ['0801', 'field primary_alias has wire type 0'],
    ['320208013202 0a00', 'field tablet_controls[1].tablet_type has wire type 2'],
    ['0001', 'illegal tag: field number 0'],
  ])('%s: %s', (bytes, reason) => {
    const message = `not a topodata.Shard: ${reason}`;
    expect(refusal(ErrorCode.Corrupt, () => decode('topodata.Shard', hex(bytes)))).toBe(message);
    expect(decodeProblem('topodata.Shard', hex(bytes))).toBe(message);
  });

  it('whatever they are: nothing else is ever thrown', () => {
    const messages = KINDS.flatMap(({ message }) => message ?? []);
    fc.assert(
      fc.property(fc.constantFrom(...messages), fc.uint8Array({ maxLength: 40 }), (message, bytes) => {
        expect(decodeProblem(message, bytes) ?? '').toMatch(/^(not a |$)/);
      }),
      { numRuns: 2000 },
    );
  });

  it('and no others', () => {
    expect(decodeProblem('topodata.Shard', hex('3801'))).toBeUndefined();
    expect(decodeProblem('topodata.Shard', hex(''))).toBeUndefined();
  });

  it('every kind of record has its message in the schema; partial and foreign names are refused', () => {
    for (const { message } of KINDS) if (message !== null) expect(decode(message, hex('')).json).toEqual({});
    for (const name of ['Shard', 'topodata', 'topodata.Nothing', 'topodata.TabletType', ''])
      expect(refusal(ErrorCode.Usage, () => decode(name, hex('')))).toBe(`the schema has no message ${name}`);
  });
});

describe('JSON that does not fit is refused with the path of the field, without the value', () => {
  it.each<[string, JsonObject, string]>([
    ['an unknown name', { prmary_alias: {} }, 'prmary_alias: unknown field'],
    ['one in a list', { tablet_controls: [{}, { frozn: true }] }, 'tablet_controls[1].frozn: unknown field'],
    [
      'an enum',
      { tablet_controls: [{ tablet_type: 'SECRET' }] },
      'tablet_controls[0].tablet_type: unknown enum value',
    ],
    ['a range', { primary_alias: { uid: 4294967296 } }, 'primary_alias.uid: out of range for uint32'],
    [
      'an integer',
      { primary_term_start_time: { seconds: 'SECRET' } },
      'primary_term_start_time.seconds: invalid integer',
    ],
    ['a string', { cells: ['z', 7] }, 'cells[1]: expected string'],
    ['a message', { key_range: 'SECRET' }, 'key_range: expected object'],
    ['a list', { cells: { a: 'SECRET' } }, 'cells: expected array'],
    ['a name given twice', { key_range: {}, keyRange: {} }, 'duplicate field'],
  ])('%s', (_, json, told) => {
    expect(refusal(ErrorCode.Usage, () => encode('topodata.Shard', json))).toBe(
      `not a topodata.Shard: ${told}`,
    );
  });

  it('in maps by their keys', () => {
    const json = { throttled_apps: { ok: {}, x: { expires_at: { seconds: 'SECRET' } } } };
    expect(refusal(ErrorCode.Usage, () => encode('topodata.ThrottlerConfig', json))).toBe(
      'not a topodata.ThrottlerConfig: throttled_apps[x].expires_at.seconds: invalid integer',
    );
    expect(
      refusal(ErrorCode.Usage, () => encode('topodata.Tablet', { port_map: { a: 1, b: 'SECRET' } })),
    ).toBe('not a topodata.Tablet: port_map[b]: invalid integer');
  });
});

describe('unknown fields', () => {
  // Field 77 as varint 5, as text "xy", as 8 and as 4 bytes, as a group.
  const varint = 'e80405';
  const text = 'ea04027879';
  const eight = 'e9040102030405060708';
  const four = 'ed0401020304';
  const group = 'eb040801ec04';
  const all = varint + text + eight + four + group;

  it('are listed with what stands behind their tags', () => {
    const shown = decode('topodata.CellInfo', hex(`0a0161${all}`)).unknown.map((field) => [
      field.path,
      field.number,
      field.wireType,
      toHex(field.bytes),
    ]);
    expect(shown).toEqual([
      ['#77', 77, 0, '05'],
      ['#77', 77, 2, '7879'],
      ['#77', 77, 1, '0102030405060708'],
      ['#77', 77, 5, '01020304'],
      ['#77', 77, 3, '0801ec04'],
    ]);
  });

  it('survive a change of the record', () => {
    const changed = reencode('topodata.CellInfo', hex(`0a0161${all}`), (json) => ({ ...json, root: '/b' }));
    expect(toHex(changed)).toBe(`0a016112022f62${all}`);
  });

  it('survive within messages, lists and maps, when the elements around them change', () => {
    const alias = `0a060a0161${varint}`;
    const first = `32050801${varint}`;
    const second = `32070802${text}`;
    const shard = hex(alias + first + second);
    expect(decode('topodata.Shard', shard).unknown.map((field) => field.path)).toEqual([
      'primary_alias.#77',
      'tablet_controls[0].#77',
      'tablet_controls[1].#77',
    ]);
    const controls = (change: (list: JsonObject[]) => JsonObject[]) =>
      toHex(
        reencode('topodata.Shard', shard, (json) => ({
          ...json,
          tablet_controls: change([{ tablet_type: 'PRIMARY' }, { tablet_type: 'REPLICA' }]),
        })),
      );
    expect(controls((list) => list)).toBe(alias + first + second);
    expect(controls((list) => list.reverse())).toBe(alias + second + first);
    expect(controls(([, kept]) => (kept ? [kept] : []))).toBe(alias + second);
    expect(controls((list) => [{ tablet_type: 'RDONLY' }, ...list])).toBe(
      `${alias}32020803${first}${second}`,
    );
    expect(controls(([, kept]) => [{ tablet_type: 'RDONLY' }, kept ?? {}])).toBe(
      `${alias}32050803${varint}${second}`,
    );

    const inMap = hex(`12080a01761203${varint}`);
    const changed = reencode('vschema.Keyspace', inMap, () => ({ vindexes: { v: { type: 'h' } } }));
    expect(toHex(changed)).toBe(`120b0a017612060a0168${varint}`);
  });

  it('stop a change that leaves open where they belong', () => {
    const shard = hex(`32050801${varint}32050802${varint}`);
    const change = () =>
      reencode('topodata.Shard', shard, () => ({ tablet_controls: [{ tablet_type: 'RDONLY' }] }));
    expect(refusal(ErrorCode.Usage, change)).toMatch(/fields this version does not know/);
  });
});

describe('CellInfo', () => {
  it('is read', () => {
    expect(readCellInfo(hex('0a03683a3112022f61'))).toEqual({ serverAddress: 'h:1', root: '/a' });
    expect(readCellInfo(hex(''))).toEqual({ serverAddress: '', root: '' });
    expect(refusal(ErrorCode.Corrupt, () => readCellInfo(hex('0a')))).toMatch(/it ends within a field/);
  });

  it('gets another address and keeps its region and its unknown fields', () => {
    const kept = '1a0472656731ea04027879';
    const before = hex(`0a03683a3112022f61${kept}`);
    const after = rewriteCellInfo(before, { serverAddress: 'n:2', root: '/b' });
    expect(toHex(after)).toBe(`0a036e3a3212022f62${kept}`);
    expect(rewriteCellInfo(hex(''), { serverAddress: '', root: '' }).byteLength).toBe(0);
  });
});
