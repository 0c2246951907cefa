import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { type CliResult, cli, cliJson } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';
import { plantSample } from './sample.js';

let folder: string;
let server: string;
let from: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  ({ server, from } = await plantSample());
});
afterEach(() => rm(join(folder, 'undo.json'), { force: true }));

const everything = async () =>
  (await Promise.all(['global', 'zone1', 'zone2'].map((scope) => contents(at(scope))))).map((each) => [
    ...each,
  ]);
const at = (scope: string) => `memory://${server}/vitess/${scope}`;
const cell = (action: string, ...more: string[]) => cli(['cell', ...action.split(' '), from, ...more]);
const place = (root: string) => ['--server-address', server, '--root', root];

/** Puts back what a command said of itself, by what it said. */
async function undo({ out }: CliResult): Promise<CliResult> {
  const line = out.split('\n').find((each) => each.startsWith('{')) ?? '';
  await writeFile(join(folder, 'undo.json'), line);
  const [, words = ''] = /and run: topo2topo (.*)/.exec(out) ?? [];
  return cli(words.replace('FILE', join(folder, 'undo.json')).split(' '));
}

describe('looking at cells', () => {
  test('list shows every cell, where it is, and its alias', async () => {
    const { code, out } = await cell('list');
    expect(code).toBe(0);
    expect(out).toMatch(/cell +server address +root +alias\n +zone1 +\S+ +\/vitess\/zone1 +region1\n +zone2/);
    expect(await cliJson(['cell', 'list', from])).toEqual({
      command: 'cell list',
      cells: ['zone1', 'zone2'].map((name) => ({
        name,
        serverAddress: server,
        root: `/vitess/${name}`,
        aliases: ['region1'],
      })),
    });
  });

  test('show shows one, and names those that there are when it is not there', async () => {
    expect((await cell('show', 'zone2')).out).toMatch(/zone2 +\S+ +\/vitess\/zone2 +region1/);
    expect(await cliJson(['cell', 'show', from, 'zone2'])).toMatchObject({ name: 'zone2' });
    expect(await cell('show', 'zone9')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no cell zone9.*\n.*it has zone1, zone2/),
    });
  });

  test('alias list shows what each alias stands for', async () => {
    expect((await cell('alias list')).out).toMatch(/alias +cells\n +region1 +zone1, zone2/);
    expect(await cliJson(['cell', 'alias', 'list', from])).toMatchObject({
      aliases: [{ name: 'region1', cells: ['zone1', 'zone2'] }],
    });
  });
});

const CHANGES: readonly (readonly [action: string, more: () => string[], shown: RegExp])[] = [
  [
    'add',
    () => ['zone3', ...place('/vitess/zone3')],
    /create global:cells\/zone3\/CellInfo\n +server_address/,
  ],
  ['update', () => ['zone1', '--root', '/other', '--force'], /"\/vitess\/zone1" → "\/other"/],
  ['remove', () => ['zone1', '--force', '--yes'], /delete global:cells\/zone1\/CellInfo/],
  ['alias update', () => ['region1', '--cells', 'zone1'], /update global:cells_aliases\/region1/],
  ['alias remove', () => ['region1', '--yes'], /delete global:cells_aliases\/region1/],
  ['remove-shard', () => ['orders/-80', 'zone2', '--recursive', '--yes'], /delete zone2:tablets/],
  ['remove-keyspace', () => ['orders', 'zone2', '--recursive', '--yes'], /delete zone2:.*SrvKeyspace/],
];

