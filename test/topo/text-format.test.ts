import { describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { quoted, toText } from '../../src/topo/text-format.js';

const hex = (text: string) => Buffer.from(text, 'hex');

/** Records as Vitess 24 stored and printed them. */
const PRINTED: readonly [name: string, message: string, bytes: string, text: string][] = [
  [
    'Shard s/80-',
    'topodata.Shard',
    '0a060a027a31106412030a01803207080122017428013801420408011002',
    'primary_alias:{cell:"z1" uid:100} primary_term_start_time:{seconds:1 nanoseconds:2} key_range:{start:"\\x80"} tablet_controls:{tablet_type:PRIMARY denied_tables:"t" frozen:true} is_primary_serving:true',
  ],
  ['Shard one/-', 'topodata.Shard', '12003801', 'key_range:{} is_primary_serving:true'],
  ['Shard u/0', 'topodata.Shard', '3801', 'is_primary_serving:true'],
  [
    'Tablet',
    'topodata.Tablet',
    '0a060a027a31106412016822080a0467727063100022060a02767410012a0173320338302d3a030a0180400352050a016112008a010b08ffffffffffffffffff01',
    'alias:{cell:"z1" uid:100} hostname:"h" port_map:{key:"grpc" value:0} port_map:{key:"vt" value:1} keyspace:"s" shard:"80-" key_range:{start:"\\x80"} type:RDONLY tags:{key:"a" value:""} tablet_start_time:{seconds:-1}',
  ],
  [
    'SrvKeyspace u',
    'topodata.SrvKeyspace',
    '0a07080112030a01300a07080212030a01300a07080312030a0130',
    'partitions:{served_type:PRIMARY shard_references:{name:"0"}} partitions:{served_type:REPLICA shard_references:{name:"0"}} partitions:{served_type:RDONLY shard_references:{name:"0"}}',
  ],
  [
    'SrvKeyspace one',
    'topodata.SrvKeyspace',
    '0a09080112050a012d12000a09080212050a012d12000a09080312050a012d1200',
    ['PRIMARY', 'REPLICA', 'RDONLY']
      .map((type) => `partitions:{served_type:${type} shard_references:{name:"-" key_range:{}}}`)
      .join(' '),
  ],
  [
    'Keyspace s',
    'topodata.Keyspace',
    '4a34080111000000000000f83f2a170a017812120a017811000000000000e03f1a04080c10053a0e0a036c616711000000000000f07f',
    'throttler_config:{enabled:true threshold:1.5 throttled_apps:{key:"x" value:{name:"x" ratio:0.5 expires_at:{seconds:12 nanoseconds:5}}} metric_thresholds:{key:"lag" value:inf}}',
  ],
  [
    'VSchema s',
    'vschema.Keyspace',
    '0801120e0a046861736812060a04686173681a1b0a01741216120a0a02696412046861736822080a016310953040002803',
    'sharded:true vindexes:{key:"hash" value:{type:"hash"}} tables:{key:"t" value:{column_vindexes:{column:"id" name:"hash"} columns:{name:"c" type:VARCHAR nullable:false}}} foreign_key_mode:managed',
  ],
  [
    'the smallest SrvVSchema',
    'vschema.SrvVSchema',
    '12001a002a00',
    'routing_rules:{} shard_routing_rules:{} mirror_rules:{}',
  ],
  ['CellsAlias', 'topodata.CellsAlias', '12027a3112027a32', 'cells:"z1" cells:"z2"'],
  [
    'ExternalVitessCluster',
    'topodata.ExternalVitessCluster',
    '0a100a0565746364321203683a311a022f72',
    'topo_config:{topo_type:"etcd2" server:"h:1" root:"/r"}',
  ],
  [
    'ShardReplication',
    'topodata.ShardReplication',
    '0a080a060a027a311064',
    'nodes:{tablet_alias:{cell:"z1" uid:100}}',
  ],
];

describe('records in protobuf’s text format', () => {
  test.each(PRINTED)('%s is printed as Vitess prints it', (_, message, bytes, text) => {
    expect(toText(message, hex(bytes))).toBe(text);
  });

  test('an empty record is an empty text', () => {
    expect(toText('topodata.Keyspace', new Uint8Array())).toBe('');
  });

  test('entries of a map come in order of their keys, whatever the order on the wire', () => {
    const bytes = Buffer.concat([hex('22050a01621001'), hex('22050a01611002')]);
    expect(toText('topodata.Tablet', bytes)).toBe('port_map:{key:"a" value:2} port_map:{key:"b" value:1}');
  });

  test.each([
    [0.5, '0.5'],
    [100_000, '100000'],
    [1_000_000, '1e+06'],
    [1_234_567, '1.234567e+06'],
    [0.0001, '0.0001'],
    [0.000_012, '1.2e-05'],
    ['-Infinity', '-inf'],
    ['NaN', 'nan'],
  ])('the number %s is written as Go writes it', (threshold, text) => {
    const bytes = encode('topodata.Keyspace', { throttler_config: { threshold } });
    expect(toText('topodata.Keyspace', bytes)).toBe(`throttler_config:{threshold:${text}}`);
  });

  test('an enum value without a name is its number', () => {
    expect(toText('topodata.Tablet', encode('topodata.Tablet', { type: 99 }))).toBe('type:99');
  });

  test('unknown fields are shown on request, at every depth', () => {
    // 9999 bytes, 9998 varint, 9997 of 4 and 9996 of 8 bytes; field 15 in the alias.
    const bytes = hex('0a0578050a017afaf004026869f0f00407edf00401000000e1f0040200000000000000');
    expect(toText('topodata.Tablet', bytes)).toBe('alias:{cell:"z"}');
    expect(toText('topodata.Tablet', bytes, { unknownFields: true })).toBe(
      'alias:{cell:"z" 15:5} 9999:"hi" 9998:7 9997:0x00000001 9996:0x0000000000000002',
    );
  });

  test('what does not decode is Corrupt', () => {
    expect(() => toText('topodata.Shard', hex('0a'))).toThrow(
      expect.objectContaining({ code: ErrorCode.Corrupt }),
    );
  });
});

describe('text in quotes', () => {
  test.each([
    ['61', '"a"'],
    ['225c27', '"\\"\\\\\'"'],
    ['0a0d0900', '"\\n\\r\\t\\x00"'],
    ['7f1b', '"\\x7f\\x1b"'],
    ['c3a9', '"é"'],
    ['f09f9880', '"😀"'],
    ['c285', '"\\u0085"'],
    ['80ff', '"\\x80\\xff"'],
    ['c3', '"\\xc3"'],
    ['eda080', '"\\xed\\xa0\\x80"'],
    ['f4908080', '"\\xf4\\x90\\x80\\x80"'],
    ['efbfbd', '"\ufffd"'],
    ['efbbbf61', '"\ufeffa"'],
    ['c0af', '"\\xc0\\xaf"'],
  ])('of the bytes %s has Go’s escapes', (bytes, text) => {
    expect(quoted(hex(bytes))).toBe(text);
  });
});
