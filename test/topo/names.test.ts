import { describe, expect, it } from 'vitest';
import { ErrorCode, isTopologyError } from '../../src/topo/errors.js';
import {
  checkCellName,
  checkKeyspaceName,
  checkShardName,
  formatKeyRange,
  formatTabletAlias,
  keyRangeOfShard,
  parseTabletAlias,
} from '../../src/topo/names.js';

/** The message of the InvalidPath error that `call` throws. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isTopologyError(error, ErrorCode.InvalidPath)) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a tablet alias', () => {
  it('is written with at least ten digits', () => {
    expect(formatTabletAlias({ cell: 'zone1', uid: 100 })).toBe('zone1-0000000100');
    expect(formatTabletAlias({ cell: 'us-east.1', uid: 4294967295 })).toBe('us-east.1-4294967295');
  });

  it.each([
    ['zone1-0000000100', 'zone1', 100],
    ['zone1-5', 'zone1', 5],
    ['a-b-1-7', 'a-b-1', 7],
    ['z.1_x-4294967295', 'z.1_x', 4294967295],
    ['z-00000000000000000012', 'z', 12],
    ['-5-5', '-5', 5],
  ])('%s is read', (text, cell, uid) => expect(parseTabletAlias(text)).toEqual({ cell, uid }));

  it.each([
    '',
    'zone1',
    '-5',
    'zone1-',
    'zone1-x',
    'zone1-4294967296',
    'zone 1-5',
    'zöne-5',
    'zone1-5\n',
    'a/b-5',
  ])('%j is refused', (text) =>
    expect(refusal(() => parseTabletAlias(text))).toMatch(/is not a tablet alias/),
  );
});

describe('the key range of a shard', () => {
  it.each(['0', 'custom', '80'])('%s has none', (shard) => expect(keyRangeOfShard(shard)).toBeUndefined());

  it.each([
    ['-', '-'],
    ['-80', '-80'],
    ['80-', '80-'],
    ['40-80', '40-80'],
    ['80-C0', '80-c0'],
    ['-00', '-00'],
    ['00-80', '00-80'],
    ['00-', '00-'],
    ['80-8000', '80-8000'],
    ['3fff-40', '3fff-40'],
  ])('%s is %s', (shard, text) => {
    const range = keyRangeOfShard(shard);
    expect(range && formatKeyRange(range)).toBe(text);
  });

  it.each(['80-c0-e0', '8-', '-8', '4-80', 'zz-', '40-80x', '--', 'a b-'])('%s is refused', (shard) =>
    expect(refusal(() => keyRangeOfShard(shard))).toMatch(/is not a shard name/),
  );

  it.each(['40-40', '80-40', '8000-80'])('%s holds nothing and is refused', (shard) =>
    expect(refusal(() => keyRangeOfShard(shard))).toMatch(/holds nothing/),
  );
});

describe('names', () => {
  it.each(['commerce', 'locks', 'A-b_9', 'x'.repeat(64)])('%s is a keyspace', (name) =>
    expect(refusal(() => checkKeyspaceName(name))).toBe('accepted'),
  );

  it('of keyspaces and shards are refused in the words of Vitess', () => {
    for (const check of [checkKeyspaceName, checkShardName]) {
      expect(refusal(() => check(''))).toBe('empty name');
      expect(refusal(() => check('x'.repeat(65)))).toBe(`name "${'x'.repeat(65)}" is too long`);
      expect(refusal(() => check('a.b'))).toBe('invalid character . in name "a.b"');
      expect(refusal(() => check('a/b'))).toBe('invalid character / in name "a/b"');
      expect(refusal(() => check('a😀'))).toBe('invalid character 😀 in name "a😀"');
    }
  });

  it('of shards must hold a legal range besides', () => {
    expect(refusal(() => checkShardName('-80'))).toBe('accepted');
    expect(refusal(() => checkShardName('0'))).toBe('accepted');
    expect(refusal(() => checkShardName('80-40'))).toMatch(/holds nothing/);
  });

  it('of cells may hold dots and dashes', () => {
    for (const name of ['zone1', 'us-east.1', 'Z_9'])
      expect(refusal(() => checkCellName(name))).toBe('accepted');
    for (const name of ['', 'a/b', 'a,b', 'global', 'global-read-only', '.', '..', 'a b'])
      expect(
        refusal(() => checkCellName(name)),
        name,
      ).not.toBe('accepted');
  });
});
