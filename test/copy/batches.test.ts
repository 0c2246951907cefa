import { expect, test } from 'vitest';
import { cutBatches } from '../../src/copy/batches.js';
import type { WriteEntry } from '../../src/copy/entries.js';
import { batchBytes } from '../../src/topo/connection.js';

const step = (path: string, length: number): WriteEntry => ({
  action: 'create',
  path,
  kind: 'Unknown',
  bytes: new Uint8Array(length),
  source: '1',
  destination: undefined,
  reason: '',
});

const LARGE = { maxOps: 1_000, maxBytes: 1_000_000 };

test('batches keep every step, in order, within both limits', () => {
  const steps = Array.from({ length: 1000 }, (_, i) => step(`dir/${i}`, (i * 37) % 500));
  const limits = { maxOps: 20, maxBytes: 4_000 };
  const batches = [...cutBatches(steps, 'store', limits)];
  for (const { ops } of batches) {
    expect(ops.length).toBeLessThanOrEqual(limits.maxOps);
    expect(batchBytes(ops)).toBeLessThanOrEqual(limits.maxBytes);
  }
  expect(batches.flatMap(({ ops }) => ops.map(({ path }) => path))).toEqual(steps.map(({ path }) => path));
  expect(batches.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
    steps.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
  );
});

test('a step too large for any batch makes one of its own, for the store to refuse', () => {
  const batches = [
    ...cutBatches([step('a', 10), step('b', 9_000), step('c', 10)], 'store', { maxOps: 10, maxBytes: 1_000 }),
  ];
  expect(batches.map(({ ops }) => ops.map(({ path }) => path))).toEqual([['a'], ['b'], ['c']]);
});

test('a batch is filled to its last byte, whatever its paths are written with', () => {
  for (const letter of ['a', 'é', '日', '😀']) {
    const steps = Array.from({ length: 40 }, (_, i) => step(`${letter.repeat(20)}${i}`, 10));
    const room = batchBytes([...cutBatches(steps.slice(0, 7), 'store', LARGE)].flatMap(({ ops }) => ops));
    const [first] = cutBatches(steps, 'store', { ...LARGE, maxBytes: room });
    expect(first?.ops.length).toBe(7);
    const [shorter] = cutBatches(steps, 'store', { ...LARGE, maxBytes: room - 1 });
    expect(shorter?.ops.length).toBe(6);
  }
});

test('no steps, no batches', () => {
  expect([...cutBatches([], 'store', { maxOps: 10, maxBytes: 1_000 })]).toEqual([]);
});
