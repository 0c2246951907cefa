import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ReadMany, Walk } from '../../src/backends/zk2/walk.js';
import type { MultiReadResult, Stat } from '../../src/zookeeper/client.js';

const BYTE_ORDER = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** A tree of znodes by their paths, and the parents of each. */
function treeOf(paths: readonly string[]): Map<string, Set<string>> {
  const children = new Map<string, Set<string>>([['', new Set()]]);
  for (const path of paths) {
    const parts = path.split('/');
    for (let depth = 0; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join('/');
      const node = parts.slice(0, depth + 1).join('/');
      children.get(parent)?.add(parts[depth] ?? '');
      if (!children.has(node)) children.set(node, new Set());
    }
  }
  return children;
}

function statOf(numChildren: number, dataLength: number): Stat {
  const times = { czxid: 1n, mzxid: 1n, pzxid: 1n, ctime: 0, mtime: 0 };
  const counts = { version: 0, cversion: 0, aversion: 0, dataLength, numChildren };
  return { ...times, ...counts, ephemeralOwner: 0n };
}

/** Answers after a random number of turns, some late, so that answers come in any order. */
function reader(tree: Map<string, Set<string>>, sizes: number[], dataLength: number): ReadMany {
  return async (reads) => {
    sizes.push(reads.length);
    const turns = Math.random() < 0.25 ? 60 : Math.random() * 4;
    for (let turn = 1; turn < turns; turn++) await Promise.resolve();
    return reads.map(({ type, path }): MultiReadResult | undefined => {
      const children = tree.get(path);
      if (children === undefined) return undefined;
      if (type === 'getChildren') return { type, children: [...children].reverse() };
      return { type, data: Buffer.from(path), stat: statOf(children.size, dataLength) };
    });
  };
}

async function walked(readMany: ReadMany, limits = { requests: 4, reads: 16 }): Promise<string[]> {
  const paths: string[] = [];
  for await (const group of new Walk(readMany, '', limits).groups())
    paths.push(...group.map(({ path }) => path));
  return paths;
}

describe('a walk', () => {
  const name = fc.stringMatching(/^[ab0\-. é]{1,3}$/).filter((text) => text !== '.' && text !== '..');
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));

  test('finds every znode of any tree once, in byte order of whole paths', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(path, { maxLength: 60 }),
        fc.record({ requests: fc.integer({ min: 1, max: 6 }), reads: fc.constantFrom(1, 3, 16) }),
        async (paths, limits) => {
          const tree = treeOf(paths);
          const expected = [...tree.keys()].filter((each) => each !== '').sort(BYTE_ORDER);
          expect(await walked(reader(tree, [], 0), limits)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('leaves out what is gone when it is read', async () => {
    const tree = treeOf(['a/b', 'a/c/d', 'e']);
    tree.delete('a/c');
    tree.delete('e');
    expect(await walked(reader(tree, [], 0))).toEqual(
      ['a', 'a/b', 'a/c/d'].filter((each) => each !== 'a/c/d'),
    );
  });

  test('asks for full groups of a wide directory of directories', async () => {
    const paths = Array.from({ length: 3_000 }, (_, i) => `t/${String(i).padStart(6, '0')}/Tablet`);
    const sizes: number[] = [];
    expect(await walked(reader(treeOf(paths), sizes, 100))).toHaveLength(6_001);
    expect(sizes.length).toBeLessThan(700);
  });

  test('asks for few at a time where znodes are large', async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `large/${i}`);
    const sizes: number[] = [];
    await walked(reader(treeOf(paths), sizes, 1_000_000));
    expect(Math.max(...sizes.slice(6))).toBeLessThanOrEqual(2);
  });

  test('ends with the failure of a read', async () => {
    const broken: ReadMany = async () => {
      throw new Error('broken');
    };
    await expect(walked(broken)).rejects.toThrow('broken');
  });
});
