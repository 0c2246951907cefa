import { describe, expect, test } from 'vitest';
import { parseGoFlags } from '../../src/cli/go-flags.js';
import { nearest } from '../../src/cli/nearest.js';
import { markProgram } from '../../src/cli/program-line.js';

const FLAGS = { cells: 'text', shard: 'text', 'allow-partial': 'switch', port: 'number' } as const;

describe('flags as Go reads them', () => {
  test('one dash or two, _ or -, the value behind = or as the next argument', () => {
    for (const args of [
      ['-cells', 'a,b', '-allow_partial', 'ks'],
      ['--cells=a,b', '--allow-partial=true', 'ks'],
      ['ks', '-cells=a, b', '--allow_partial=1'],
    ]) {
      const read = parseGoFlags(args, FLAGS);
      expect(read.list('cells')).toEqual(['a', 'b']);
      expect(read.isOn('allow-partial')).toBe(true);
      expect(read.words).toEqual(['ks']);
    }
  });

  test('a value may begin with a dash, a switch takes none, and -- ends the flags', () => {
    const read = parseGoFlags(['-shard', '-80', '-allow_partial', 'false', '--', '-port'], FLAGS);
    expect(read.text('shard')).toBe('-80');
    expect(read.isOn('allow-partial')).toBe(true);
    expect(read.words).toEqual(['false', '-port']);
  });

  test('what is not given is empty', () => {
    const read = parseGoFlags([], FLAGS);
    expect([read.text('cells'), read.list('cells'), read.number('port'), read.isOn('allow-partial')]).toEqual(
      ['', [], 0, false],
    );
    expect(read.has('cells')).toBe(false);
  });

  test.each([
    [['-nothing'], /unknown flag -nothing/],
    [['-cells'], /-cells needs a value/],
    [['-port', 'many'], /-port many is not a number/],
    [['-allow_partial=maybe'], /true or false/],
    [['-cells', 'a', '--cells', 'b'], /given twice/],
  ])('%j is refused', (args, message) => {
    expect(() => parseGoFlags(args, FLAGS)).toThrow(message);
  });

  test('an empty name in a list is refused', () => {
    expect(() => parseGoFlags(['-cells', 'a,,b'], FLAGS).list('cells')).toThrow(/empty name/);
  });
});

test.each([
  [
    ['vtctl', 'zk2://h/a', 'GetShard', '-x'],
    ['vtctl', 'zk2://h/a', '--', 'GetShard', '-x'],
  ],
  [
    [
      'vtctl',
      '-topo_implementation',
      'zk2',
      '-logtostderr',
      '-v',
      '2',
      '-topo_global_root=/a',
      'Get',
      '-root',
      'r',
    ],
    [
      'vtctl',
      '-topo_implementation',
      'zk2',
      '-logtostderr',
      '-v',
      '2',
      '-topo_global_root=/a',
      '--',
      'Get',
      '-root',
      'r',
    ],
  ],
  [
    ['vtctl', 'zk2://h/a', 'CreateShard', '--', 'a/-'],
    ['vtctl', 'zk2://h/a', '--', 'CreateShard', '--', 'a/-'],
  ],
  [
    ['vtctl', '--', 'GetShard'],
    ['vtctl', '--', 'GetShard'],
  ],
  [
    ['vtctl', '--help'],
    ['vtctl', '--help'],
  ],
  [['vtctl'], ['vtctl']],
  [
    ['ls', 'x', 'y'],
    ['ls', 'x', 'y'],
  ],
])('the command in %j is found', (args, marked) => {
  expect(markProgram(args)).toEqual(marked);
});

test('the nearest names are those a misspelt one may stand for', () => {
  const names = ['GetKeyspace', 'GetKeyspaces', 'DeleteShard', 'TopoCat'];
  expect(nearest('GetKeyspacs', names)).toEqual(['GetKeyspace', 'GetKeyspaces']);
  expect(nearest('topocta', names)).toEqual(['TopoCat']);
  expect(nearest('SomethingElse', names)).toEqual([]);
});
