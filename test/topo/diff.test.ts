import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { messageType } from '../../src/topo/codec-schema.js';
import { diffRecords } from '../../src/topo/diff.js';
import { EMPTY_IS_ABSENT, LIST_RULES } from '../../src/topo/diff-rules.js';
import { ErrorCode, isTopologyError } from '../../src/topo/errors.js';
import { KINDS } from '../../src/topo/kinds.js';
import { arbitraryRecord, mutations, shuffled } from './arbitrary-record.js';

const diff = (message: string, a: JsonObject, b: JsonObject) =>
  diffRecords(message, encode(message, a), encode(message, b));
const hex = (text: string) => Buffer.from(text, 'hex');
const tablet = (json: JsonObject, other: JsonObject) => diff('topodata.Tablet', json, other);
const shard = (json: JsonObject, other: JsonObject) => diff('topodata.Shard', json, other);

describe('values are shown for people', () => {
  it('aliases, times and key ranges as one value', () => {
    expect(
      shard(
        {
          primary_alias: { cell: 'zone1', uid: 100 },
          primary_term_start_time: { seconds: '1774600101', nanoseconds: 101 },
          key_range: { start: 'QA==', end: 'gA==' },
        },
        { primary_alias: { cell: 'zone1', uid: 101 }, key_range: { start: 'QA==' } },
      ),
    ).toEqual([
      { path: 'primary_alias', a: 'zone1-0000000100', b: 'zone1-0000000101' },
      { path: 'primary_term_start_time', a: '2026-03-27T08:28:21.000000101Z', b: undefined },
      { path: 'key_range', a: '40-80', b: '40-' },
    ]);
  });

  it.each([
    [{}, '1970-01-01T00:00:00Z'],
    [{ seconds: '-1', nanoseconds: 500000000 }, '1969-12-31T23:59:59.5Z'],
    [{ nanoseconds: -1 }, '0 s -1 ns since 1970'],
    [{ seconds: '9223372036854775807' }, '9223372036854775807 s 0 ns since 1970'],
    [{ seconds: '-62135596800' }, '0001-01-01T00:00:00Z'],
  ])('the time %j as %s', (time, shown) => {
    expect(tablet({ tablet_start_time: time }, {})).toEqual([
      { path: 'tablet_start_time', a: shown, b: undefined },
    ]);
  });

  it('texts in quotes, enums by name, bytes as base64, what is not set by its default', () => {
    expect(
      tablet(
        { hostname: 'a"b', type: 'RDONLY', mysql_port: 3306, default_conn_collation: 255 },
        { type: 55 },
      ),
    ).toEqual([
      { path: 'hostname', a: '"a\\"b"', b: '""' },
      { path: 'type', a: 'RDONLY', b: '55' },
      { path: 'mysql_port', a: '3306', b: '0' },
      { path: 'default_conn_collation', a: '255', b: '0' },
    ]);
    expect(tablet({ type: 'PRIMARY' }, {})).toEqual([{ path: 'type', a: 'PRIMARY', b: 'UNKNOWN' }]);
    expect(diff('workflow.Workflow', { data: 'AAEC', start_time: '5' }, { data: 'AAED' })).toEqual([
      { path: 'data', a: 'AAEC', b: 'AAED' },
      { path: 'start_time', a: '5', b: '0' },
    ]);
  });

  it('a message or an element that only one side has as JSON', () => {
    expect(diff('topodata.Keyspace', { vtorc_state: { disable_emergency_reparent: true } }, {})).toEqual([
      { path: 'vtorc_state', a: '{"disable_emergency_reparent":true}', b: undefined },
    ]);
    expect(diff('vschema.RoutingRules', {}, { rules: [{ from_table: 't', to_tables: ['ks.t'] }] })).toEqual([
      { path: 'rules[t]', a: undefined, b: '{"from_table":"t","to_tables":["ks.t"]}' },
    ]);
  });
});

