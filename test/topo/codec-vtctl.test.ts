import { expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { toVtctlJson } from '../../src/topo/codec-vtctl.js';

const SHARD = encode('topodata.Shard', {
  primary_alias: { cell: 'z1' },
  primary_term_start_time: { seconds: '1774600101' },
  key_range: {},
  tablet_controls: [{ tablet_type: 'RDONLY' }],
});

test('all fields are printed, set or not, in the order of the schema, enums as numbers', () => {
  const printed = toVtctlJson('topodata.Shard', SHARD, 'all');
  expect(printed).toEqual({
    primary_alias: { cell: 'z1', uid: 0 },
    primary_term_start_time: { seconds: '1774600101', nanoseconds: 0 },
    key_range: { start: '', end: '' },
    source_shards: [],
    tablet_controls: [{ tablet_type: 3, cells: [], denied_tables: [], frozen: false, allow_reads: false }],
    is_primary_serving: false,
    vtorc_state: null,
  });
  expect(Object.keys(printed).slice(0, 3)).toEqual(['primary_alias', 'primary_term_start_time', 'key_range']);
});

test('as Go prints structures: what is set alone, 64-bit integers as numbers', () => {
  expect(toVtctlJson('topodata.Shard', SHARD, 'set')).toEqual({
    primary_alias: { cell: 'z1' },
    primary_term_start_time: { seconds: 1_774_600_101 },
    key_range: {},
    tablet_controls: [{ tablet_type: 3 }],
  });
});

test('a field that Vitess has dropped is printed only where it is set', () => {
  const cell = (json: Parameters<typeof encode>[1]) =>
    toVtctlJson('topodata.CellInfo', encode('topodata.CellInfo', json), 'all');
  expect(cell({ root: '/a' })).toEqual({ server_address: '', root: '/a' });
  expect(cell({ region: 'east' })).toEqual({ server_address: '', root: '', region: 'east' });
});

test('a scalar that tells absent from its default is printed only where it is there', () => {
  const column = (json: Parameters<typeof encode>[1]) =>
    toVtctlJson('vschema.Column', encode('vschema.Column', json), 'all');
  expect(column({ name: 'c' })).not.toHaveProperty('nullable');
  expect(column({ name: 'c', nullable: false })).toMatchObject({ nullable: false, type: 0, values: [] });
});

test('a record that does not decode is Corrupt', () => {
  expect(() => toVtctlJson('topodata.Shard', Buffer.of(255), 'all')).toThrow(/not a topodata\.Shard/);
});
