import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';
import { plantSample } from './sample.js';

let from: string;
beforeAll(async () => {
  ({ from } = await plantSample());
  await withStore(from, async (store) => {
    await store.create('keyspaces/broken/Keyspace', Buffer.from([0x0a]));
    await store.create('keyspaces/broken/VSchema', Buffer.from('broken\u001b[2J\n'));
    await store.create('metadata/lines', Buffer.from('one\ntwo\u001b[2J\n'));
  });
});

const words = ([command = '', ...rest]: readonly string[]) => [command, from, ...rest];

describe('a file that does not exist is no empty topology', () => {
  const MISSING = 'file:./missing.topo';
  test.each([
    ['lint', MISSING],
    ['find', MISSING],
    ['grep', MISSING, 'x'],
    ['export', MISSING, './missing-tree'],
    ['graph', 'check', MISSING],
    ['cell', 'list', MISSING],
    ['check', 'cluster', MISSING],
    ['copy', MISSING, 'memory:nowhere/a'],
    ['verify', MISSING, 'memory:nowhere/a'],
    ['verify', 'memory:nowhere/a', MISSING],
    ['restore', MISSING, 'memory:nowhere/a'],
  ])('%s %s', async (...line) => {
    const { code, err } = await cli(line.map((word) => word.replace('memory:nowhere/a', from)));
    expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('there is no such file') });
  });

  test('nor does a root that holds nothing say that all is well', async () => {
    const empty = 'memory://etcd:nothing-here/vitess/global';
    for (const line of [
      ['graph', 'check', empty],
      ['export', empty, './missing-tree'],
      ['lint', empty],
    ])
      expect(await cli(line)).toMatchObject({
        code: 3,
        err: expect.stringContaining('check the server and'),
      });
    expect(existsSync('./missing-tree')).toBe(false);
  });

  test('but where it may be made', async () => {
    expect(await cli(['plan', from, 'file:./missing.topo', '--allow-undecodable'])).toMatchObject({
      code: 0,
    });
    const put = ['put', 'file:./missing.topo', 'metadata/x', '--dry-run', '--yes'];
    expect(await cli(put, {}, { input: 'x' })).toMatchObject({ code: 0 });
  });
});

describe('what makes no sense is refused, with exit code 2', () => {
  test.each([
    [['cat', 'a', '--raw', '--decode-proto'], /--raw and --decode-proto exclude/],
    [['cat', 'a', '--topology-cell', '--data-as-json'], /--data-as-json and --topology-cell exclude/],
    [['cat', 'a', '--unknown-fields'], /--unknown-fields needs a form/],
    [['cat', ''], /root is a directory/],
    [['ls', '-dR'], /--directory and --recursive exclude/],
    [['ls', 'keyspaces/[b-a]'], /"\[b-a\]" is not a pattern/],
    [['ls', 'zone1:tablets', '--cell', 'zone2'], /the path says zone1, and --cell says zone2/],
    [['ls', 'zone9:tablets'], /no cell zone9.*\n.*zone1, zone2/],
    [['find', '--kind', 'Tablet,tablets'], /no kind tablets.*\n.*Tablet/],
    [['find', '--type', 'directory', '--empty'], /--empty is about records/],
    [['find', '--larger', '-1'], /--larger must be a whole number/],
    [['find', '--name', '['], /"\[" is not a pattern/],
    [['grep'], /no pattern is given/],
    [['grep', '('], /regular expression/],
    [['grep', '-cl', 'a'], /exclude one another/],
    [['tree', '--output', 'jsonl'], /jsonl/],
  ])('%j', async (line, message) => {
    const { code, err, stdout } = await cli(words(line));
    expect({ code, printed: stdout.toString() }).toEqual({ code: 2, printed: '' });
    expect(err).toMatch(message);
  });
});

test('a form and --output json exclude one another', async () => {
  expect(await cliJson(words(['cat', 'a', '--data-as-json']), [2])).toMatchObject({
    error: { code: 'Usage', message: expect.stringMatching(/--data-as-json and --output json/) },
  });
});

