import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileNames, foldersOf, placeOfFile } from '../../src/exporting/names.js';

const NOTHING = new Map();

test.each([
  ['keyspaces/commerce/shards/-80/Shard', 'global/keyspaces/commerce/shards/-80/Shard'],
  ['a b/ü', 'global/a%20b/%C3%BC'],
  ['.hidden/trailing.', 'global/%2Ehidden/trailing%2E'],
  ['con/aux.txt', 'global/%63on/%61ux.txt'],
  ['100%/x:y', 'global/100%25/x%3Ay'],
])('%s has the file %s', (path, file) => {
  expect(new FileNames().fileOf({ scope: 'global', path }, '.bin')).toBe(`${file}.bin`);
  expect(placeOfFile(`${file}.bin`, NOTHING)).toEqual({ scope: 'global', path, ending: '.bin' });
});

test('names that differ in capitals alone, or are too long, are told apart', () => {
  const names = new FileNames();
  const paths = ['Commerce/x', 'commerce/x', 'commerce/y', 'n'.repeat(400)];
  const files = paths.map((path) => names.fileOf({ scope: 'zone1', path }, '.json'));
  expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(paths.length);
  expect(Math.max(...files.flatMap((file) => file.split('/')).map((name) => name.length))).toBeLessThan(256);
  expect(files[1]?.split('/')[2]).toBe(files[2]?.split('/')[2]);
  const known = paths.map((path, index) => ({ scope: 'zone1', path, file: files[index] ?? '' }));
  const beside = `${(files[1] ?? '').split('/').slice(0, -1).join('/')}/new.bin`;
  expect(placeOfFile(beside, foldersOf(known))).toMatchObject({ scope: 'zone1', path: 'commerce/new' });
  expect(placeOfFile(beside, NOTHING)).toBeUndefined();
});

test('a record and a directory never have one name', () => {
  const names = new FileNames();
  const files = ['a', 'a.bin/c', 'a.bin'].map((path) => names.fileOf({ scope: 'global', path }, '.bin'));
  const folders = files.map((file) => file.split('/').slice(0, -1).join('/'));
  expect(new Set(files).size).toBe(3);
  expect(files.filter((file) => folders.includes(file))).toEqual([]);
});

test.each([
  'notes.txt',
  'cells/global/x.bin',
  'cells/zone1.bin',
  'global/.swp',
  'global/%2e.bin',
  'global/a%~b.bin',
  'global/.bin',
  'elsewhere/x.bin',
])('%s is no file of a tree', (file) => {
  expect(placeOfFile(file, NOTHING)).toBeUndefined();
});

test('every name leads back to its record', () => {
  const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter(isSegment);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.array(segment, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      (found) => {
        const names = new FileNames();
        const paths = [...new Set(found.map((segments) => segments.join('/')))].sort();
        const known = paths.map((path) => ({
          scope: 'zone1',
          path,
          file: names.fileOf({ scope: 'zone1', path }, '.bin'),
        }));
        expect(new Set(known.map(({ file }) => file.toLowerCase())).size).toBe(known.length);
        for (const { file, path } of known) {
          const place = placeOfFile(file, foldersOf(known));
          if (place !== undefined) expect(place.path).toBe(path);
          else expect(file).toContain('%~');
        }
      },
    ),
  );
});

function isSegment(text: string): boolean {
  return !text.includes('/') && !text.includes('\0') && text.isWellFormed() && text !== '.' && text !== '..';
}
