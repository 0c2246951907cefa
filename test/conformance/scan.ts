import assert from 'node:assert/strict';
import { type Context, needs, theme } from './sentence.js';
import {
  create,
  createMany,
  eventually,
  inByteOrder,
  must,
  pattern,
  refuses,
  remove,
  sameBytes,
  scanAll,
  scanPaths,
  utf8,
} from './tools.js';

const MANY = 20_000;

/** One in ten has a directory of its own, as tablets have. */
function manyPath(i: number): string {
  const name = `zone${i % 7}-${String(i).padStart(10, '0')}`;
  return i % 10 === 0 ? `cells/zone${i % 7}/tablets/${name}/Tablet` : `cells/zone${i % 7}/d${i % 50}/${name}`;
}

const manyBytes = (path: string) => utf8(`${path} `.repeat(4));

const manyPaths = ({ subject }: Context): string[] =>
  Array.from({ length: subject.many ?? MANY }, (_, i) => manyPath(i));

/** A place with many records, made once. */
function manyRecords(context: Context): Promise<string> {
  const { shared, place, plant } = context;
  return shared('many records', async () => {
    const root = place('-many');
    await plant(
      manyPaths(context).map((path) => [path, manyBytes(path)] as const),
      root,
    );
    return root;
  });
}

export const scan = theme('scan', [
  {
    title: 'a scan gives every record below the directory: path, bytes, version, whether ephemeral',
    run: async ({ connection, writer }) => {
      const paths = ['a', 'b/c', 'b/d/e/f', 'zero'];
      for (const path of paths) await writer.create(path, utf8(path === 'zero' ? '' : path));
      const { records } = await scanAll(connection);
      assert.deepEqual(
        records.map((record) => record.path),
        paths,
      );
      for (const record of records) {
        const { bytes, version, ephemeral } = await connection.get(record.path);
        sameBytes(record.bytes, bytes, record.path);
        assert.ok(record.version.equals(version), record.path);
        assert.equal(record.ephemeral, ephemeral);
      }
    },
  },
  {
    title: 'paths come in byte order: whole paths, not name by name',
    run: async ({ connection, writer, subject }) => {
      const names = [
        'a/b',
        'a-b',
        'a.b',
        'a0',
        'a/b-c',
        'a/b.c/d',
        'a b/c',
        'B',
        'b',
        'é',
        '日',
        '\uffee/x',
        '😀/x',
        '\uffff',
      ];
      const legal = names.filter((name) => subject.refusesName?.(name.replace('/x', '')) !== true);
      await createMany(
        writer,
        legal.map((path) => [path, utf8(path)] as const),
      );
      assert.deepEqual(await scanPaths(connection), inByteOrder(legal));
    },
  },
  {
    title: 'the prefix ends at a path segment: a scan of zone1 does not see zone10',
    run: async ({ connection, writer }) => {
      const inside = ['zone1/a', 'zone1/b/c'];
      const outside = ['zone10/a', 'zone1-b', 'zone1.c/d', 'zone/x', 'zone0/y', 'zone2', 'a/zone1/z'];
      await createMany(
        writer,
        [...inside, ...outside].map((path) => [path, utf8(path)] as const),
      );
      assert.deepEqual(await scanPaths(connection, 'zone1'), inside);
      assert.deepEqual(await scanPaths(connection, 'zone1/b'), ['zone1/b/c']);
    },
  },
  {
    title: 'the record at the prefix itself is not part of a scan',
    run: async ({ connection, writer, capabilities }) => {
      await writer.create('a', utf8('x'));
      if (capabilities.recordsWithChildren && writer === connection) {
        await writer.create('d/b', utf8('x'));
        await writer.create('d', utf8('x'));
        assert.deepEqual(await scanPaths(connection, 'd'), ['d/b']);
      }
      assert.deepEqual(await scanPaths(connection, 'a'), []);
    },
  },
  {
    title: 'an absent directory holds nothing: one empty page or more, each with a position',
    run: async ({ connection, writer }) => {
      await writer.create('a/b', utf8('x'));
      for (const prefix of ['x', 'x/y/z', 'a/c']) {
        const { records, pages, first: position } = await scanAll(connection, prefix);
        assert.deepEqual(records, []);
        assert.ok(pages >= 1 && typeof position === 'bigint');
      }
    },
  },
  {
    title: 'an empty place holds nothing',
    run: async ({ connection }) => {
      assert.deepEqual(await scanPaths(connection), []);
    },
  },
  {
    title: 'a scan of many records gives each once, in byte order, with its bytes',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      const { records } = await scanAll(connection);
      const expected = inByteOrder(manyPaths(context));
      assert.equal(records.length, expected.length);
      for (const [i, record] of records.entries()) {
        if (record.path !== expected[i]) assert.fail(`${record.path} instead of ${expected[i]} at ${i}`);
        if (!manyBytes(record.path).equals(record.bytes))
          sameBytes(record.bytes, manyBytes(record.path), record.path);
      }
    },
  },
  {
    title: 'a scan of a part of many records gives that part',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      const expected = manyPaths(context).filter((path) => path.startsWith('cells/zone3/'));
      assert.deepEqual(await scanPaths(connection, 'cells/zone3'), inByteOrder(expected));
    },
  },
  {
    title: 'several scans at once are apart',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      const counts = await Promise.all(
        ['cells/zone0', 'cells/zone1', 'cells/zone2'].map(
          async (prefix) => (await scanPaths(connection, prefix)).length,
        ),
      );
      assert.deepEqual(
        counts,
        [0, 1, 2].map((zone) => manyPaths(context).filter((_, i) => i % 7 === zone).length),
      );
    },
  },
  {
    title: 'a scan that is aborted half-way fails with Interrupted or is complete, never short in silence',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      await endsEarly(context, connection, 'Interrupted', () => {
        const abort = new AbortController();
        return { options: { signal: abort.signal }, strike: async () => abort.abort() };
      });
    },
  },
  {
    title: 'a scan whose deadline passes half-way fails with Timeout or is complete, never short in silence',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      await connection.get(manyPath(0));
      await endsEarly(context, connection, 'Timeout', () => {
        const deadline = Date.now() + 500;
        const passed = () => eventually('the deadline', async () => Date.now() > deadline);
        return { options: { deadline }, strike: passed };
      });
    },
  },
  {
    title: 'a scan can be left early, and the connection goes on',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      for (let round = 0; round < 5; round++) for await (const _ of connection.scan('')) break;
      sameBytes((await connection.get(manyPath(5))).bytes, manyBytes(manyPath(5)), manyPath(5));
    },
  },
  {
    title: 'on a store where nobody writes, the first and the last position of a scan are equal',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      // Sessions of earlier sentences may still end, and count as changes in some stores.
      await eventually('a quiet scan', async () => {
        const { first, last } = await scanAll(connection);
        return first === last;
      });
    },
  },
  {
    title:
      'positions of a scan never fall, and a write before the last page shows in the last one, but for a snapshot',
    run: async (context) => {
      const connection = await context.open(await manyRecords(context));
      const writer = context.writer;
      let last = 0n;
      let written = 0n;
      const positions: bigint[] = [];
      for await (const page of connection.scan('')) {
        assert.ok(page.position >= last, 'the position fell');
        last = page.position;
        positions.push(last);
        if (positions.length === 1) {
          await writer.update('written', utf8('x'), null);
          written = await writer.position();
        }
      }
      // A snapshot may keep to its own moment.
      if (positions.length > 1 && !context.capabilities.snapshotScan)
        assert.ok(last >= written, 'the write does not show');
      assert.ok((await scanAll(connection)).first >= written, 'the next scan begins after the write');
    },
  },
  {
    title: 'every record that nobody touches is seen once by a scan while others come and go',
    when: needs.writes,
    run: async ({ connection, open, capabilities }) => {
      const stable = Array.from(
        { length: 1_500 },
        (_, i) => `d${i % 5}/stable-${String(i).padStart(5, '0')}`,
      );
      await createMany(
        connection,
        stable.map((path) => [path, pattern(100)] as const),
      );
      const other = await open();
      let running = true;
      const churn = async () => {
        for (let i = 0; running; i++) {
          const path = `d${i % 5}/stable-0${i % 10}${i % 7}x/moving`;
          await other.update(path, utf8(String(i)), null);
          if (capabilities.batch.maxOps > 0) await other.write([remove(path), create(`d${i % 5}/a/${i}`)]);
          else await other.delete(path, null);
        }
      };
      const churning = churn();
      try {
        for (let round = 0; round < 5; round++) {
          const paths = await scanPaths(connection);
          assert.equal(new Set(paths).size, paths.length, 'a record appears twice');
          assert.deepEqual(paths, inByteOrder(paths), 'out of order');
          const seen = new Set(paths);
          assert.deepEqual(
            stable.filter((path) => !seen.has(path)),
            [],
          );
        }
      } finally {
        running = false;
        await churning;
      }
    },
  },
  {
    title:
      'a scan whose first and last position are equal is a snapshot, and so is every scan where capabilities.snapshotScan',
    when: needs.batches,
    run: async ({ connection, open, capabilities }) => {
      const filler = Array.from(
        { length: 500 },
        (_, i) => [`m/${String(i).padStart(4, '0')}`, pattern(200)] as const,
      );
      await createMany(connection, filler);
      const other = await open();
      let [a, z] = (await other.write([create('a', '0'), create('z', '0')])).map((version) => must(version));
      let running = true;
      const write = async () => {
        for (let i = 1; running; i++) {
          const bytes = utf8(String(i));
          [a, z] = (
            await other.write([
              { type: 'update', path: 'a', bytes, version: must(a) },
              { type: 'update', path: 'z', bytes, version: must(z) },
            ])
          ).map((version) => must(version));
        }
      };
      const writing = write();
      try {
        for (let round = 0; round < 10; round++) {
          const { records, first, last } = await scanAll(connection);
          if (first !== last && !capabilities.snapshotScan) continue;
          const ends = [records[0], records.at(-1)].map((record) =>
            Buffer.from(must(record).bytes).toString(),
          );
          assert.equal(ends[0], ends[1], 'two moments in one snapshot');
        }
      } finally {
        running = false;
        await writing;
      }
    },
  },
]);

/** Begins a scan of the many, strikes after its first page: it ends with `code`, or had everything. */
async function endsEarly(
  context: Context,
  connection: Context['connection'],
  code: 'Interrupted' | 'Timeout',
  begin: () => { options: { signal?: AbortSignal; deadline?: number }; strike: () => Promise<unknown> },
): Promise<void> {
  const { options, strike } = begin();
  let seen = 0;
  let pages = 0;
  const reading = (async () => {
    for await (const page of connection.scan('', options)) {
      seen += page.records.length;
      pages += 1;
      if (pages === 1) await strike();
    }
  })();
  const outcome = await reading.catch((error: unknown) => error);
  if (outcome === undefined) assert.equal(seen, manyPaths(context).length, 'the scan ended short in silence');
  else await refuses(connection, code, Promise.reject(outcome), { path: '' });
}
