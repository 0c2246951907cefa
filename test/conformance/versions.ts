import assert from 'node:assert/strict';
import type { WriteOp } from '../../src/topo/connection.js';
import { Version } from '../../src/topo/version.js';
import { type Context, needs, theme } from './sentence.js';
import {
  changesNothing,
  check,
  create,
  failure,
  first,
  holds,
  must,
  refuses,
  remove,
  scanAll,
  update,
  utf8,
} from './tools.js';

/** Every conditional operation with `version` on the record `path` is refused with BadVersion. */
async function isRefused(
  { connection, capabilities }: Context,
  path: string,
  version: Version,
): Promise<void> {
  await changesNothing(connection, async () => {
    await refuses(connection, 'BadVersion', connection.update(path, utf8('x'), version), { path });
    await refuses(connection, 'BadVersion', connection.delete(path, version), { path });
    if (capabilities.batch.maxOps === 0) return;
    for (const op of [
      update(path, version),
      remove(path, version),
      check(path, version),
    ] satisfies WriteOp[]) {
      const batch = [create('beside'), op];
      await refuses(connection, 'BadVersion', connection.write(batch), { path, index: 1 });
    }
  });
}

export const versions = theme(
  'versions',
  [
    {
      title: 'create, update, get, scan and watch agree on the version of a record',
      run: async ({ connection }) => {
        const states = [await connection.create('a', utf8('1'))];
        states.push(await connection.update('a', utf8('2'), must(states[0])));
        states.push(await connection.update('a', utf8('3'), null));
        const last = must(states[2]);
        assert.ok((await connection.get('a')).version.equals(last), 'get');
        assert.ok(must((await scanAll(connection)).records[0]).version.equals(last), 'scan');
        assert.ok((await first(connection.watch('a'))).value?.version.equals(last), 'watch');
        assert.equal(new Set(states.map(String)).size, 3);
      },
    },
    {
      title: 'a version names the store that gave it',
      run: async ({ connection }) => {
        const version = await connection.create('a', utf8('1'));
        assert.equal(version.store, connection.store);
        assert.equal((await connection.get('a')).version.store, connection.store);
      },
    },
    {
      title: 'every change of a record gives it a version it never had',
      run: async ({ connection }) => {
        const seen = new Set<string>();
        for (let round = 0; round < 4; round++) {
          let version = await connection.create('a', utf8('x'));
          seen.add(version.toString());
          for (let i = 0; i < 3; i++) {
            version = await connection.update('a', utf8(`x${i}`), version);
            seen.add(version.toString());
          }
          await connection.delete('a', version);
        }
        assert.equal(seen.size, 16);
      },
    },
    {
      title: 'a record keeps its version while others change',
      run: async ({ connection }) => {
        const version = await connection.create('d/a', utf8('1'));
        await connection.create('d/b', utf8('1'));
        await connection.update('d/b', utf8('2'), null);
        await connection.create('d/c/e', utf8('1'));
        await connection.delete('d/b', null);
        assert.ok((await connection.get('d/a')).version.equals(version));
        await connection.update('d/a', utf8('2'), version);
      },
    },
    {
      title: 'a version holds for every connection to the same place',
      run: async ({ connection, open }) => {
        const other = await open();
        const version = await connection.create('a', utf8('1'));
        await other.position();
        assert.ok((await other.get('a')).version.equals(version));
        const next = await other.update('a', utf8('2'), version);
        await connection.position();
        await connection.delete('a', next);
      },
    },
    {
      title: 'a version can be kept as text and used again',
      run: async ({ connection }) => {
        const version = await connection.create('a', utf8('1'));
        const kept = Version.parse(version.toString());
        assert.ok(kept.equals(version));
        await connection.update('a', utf8('2'), kept);
      },
    },
    {
      title: 'the version of a deleted record does not fit the record re-created in its place',
      run: async (context) => {
        const { connection } = context;
        const version = await connection.create('a', utf8('same'));
        await connection.delete('a', version);
        const again = await connection.create('a', utf8('same'));
        assert.ok(!again.equals(version));
        await isRefused(context, 'a', version);
        await connection.update('a', utf8('new'), again);
      },
    },
    {
      title: 'nor after as many changes as the deleted record had',
      run: async (context) => {
        const { connection } = context;
        const lives: Version[] = [];
        for (let life = 0; life < 2; life++) {
          if (life > 0) await connection.delete('a', null);
          let version = await connection.create('a', utf8('0'));
          for (let i = 1; i <= 3; i++) version = await connection.update('a', utf8(String(i)), version);
          lives.push(version);
        }
        await isRefused(context, 'a', must(lives[0]));
      },
    },
    {
      title: 'nor when the whole directory was deleted and made again',
      run: async (context) => {
        const { connection } = context;
        const version = await connection.create('d/e/a', utf8('same'));
        await connection.delete('d/e/a', version);
        await connection.update('d/e/a', utf8('same'), null);
        await isRefused(context, 'd/e/a', version);
      },
    },
    {
      title: 'a version of another place on the same store is refused with BadVersion',
      run: async (context) => {
        const { connection } = context;
        const other = await context.open(context.place('-other'));
        const foreign = await other.create('a', utf8('same'));
        await connection.create('a', utf8('same'));
        await isRefused(context, 'a', foreign);
      },
    },
    {
      title: 'a version of another store is refused with BadVersion, even when the rest of it fits',
      run: async (context) => {
        const own = await context.connection.create('a', utf8('x'));
        await isRefused(context, 'a', Version.of('etcd2://elsewhere:2379/vitess/global', own.token));
      },
    },
    {
      title: 'a version of another store is refused where there is no record, and none is made',
      run: async ({ connection }) => {
        const own = await connection.create('a', utf8('x'));
        const foreign = Version.of('etcd2://elsewhere:2379/vitess/global', own.token);
        await changesNothing(connection, async () => {
          const codes = ['BadVersion', 'NoNode'] as const;
          await refuses(connection, codes, connection.update('b', utf8('x'), foreign), { path: 'b' });
          await refuses(connection, codes, connection.delete('b', foreign), { path: 'b' });
        });
      },
    },
    {
      title: 'a text that was never a version of this store changes nothing',
      run: async ({ connection }) => {
        await connection.create('a', utf8('x'));
        await changesNothing(connection, async () => {
          for (const token of ['nonsense', '', '-1', '0', '1.5', '99999999999999999999999', 'a:b', '1:']) {
            const invented = Version.of(connection.store, token);
            const { code } = await failure(
              connection.update('a', utf8('y'), invented),
              `a refusal of ${token}`,
            );
            assert.notEqual(code, 'OutcomeUnknown', token);
            await failure(connection.delete('a', invented), `a refusal of ${token}`);
          }
        });
      },
    },
    {
      title: 'a conditional write by one connection is refused after another connection wrote',
      run: async ({ connection, open }) => {
        const other = await open();
        const version = await connection.create('a', utf8('1'));
        await other.update('a', utf8('2'), null);
        await refuses(connection, 'BadVersion', connection.update('a', utf8('3'), version), { path: 'a' });
        await connection.position();
        await holds(connection, 'a', '2');
      },
    },
  ],
  needs.writes,
);
