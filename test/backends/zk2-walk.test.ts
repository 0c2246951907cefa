import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ReadMany, Walk } from '../../src/znodes/walk.js';
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

/** Znodes that change while they are read, with the zxids that ZooKeeper gives them. */
class LiveTree {
  readonly #znodes = new Map<string, { czxid: bigint; pzxid: bigint; children: Set<string> }>();
  #zxid = 1n;

  constructor(paths: readonly string[]) {
    this.#znodes.set('', { czxid: 1n, pzxid: 1n, children: new Set() });
    for (const path of paths) this.create(path);
  }

  /** Creates a znode and those above it, in one transaction. */
  create(path: string): void {
    this.#zxid += 1n;
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth++) {
      const node = parts.slice(0, depth).join('/');
      const parent = this.#znodes.get(parts.slice(0, depth - 1).join('/'));
      if (parent === undefined || this.#znodes.has(node)) continue;
      this.#znodes.set(node, { czxid: this.#zxid, pzxid: this.#zxid, children: new Set() });
      parent.children.add(parts[depth - 1] ?? '');
      parent.pzxid = this.#zxid;
    }
  }

  /** Deletes a znode that has no children. */
  delete(path: string): void {
    const parent = this.#znodes.get(path.split('/').slice(0, -1).join('/'));
    if (parent === undefined || this.#znodes.get(path)?.children.size !== 0) return;
    this.#zxid += 1n;
    this.#znodes.delete(path);
    parent.children.delete(path.split('/').at(-1) ?? '');
    parent.pzxid = this.#zxid;
  }

  /** Before each read something may change. */
  reader(change: (before: string) => void): ReadMany {
    return async (reads) =>
      reads.map(({ type, path }): MultiReadResult | undefined => {
        change(path);
        const znode = this.#znodes.get(path);
        if (znode === undefined) return undefined;
        const { children, czxid, pzxid } = znode;
        if (type === 'getChildren') return { type, children: [...children] };
        return { type, data: Buffer.from(path), stat: { ...statOf(children.size, 0), czxid, pzxid } };
      });
  }
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

  test('keeps to the order where the answer about a short name comes after those about longer ones', async () => {
    const paths = ['a/x', 'a-/x', 'a--/x'];
    const read = reader(treeOf(paths), [], 0);
    let answered = (): void => {};
    const isAnswered = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const late: ReadMany = async (reads) => {
      const results = await read(reads);
      if (reads.some(({ type, path }) => type === 'getData' && path === 'a')) await isAnswered;
      if (reads.some(({ type, path }) => type === 'getData' && path === 'a--')) answered();
      return results;
    };
    const expected = ['a', 'a-', 'a--', 'a--/x', 'a-/x', 'a/x'];
    expect(await walked(late, { requests: 2, reads: 1 })).toEqual(expected);
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

  test('asks for an only child together with its directory, where those before it had one of that name', async () => {
    const paths = Array.from({ length: 3_000 }, (_, i) => `t/${String(i).padStart(6, '0')}/Tablet`);
    let listings = 0;
    const read = reader(treeOf(paths), [], 100);
    const counting: ReadMany = (reads) => {
      listings += reads.filter(({ type }) => type === 'getChildren').length;
      return read(reads);
    };
    expect(await walked(counting)).toHaveLength(6_001);
    expect(listings).toBeLessThan(500);
  });

  test('finds a record beside which one of the expected name is made when its directory was just read', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `t/${String(i).padStart(2, '0')}`);
    const [odd = ''] = names.slice(10);
    const tree = new LiveTree(names.map((name) => `${name}/${name === odd ? 'X' : 'Tablet'}`));
    let made = false;
    const found = await walked(
      tree.reader((path) => {
        if (path !== `${odd}/Tablet` || made) return;
        made = true;
        tree.create(path);
      }),
      { requests: 1, reads: 2 },
    );
    expect(made).toBe(true);
    expect(found).toContain(`${odd}/X`);
  });

  test('finds what was there all the time, whatever comes and goes meanwhile', async () => {
    const directory = fc.constantFrom('a', 'a-', 'b', 'c', 'd', 'e', 'f', 'g');
    const record = fc.tuple(directory, fc.constantFrom('Tablet', 'X')).map(([one, two]) => `t/${one}/${two}`);
    const change = fc.record({ path: record, type: fc.constantFrom('create', 'delete') });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(record, { maxLength: 16 }),
        fc.array(fc.option(change), { maxLength: 60 }),
        fc.constantFrom(1, 2, 4),
        async (paths, changes, reads) => {
          const tree = new LiveTree(paths);
          const waiting = [...changes];
          const touched = new Set(changes.map((each) => each?.path));
          const found = await walked(
            tree.reader(() => {
              const next = waiting.shift();
              if (next) tree[next.type === 'create' ? 'create' : 'delete'](next.path);
            }),
            { requests: 2, reads },
          );
          expect(found).toEqual([...new Set(found)].sort(BYTE_ORDER));
          expect(found).toEqual(expect.arrayContaining(paths.filter((path) => !touched.has(path))));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('ends with the failure of a read', async () => {
    const broken: ReadMany = async () => {
      throw new Error('broken');
    };
    await expect(walked(broken)).rejects.toThrow('broken');
  });
});