describe('lists', () => {
  it('that are sets differ by their elements, and are shown sorted', () => {
    const controls = (...denied_tables: string[]) => ({
      tablet_controls: [{ tablet_type: 'RDONLY', denied_tables }],
    });
    expect(shard(controls('b', 'a'), controls('a', 'b', 'a'))).toEqual([]);
    expect(shard(controls('b', 'a'), controls('a'))).toEqual([
      { path: 'tablet_controls[rdonly].denied_tables', a: '["a", "b"]', b: '["a"]' },
    ]);
  });

  it('that are maps are followed by their keys, whatever their order', () => {
    const partition = (served_type: string, ...names: string[]) => ({
      served_type,
      shard_references: names.map((name) => ({ name })),
    });
    expect(
      diff(
        'topodata.SrvKeyspace',
        { partitions: [partition('PRIMARY', '-80', '80-'), partition('REPLICA', '0')] },
        { partitions: [partition('REPLICA', '0'), partition('PRIMARY', '80-', '-40', '-80')] },
      ),
    ).toEqual([{ path: 'partitions[primary].shard_references[-40]', a: undefined, b: '{"name":"-40"}' }]);
    const rule = (from_keyspace: string, to_keyspace: string) => ({
      from_keyspace,
      to_keyspace,
      shard: '-80',
    });
    expect(
      diff(
        'vschema.ShardRoutingRules',
        { rules: [rule('a', 'x'), rule('b', 'x')] },
        { rules: [rule('b', 'y'), rule('a', 'x')] },
      ),
    ).toEqual([{ path: 'rules[b,-80].to_keyspace', a: '"x"', b: '"y"' }]);
  });

  it('of tablets are sets by alias', () => {
    const nodes = (...uids: number[]) => ({
      nodes: uids.map((uid) => ({ tablet_alias: { cell: 'z', uid } })),
    });
    expect(diff('topodata.ShardReplication', nodes(1, 2), nodes(2, 1, 2))).toEqual([]);
    expect(diff('topodata.ShardReplication', nodes(1, 2), nodes(2, 3))).toEqual([
      { path: 'nodes[z-0000000001]', a: '{"tablet_alias":{"cell":"z","uid":1}}', b: undefined },
      { path: 'nodes[z-0000000003]', a: undefined, b: '{"tablet_alias":{"cell":"z","uid":3}}' },
    ]);
  });

  it('with two elements of one key hide nothing', () => {
    const controls = (...frozen: boolean[]) => ({
      tablet_controls: frozen.map((flag) => ({ tablet_type: 'REPLICA', frozen: flag })),
    });
    expect(shard(controls(true, false), controls(true, false))).toEqual([]);
    expect(shard(controls(true, false), controls(false, true)).map(({ path }) => path)).toEqual([
      'tablet_controls[replica][0].frozen',
      'tablet_controls[replica][1].frozen',
    ]);
    expect(shard(controls(true), controls(true, true)).map(({ path }) => path)).toEqual([
      'tablet_controls[replica][1]',
    ]);
  });

  it('that are ordered are compared by place', () => {
    const table = (...names: string[]) => ({
      tables: { t: { column_vindexes: names.map((name) => ({ name })) } },
    });
    expect(diff('vschema.Keyspace', table('a', 'b'), table('b', 'a'))).toEqual([
      { path: 'tables[t].column_vindexes[0].name', a: '"a"', b: '"b"' },
      { path: 'tables[t].column_vindexes[1].name', a: '"b"', b: '"a"' },
    ]);
    const rule = (...to_tables: string[]) => ({ rules: [{ from_table: 'f', to_tables }] });
    expect(diff('vschema.RoutingRules', rule('a', 'b'), rule('b', 'a'))).toEqual([
      { path: 'rules[f].to_tables', a: '["a", "b"]', b: '["b", "a"]' },
    ]);
  });

  it('a shard tablet control that disables nothing equals none', () => {
    const controls = (query_service_disabled: boolean) => ({
      partitions: [{ shard_tablet_controls: [{ name: '0', query_service_disabled }] }],
    });
    const none = { partitions: [{}] };
    expect(diff('topodata.SrvKeyspace', controls(false), none)).toEqual([]);
    expect(diff('topodata.SrvKeyspace', none, controls(false))).toEqual([]);
    expect(diff('topodata.SrvKeyspace', none, controls(true)).map(({ path }) => path)).toEqual([
      'partitions[unknown].shard_tablet_controls[0]',
    ]);
  });
});

describe('presence', () => {
  it('of a key range and of rules in SrvVSchema means nothing', () => {
    expect(shard({ key_range: {} }, {})).toEqual([]);
    const rules = {
      routing_rules: {},
      shard_routing_rules: {},
      keyspace_routing_rules: {},
      mirror_rules: {},
    };
    expect(diff('vschema.SrvVSchema', rules, {})).toEqual([]);
    expect(shard({ key_range: { start: 'gA==' } }, {})).toEqual([{ path: 'key_range', a: '80-', b: '-' }]);
  });

  it('of aliases, times and nullable means something', () => {
    expect(shard({ primary_alias: {} }, {})).toHaveLength(1);
    expect(shard({ primary_term_start_time: {} }, {})).toHaveLength(1);
    const columns = (column: JsonObject) => ({ tables: { t: { columns: [column] } } });
    const path = 'tables[t].columns[0].nullable';
    expect(diff('vschema.Keyspace', columns({ nullable: true }), columns({}))).toEqual([
      { path, a: 'true', b: undefined },
    ]);
    expect(diff('vschema.Keyspace', columns({ nullable: false }), columns({}))).toEqual([
      { path, a: 'false', b: undefined },
    ]);
  });

  it('of a map entry whose value is zero means something', () => {
    expect(tablet({ port_map: { grpc: 0, vt: 1 } }, { port_map: { vt: 1 } })).toEqual([
      { path: 'port_map[grpc]', a: '0', b: undefined },
    ]);
  });
});