describe('every change', () => {
  test.each(CHANGES)('%s is shown by --dry-run, made, and put back', async (action, more, shown) => {
    const before = await everything();
    const dry = await cell(action, ...more(), '--dry-run');
    expect(dry).toMatchObject({ code: 0, err: '', out: expect.stringMatching(shown) });
    expect(dry.out).toContain('dry run: nothing is written');
    expect(await everything()).toEqual(before);
    const made = await cell(action, ...more());
    expect(made).toMatchObject({ code: 0, err: '', out: expect.stringMatching(shown) });
    expect(await everything()).not.toEqual(before);
    expect(await undo(made)).toMatchObject({ code: 0, err: '' });
    expect(await everything()).toEqual(before);
  });

  test('is a file where one is asked for, written before anything else is', async () => {
    const file = join(folder, 'undo.json');
    const made = await cell('add', 'zone9', ...place('/vitess/zone9'), '--undo-file', file);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toContain(`to put it back, run: topo2topo undo ${from} ${file} --yes`);
    expect(made.out).not.toContain('"changes"');
    const again = await cell('remove', 'zone9', '--yes', '--undo-file', file);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('EEXIST') });
    expect(await cli(['undo', from, file, '--yes'])).toMatchObject({ code: 0, err: '' });
    expect(await cell('show', 'zone9')).toMatchObject({ code: 2 });
  });

  test('is one document for programs, which undo reads', async () => {
    const before = await everything();
    const args = ['alias', 'update', from, 'region1', '--cells', 'zone2'];
    expect(await cliJson(['cell', ...args, '--dry-run'])).toMatchObject({ dryRun: true, written: false });
    const made = await cliJson(['cell', ...args]);
    expect(made).toMatchObject({
      command: 'cell alias update',
      written: true,
      changes: [{ scope: 'global', path: 'cells_aliases/region1/CellsAlias', before: expect.any(String) }],
    });
    await writeFile(join(folder, 'undo.json'), JSON.stringify(made));
    expect((await cli(['undo', from, join(folder, 'undo.json')])).code).toBe(0);
    expect(await everything()).toEqual(before);
    expect((await cli(['undo', from, join(folder, 'undo.json')])).out).toContain('nothing to change');
  });

  test('that deletes is only shown without --yes, which the environment cannot say', async () => {
    const before = await everything();
    for (const [action, more] of CHANGES) {
      const args = more();
      if (!args.includes('--yes')) continue;
      const said = args.filter((word) => word !== '--yes');
      const env = { TOPO2TOPO_YES: 'true', TOPO2TOPO_FORCE: 'true' };
      const { code, out, err } = await cli(['cell', ...action.split(' '), from, ...said], env);
      expect(out).toMatch(/delete/);
      expect(err).toMatch(/would be deleted.*\n.*--yes/);
      expect(code).toBe(4);
    }
    expect(await everything()).toEqual(before);
  });
});

test('alias add takes a list, and a cell that another alias has is refused', async () => {
  await cell('alias remove', 'region1', '--yes');
  expect((await cell('alias add', 'east', '--cells', 'zone1,zone2')).code).toBe(0);
  expect((await cell('alias list')).out).toMatch(/east +zone1, zone2/);
  expect(await cell('alias add', 'west', '--cells', 'zone2')).toMatchObject({
    code: 4,
    err: expect.stringMatching(/zone2 is in alias east already/),
  });
});

test('an undo of what somebody changed since is refused', async () => {
  const made = await cell('alias update', 'region1', '--cells', 'zone1');
  await cell('alias update', 'region1', '--cells', 'zone2');
  expect(await undo(made)).toMatchObject({ code: 4, err: expect.stringMatching(/changed by somebody else/) });
});

test('an undo that deletes is only shown without --yes', async () => {
  const made = await cell('add', 'zone3', ...place('/vitess/zone3'));
  const line = made.out.split('\n').find((each) => each.startsWith('{')) ?? '';
  await writeFile(join(folder, 'undo.json'), line);
  expect((await cli(['undo', from, join(folder, 'undo.json')])).code).toBe(4);
  expect((await contents(from)).has('cells/zone3/CellInfo')).toBe(true);
});

test('a record that changed since it was shown stays as it is', async () => {
  const path = 'cells_aliases/region1/CellsAlias';
  const other = encode('topodata.CellsAlias', { cells: ['zone2'] });
  const args = ['cell', 'alias', 'update', from, 'region1', '--cells', 'zone1'];
  const { code, err } = await withStore(from, async (store) => {
    let change: Promise<unknown> | undefined;
    const onOut = () => {
      change ??= store.update(path, other, null);
    };
    const result = await cli(args, {}, { onOut });
    await change;
    return result;
  });
  expect(err).toContain('BadVersion');
  expect(code).toBe(3);
  expect((await contents(from)).get(path)).toEqual(Buffer.from(other));
});

