import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordProblems } from '../../src/editing/legal.js';
import { RULES } from '../../src/editing/rules.js';
import { kindOf } from '../../src/editing/target.js';
import { encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { messageName, messageType } from '../../src/topo/codec-schema.js';
import { recordParts } from '../../src/topo/parts.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';

/** What is wrong with a record at a path. */
function problems(scope: string, path: string, json: JsonObject): string[] {
  const { row, names } = kindOf(scope, path);
  const message = row.message ?? '';
  return recordProblems(message, encode(message, json), { scope, names }).map(({ text }) => text);
}

describe('what Vitess wrote itself', () => {
  for (const name of FIXTURES) {
    const records = fixtures(name);
    test.runIf(records !== undefined)(`is legal: ${name}`, () => {
      let checked = 0;
      for (const { scope, path, value } of records ?? []) {
        const { row, names } = kindOf(scope, path);
        if (row.message === null) continue;
        expect({ path, found: recordProblems(row.message, value, { scope, names }) }).toEqual({
          path,
          found: [],
        });
        checked += 1;
      }
      expect(checked).toBeGreaterThan(20);
    });
  }
});

test('rules are about messages of the schema', () => {
  for (const message of Object.keys(RULES)) expect(messageName(messageType(message))).toBe(message);
});

describe('a shard’s name and its range', () => {
  const SHARD = 'keyspaces/k/shards';
  const range = (start: string, end: string) => ({
    key_range: {
      start: Buffer.from(start, 'hex').toString('base64'),
      end: Buffer.from(end, 'hex').toString('base64'),
    },
  });
  test.each([
    ['0', {}, []],
    ['-', {}, []],
    ['-', { key_range: {} }, []],
    ['-80', range('', '80'), []],
    ['80-C0', range('80', 'c0'), []],
    ['-80', {}, [/stands for -80, and key_range is -$/]],
    ['0', range('', '80'), [/no key range in its name, and key_range is -80/]],
    ['-80', range('80', ''), [/stands for -80, and key_range is 80-/]],
    ['80-', range('8000', ''), [/stands for 80-, and key_range is 8000-/]],
    ['40-80', range('80', '40'), [/stands for 40-80/, /^key_range: the key range 80-40 holds nothing/]],
  ])('%s', (name, json, expected) => {
    const found = problems('global', `${SHARD}/${name}/Shard`, json);
    expect(found).toHaveLength(expected.length);
    expected.forEach((pattern, index) => {
      expect(found[index]).toMatch(pattern);
    });
  });
});

describe('the shards of a partition', () => {
  const partitions = (...names: string[]) => ({
    partitions: [
      {
        served_type: 'PRIMARY',
        shard_references: names.map((name) => {
          if (!name.includes('-')) return { name };
          const [start = '', end = ''] = name
            .split('-')
            .map((hex) => Buffer.from(hex, 'hex').toString('base64'));
          return { name, key_range: { start, end } };
        }),
      },
    ],
  });
  const found = (...names: string[]) => problems('z', 'keyspaces/k/SrvKeyspace', partitions(...names));

  test('may be any cut of the whole, in any order', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 255 }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.nat()), (points, order) => {
        const edges = [
          '',
          ...points.toSorted((a, b) => a - b).map((point) => point.toString(16).padStart(2, '0')),
          '',
        ];
        const names = edges.slice(1).map((end, index) => `${edges[index]}-${end}`);
        const shuffled = names
          .map((name) => ({ name, at: order.next().value }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ name }) => name);
        expect(found(...shuffled)).toEqual([]);
        if (names.length > 1) expect(found(...shuffled.slice(1))).not.toEqual([]);
      }),
    );
  });

  test('may have no ranges at all, and none of them, but not some', () => {
    expect(found('0', '1')).toEqual([]);
    expect(found()).toEqual([]);
    expect(found('0', '-80', '80-')).toEqual([expect.stringMatching(/shard 0 has no key range/)]);
    expect(found('-', '-80', '80-')).not.toEqual([]);
    expect(found('-80', '-80', '80-').join()).toMatch(/do not meet/);
  });

  test.each([
    [['-40', '80-'], /do not meet: one ends at 40, the next begins at 80/],
    [['-80', '40-'], /do not meet: one ends at 80, the next begins at 40/],
    [['40-80', '80-'], /begin at 40/],
    [['-40', '40-80'], /end at 80/],
    [['-', '80-'], /one ends at the maximum, the next begins at 80/],
  ])('%j is refused', (names, message) => {
    expect(found(...names)).toEqual([expect.stringMatching(message)]);
  });
});

/** Elements that a record has twice. */
function duplicateElements(message: string, bytes: Uint8Array) {
  return recordParts(message, bytes, () => false).twice;
}

test('elements of one name are found at every depth', () => {
  const rules = {
    rules: [{ from_table: 'a' }, { from_table: 'b' }, { from_table: 'a' }, { from_table: 'a' }],
  };
  expect(duplicateElements('vschema.RoutingRules', encode('vschema.RoutingRules', rules))).toEqual([
    'rules[a]',
  ]);
  const graph = encode('vschema.SrvVSchema', { routing_rules: rules });
  expect(duplicateElements('vschema.SrvVSchema', graph)).toEqual(['routing_rules.rules[a]']);
  const nodes = encode('topodata.ShardReplication', {
    nodes: [1, 1].map((uid) => ({ tablet_alias: { cell: 'z', uid } })),
  });
  expect(duplicateElements('topodata.ShardReplication', nodes)).toEqual(['nodes[z-0000000001]']);
  expect(
    duplicateElements('topodata.CellsAlias', encode('topodata.CellsAlias', { cells: ['a', 'a'] })),
  ).toEqual([]);
});

test('parts of a record are found with their paths', () => {
  const bytes = encode('topodata.Shard', { source_shards: [{ shard: '-80', key_range: { end: 'gA==' } }] });
  const named = (wanted: (message: string) => boolean) =>
    recordParts('topodata.Shard', bytes, wanted).parts.map(({ message, path }) => `${path} ${message}`);
  expect(named((message) => message === 'topodata.KeyRange')).toEqual([
    ' topodata.Shard',
    'source_shards[0].key_range topodata.KeyRange',
  ]);
  expect(named(() => true)).toEqual([
    ' topodata.Shard',
    'source_shards[0] topodata.Shard.SourceShard',
    'source_shards[0].key_range topodata.KeyRange',
  ]);
});
