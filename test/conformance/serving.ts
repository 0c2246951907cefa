import assert from 'node:assert/strict';
import { decode, encode } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import type { ServingGraph } from '../../src/topo/serving-graph.js';
import { type Context, needs, type Sentence, theme } from './sentence.js';
import { must, refuses, sameBytes } from './tools.js';

const SRV_SHARD = 'topodata.SrvShard';
const END_POINTS = 'topodata.EndPoints';
const shard = (master_cell: string) => encode(SRV_SHARD, { name: '-80', master_cell });
const points = (...uids: number[]) =>
  encode(END_POINTS, { entries: uids.map((uid) => ({ uid, host: 'h', port_map: { vt: uid } })) });

/** A sentence about the serving graph of a cell's store, which is empty at its beginning. */
function sentence(
  title: string,
  run: (graph: ServingGraph, cell: Connection, context: Context) => Promise<void>,
): Sentence {
  return {
    title,
    run: async (context) => {
      const cell = await must(context.subject.openServing)(context.root);
      context.after(() => cell.close());
      await run(must(cell.serving, 'a serving graph'), cell, context);
    },
  };
}

export const serving = theme(
  'serving graph',
  [
    sentence(
      'what is written to a serving graph is listed in byte order, and read as it was written',
      async (graph) => {
        const records = [
          ['ns/k/-80', shard('c'), SRV_SHARD],
          ['ns/k/80-', shard(''), SRV_SHARD],
          ['ns/k/-80/replica', points(2, 1), END_POINTS],
          ['ns/k/-80/master', points(3), END_POINTS],
          ['ns/Other/0', encode(SRV_SHARD, { name: '0' }), SRV_SHARD],
        ] as const;
        for (const [path, bytes, message] of records) {
          const version = await graph.put(path, bytes, null);
          const read = must(await graph.read(path), path);
          assert.deepEqual(decode(message, read.bytes), decode(message, bytes), path);
          assert.ok(read.version.equals(version), `version of ${path}`);
          assert.equal(read.told, undefined, path);
        }
        assert.deepEqual(await graph.list('ns'), ['Other', 'k']);
        assert.deepEqual(await graph.list('ns/k'), ['-80', '80-']);
        assert.deepEqual(await graph.list('ns/k/-80'), ['master', 'replica']);
      },
    ),
    sentence('where nothing is a serving graph lists nothing, and reads nothing', async (graph) => {
      for (const path of ['ns', 'ns/k', 'ns/k/0']) assert.deepEqual(await graph.list(path), [], path);
      for (const path of ['ns/k/0', 'ns/k/0/master']) assert.equal(await graph.read(path), undefined, path);
      // A type may be there without its shard.
      await graph.put('ns/k/0/master', points(1), null);
      assert.equal(await graph.read('ns/k/0'), undefined);
      assert.deepEqual(await graph.list('ns/k'), ['0']);
    }),
    sentence(
      'a serving graph writes and removes only in the state that a version names',
      async (graph, cell) => {
        const path = 'ns/k/-80';
        const first = await graph.put(path, shard('a'), null);
        await refuses(cell, 'NodeExists', graph.put(path, shard('b'), null), { path });
        const second = await graph.put(path, shard('b'), first);
        await refuses(cell, 'BadVersion', graph.put(path, shard('c'), first), { path });
        await refuses(cell, 'BadVersion', graph.remove(path, first), { path });
        sameBytes(must(await graph.read(path)).bytes, shard('b'), path);
        await graph.remove(path, second);
        await refuses(cell, 'NoNode', graph.remove(path, second), { path });
        await refuses(cell, 'NoNode', graph.put(path, shard('c'), second), { path });
        const again = await graph.put(path, shard('b'), null);
        assert.ok(!again.equals(second), 'versions never come twice');
        await refuses(cell, 'BadVersion', graph.remove(path, second), { path });
      },
    ),
    sentence('a shard leaves a serving graph though its types are there, which stay', async (graph) => {
      const version = await graph.put('ns/k/0', shard('c'), null);
      const type = await graph.put('ns/k/0/master', points(1), null);
      await graph.remove('ns/k/0', version);
      assert.equal(await graph.read('ns/k/0'), undefined);
      assert.deepEqual(await graph.list('ns/k/0'), ['master']);
      assert.ok(must(await graph.read('ns/k/0/master')).version.equals(type));
      await graph.put('ns/k/0', shard('d'), null);
      assert.deepEqual(await graph.list('ns/k'), ['0']);
    }),
    sentence('what is in a serving graph is no record', async (graph, cell) => {
      await graph.put('ns/k/0', shard('c'), null);
      await graph.put('ns/k/0/master', points(1), null);
      for await (const { records } of cell.scan('')) assert.deepEqual(records, []);
      await refuses(cell, ['NoNode', 'InvalidPath'], cell.get('ns/k/0'), { path: 'ns/k/0' });
    }),
    sentence(
      'a serving graph takes no path but those of shards and types, and no bytes but theirs',
      async (graph, cell) => {
        for (const path of [
          'keyspaces/k/SrvKeyspace',
          'ns',
          'ns/k',
          'ns/k/0/master/more',
          '/ns/k/0',
          'ns//0',
          'ns/../x',
        ]) {
          await refuses(cell, 'InvalidPath', graph.put(path, shard('c'), null), { path });
          await refuses(cell, 'InvalidPath', graph.read(path), { path });
        }
        await refuses(cell, 'Corrupt', graph.put('ns/k/0', Buffer.of(0xff), null), { path: 'ns/k/0' });
        assert.deepEqual(await graph.list('ns'), []);
      },
    ),
    sentence(
      'calls of a serving graph end when they are to, and with their connection',
      async (graph, cell) => {
        const signal = AbortSignal.abort();
        await refuses(cell, 'Interrupted', graph.list('ns', { signal }));
        await refuses(cell, 'Interrupted', graph.put('ns/k/0', shard('c'), null, { signal }));
        await refuses(cell, 'Timeout', graph.read('ns/k/0', { deadline: Date.now() - 1_000 }));
        assert.deepEqual(await graph.list('ns'), []);
        await cell.close();
        await refuses(cell, 'Interrupted', graph.list('ns'));
        await refuses(cell, 'Interrupted', graph.put('ns/k/0', shard('c'), null));
      },
    ),
    {
      title: 'a store without a serving graph says so',
      when: needs.noServing,
      run: async ({ connection }) => assert.equal(connection.serving, undefined),
    },
  ],
  needs.serving,
);
