import assert from 'node:assert/strict';
import type { WriteOp } from '../../src/topo/connection.js';
import type { ErrorCode } from '../../src/topo/errors.js';
import { Version } from '../../src/topo/version.js';
import { type Context, needs, theme } from './sentence.js';
import {
  absent,
  changesNothing,
  check,
  create,
  holds,
  must,
  refuses,
  remove,
  scanPaths,
  update,
  utf8,
} from './tools.js';

/** An operation that cannot go well, and the code it fails with. */
interface Failing {
  readonly what: string;
  readonly code: ErrorCode;
  /** `past` is an older version of the record `there`, `now` its present one. */
  readonly op: (past: Version, now: Version) => WriteOp;
}

const FAILING: readonly Failing[] = [
  { what: 'a create of what exists is NodeExists', code: 'NodeExists', op: () => create('there') },
  {
    what: 'an update with a past version is BadVersion',
    code: 'BadVersion',
    op: (past) => update('there', past),
  },
  { what: 'an update of what is absent is NoNode', code: 'NoNode', op: (_, now) => update('d/absent', now) },
  {
    what: 'a delete with a past version is BadVersion',
    code: 'BadVersion',
    op: (past) => remove('there', past),
  },
  {
    what: 'a delete of what is absent, with a version, is NoNode',
    code: 'NoNode',
    op: (_, now) => remove('absent', now),
  },
  {
    what: 'a delete of what is absent, without one, is NoNode',
    code: 'NoNode',
    op: () => remove('d/absent'),
  },
  { what: 'a check of a past version is BadVersion', code: 'BadVersion', op: (past) => check('there', past) },
  {
    what: 'a check of a version where nothing is is NoNode',
    code: 'NoNode',
    op: (_, now) => check('absent', now),
  },
  {
    what: 'a check of absence where a record is is NodeExists',
    code: 'NodeExists',
    op: () => check('there', null),
  },
];

/** `failing` at each place among operations that would go well: the batch fails with its code, path and index, and leaves nothing. */
async function leavesNothing({ connection }: Context, { code, op }: Failing): Promise<void> {
  const past = await connection.create('there', utf8('1'));
  const now = await connection.update('there', utf8('2'), past);
  const updated = await connection.create('d/updated', utf8('1'));
  const deleted = await connection.create('e/deleted', utf8('1'));
  const checked = await connection.create('checked', utf8('1'));
  const fine = [
    create('n/new'),
    update('d/updated', updated),
    remove('e/deleted', deleted),
    check('checked', checked),
    check('nothing', null),
  ];
  const bad = op(past, now);
  await changesNothing(connection, async () => {
    for (let index = 0; index <= fine.length; index++) {
      const batch = [...fine.slice(0, index), bad, ...fine.slice(index)];
      await refuses(connection, code, connection.write(batch), { path: bad.path, index });
    }
  });
  await connection.write(fine);
}

const failing = FAILING.map((kind) => ({
  title: `in a batch ${kind.what} at any place, and nothing of the batch is done`,
  run: (context: Context) => leavesNothing(context, kind),
}));

