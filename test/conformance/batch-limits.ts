import assert from 'node:assert/strict';
import { batchBytes, type WriteOp } from '../../src/topo/connection.js';
import { needs, theme } from './sentence.js';
import {
  changesNothing,
  check,
  create,
  must,
  pattern,
  refuses,
  remove,
  scanAll,
  scanPaths,
  utf8,
} from './tools.js';

export const batchLimits = theme('limits of a batch', [
  {
    title: 'a batch of capabilities.batch.maxOps operations is done',
    when: needs.batchOpsLimit,
    run: async ({ connection, capabilities }) => {
      const batch = manyCreates(capabilities.batch.maxOps, capabilities.batch.maxBytes);
      const answer = await connection.write(batch);
      assert.equal(new Set(answer.map(String)).size > 0, true);
      assert.equal((await scanAll(connection)).records.length, batch.length);
      const again = batch.map((op, i) =>
        i % 2 === 0 ? remove(op.path, must(answer[i])) : check(op.path, must(answer[i])),
      );
      await connection.write(again);
      assert.equal((await scanAll(connection)).records.length, Math.floor(batch.length / 2));
    },
  },
  {
    title: 'a batch of more operations is TooLarge, and nothing is done',
    when: needs.batchOpsLimit,
    run: async ({ connection, capabilities }) => {
      const batch = manyCreates(capabilities.batch.maxOps + 1, Number.POSITIVE_INFINITY);
      await changesNothing(connection, () => refuses(connection, 'TooLarge', connection.write(batch)));
    },
  },
  {
    title: 'a batch of capabilities.batch.maxBytes bytes is done',
    when: needs.batchBytesLimit,
    run: async ({ connection, capabilities }) => {
      const batch = batchOfBytes(capabilities.batch.maxBytes, capabilities.maxValueBytes);
      assert.equal(batchBytes(batch), capabilities.batch.maxBytes);
      await connection.write(batch);
      assert.equal((await scanAll(connection)).records.length, batch.length);
    },
  },
  {
    title: 'a batch of one byte more is TooLarge, and nothing is done',
    when: needs.batchBytesLimit,
    run: async ({ connection, capabilities }) => {
      const batch = batchOfBytes(capabilities.batch.maxBytes + 1, capabilities.maxValueBytes);
      await changesNothing(connection, () => refuses(connection, 'TooLarge', connection.write(batch)));
    },
  },
  {
    title: 'a batch within both limits is done even where each create needs directories of its own',
    when: needs.batchOpsLimit,
    run: async ({ connection, capabilities }) => {
      const { maxOps, maxBytes } = capabilities.batch;
      const batch = manyCreates(maxOps, maxBytes, (i) => `k${i}/shards/s${i}/replicas/r${i}/Record`);
      await connection.write(batch);
      assert.equal((await scanAll(connection)).records.length, batch.length);
      await connection.write(batch.map((op) => remove(op.path)));
      assert.deepEqual(await scanPaths(connection), []);
    },
  },
  {
    title: 'where batches are not supported, write is Unsupported and changes nothing',
    when: needs.noBatches,
    run: async ({ connection }) => {
      await changesNothing(connection, () =>
        refuses(connection, 'Unsupported', connection.write([create('a')])),
      );
    },
  },
]);

/** `count` creates, or as many as `maxBytes` allows. */
function manyCreates(
  count: number,
  maxBytes: number,
  pathOf = (i: number) => `d${i % 10}/record-${i}`,
): (WriteOp & { type: 'create' })[] {
  const batch: (WriteOp & { type: 'create' })[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const op = { type: 'create', path: pathOf(i), bytes: utf8('v') } as const;
    total += batchBytes([op]);
    if (total > maxBytes) break;
    batch.push(op);
  }
  return batch;
}

/** Creates that together have `bytes` bytes, in values as large as allowed. */
function batchOfBytes(bytes: number, maxValueBytes: number): WriteOp[] {
  const batch: WriteOp[] = [];
  const overhead = batchBytes([create('record-00', '')]);
  for (let left = bytes; left > 0; ) {
    const size =
      left - overhead <= maxValueBytes ? left : Math.min(maxValueBytes + overhead, left - overhead);
    batch.push(create(`record-${String(batch.length).padStart(2, '0')}`, pattern(size - overhead)));
    left -= size;
  }
  return batch;
}
