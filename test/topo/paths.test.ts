import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../src/topo/errors.js';
import {
  ancestors,
  baseName,
  checkPath,
  compareBytewise,
  isBelow,
  joinPath,
  parentPath,
} from '../../src/topo/paths.js';

describe('checkPath', () => {
  it.each([
    'a',
    'a/b',
    'keyspaces/user data/Keyspace',
    'a/...',
    'a/.x',
    '100%/#/?',
    'ключ/名前',
    'a/\u{1F600}',
  ])('takes %j', (path) => {
    expect(checkPath(path, 'record')).toBe(path);
    expect(checkPath(path, 'directory')).toBe(path);
  });

  it.each([
    ['/a', 'leading slash'],
    ['/', 'leading slash'],
    ['a/', 'trailing slash'],
    ['a//b', 'empty segment'],
    ['a/./b', 'segment .'],
    ['..', 'segment ..'],
    ['a\0', 'NUL character'],
    ['a/\ud800', 'not well-formed Unicode'],
  ])('refuses %j, saying why', (path, reason) => {
    expect(() => checkPath(path, 'directory', 'memory://etcd/')).toThrow(
      expect.objectContaining({
        code: ErrorCode.InvalidPath,
        path,
        store: 'memory://etcd/',
        message: expect.stringContaining(reason),
      }),
    );
  });

  it('takes the root as a directory only', () => {
    expect(checkPath('', 'directory')).toBe('');
    expect(() => checkPath('', 'record')).toThrow(expect.objectContaining({ code: ErrorCode.InvalidPath }));
  });
});

describe('the parts of a path', () => {
  it('are joined without empty segments', () => {
    expect(joinPath('', 'a', '', 'b/c')).toBe('a/b/c');
    expect(joinPath('', '')).toBe('');
  });

  it('are its directory and its last segment', () => {
    expect([parentPath('a/b/c'), baseName('a/b/c')]).toEqual(['a/b', 'c']);
    expect([parentPath('a'), baseName('a')]).toEqual(['', 'a']);
  });

  it('are the directories above it, nearest last', () => {
    expect(ancestors('a/b/c')).toEqual(['a', 'a/b']);
    expect(ancestors('a')).toEqual([]);
  });
});

describe('isBelow', () => {
  it('goes by whole segments', () => {
    expect(isBelow('zone1/x', 'zone1')).toBe(true);
    expect(isBelow('zone10/x', 'zone1')).toBe(false);
  });

  it('does not count the directory itself', () => {
    expect(isBelow('zone1', 'zone1')).toBe(false);
    expect(isBelow('', '')).toBe(false);
  });

  it('finds everything below the root', () => {
    expect(isBelow('a', '')).toBe(true);
  });
});

describe('compareBytewise', () => {
  it('agrees with the order of the UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (common, a, b) => {
        const [x, y] = [common + a, common + b];
        expect(Math.sign(compareBytewise(x, y))).toBe(Buffer.compare(Buffer.from(x), Buffer.from(y)));
      }),
      { numRuns: 2000 },
    );
  });

  it('puts what lies beyond U+FFFF last', () => {
    expect(compareBytewise('\uffff', '\u{10000}')).toBeLessThan(0);
  });
});
