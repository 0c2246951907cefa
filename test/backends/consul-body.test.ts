import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBody, encodeBody } from '../../src/backends/consul/body.js';

const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(
    '},{"LockIndex":',
    '},{',
    '[{"LockIndex":',
    '\\',
    '"',
    '}]',
    ',{"Flags":12345678901234567890',
  ),
);
const pair = fc.record({
  LockIndex: fc.nat(),
  Key: key,
  Flags: fc.nat(),
  Value: fc.option(fc.base64String({ maxLength: 40 })),
  CreateIndex: fc.nat(),
  ModifyIndex: fc.nat(),
});

describe('bodies of Consul', () => {
  test('a listing read in pieces is what it is when it is read at once', () => {
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 30 }), fc.nat({ max: 400 }), (pairs, pieceBytes) => {
        expect(decodeBody(Buffer.from(JSON.stringify(pairs)), pieceBytes)).toEqual(pairs);
      }),
      { numRuns: 1_000 },
    );
  });

  test('what is cut off is no listing, wherever it ends', () => {
    const pairs = Array.from({ length: 5 }, (_, i) => ({
      LockIndex: 0,
      Key: `a/${i}`,
      Flags: 0,
      ModifyIndex: i,
    }));
    const body = Buffer.from(JSON.stringify(pairs));
    for (let end = 0; end < body.length; end++)
      expect(() => decodeBody(body.subarray(0, end), 20)).toThrow(SyntaxError);
  });

  test('flags of 64 bits are text, and are written as numbers', () => {
    const body = Buffer.from(
      '[{"LockIndex":0,"Key":"a","Flags":18446744073709551615},{"LockIndex":0,"Flags":5}]',
    );
    const read = [
      { LockIndex: 0, Key: 'a', Flags: '18446744073709551615' },
      { LockIndex: 0, Flags: 5 },
    ];
    expect(decodeBody(body)).toEqual(read);
    expect(decodeBody(body, 10)).toEqual(read);
    expect(encodeBody({ Flags: '18446744073709551615' }).toString()).toBe('{"Flags":18446744073709551615}');
  });
});
