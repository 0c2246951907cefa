import assert from 'node:assert/strict';
import { sameIdentity } from '../../src/topo/identity.js';
import { needs, theme } from './sentence.js';
import { utf8 } from './tools.js';

export const identity = theme('identity', [
  {
    title: 'two connections to one place have one identity',
    run: async ({ connection, writer, open }) => {
      await writer.create('metadata/x', utf8('x'));
      const other = await open();
      await Promise.all([connection.position(), other.position()]);
      assert.ok(sameIdentity(await connection.identity(), await other.identity()));
    },
  },
  {
    title: 'an identity is unchanged by writes that leave the witness',
    run: async ({ connection, writer }) => {
      await writer.create('d/witness', utf8('x'));
      await connection.position();
      const before = await connection.identity();
      await writer.update('d/witness', utf8('y'), null);
      await writer.create('e/after', utf8('x'));
      await connection.position();
      assert.deepEqual(await connection.identity(), before);
      await writer.create('a/before', utf8('x'));
      await connection.position();
      assert.deepEqual(await connection.identity({ witness: 'd/witness' }), before);
    },
  },
  {
    title: 'another root has another identity',
    when: needs.writes,
    run: async ({ connection, open, place }) => {
      await connection.create('a', utf8('x'));
      const other = await open(place('0'));
      await other.create('a', utf8('x'));
      assert.equal(sameIdentity(await connection.identity(), await other.identity()), false);
    },
  },
  {
    title: 'a root that holds nothing has an identity that tells nothing',
    run: async ({ connection, open }) => {
      const other = await open();
      const [a, b] = [await connection.identity(), await other.identity()];
      assert.equal(a.root, undefined);
      assert.equal(sameIdentity(a, b), false);
    },
  },
  {
    title: 'a root whose records were all deleted and made anew has another identity',
    when: needs.rootsOfRecords,
    run: async ({ connection }) => {
      await connection.create('a', utf8('x'));
      const before = await connection.identity();
      await connection.delete('a', null);
      await connection.create('a', utf8('x'));
      assert.equal(sameIdentity(await connection.identity(), before), false);
    },
  },
]);
