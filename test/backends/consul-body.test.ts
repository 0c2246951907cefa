import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Misunderstood, type Pair, toPair } from '../../src/backends/consul/answers.js';
import { decodeBody, encodeBody } from '../../src/backends/consul/body.js';
import { readListing } from '../../src/backends/consul/listing.js';

const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(
    '},{"LockIndex":',
    '","Flags":0,"Value":"',
    '},{',
    '[{"LockIndex":',
    '\\',
    '"',
    '}]',
    ',{"Flags":12345678901234567890',
  ),
);
const flags = fc.oneof(fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String));
const pair = fc
  .record({
    LockIndex: fc.nat(),
    Key: key,
    Flags: flags,
    Value: fc.option(fc.base64String({ maxLength: 40 })),
    Session: fc.option(fc.uuid(), { nil: undefined }),
    CreateIndex: fc.nat(),
    ModifyIndex: fc.maxSafeNat(),
  })
  .map(({ Session, ...rest }) => (Session === undefined ? rest : { ...rest, Session }));

/** A body in pieces that end at these places. */
function pieces(body: Buffer, ends: readonly number[]): Buffer[] {
  const cuts = [...new Set([0, ...ends.map((end) => end % body.length), body.length])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => body.subarray(cuts[i], end));
}

function read(body: Buffer, ends: readonly number[] = []): Pair[] {
  return [...readListing(pieces(body, ends))].flat();
}

describe('bodies of Consul', () => {
  test('a listing is read as JSON is, wherever its pieces end', () => {
    fc.assert(
      fc.property(
        fc.array(pair, { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (pairs, ends) => {
          const body = Buffer.from(encodeBody(pairs));
          expect(read(body, ends)).toEqual((decodeBody(body) as unknown[]).map(toPair));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('a listing is read key by key: what is not asked for stays as it came', () => {
    const keys = [1, 2].map((n) => ({ LockIndex: 0, Key: `a/${n}`, Flags: 0, ModifyIndex: n }));
    const body = Buffer.from(encodeBody(keys));
    const left = pieces(body, [body.length / 2]);
    const groups = readListing(left);
    expect(groups.next().value).toHaveLength(1);
    expect(left).toHaveLength(1);
  });

  test('what is cut off is no listing, wherever it ends, and neither is anything else', () => {
    const keys = [1, 2, 3].map((n) => ({
      LockIndex: 0,
      Key: `a/${n}`,
      Flags: 0,
      Value: n === 2 ? null : 'YQ==',
      CreateIndex: n,
      ModifyIndex: n,
    }));
    const body = Buffer.from(encodeBody(keys));
    for (let end = 1; end < body.length; end++)
      expect(() => read(body.subarray(0, end))).toThrow(Misunderstood);
    const others = ['<html>', '{}', '[1]', '[{}]', '[{"LockIndex":0]', `${body.toString().slice(0, -1)};`];
    for (const other of others) expect(() => read(Buffer.from(other))).toThrow(Misunderstood);
  });

  test('flags of 64 bits are text, and are written as numbers', () => {
    const body = Buffer.from(
      '[{"LockIndex":0,"Key":"a","Flags":18446744073709551615},{"LockIndex":0,"Flags":5}]',
    );
    expect(decodeBody(body)).toEqual([
      { LockIndex: 0, Key: 'a', Flags: '18446744073709551615' },
      { LockIndex: 0, Flags: 5 },
    ]);
    expect(encodeBody({ Flags: '18446744073709551615' })).toBe('{"Flags":18446744073709551615}');
  });
});
