import { describe, expect, test } from 'vitest';
import { parseArgs } from '../../src/zk-command/args.js';
import { topologyIn } from '../../src/zk-command/guard.js';
import { fixPath } from '../../src/zk-command/paths.js';
import { zkCommand } from '../../src/zk-command/table.js';

describe('the command line of a command', () => {
  const parse = (name: string, ...args: string[]) => {
    const { on, words } = parseArgs(zkCommand(name), args);
    return `${[...on].sort().join('')} ${words.join(' ')}`;
  };

  test.each([
    [['-l', '/a'], 'l /a'],
    [['--l', '/a'], 'l /a'],
    [['-ld', '/a', '/b'], 'dl /a /b'],
    [['/a', '-R', '/b'], 'R /a /b'],
    [['--longlisting', '-directorylisting', '/a'], 'dl /a'],
    [['-l=true', '-f=false', '/a'], 'l /a'],
  ])('%j', (args, expected) => {
    expect(parse('ls', ...args)).toBe(expected);
  });

  test('behind -- there are words alone', () => {
    expect(parse('cp', '--', '-d', '/zk/a')).toBe(' -d /zk/a');
  });

  test('letters together are of one dash, and rf is one of them', () => {
    expect(parse('rm', '-rf', '/a/b')).toBe('rf /a/b');
    expect(parse('rm', '-fr', '/a/b')).toBe('fr /a/b');
    expect(() => parse('rm', '--fr', '/a/b')).toThrow(/unknown flag --fr/);
  });

  test.each([
    ['ls', [], /no path/],
    ['ls', [''], /empty/],
    ['ls', ['-x', '/a'], /unknown flag -x/],
    ['ls', ['-l=maybe', '/a'], /true or false/],
    ['touch', ['/a', '/b'], /too many/],
    ['cp', ['/a'], /no path/],
  ])('%s %j is refused', (name, args, message) => {
    expect(() => parse(name, ...args)).toThrow(message);
  });
});

test('paths are made plain, and begin with a slash', () => {
  expect(['/', '/a/', '//a//b', '/a/./b/../c'].map(fixPath)).toEqual(['/', '/a', '/a/b', '/a/c']);
  expect(() => fixPath('a')).toThrow(/slash/);
});

describe('a deletion takes a topology along', () => {
  const TREE = [
    '/vitess/global/cells/zone1/CellInfo',
    '/vitess/global/keyspaces/commerce',
    '/vitess/global/keyspaces/commerce/Keyspace',
    '/vitess/zone1/SrvVSchema',
    '/vitess/zone1/tablets/zone1-1/Tablet',
    '/zk/test/vt/tablets/0000000001',
  ];
  test.each([
    ['/', '/vitess/global'],
    ['/vitess', '/vitess/global'],
    ['/vitess/global', '/vitess/global'],
    ['/vitess/global/keyspaces', '/vitess/global'],
    ['/vitess/zone1/tablets', '/vitess/zone1'],
    ['/zk/test', '/zk/test/vt'],
    ['/zk/test/vt/tablets', '/zk/test/vt'],
    ['/vitess/global/keyspaces/commerce', undefined],
    ['/vitess/zone1/tablets/zone1-1', undefined],
    ['/zk/test/vt/tablets/0000000001', undefined],
    ['/vitess/glob', undefined],
  ])('%s: %s', (top, root) => {
    const below = TREE.filter((path) => path.startsWith(top === '/' ? '/' : `${top}/`));
    expect(topologyIn(top, below)).toBe(root);
  });
});
