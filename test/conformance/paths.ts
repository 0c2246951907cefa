import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import { Version } from '../../src/topo/version.js';
import { oddNames } from './names.js';
import { type Context, needs, theme } from './sentence.js';
import {
  absent,
  changesNothing,
  check,
  create,
  first,
  holds,
  must,
  refuses,
  remove,
  scanPaths,
  update,
  utf8,
} from './tools.js';

const ILLEGAL: Readonly<Record<string, readonly string[]>> = {
  'a leading, trailing or doubled slash': ['/', '/a', 'a/', 'a//b', '//a', 'a/b//'],
  'a segment . or ..': ['.', '..', './a', '../a', 'a/.', 'a/..', 'a/./b', 'a/../b'],
  NUL: ['\0', 'a\0b', 'a/\0'],
  'a lone surrogate': ['\ud800', 'a\udc00b', 'dir/\ud83d'],
};

type Attempt = (connection: Connection, path: string) => Promise<unknown>;

const RECORD_READS: readonly Attempt[] = [
  (connection, path) => connection.get(path),
  async (connection, path) => first(connection.watch(path)),
];

const DIRECTORY_READS: readonly Attempt[] = [
  (connection, path) => connection.listDir(path),
  (connection, path) => connection.listDirFull(path),
  async (connection, path) => first(connection.scan(path)),
];

const WRITES: readonly Attempt[] = [
  (connection, path) => connection.create(path, utf8('x')),
  (connection, path) => connection.update(path, utf8('x'), null),
  (connection, path) => connection.update(path, utf8('x'), Version.of(connection.store, '1')),
  (connection, path) => connection.delete(path, null),
];

const BATCHES: readonly Attempt[] = [
  (connection, path) => connection.write([create('fine'), create(path)]),
  (connection, path) => connection.write([create('fine'), update(path, Version.of(connection.store, '1'))]),
  (connection, path) => connection.write([create('fine'), remove(path)]),
  (connection, path) => connection.write([create('fine'), check(path, null)]),
];

async function refusesAll(
  context: Context,
  attempts: readonly Attempt[],
  paths: readonly string[],
): Promise<void> {
  const { connection, writer } = context;
  await writer.create('kept', utf8('kept'));
  await changesNothing(writer, async () => {
    for (const path of paths) {
      for (const attempt of attempts)
        await refuses(connection, 'InvalidPath', attempt(connection, path), { path });
    }
  });
}

const illegalPaths = Object.entries(ILLEGAL).flatMap(([what, paths]) => [
  {
    title: `a path with ${what} is InvalidPath for every method that reads`,
    run: async (context: Context) => {
      const recursive: Attempt[] = context.capabilities.watchRecursive
        ? [async (connection, path) => first(connection.watchRecursive(path))]
        : [];
      await refusesAll(context, [...RECORD_READS, ...DIRECTORY_READS, ...recursive], paths);
    },
  },
  {
    title: `a path with ${what} is InvalidPath for every method that writes, and nothing is changed`,
    when: needs.writes,
    run: (context: Context) => refusesAll(context, WRITES, paths),
  },
  {
    title: `a path with ${what} is InvalidPath in every operation of a batch, and nothing is changed`,
    when: needs.batches,
    run: (context: Context) => refusesAll(context, BATCHES, paths),
  },
]);

const keptNames = Object.entries(oddNames).map(([what, names]) => ({
  title: `odd but legal names are kept exactly: ${what}`,
  when: needs.writes,
  run: (context: Context) =>
    keepsNames(
      context,
      names.filter((name) => context.subject.refusesName?.(name) !== true),
    ),
}));

