import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ScanPage } from '../../src/topo/connection.js';
import { joinScans, type Pair } from '../../src/topo/join.js';
import { compareBytewise } from '../../src/topo/paths.js';
import { stored } from '../support/records.js';

async function* scan(pages: readonly (readonly string[])[]): AsyncGenerator<ScanPage> {
  for (const [index, paths] of pages.entries())
    yield { records: paths.map((path) => stored(path, '')), position: BigInt(index) };
}

async function joined(a: readonly (readonly string[])[], b: readonly (readonly string[])[]): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for await (const page of joinScans(scan(a), scan(b))) pairs.push(...page);
  return pairs;
}

/** Sorted paths, cut into pages at random, empty pages included. */
const pages = fc
  .uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }), { maxLength: 20 })
  .chain((paths) =>
    fc.array(fc.nat(paths.length), { maxLength: 5 }).map((cuts) => {
      const sorted = [...paths].sort(compareBytewise);
      const edges = [0, ...cuts.sort((x, y) => x - y), sorted.length];
      return edges.slice(1).map((edge, i) => sorted.slice(edges[i], edge));
    }),
  );

test('however two scans are paged, every path comes once, in order, with what each side holds', async () => {
  await fc.assert(
    fc.asyncProperty(pages, pages, async (a, b) => {
      const [left, right] = [new Set(a.flat()), new Set(b.flat())];
      const pairs = await joined(a, b);
      expect(pairs.map(({ path }) => path)).toEqual([...new Set([...left, ...right])].sort(compareBytewise));
      for (const { path, a: one, b: other } of pairs) {
        expect(one?.path).toBe(left.has(path) ? path : undefined);
        expect(other?.path).toBe(right.has(path) ? path : undefined);
      }
    }),
  );
});

test('a scan that breaks the order is refused, since a comparison by order would miss records', async () => {
  await expect(joined([['b', 'a']], [])).rejects.toThrow(expect.objectContaining({ code: 'Corrupt' }));
});

test('a scan that fails fails the join', async () => {
  async function* broken(): AsyncGenerator<ScanPage> {
    yield { records: [stored('a', '')], position: 1n };
    throw new Error('connection lost');
  }
  const read = async () => {
    for await (const page of joinScans(scan([['a'], ['b']]), broken())) void page;
  };
  await expect(read()).rejects.toThrow('connection lost');
});