describe('a record that does not decode', () => {
  test('is named, and the others are printed: exit code 3', async () => {
    const { code, err, out, bytes } = await cli(words(['cat', 'keyspaces/*/Keyspace', '--decode-proto']));
    expect(code).toBe(3);
    expect(err).toMatch(/^global:keyspaces\/broken\/Keyspace does not decode: .* ends within a field/);
    expect(out.split('\n')).toHaveLength(4);
    expect(bytes).toEqual(Buffer.from([0x0a]));
  });

  test('has no place in JSON as Vitess prints it', async () => {
    const { code, out } = await cli(words(['cat', 'keyspaces/*/Keyspace', '--decode-proto-json']));
    expect(code).toBe(3);
    expect(JSON.parse(out)).toHaveLength(3);
  });

  test('is shown on a terminal as its bytes, without what could rewrite the screen', async () => {
    const { code, out } = await cli(words(['cat', 'keyspaces/broken/VSchema']), {}, { terminal: true });
    expect(code).toBe(0);
    expect(out).toMatch(/does not decode: .*\nbroken\\u001b\[2J\n$/);
  });

  test('is searched as bytes, and named', async () => {
    const { code, err, out } = await cli(words(['grep', 'brok.n', 'keyspaces/broken']));
    expect(code).toBe(0);
    expect(out).toBe('global:keyspaces/broken/VSchema: line 1: broken\\u001b[2J\n');
    expect(err).toMatch(/broken\/Keyspace does not decode, and is searched as bytes/);
  });

  test('is told by stat', async () => {
    const { code, out } = await cli(words(['stat', 'keyspaces/broken/Keyspace']));
    expect(code).toBe(0);
    expect(out).toMatch(/decodes {4}no: .* ends within a field/);
  });
});

describe('results', () => {
  test('of cat on a terminal have a heading where several are meant', async () => {
    const { out } = await cli(words(['cat', '/metadata/*']), {}, { terminal: true });
    expect(out).toBe('/metadata/lines\none\ntwo\\u001b[2J\n/metadata/owner\npayments\n');
  });

  test('of cat with --long each have a line before them, and end one', async () => {
    const { stdout } = await cli(words(['cat', 'metadata/*', '-l']));
    expect(stdout.toString().replaceAll(/version=\d+/g, 'version=N')).toBe(
      'path=metadata/lines version=N\none\ntwo\u001b[2J\npath=metadata/owner version=N\npayments\n',
    );
  });

  test('of ls as JSON have a path where several are meant', async () => {
    expect(await cliJson(words(['ls', 'keyspaces/c*/shards']))).toMatchObject([
      { path: 'keyspaces/commerce/shards', entries: [{ name: '0', type: 'directory' }] },
      { path: 'keyspaces/customer/shards', entries: [{ name: '-80' }, { name: '80-' }] },
    ]);
    expect(await cliJson(words(['ls', '-d', 'RoutingRules']))).toMatchObject([
      { path: 'RoutingRules', type: 'file', size: expect.any(Number), version: expect.any(String) },
    ]);
  });

  test('of find and grep are one array as JSON, one object a line as jsonl', async () => {
    const line = ['--kind', 'CellInfo', '--output'];
    const array = (await cli(words(['find', ...line, 'json']))).out;
    const lines = (await cli(words(['find', ...line, 'jsonl']))).out.trim().split('\n');
    expect(lines.map((each) => JSON.parse(each))).toEqual(JSON.parse(array));
    expect(await cliJson(words(['grep', 'payments']))).toEqual([
      {
        scope: 'global',
        path: 'metadata/owner',
        kind: 'Metadata',
        matches: [{ field: 'line 1', value: 'payments' }],
      },
    ]);
    expect(await cliJson(words(['grep', 'nothing at all']), [1])).toEqual([]);
  });

  test('are read again as paths', async () => {
    const { out } = await cli(words(['find', '--name', 'SrvVSchema']));
    expect(out).toBe('zone1:SrvVSchema\nzone2:SrvVSchema\n');
    for (const place of out.trim().split('\n')) {
      expect(await cliJson(words(['cat', place]))).toMatchObject({
        kind: 'SrvVSchema',
        scope: place.slice(0, 5),
      });
    }
  });

  test('a path that begins with a slash names no scope', async () => {
    expect(await cli(words(['ls', '/zone1:tablets']))).toMatchObject({ code: 3 });
    expect(await cli(words(['ls', '/global/keyspaces']))).toMatchObject({
      code: 3,
      err: expect.stringContaining('there is no global in the root'),
    });
  });
});

test.each(['ls', 'cat', 'tree', 'find', 'grep', 'stat'])('%s --help has examples', async (command) => {
  const { code, out } = await cli([command, '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`Examples:\\n +topo2topo ${command} `));
});