/** Every method finds each name as a record and as a directory, and none for another. */
async function keepsNames({ connection, capabilities }: Context, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await connection.create(`records/${name}`, utf8(`record ${name}`));
    await connection.create(`directories/${name}/inner`, utf8(`inner ${name}`));
  }
  const byteOrder = [...names].sort((a, b) => Buffer.compare(utf8(a), utf8(b)));
  assert.deepEqual(names.length === 0 ? [] : await connection.listDir('records'), byteOrder);
  assert.deepEqual(
    await scanPaths(connection),
    [...names.map((name) => `directories/${name}/inner`), ...names.map((name) => `records/${name}`)].sort(
      (a, b) => Buffer.compare(utf8(a), utf8(b)),
    ),
  );
  for (const name of names) {
    const path = `records/${name}`;
    const version = await holds(connection, path, `record ${name}`);
    assert.deepEqual(await connection.listDir(`directories/${name}`), ['inner']);
    assert.deepEqual(await scanPaths(connection, `directories/${name}`), [`directories/${name}/inner`]);
    const state = await first(connection.watch(path));
    assert.equal(state.path, path);
    assert.ok(state.value?.version.equals(version), `watch ${path}`);
    await connection.update(path, utf8(`newer ${name}`), version);
    if (capabilities.batch.maxOps > 1)
      await connection.write([create(`batched/${name}`), remove(`directories/${name}/inner`)]);
    const record = await connection.get(path);
    await connection.delete(path, record.version);
    await absent(connection, path);
  }
}

export const paths = theme('paths', [
  ...illegalPaths,
  {
    title: 'the root is a directory: what reads a record refuses it with InvalidPath',
    run: (context) => refusesAll(context, RECORD_READS, ['']),
  },
  {
    title: 'the root is a directory: what writes a record refuses it with InvalidPath',
    when: needs.writes,
    run: (context) => refusesAll(context, WRITES, ['']),
  },
  {
    title: 'the root is a directory: every operation of a batch refuses it with InvalidPath',
    when: needs.batches,
    run: (context) => refusesAll(context, BATCHES, ['']),
  },
  ...keptNames,
  {
    title: 'a name that the store cannot hold is InvalidPath, and nothing is changed',
    when: needs.refusedNames,
    run: async (context) => {
      const refused = Object.values(oddNames)
        .flat()
        .filter((name) => context.subject.refusesName?.(name) === true);
      must(refused[0], 'a name that the subject says it refuses');
      await refusesAll(
        context,
        [WRITES, context.capabilities.batch.maxOps > 0 ? BATCHES : []].flat(),
        refused.flatMap((name) => [name, `dir/${name}`, `${name}/record`]),
      );
    },
  },
  {
    title: 'a path of capabilities.maxPathBytes, root included, is a path like any other',
    when: needs.pathLimit,
    run: async (context) => {
      const path = pathOfBytes(context, context.capabilities.maxPathBytes);
      const version = await context.connection.create(path, utf8('deep'));
      await holds(context.connection, path, 'deep');
      assert.deepEqual(await scanPaths(context.connection), [path]);
      await context.connection.delete(path, version);
      assert.deepEqual(await scanPaths(context.connection), []);
    },
  },
  {
    title: 'a longer path is TooLarge for every method that writes, and nothing is changed',
    when: needs.pathLimit,
    run: async (context) => {
      const { connection, capabilities } = context;
      const attempts = [...WRITES, ...(capabilities.batch.maxOps > 0 ? BATCHES : [])];
      // Two bytes over: a store may keep its root without the leading slash.
      const path = pathOfBytes(context, capabilities.maxPathBytes + 2);
      await changesNothing(connection, async () => {
        for (const attempt of attempts)
          await refuses(connection, 'TooLarge', attempt(connection, path), { path });
      });
    },
  },
  {
    title: 'the length of a path is counted in bytes of UTF-8',
    when: needs.pathLimit,
    run: async (context) => {
      const { connection, capabilities, root } = context;
      const room = capabilities.maxPathBytes - Buffer.byteLength(root) - 1;
      const path = 'é'.repeat(Math.floor(room / 2) + 2);
      assert.ok(path.length < room, 'fewer characters than the limit');
      await refuses(connection, 'TooLarge', connection.create(path, utf8('x')), { path });
    },
  },
]);

/** A path that has `bytes` bytes together with the root, in segments of up to 100. */
function pathOfBytes({ root }: Context, bytes: number): string {
  const length = bytes - Buffer.byteLength(root) - 1;
  assert.ok(length > 0, 'capabilities.maxPathBytes leaves room for the root of a test');
  const segments: string[] = [];
  for (let left = length; left > 0; ) {
    // A rest of one byte would be a slash with nothing behind it.
    const segment = left <= 100 ? left : left === 101 ? 99 : 100;
    segments.push('p'.repeat(segment));
    left -= segment + 1;
  }
  return segments.join('/');
}
