import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Entry, EntryList } from '../../src/copy/entries.js';
import { KINDS } from '../../src/topo/kinds.js';

const entry: fc.Arbitrary<Entry> = fc.record({
  action: fc.constantFrom('create', 'update', 'rewrite', 'delete', 'skip', 'extra', 'transcode'),
  path: fc.string({ unit: 'grapheme', minLength: 1 }),
  kind: fc.constantFrom(...KINDS.map(({ kind }) => kind), 'Unknown', 'Ephemeral'),
  bytes: fc.uint8Array({ maxLength: 400 }),
  source: fc.option(fc.string(), { nil: undefined }),
  destination: fc.option(fc.string(), { nil: undefined }),
  reason: fc.string(),
});

test('a list gives back what was added, in order', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 50 }), (entries) => {
      const list = new EntryList();
      for (const each of entries) list.push(each);
      expect(list.length).toBe(entries.length);
      const read = [...list].map((each) => ({ ...each, bytes: [...each.bytes] }));
      expect(read).toEqual(entries.map((each) => ({ ...each, bytes: [...each.bytes] })));
    }),
  );
});

test('an entry larger than a buffer is kept whole, between small ones', () => {
  const list = new EntryList();
  const of = (path: string, length: number): Entry => ({
    action: 'create',
    path,
    kind: 'Metadata',
    bytes: Buffer.alloc(length, path),
    source: '1',
    destination: undefined,
    reason: '',
  });
  for (const [path, length] of [
    ['a', 10],
    ['b', 3_000_000],
    ['c', 700_000],
    ['d', 700_000],
  ] as const)
    list.push(of(path, length));
  expect([...list].map(({ path, bytes }) => [path, bytes.byteLength, bytes[0], bytes.at(-1)])).toEqual([
    ['a', 10, 97, 97],
    ['b', 3_000_000, 98, 98],
    ['c', 700_000, 99, 99],
    ['d', 700_000, 100, 100],
  ]);
});