test('a file keeps what it says of cells without asking their stores', async () => {
  const file = `file:${join(folder, 'cells.topo')}`;
  await cli(['copy', from, file]);
  const args = ['--server-address', 'zk9:2181', '--root', '/vitess/zone3'];
  expect(await cli(['cell', 'add', file, 'zone3', ...args])).toMatchObject({ code: 0, err: '' });
  expect((await cli(['cell', 'list', file])).out).toMatch(/zone3 +zk9:2181 +\/vitess\/zone3/);
  expect((await cli(['cell', 'remove', file, 'zone1', '--yes'])).err).toMatch(/zone1 is still in use/);
  expect((await cli(['cell', 'remove', file, 'zone3', '--yes'])).code).toBe(0);
});

test('a file that no command printed is refused', async () => {
  const file = join(folder, 'undo.json');
  const change = { scope: 'global', path: 'cells/zone1/CellInfo', before: 'AA==' };
  for (const text of [
    'no JSON',
    '{}',
    JSON.stringify({ changes: [{ ...change, path: 'keyspaces/commerce/locks/1' }] }),
    JSON.stringify({ changes: [{ ...change, before: 'no base64' }] }),
    JSON.stringify({ changes: [{ path: change.path }] }),
  ]) {
    await writeFile(file, text);
    expect(await cli(['undo', from, file, '--yes'])).toMatchObject({ code: 2, out: '' });
  }
  expect((await cli(['undo', from, join(folder, 'none.json')])).err).toMatch(/cannot be read/);
});

describe('bad input is refused with the reason and what to do, and nothing is written', () => {
  test.each([
    ['add', ['zone3', '--root', '/r'], 2, /--server-address is not given/],
    ['add', ['zone3', '--server-address', 'etcd:x'], 2, /--root is not given/],
    ['add', ['zone3', '--server-address', 'HERE', '--root', '/vitess/global'], 2, /would overlap/],
    ['add', ['zone3', '--server-address', 'HERE', '--root', '/vitess'], 2, /would overlap/],
    ['add', ['zone1', '--server-address', 'HERE', '--root', '/r'], 3, /a cell zone1 already/],
    ['add', ['global', '--server-address', 'HERE', '--root', '/r'], 2, /cannot be called global/],
    ['add', ['--server-address', 'HERE', '--root', '/r'], 2, /no cell is given/],
    ['add', ['zone3', '--server-address', 'HERE', '--root', '/r/../x'], 2, /not a plain path/],
    ['update', ['zone1'], 2, /nothing to change is given/],
    ['update', ['zone9', '--root', '/r'], 2, /no cell zone9/],
    ['update', ['zone1', '--root', '/vitess/zone2'], 2, /would overlap/],
    ['remove', ['zone9', '--yes'], 2, /no cell zone9/],
    ['remove', ['zone1', '--yes'], 4, /zone1 is still in use/],
    ['remove', ['zone1', '--yes', '--force=maybe'], 2, /--force is true or false/],
    ['remove', ['zone1', '--yes', '--force=false'], 4, /zone1 is still in use/],
    ['alias add', ['east', '--cells', 'zone1'], 4, /zone1 is in alias region1/],
    ['alias add', ['east', '--cells', 'zone9'], 2, /no cell zone9/],
    ['alias add', ['east', '--cells', 'zone1,,zone2'], 2, /--cells has an empty name/],
    ['alias add', ['east'], 2, /has no cells/],
    ['alias update', ['east', '--cells', 'zone1'], 3, /no alias east/],
    ['alias remove', ['east', '--yes'], 3, /no alias east/],
    ['alias remove', ['region1', '--cells', 'zone1', '--yes'], 2, /--cells does not go with remove/],
    ['show', ['etcd2://root:s3cret@h:2379/x'], 2, /^error (?!.*s3cret).* is not a cell/],
    ['alias rename', ['region1'], 2, /alias rename is unknown/],
    ['alias list', ['region1'], 2, /unexpected word/],
    ['remove-shard', ['commerce', 'zone2', '--yes'], 2, /not KEYSPACE\/SHARD/],
    ['remove-shard', ['commerce/9', 'zone2', '--yes'], 3, /no shard commerce\/9/],
    ['remove-shard', ['commerce/0', 'zone2', '--yes'], 4, /2 tablets in cell zone2/],
    ['remove-shard', ['commerce/0', 'zone1', '--yes', '--recursive'], 4, /primary of shard/],
    ['remove-keyspace', ['nothing', 'zone2', '--yes'], 3, /no keyspace nothing/],
    ['remove-keyspace', ['commerce', 'zone9', '--yes'], 2, /no cell zone9/],
    ['remove-keyspace', ['commerce', '--yes'], 2, /no cell is given/],
  ])('%s %j', async (action, more, code, message) => {
    const before = await everything();
    const result = await cell(action, ...more.map((word) => (word === 'HERE' ? server : word)));
    expect(result.err).toMatch(message);
    expect(result.err).toMatch(/\n {2}→ \S/);
    expect(result.code).toBe(code);
    expect(await everything()).toEqual(before);
  });

  test('a CellInfo that does not decode is named, and can be removed', async () => {
    await withStore(from, (store) => store.update('cells/zone2/CellInfo', Uint8Array.of(0xff), null));
    expect(await cell('list')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/cells\/zone2\/CellInfo/),
    });
    const made = await cell('remove', 'zone2', '--yes', '--force');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect((await undo(made)).code).toBe(0);
    expect((await contents(from)).get('cells/zone2/CellInfo')).toEqual(Buffer.of(0xff));
  });
});

