import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import type { Version } from '../../src/topo/version.js';
import { needs, theme } from './sentence.js';
import {
  absent,
  create,
  createMany,
  failure,
  holds,
  must,
  refuses,
  remove,
  scanPaths,
  update,
  utf8,
} from './tools.js';

const numberIn = (bytes: Uint8Array) => Number(Buffer.from(bytes).toString());
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Adds 1 to a record by reading and conditional writing until it goes through. */
async function increment(connection: Connection, path: string): Promise<void> {
  for (;;) {
    const { bytes, version } = await connection.get(path);
    try {
      await connection.update(path, utf8(String(numberIn(bytes) + 1)), version);
      return;
    } catch (error) {
      if (!isTopologyError(error, 'BadVersion')) throw error;
      await connection.position();
    }
  }
}

/** Codes of those that failed; how many went well. */
async function tally(work: readonly Promise<unknown>[]): Promise<{ won: number; codes: string[] }> {
  const results = await Promise.allSettled(work);
  const codes = await Promise.all(
    results.flatMap((result) =>
      result.status === 'rejected' ? [failure(Promise.reject(result.reason))] : [],
    ),
  );
  return { won: results.length - codes.length, codes: codes.map((error) => error.code) };
}

export const concurrency = theme(
  'concurrency',
  [
    {
      title: 'writers that increment one record by conditional updates lose none',
      run: async ({ connection, open }) => {
        const connections = [connection, connection, await open(), await open()];
        await connection.create('counter', utf8('0'));
        await Promise.all(
          connections.map(async (each) => {
            for (let i = 0; i < 15; i++) await increment(each, 'counter');
          }),
        );
        await connection.position();
        await holds(connection, 'counter', '60');
      },
    },
    {
      title: 'of several creates of one record exactly one wins, the others are NodeExists',
      run: async ({ connection, open }) => {
        const other = await open();
        for (const round of range(10)) {
          const path = `d${round}/a`;
          const writers = range(6).map((i) =>
            (i % 2 === 0 ? connection : other).create(path, utf8(String(i))),
          );
          const { won, codes } = await tally(writers);
          assert.deepEqual([won, new Set(codes)], [1, new Set(['NodeExists'])]);
          const winner = (await Promise.allSettled(writers)).findIndex(
            (result) => result.status === 'fulfilled',
          );
          await connection.position();
          await holds(connection, path, String(winner));
        }
      },
    },
    {
      title: 'of several updates from one version exactly one wins, the others are BadVersion',
      run: async ({ connection, open }) => {
        const other = await open();
        let version = await connection.create('a', utf8('x'));
        for (const round of range(10)) {
          const writers = range(6).map((i) =>
            (i % 2 === 0 ? connection : other).update('a', utf8(`${round}-${i}`), version),
          );
          const { won, codes } = await tally(writers);
          assert.deepEqual([won, new Set(codes)], [1, new Set(['BadVersion'])]);
          const results = await Promise.allSettled(writers);
          const winner = results.findIndex((result) => result.status === 'fulfilled');
          await connection.position();
          const present = await holds(connection, 'a', `${round}-${winner}`);
          const told = results[winner];
          assert.ok(told?.status === 'fulfilled' && told.value.equals(present));
          version = present;
        }
      },
    },
    {
      title: 'of several deletes of one version exactly one wins',
      run: async ({ connection, open }) => {
        const other = await open();
        for (const round of range(10)) {
          const version = await connection.create(`d${round}/a`, utf8('x'));
          const { won, codes } = await tally(
            range(4).map((i) => (i % 2 === 0 ? connection : other).delete(`d${round}/a`, version)),
          );
          assert.equal(won, 1);
          for (const code of codes) assert.ok(code === 'NoNode' || code === 'BadVersion', code);
        }
      },
    },
    {
      title: 'of several batches that overlap in one record exactly one is done, and wholly',
      when: needs.batches,
      run: async ({ connection, open }) => {
        const other = await open();
        for (const round of range(10)) {
          const shared = await connection.create(`shared${round}`, utf8('x'));
          const batches = range(4).map((i) =>
            (i % 2 === 0 ? connection : other).write([
              create(`own${round}/${i}`),
              update(`shared${round}`, shared, String(i)),
              create(`more${round}/${i}`),
            ]),
          );
          const { won, codes } = await tally(batches);
          assert.deepEqual([won, new Set(codes)], [1, new Set(['BadVersion'])]);
          const winner = (await Promise.allSettled(batches)).findIndex(
            (result) => result.status === 'fulfilled',
          );
          await connection.position();
          await holds(connection, `shared${round}`, String(winner));
          assert.deepEqual(await connection.listDir(`own${round}`), [String(winner)]);
          assert.deepEqual(await connection.listDir(`more${round}`), [String(winner)]);
        }
      },
    },
    {
      title: 'a batch is applied at one moment: a reader never finds a part of it',
      when: needs.batches,
      run: async ({ connection, open }) => {
        const other = await open();
        const paths = range(5).map((i) => `d${i}/a`);
        let versions: (Version | undefined)[] = await other.write(paths.map((path) => create(path, '0')));
        await connection.position();
        let running = true;
        const writing = (async () => {
          for (let i = 1; running; i++)
            versions = await other.write(
              paths.map((path, at) => update(path, must(versions[at]), String(i))),
            );
        })();
        try {
          for (let i = 0; i < 60; i++) {
            const ends = [must(paths[0]), must(paths.at(-1))];
            const seen: number[] = [];
            for (const path of i % 2 === 0 ? ends : ends.reverse())
              seen.push(numberIn((await connection.get(path)).bytes));
            assert.ok(must(seen[1]) >= must(seen[0]), `${seen[1]} after ${seen[0]}`);
          }
        } finally {
          running = false;
          await writing;
        }
      },
    },
    {
      title: 'what batches move between records is neither lost nor doubled',
      when: needs.batches,
      run: async ({ connection, open }) => {
        const accounts = range(4).map((i) => `account${i}`);
        await createMany(
          connection,
          accounts.map((path) => [path, utf8('100')] as const),
        );
        const movers = [connection, await open(), await open()];
        await Promise.all(
          movers.map(async (mover, seed) => {
            for (let i = 0; i < 15; i++) {
              const from = must(accounts[(i + seed) % 4]);
              const to = must(accounts[(i * 3 + seed + 1) % 4]);
              if (from === to) continue;
              const [a, b] = await Promise.all([mover.get(from), mover.get(to)]);
              await mover
                .write([
                  update(from, a.version, String(numberIn(a.bytes) - 1)),
                  update(to, b.version, String(numberIn(b.bytes) + 1)),
                ])
                .catch((error: unknown) => {
                  if (!isTopologyError(error, 'BadVersion')) throw error;
                });
            }
          }),
        );
        await connection.position();
        const left = await Promise.all(
          accounts.map(async (path) => numberIn((await connection.get(path)).bytes)),
        );
        assert.equal(
          left.reduce((sum, each) => sum + each, 0),
          400,
        );
      },
    },
    {
      title: 'creates that need the same new directories do not hinder one another',
      run: async ({ connection, open }) => {
        const other = await open();
        for (const round of range(5)) {
          await Promise.all(
            range(10).map((i) => (i % 2 === 0 ? connection : other).create(`${round}/a/b/c/${i}`, utf8('x'))),
          );
          await connection.position();
          assert.equal((await connection.listDir(`${round}/a/b/c`)).length, 10);
        }
      },
    },
    {
      title: 'batches that need the same new directories do not hinder one another',
      when: needs.batches,
      run: async ({ connection, open }) => {
        const other = await open();
        for (const round of range(5)) {
          await Promise.all(
            range(6).map((i) =>
              (i % 2 === 0 ? connection : other).write([
                create(`${round}/a/b/${i}`),
                create(`${round}/a/c/${i}`),
              ]),
            ),
          );
        }
        await connection.position();
        assert.equal((await scanPaths(connection)).length, 60);
      },
    },
    {
      title: 'a create and the delete that empties its directory both go through',
      run: async ({ connection, open, capabilities }) => {
        const other = await open();
        for (const round of range(20)) {
          const dir = `d${round % 3}/e`;
          const version = await connection.create(`${dir}/old`, utf8('x'));
          const batched = capabilities.batch.maxOps > 0 && round % 2 === 1;
          await Promise.all([
            batched
              ? connection.write([remove(`${dir}/old`, version)])
              : connection.delete(`${dir}/old`, version),
            batched ? other.write([create(`${dir}/new`)]) : other.create(`${dir}/new`, utf8('new')),
          ]);
          await connection.position();
          assert.deepEqual(await connection.listDir(dir), ['new']);
          await connection.delete(`${dir}/new`, null);
          await refuses(connection, 'NoNode', connection.listDir(dir), { path: dir });
        }
      },
    },
    {
      title: 'deletes that empty one directory together all go through, and it vanishes',
      run: async ({ connection, open }) => {
        const other = await open();
        for (const round of range(5)) {
          const paths = range(6).map((i) => `${round}/d/${i}`);
          await createMany(
            connection,
            paths.map((path) => [path, utf8('x')] as const),
          );
          await Promise.all(paths.map((path, i) => (i % 2 === 0 ? connection : other).delete(path, null)));
          await connection.position();
          await refuses(connection, 'NoNode', connection.listDir(`${round}`), { path: `${round}` });
        }
      },
    },
    {
      title: 'a conditional write does not take a re-created record for the one its version names',
      run: async ({ connection, open, capabilities }) => {
        const other = await open();
        const unknown = capabilities.recreation === 'detected' ? ['OutcomeUnknown'] : [];
        for (const round of range(25)) {
          const path = `a${round}`;
          const version = await connection.create(path, utf8('first'));
          const recreated = (async () => {
            await other.delete(path, null);
            await other.create(path, utf8('second'));
          })();
          const updating = connection.update(path, utf8('by version'), version).then(
            () => 'done',
            async (error: unknown) => (await failure(Promise.reject(error))).code,
          );
          const outcome = await updating;
          // The update may have come before the delete, but never after the re-creation.
          await recreated;
          await connection.position();
          assert.ok(['done', 'BadVersion', 'NoNode', ...unknown].includes(outcome), outcome);
          if (outcome !== 'OutcomeUnknown') await holds(connection, path, 'second');
          await connection.delete(path, null);
          await absent(connection, path);
        }
      },
    },
    {
      title: 'unconditional updates of one record at once all go through, and one of them stays',
      run: async ({ connection, open }) => {
        const other = await open();
        const written = range(8).map((i) => String(i));
        await Promise.all(
          written.map((text, i) => (i % 2 === 0 ? connection : other).update('d/a', utf8(text), null)),
        );
        await connection.position();
        const { bytes } = await connection.get('d/a');
        assert.ok(written.includes(Buffer.from(bytes).toString()));
      },
    },
    {
      title: 'many calls at once on one connection each get their own answer',
      run: async ({ connection }) => {
        const paths = range(300).map((i) => `d${i % 9}/${i}`);
        await createMany(
          connection,
          paths.map((path) => [path, utf8(path)] as const),
        );
        const values = await Promise.all(paths.map((path) => connection.get(path)));
        values.forEach((value, i) => {
          assert.equal(Buffer.from(value.bytes).toString(), paths[i]);
        });
        await Promise.all(
          paths.map((path, i) => connection.update(path, utf8(`new ${path}`), must(values[i]).version)),
        );
        await Promise.all(paths.map((path) => holds(connection, path, `new ${path}`)));
      },
    },
  ],
  needs.writes,
);