export const batches = theme(
  'batches',
  [
    {
      title: 'a batch creates, updates, deletes and checks as one',
      run: async ({ connection }) => {
        const a = await connection.create('a', utf8('1'));
        const b = await connection.create('b', utf8('1'));
        const c = await connection.create('c', utf8('1'));
        const batch = [
          create('d', 'new'),
          update('a', a, '2'),
          remove('b', b),
          check('c', c),
          check('e', null),
        ];
        await connection.write(batch);
        assert.deepEqual(await scanPaths(connection), ['a', 'c', 'd']);
        await holds(connection, 'a', '2');
        await holds(connection, 'd', 'new');
        assert.ok((await connection.get('c')).version.equals(c), 'a check changes nothing');
      },
    },
    {
      title: 'its answer holds the versions of creates and updates, in order, and undefined for the rest',
      run: async ({ connection }) => {
        const a = await connection.create('a', utf8('1'));
        const b = await connection.create('b', utf8('1'));
        const answer = await connection.write([
          remove('b', b),
          create('n/1'),
          check('x', null),
          update('a', a),
          create('n/2'),
        ]);
        assert.equal(answer.length, 5);
        assert.deepEqual([answer[0], answer[2]], [undefined, undefined]);
        for (const [index, path] of [
          [1, 'n/1'],
          [3, 'a'],
          [4, 'n/2'],
        ] as const) {
          const version = must(answer[index], `a version for ${path}`);
          assert.ok((await connection.get(path)).version.equals(version), path);
          await connection.update(path, utf8('next'), version);
        }
      },
    },
    {
      title: 'a delete without a version takes the record in any state',
      run: async ({ connection }) => {
        await connection.update('a', utf8('2'), await connection.create('a', utf8('1')));
        await connection.write([remove('a'), create('b')]);
        await absent(connection, 'a');
        await holds(connection, 'b', 'new');
      },
    },
    {
      title: 'a batch of checks alone succeeds when they hold, and changes nothing',
      run: async ({ connection }) => {
        const version = await connection.create('a', utf8('1'));
        await changesNothing(connection, async () => {
          assert.deepEqual(await connection.write([check('a', version), check('b/c', null)]), [
            undefined,
            undefined,
          ]);
          assert.deepEqual(await connection.write([check('b', null)]), [undefined]);
        });
      },
    },
    {
      title: 'a check of absence leaves no trace, and needs no directory',
      run: async ({ connection }) => {
        await connection.create('d/there', utf8('x'));
        await connection.write([check('d/absent', null), check('n/o/n/e', null), create('made')]);
        assert.deepEqual(await connection.listDir(''), ['d', 'made']);
        assert.deepEqual(await connection.listDir('d'), ['there']);
      },
    },
    {
      title: 'a batch of one does what the single method does',
      run: async ({ connection }) => {
        const [created] = await connection.write([create('a', '1')]);
        const [updated] = await connection.write([update('a', must(created), '2')]);
        await holds(connection, 'a', '2');
        await connection.write([remove('a', must(updated))]);
        await absent(connection, 'a');
      },
    },
    ...failing,
    {
      title: 'a version of another store is BadVersion in every operation of a batch, and nothing is done',
      run: async ({ connection }) => {
        const own = await connection.create('a', utf8('1'));
        const foreign = Version.of('etcd2://elsewhere:2379/vitess/global', own.token);
        await changesNothing(connection, async () => {
          for (const op of [update('a', foreign), remove('a', foreign), check('a', foreign)])
            await refuses(connection, 'BadVersion', connection.write([create('b'), op]), {
              path: 'a',
              index: 1,
            });
        });
      },
    },
    {
      title: 'an empty batch is InvalidBatch',
      run: async ({ connection }) => {
        await refuses(connection, 'InvalidBatch', connection.write([]));
      },
    },
    {
      title: 'a batch that names a path twice is InvalidBatch, whatever it does with it',
      run: async ({ connection }) => {
        const a = await connection.create('a', utf8('1'));
        const twice: WriteOp[][] = [
          [create('b'), create('b')],
          [check('a', a), update('a', a)],
          [check('b', null), create('b')],
          [remove('a', a), create('a')],
          [update('a', a), create('c'), remove('a')],
        ];
        await changesNothing(connection, async () => {
          for (const batch of twice) await refuses(connection, 'InvalidBatch', connection.write(batch));
        });
      },
    },
    {
      title: 'paths that begin alike are not the same path',
      run: async ({ connection }) => {
        await connection.write([create('a'), create('a-'), create('a0'), create('ab/a'), create('A')]);
        assert.deepEqual(await scanPaths(connection), ['A', 'a', 'a-', 'a0', 'ab/a']);
      },
    },
  ],
  needs.batches,
);