describe('numbers', () => {
  it('that are none equal themselves', () => {
    const metric = (value: string) => ({ metric_thresholds: { lag: value } });
    expect(diff('topodata.ThrottlerConfig', metric('NaN'), metric('NaN'))).toEqual([]);
    expect(diff('topodata.ThrottlerConfig', metric('NaN'), metric('Infinity'))).toEqual([
      { path: 'metric_thresholds[lag]', a: 'NaN', b: 'Infinity' },
    ]);
  });

  it('of 32 bits are compared as such', () => {
    const rule = (percent: number) => ({ rules: [{ from_table: 't', percent }] });
    expect(diff('vschema.MirrorRules', rule(0.1), rule(0.10000000149011612))).toEqual([]);
    expect(diff('vschema.MirrorRules', rule(0.1), rule(0.2))).toEqual([
      { path: 'rules[t].percent', a: '0.1', b: '0.2' },
    ]);
  });
});

describe('unknown fields', () => {
  it('are compared by number, within messages too, whatever their order', () => {
    const info = (tail: string) => hex(`0a0161${tail}`);
    expect(diffRecords('topodata.CellInfo', info('e80405f00401'), info('f00401e80405'))).toEqual([]);
    expect(diffRecords('topodata.CellInfo', info('e80405'), info('e80406f00401'))).toEqual([
      { path: '#77', a: 'varint BQ==', b: 'varint Bg==' },
      { path: '#78', a: undefined, b: 'varint AQ==' },
    ]);
    expect(diffRecords('topodata.CellInfo', info('e80405e80406'), info('e80406e80405'))).toHaveLength(1);
    const nested = diffRecords(
      'topodata.Shard',
      hex('0a030a017a32020803'),
      hex('0a060a017ae8040532050803e80405'),
    );
    expect(nested.map(({ path }) => path)).toEqual(['primary_alias.#77', 'tablet_controls[rdonly].#77']);
  });
});

it('keys that would be misread are quoted', () => {
  const tags = { 'a.b': '1', 'a b': '1', 'x]': '1', '': '1', '"': '1', é: '1' };
  const paths = tablet({ tags }, {}).map(({ path }) => path);
  expect(paths).toEqual(['tags[""]', 'tags["\\""]', 'tags["a b"]', 'tags[a.b]', 'tags["x]"]', 'tags[é]']);
});

it('a record that does not decode is refused as corrupt', () => {
  for (const [a, b] of [
    ['0a', ''],
    ['', '0a'],
  ] as const)
    expect(() => diffRecords('topodata.Shard', hex(a), hex(b))).toThrow(
      expect.toSatisfy((error: unknown) => isTopologyError(error, ErrorCode.Corrupt)),
    );
});

it('every rule names a field of the schema, and its keys', () => {
  for (const name of [...Object.keys(LIST_RULES), ...EMPTY_IS_ABSENT]) {
    const dot = name.lastIndexOf('.');
    const field = messageType(name.slice(0, dot)).fields[name.slice(dot + 1)];
    expect(field, name).toBeDefined();
    const rule = LIST_RULES[name];
    expect(field?.repeated, name).toBe(rule !== undefined);
    if (field === undefined || rule?.key === undefined) continue;
    const element = messageType(`${name.slice(0, name.indexOf('.'))}.${elementName(name, field.type)}`);
    for (const key of [...rule.key, ...(rule.inertWithout === undefined ? [] : [rule.inertWithout])])
      expect(element.fields[key], `${name} ${key}`).toBeDefined();
  }
});

/** Name of an element's message within its package: nested ones are declared in the message that has the field. */
function elementName(field: string, type: string): string {
  const within = field.slice(field.indexOf('.') + 1, field.lastIndexOf('.'));
  const nested = messageType(field.slice(0, field.lastIndexOf('.'))).nested?.[type];
  return nested === undefined ? type : `${within}.${type}`;
}

const messages = [...new Set(KINDS.flatMap(({ message }) => message ?? []))];

describe.each([...messages, 'workflow.WorkflowCheckpoint', 'topodata.SrvShard', 'topodata.EndPoints'])(
  'any %s',
  (message) => {
    const type = messageType(message);

    it('decodes to the JSON that was encoded', () => {
      fc.assert(
        fc.property(arbitraryRecord(type), (json) => {
          expect(decode(message, encode(message, json))).toEqual({ json, unknown: [] });
        }),
        { numRuns: 50 },
      );
    });

    it('equals itself written in another order', () => {
      fc.assert(
        fc.property(arbitraryRecord(type), (json) => {
          expect(diff(message, json, shuffled(type, json))).toEqual([]);
        }),
        { numRuns: 50 },
      );
    });

    it('differs from itself changed in one place, in just that place', () => {
      fc.assert(
        fc.property(arbitraryRecord(type), fc.nat(), (json, choice) => {
          const all = mutations(type, json);
          const mutation = all[choice % Math.max(all.length, 1)];
          if (mutation === undefined) return;
          for (const [a, b] of [
            [json, mutation.changed],
            [mutation.changed, json],
          ] as const)
            expect(diff(message, a, b).map(({ path }) => path)).toEqual(mutation.paths);
        }),
        { numRuns: 100 },
      );
    });
  },
);