test.each([
  ['global', 'cells_aliases/region1/CellsAlias', ['list']],
  ['global', 'cells_aliases/region1/CellsAlias', ['alias list']],
  ['global', 'cells_aliases/region1/CellsAlias', ['alias update', 'region1', '--cells', 'zone1']],
  ['global', 'cells_aliases/region1/CellsAlias', ['remove', 'zone2', '--yes']],
  ['global', 'cells/zone2/CellInfo', ['add', 'zone3', '--server-address', 'HERE', '--root', '/vitess/zone3']],
  ['global', 'cells/zone2/CellInfo', ['split', 'zone1', 'zone3', '--server-address', 'HERE', '--root', '/r']],
  ['global', 'keyspaces/orders/shards/-80/Shard', ['remove-shard', 'orders/-80', 'zone2', '--yes']],
  ['global', 'keyspaces/orders/shards/-80/Shard', ['remove-keyspace', 'orders', 'zone2', '--yes']],
  ['global', 'keyspaces/orders/shards/-80/Shard', ['split', 'zone1', 'zone3']],
  ['zone2', 'keyspaces/orders/shards/-80/ShardReplication', ['remove-shard', 'orders/-80', 'zone2', '--yes']],
  ['zone2', 'tablets/zone2-0000000401/Tablet', ['remove-keyspace', 'orders', 'zone2', '--yes']],
])('a record that does not decode stops what has to understand it: %s:%s, %j', async (scope, path, line) => {
  await withStore(at(scope), (store) => store.update(path, Uint8Array.of(0xff), null));
  const before = await everything();
  const [action = '', ...more] = line.map((word) => (word === 'HERE' ? server : word));
  const { code, err } = await cell(action, ...more);
  expect(err).toContain(path);
  expect(err).toMatch(/not a topodata[\s\S]*\n {2}→ \S/);
  expect(code).toBe(3);
  expect(await everything()).toEqual(before);
});

test('the words may begin with the cell where flags give the address', async () => {
  const flags = ['--topo-implementation', 'memory', '--topo-global-server-address', server];
  const args = [...flags, '--topo-global-root', '/vitess/global'];
  expect((await cli(['cell', 'show', 'zone1', ...args])).out).toMatch(/zone1/);
  expect((await cli(['cell', 'alias', 'add', 'east', '--cells', 'zone1', ...args])).code).toBe(4);
  expect((await cli(['cell', 'show', from, 'zone1', ...args])).err).toMatch(/not both/);
  expect((await cli(['cell', 'show', 'zone1'], { TOPO2TOPO_ADDRESS: from })).out).toMatch(/zone1/);
});
