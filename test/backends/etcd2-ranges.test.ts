import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KeyRange } from '../../src/backends/etcd2/keys.js';
import { type Asked, firstOf, nextOf } from '../../src/backends/etcd2/ranges.js';

const ALL: KeyRange = { key: Buffer.from('/vitess/'), range_end: Buffer.from('/vitess0') };

/** Reads all of some keys in pages as etcd answers them: the keys in their order, how many requests, and how many keys etcd walked over. */
function readAll(keys: readonly Buffer[], bytesEach: number) {
  const sorted = [...keys].sort(Buffer.compare);
  const read: Buffer[] = [];
  let [requests, walked] = [0, 0];
  for (let asked: Asked | undefined = firstOf(ALL); asked !== undefined; ) {
    const { range, limit }: Asked = asked;
    const inside = sorted.filter(
      (key) => Buffer.compare(key, range.key) >= 0 && Buffer.compare(key, range.range_end) < 0,
    );
    const given = inside.slice(0, limit);
    read.push(...given);
    requests += 1;
    walked += inside.length;
    asked = nextOf(ALL, asked, {
      first: given[0],
      last: given.at(-1),
      size: given.length,
      bytes: given.length * bytesEach,
      more: inside.length > given.length,
    });
  }
  return { read, sorted, requests, walked };
}

const tablet = (uid: number) => Buffer.from(`/vitess/tablets/zone1-${String(uid).padStart(10, '0')}/Tablet`);

test('every key of a range is read once and in order, however the keys lie', () => {
  const tail = fc.uint8Array({ maxLength: 6 });
  // Many that follow one another closely, so that guesses are made, and others anywhere.
  const dense = fc
    .tuple(
      tail,
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 0, max: 700 }),
      fc.integer({ min: 1, max: 5_000 }),
    )
    .map(([begins, from, count, step]) =>
      Array.from({ length: count }, (_, i) => {
        const number = Buffer.alloc(6);
        number.writeUIntBE(from + i * step, 0, 6);
        return Buffer.concat([ALL.key, begins, number]);
      }),
    );
  const sparse = fc.array(
    tail.map((each) => Buffer.concat([ALL.key, each])),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      fc.array(dense, { maxLength: 5 }),
      sparse,
      fc.integer({ min: 1, max: 60_000 }),
      (lots, few, bytesEach) => {
        const distinct = new Map([...lots.flat(), ...few].map((key) => [key.toString('hex'), key]));
        const { read, sorted } = readAll([...distinct.values()], bytesEach);
        expect(read.map((key) => key.toString('hex'))).toEqual(sorted.map((key) => key.toString('hex')));
      },
    ),
  );
});

test('etcd does not walk over all that remains for each page of a long range', () => {
  const count = 30_000;
  const { read, requests, walked } = readAll(
    Array.from({ length: count }, (_, i) => tablet(95_000 + i)),
    4_000,
  );
  expect(read).toHaveLength(count);
  expect(requests).toBeLessThan(50);
  expect(walked).toBeLessThan(8 * count);
});
