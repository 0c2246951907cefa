import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/topo/errors.js';
import { hasWildcard, nameTest, pathTest } from '../../src/topo/wildcards.js';

describe('a pattern for a name', () => {
  test.each([
    ['*', 'anything', true],
    ['*', '', true],
    ['a*c', 'abc', true],
    ['a*c', 'abd', false],
    ['a?c', 'aéc', true],
    ['a?c', 'ac', false],
    ['zone1-0*', 'zone1-0000000100', true],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[^a-c]x', 'dx', true],
    ['[^a-c]x', 'ax', false],
    ['[*]', '*', true],
    ['[*]', 'a', false],
    ['[\\]]', ']', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a.c', 'abc', false],
    ['a]', 'a]', true],
    ['**', 'a', true],
    ['$^|(', '$^|(', true],
    ['-80', '-80', true],
  ])('%s on %s is %s, as with Go’s path.Match', (pattern, name, matches) => {
    expect(nameTest(pattern)(name)).toBe(matches);
  });

  test.each(['[', '[]', '[^]', '[a', 'a[', '[-a]', '[a-]', '[c-a]', 'a\\'])('%s is refused', (pattern) => {
    expect(() => nameTest(pattern)).toThrow(expect.objectContaining({ code: ErrorCode.Usage }));
  });

  test('has a wildcard in it that is not behind a backslash', () => {
    expect(['a*', 'a?', '[a]', '\\\\*', 'x/*/y'].map(hasWildcard)).toEqual([true, true, true, true, true]);
    expect(['a', '', 'a]', '\\*', '-80', 'a\\'].map(hasWildcard)).toEqual(Array(6).fill(false));
  });
});

describe('a pattern for a path', () => {
  test.each([
    ['keyspaces/*/Keyspace', 'keyspaces/commerce/Keyspace', true],
    ['/keyspaces/*/Keyspace', 'keyspaces/commerce/Keyspace', true],
    ['keyspaces/*', 'keyspaces/commerce/Keyspace', false],
    ['**/Shard', 'keyspaces/a/shards/0/Shard', true],
    ['**/Shard', 'Shard', true],
    ['**/Shard', 'a/NoShard', false],
    ['keyspaces/**/Shard', 'keyspaces/Shard', true],
    ['keyspaces/**', 'keyspaces/a/b', true],
    ['keyspaces/**', 'keyspacesa/b', false],
    ['a/**/b/**/c', 'a/x/b/y/z/c', true],
  ])('%s on %s is %s', (pattern, path, matches) => {
    expect(pathTest(pattern, { deep: true })(path)).toBe(matches);
  });

  test('takes two stars for one where it is not to reach deep', () => {
    expect(pathTest('**/Shard')('a/b/Shard')).toBe(false);
    expect(pathTest('**/Shard')('a/Shard')).toBe(true);
  });
});
