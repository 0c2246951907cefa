import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/copy/ledger.js';

const path = fc
  .oneof(fc.nat(20).map(String), fc.string({ unit: 'grapheme' }))
  .map((name) => `tablets/${name}`);
const told = fc.record({
  what: fc.constantFrom('own', 'own', 'own', 'own', 'forget', 'ask'),
  path: path.filter((text) => !text.includes('\0')),
  version: fc.nat().map(String),
});

test('a ledger owns what it was told last of each path, whenever it is asked', () => {
  fc.assert(
    fc.property(fc.array(told, { maxLength: 60 }), fc.nat(2_000), (sequence, many) => {
      const ledger = new Ledger();
      const expected = new Map<string, string>();
      // More than are packed at once.
      for (let i = 0; i < many; i++) {
        ledger.own(`many/${i}`, `${i}`);
        expected.set(`many/${i}`, `${i}`);
      }
      for (const { what, path: at, version } of sequence) {
        if (what === 'own') {
          ledger.own(at, version);
          expected.set(at, version);
        } else if (what === 'forget') {
          ledger.forget(at);
          expected.delete(at);
        } else
          expect([ledger.has(at), ledger.owns(at, version)]).toEqual([
            expected.has(at),
            expected.get(at) === version,
          ]);
      }
      expect(new Map(ledger.owned())).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

test('what a resumed copy deleted itself is no deletion by somebody else, however often it is asked', () => {
  const ledger = new Ledger();
  ledger.foundOwn('a', '1');
  ledger.foundOwn('b', '1');
  ledger.meant('a', undefined);
  expect(['a', 'b'].map((at) => ledger.isDeleted(at))).toEqual([false, true]);
  ledger.forget('a');
  expect(['a', 'b'].map((at) => ledger.isDeleted(at))).toEqual([false, true]);
});
