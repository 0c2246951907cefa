import { expect, test } from 'vitest';
import { normaliseArgs } from '../../src/cli/args.js';

test('one dash, two dashes, underscores and dashes are one spelling', () => {
  for (const spelling of ['-from_root', '--from_root', '--from-root', '-from-root']) {
    expect(normaliseArgs([spelling, '/vitess/global'])).toEqual(['--from-root', '/vitess/global']);
    expect(normaliseArgs([`${spelling}=/a_b`])).toEqual(['--from-root=/a_b']);
  }
});

test('single letters, numbers, paths and a lone dash stay as they are', () => {
  const args = ['ls', '-l', '-R', '-80', '-', 'keyspaces/my_ks', '/global/a_b'];
  expect(normaliseArgs(args)).toEqual(args);
});

test('letters that are switches may be written together', () => {
  expect(normaliseArgs(['ls', '-lR', '-dry_run', '-lx'])).toEqual(['ls', '-l', '-R', '--dry-run', '--lx']);
});

test('nothing after -- is touched', () => {
  expect(normaliseArgs(['-dry_run', '--', '-dry_run'])).toEqual(['--dry-run', '--', '-dry_run']);
});
