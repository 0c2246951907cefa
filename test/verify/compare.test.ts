import { describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import type { Pair } from '../../src/topo/join.js';
import { type CompareContext, comparePair } from '../../src/verify/compare.js';
import { Findings } from '../../src/verify/findings.js';
import { pair, stored } from '../support/records.js';

const context: CompareContext = {
  scope: 'global',
  judgeAddress: (_cell, found) => (found.serverAddress === 'old:2181' ? 'wrong' : 'own'),
};

function compared(pairs: Pair[], changes: Partial<CompareContext> = {}, ignore: string[] = []): Findings {
  const found = new Findings(ignore);
  for (const each of pairs) found.add(comparePair(each, { ...context, ...changes }));
  return found;
}
const path = 'keyspaces/ks/shards/0/Shard';
const shard = (json: Parameters<typeof encode>[1]) => stored(path, encode('topodata.Shard', json));

test('equal bytes are equal', () => {
  const found = compared([pair(shard({ is_primary_serving: true }), shard({ is_primary_serving: true }))]);
  expect(found).toMatchObject({ differences: [], notes: [], notCompared: [] });
  expect(found.counts.get('Shard')).toMatchObject({ equal: 1 });
});

test('a field that differs is named with both values', () => {
  const found = compared([
    pair(shard({ primary_alias: { cell: 'z1', uid: 1 } }), shard({ primary_alias: { cell: 'z1', uid: 2 } })),
  ]);
  expect(found.differences).toMatchObject([
    {
      type: 'different',
      path,
      kind: 'Shard',
      class: 'dangerous',
      fields: [{ path: 'shard.primary_alias', rule: 'shard.primary_alias' }],
    },
  ]);
});

test('a record on one side only is missing or extra, an empty one too', () => {
  const found = compared([
    pair(stored('metadata/a', ''), undefined),
    pair(undefined, stored('metadata/b', '')),
  ]);
  expect(found.differences.map(({ type, path: at }) => `${type} ${at}`)).toEqual([
    'missing metadata/a',
    'extra metadata/b',
  ]);
});

test('other bytes with the same fields are noted, not different', () => {
  const ks = (...cells: string[]) => encode('topodata.CellsAlias', { cells });
  const at = 'cells_aliases/a/CellsAlias';
  const found = compared([pair(stored(at, ks('z1', 'z2')), stored(at, ks('z2', 'z1')))]);
  expect(found.differences).toEqual([]);
  expect(found.notes).toMatchObject([{ type: 'encoding', class: 'benign', path: at }]);
});

test('raw contents and records that do not decode differ by their bytes', () => {
  const broken = stored(path, Uint8Array.from([0xff]));
  const found = compared([
    pair(stored('metadata/a', 'x'), stored('metadata/a', 'yy')),
    pair(shard({}), broken),
  ]);
  expect(found.differences).toMatchObject([
    { detail: '1 and 2 bytes' },
    { detail: expect.stringContaining('destination:') },
  ]);
});

const info = (json: Parameters<typeof encode>[1]) =>
  stored('cells/z1/CellInfo', encode('topodata.CellInfo', json));

test('CellInfo with the destination’s own address is as expected', () => {
  const found = compared([
    pair(
      info({ server_address: 'old:2181', root: '/z1' }),
      info({ server_address: 'new:2379', root: '/z1' }),
    ),
  ]);
  expect(found.differences).toEqual([]);
  expect(found.notes).toMatchObject([{ type: 'address', class: 'expected' }]);
});

test('CellInfo that points back at the old store is a difference, even with equal bytes', () => {
  const old = info({ server_address: 'old:2181', root: '/z1' });
  expect(compared([pair(old, old)]).differences).toMatchObject([
    {
      type: 'different',
      class: 'dangerous',
      rule: 'cell_info.address',
      detail: expect.stringContaining('old:2181'),
    },
  ]);
});

test('CellInfo that differs in more than the address is a difference', () => {
  const found = compared([
    pair(
      info({ server_address: 'old:2181', region: 'eu' }),
      info({ server_address: 'new:2379', region: 'us' }),
    ),
  ]);
  expect(found.differences).toMatchObject([{ class: 'repairable', fields: [{ path: 'cell_info.region' }] }]);
});

test('what is not compared is named, with its side and the reason', () => {
  const found = compared([
    pair(stored('elections/e/1', 'x', true), undefined),
    pair(undefined, stored('topo2topo/epoch', 'x')),
  ]);
  expect(found.differences).toEqual([]);
  expect(found.notCompared).toMatchObject([
    { side: 'source', kind: 'Election' },
    { side: 'destination', kind: 'Control' },
  ]);
});

test('CellInfo that names another address than the one given for reading is told apart', () => {
  const elsewhere = () => 'elsewhere' as const;
  const pairs = [
    pair(
      info({ server_address: 'old:2181', root: '/z1' }),
      info({ server_address: 'there:2379', root: '/z1' }),
    ),
  ];
  expect(compared(pairs, { judgeAddress: elsewhere }).notes).toMatchObject([{ type: 'elsewhere' }]);
});

test('in a store that keeps the source’s addresses, another address is a difference', () => {
  const kept = () => 'kept' as const;
  const pairs = [pair(info({ server_address: 'a:1' }), info({ server_address: 'b:1' }))];
  expect(compared(pairs, { judgeAddress: kept }).differences).toMatchObject([
    { fields: [{ path: 'cell_info.server_address' }] },
  ]);
});

test('CellInfo that does not decode is compared by its bytes', () => {
  const broken = stored('cells/z1/CellInfo', Uint8Array.from([0xff]));
  expect(compared([pair(broken, broken)]).differences).toEqual([]);
  expect(compared([pair(broken, info({}))]).differences).toHaveLength(1);
});

describe('what is ignored', () => {
  const one = shard({ primary_alias: { cell: 'z1', uid: 1 }, cells: ['z1'] });
  const other = shard({ primary_alias: { cell: 'z1', uid: 2 }, cells: ['z2'] });

  test('in part leaves the rest, with the class of the rest', () => {
    const found = compared([pair(one, other)], {}, ['shard.primary_alias']);
    expect(found.differences).toMatchObject([{ class: 'repairable', fields: [{ rule: 'shard.cells' }] }]);
    expect(found.ignored).toMatchObject([{ fields: [{ rule: 'shard.primary_alias' }] }]);
    expect(found.counts.get('Shard')).toMatchObject({ different: 1, ignored: 0 });
  });

  test('as a whole is no difference, and told', () => {
    const found = compared([pair(one, other)], {}, ['shard']);
    expect(found.differences).toEqual([]);
    expect(found.ignored).toMatchObject([{ path, fields: [{}, {}] }]);
    expect(found.counts.get('Shard')).toMatchObject({ different: 0, ignored: 1, equal: 0 });
  });

  test('is a rule and what is within it, not what begins with its name', () => {
    const found = compared([pair(one, other)], {}, ['shard.cell', 'shard.primary']);
    expect(found.ignored).toEqual([]);
  });

  test('may be that a record is missing', () => {
    expect(compared([pair(one, undefined)], {}, ['shard.missing']).differences).toEqual([]);
    expect(compared([pair(one, undefined)], {}, ['shard.extra']).differences).toHaveLength(1);
  });
});
