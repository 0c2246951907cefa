import { describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { diffRecords } from '../../src/topo/diff.js';
import { listFields } from '../../src/topo/fields.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';

const lines = (message: string, json: JsonObject) =>
  listFields(message, encode(message, json)).map(({ path, shown }) => `${path}: ${shown}`);

describe('the values of a record', () => {
  test('are named as differences name them', () => {
    const shard = {
      primary_alias: { cell: 'zone1', uid: 100 },
      key_range: { start: 'QA==', end: 'gA==' },
      tablet_controls: [{ tablet_type: 'RDONLY', denied_tables: ['t1', 't2'] }],
      primary_term_start_time: { seconds: '1' },
      vtorc_state: {},
    };
    expect(lines('topodata.Shard', shard)).toEqual([
      'primary_alias: zone1-0000000100',
      'primary_term_start_time: 1970-01-01T00:00:01Z',
      'key_range: 40-80',
      'tablet_controls[rdonly].tablet_type: RDONLY',
      'tablet_controls[rdonly].denied_tables: "t1"',
      'tablet_controls[rdonly].denied_tables: "t2"',
      'vtorc_state: {}',
    ]);
  });

  test('in ordered lists have their index, in maps their key', () => {
    const vschema = {
      tables: {
        t: { columns: [{ name: 'a' }, { name: 'b', type: 'VARCHAR' }] },
        'a b': { type: 'reference' },
      },
    };
    expect(lines('vschema.Keyspace', vschema)).toEqual([
      'tables["a b"].type: "reference"',
      'tables[t].columns[0].name: "a"',
      'tables[t].columns[1].name: "b"',
      'tables[t].columns[1].type: VARCHAR',
    ]);
  });

  test('are also those of fields that the schema does not know', () => {
    expect(listFields('topodata.Keyspace', Buffer.from('faf004026869', 'hex'))).toEqual([
      { path: '#9999', shown: 'bytes "hi"', text: 'bytes "hi"' },
    ]);
  });

  test.each(FIXTURES.filter((name) => fixtures(name) !== undefined))(
    'of %s: a record has one exactly when it differs from an empty one',
    (name) => {
      for (const { kind, value } of fixtures(name) ?? []) {
        if (kind === null) continue;
        const differs = diffRecords(kind, new Uint8Array(), value).length > 0;
        expect(listFields(kind, value).length > 0).toBe(differs);
      }
    },
  );
});
