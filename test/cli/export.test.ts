import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { type Places, placesInMemory, plantSample, SCOPES } from '../copy/followers.js';
import { cli, cliJson } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';

let root: string;
let tree: string;
let places: Places;
let count = 0;

/** A Keyspace with a field that no schema knows. */
const STRANGE = Buffer.concat([
  encode('topodata.Keyspace', { durability_policy: 'none' }),
  Buffer.from('aa06027878', 'hex'),
]);
const BROKEN = Buffer.from('ffff', 'hex');

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'topo2topo-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  tree = join(root, `tree-${count++}`);
  places = placesInMemory();
  await plantSample(places);
  await withStore(places.source('global'), async (store) => {
    await store.create('keyspaces/strange/Keyspace', STRANGE);
    await store.create('keyspaces/broken/Keyspace', BROKEN);
    await store.create('empty', new Uint8Array());
    await store.create('a text', Buffer.from('zwölf\n'));
  });
  expect(await cli(['export', source(), tree])).toMatchObject({ code: 0, err: '' });
});

const source = () => places.source('global');
const everything = (place = places.source) => Promise.all(SCOPES.map((scope) => contents(place(scope))));
const importing = (...args: string[]) => cli(['import', tree, source(), '--allow-undecodable', ...args]);
const edit = async (file: string, change: (text: string) => string) =>
  writeFile(join(tree, file), change(await readFile(join(tree, file), 'utf8')));
const KEYSPACE = 'global/keyspaces/commerce/Keyspace.json';

test('a tree holds each record as its kind is best read', async () => {
  const read = (file: string) => readFile(join(tree, file), 'utf8');
  expect(JSON.parse(await read('global/keyspaces/commerce/shards/0/Shard.json'))).toMatchObject({
    primary_alias: { cell: 'zone1', uid: 100 },
  });
  expect(JSON.parse(await read('cells/zone1/tablets/zone1-0000000100/Tablet.json'))).toMatchObject({
    keyspace: 'commerce',
  });
  expect(await read('global/metadata/owner.txt')).toBe('payments');
  expect(await read('global/a%20text.txt')).toBe('zwölf\n');
  expect(await readFile(join(tree, 'global/custom/dashboard.bin.bin'))).toEqual(
    Buffer.from([0, 255, 1, 254, 128]),
  );
  expect(await readFile(join(tree, 'global/keyspaces/broken/Keyspace.bin'))).toEqual(BROKEN);
  expect(await readdir(tree)).toEqual(['cells', 'global', 'manifest.jsonl']);
});

test('an untouched tree gives back the same bytes, also in another order of white space', async () => {
  const before = await everything();
  await edit(KEYSPACE, (text) => JSON.stringify(JSON.parse(text)));
  await edit('global/keyspaces/strange/Keyspace.json', (text) => `\n${text}\n`);
  await edit('global/metadata/owner.txt', (text) => `${text}\n`);
  const { code, out, err } = await importing();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).not.toContain('edited');
  expect(out).toContain('0 records would be written');
  const elsewhere = ['import', tree, places.destination('global'), '--allow-undecodable', '--yes'];
  expect(await cli([...elsewhere, '--to-cell-root', places.cellRoot])).toMatchObject({ code: 0, err: '' });
  const there = await everything(places.destination);
  for (const [index, was] of before.entries())
    for (const [path, bytes] of was)
      if (!path.endsWith('/CellInfo')) expect(there[index]?.get(path), path).toEqual(bytes);
});

test('an edited record is shown first, and written with --yes', async () => {
  await edit(KEYSPACE, (text) => text.replace('none', 'semi_sync'));
  await edit('global/keyspaces/strange/Keyspace.json', (text) => text.replace('none', 'semi_sync'));
  await edit('global/metadata/owner.txt', () => 'topology\n');
  const shown = await importing();
  expect(shown).toMatchObject({ code: 4, err: expect.stringContaining('3 records would be written') });
  expect(shown.out).toMatch(/~ global:keyspaces\/commerce\/Keyspace/);
  expect((await contents(source())).get('metadata/owner')?.toString()).toBe('payments');
  expect(await importing('--yes')).toMatchObject({ code: 0, err: '' });
  const after = await contents(source());
  expect(after.get('metadata/owner')?.toString()).toBe('topology');
  const strange = after.get('keyspaces/strange/Keyspace');
  expect(strange?.includes(Buffer.from('aa06027878', 'hex'))).toBe(true);
  expect(strange?.includes('semi_sync')).toBe(true);
});

test('what a running cluster makes of it is said first, and the worst of it needs --force', async () => {
  const shard = 'global/keyspaces/commerce/shards/0/Shard.json';
  await edit(shard, (text) => text.replace('"uid": 100', '"uid": 102'));
  await rm(join(tree, 'global/keyspaces/commerce/VSchema.json'));
  const removing = ['--allow-removed', '--delete', '--max-delete', '1'];
  const { out } = await importing(...removing);
  expect(out).toMatch(
    /to be weighed:\n(.*\n)*.*a primary that is not named here steps down.*\(needs --yes\)/,
  );
  expect(out).toMatch(/without vindexes and tables \(needs --yes --force\): 1\n.*commerce\/VSchema/);
  expect(await importing(...removing, '--yes')).toMatchObject({
    code: 4,
    err: expect.stringContaining('to carry it out, add --force'),
  });
  const args = ['import', tree, source(), '--allow-undecodable', ...removing];
  const told = await cliJson([...args, '--yes'], [4]);
  expect(told).toMatchObject({
    written: 0,
    reasons: [{ needs: 'force' }, { path: 'keyspaces/commerce/shards/0/Shard', needs: 'yes' }],
    error: { code: 'Guard' },
  });
  expect((await contents(source())).has('keyspaces/commerce/VSchema')).toBe(true);
  expect(await cliJson([...args, '--yes', '--force'])).toMatchObject({ written: 2 });
});

test('new and removed files are records to make and to delete', async () => {
  await mkdir(join(tree, 'global/keyspaces/new'));
  await writeFile(join(tree, 'global/keyspaces/new/Keyspace.json'), '{ "durability_policy": "none" }');
  await rm(join(tree, 'global/metadata/owner.txt'));
  expect(await importing('--yes')).toMatchObject({ code: 4, err: expect.stringContaining('owner.txt') });
  const left = await importing('--yes', '--allow-removed');
  expect(left).toMatchObject({ code: 4, err: expect.stringContaining('global:metadata/owner') });
  const done = await importing('--yes', '--allow-removed', '--delete', '--max-delete', '1');
  expect(done).toMatchObject({ code: 0, err: '' });
  const after = await contents(source());
  expect(after.has('metadata/owner')).toBe(false);
  expect(after.get('keyspaces/new/Keyspace')).toEqual(
    Buffer.from(encode('topodata.Keyspace', { durability_policy: 'none' })),
  );
});

test.each([
  ['no JSON', KEYSPACE, (text: string) => text.slice(0, -4), 'no JSON'],
  ['a field that is none', KEYSPACE, () => '{ "durability": "none" }', 'durability'],
  ['a key twice', KEYSPACE, () => '{ "durability_policy": "a", "durability_policy": "b" }', 'there twice'],
  [
    'a key range that is not the shard’s',
    'global/keyspaces/customer/shards/-80/Shard.json',
    (text: string) => text.replace('"gA=="', '"wA=="'),
    'stands for -80',
  ],
  [
    'a tablet of another cell',
    'cells/zone1/tablets/zone1-0000000100/Tablet.json',
    (text: string) => text.replace('"cell": "zone1"', '"cell": "zone2"'),
    'zone2-0000000100',
  ],
  [
    'the address of a cell',
    'global/cells/zone1/CellInfo.json',
    (text: string) => text.replace('/zone1', '/zone9'),
    'cell update',
  ],
])('%s is refused by the name of the file', async (_, file, change, said) => {
  await edit(file, change);
  const { code, err } = await importing('--yes');
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(said) });
  expect(err).toContain(file);
});

test('what to do about a field that is none is said; bytes that are no UTF-8 are not guessed', async () => {
  await edit(KEYSPACE, () => '{ "durability": "none" }');
  expect((await importing('--yes')).err).toMatch(
    /durability: unknown field.*\n.*take names and values as cat/,
  );
  await writeFile(join(tree, KEYSPACE), Buffer.from('{ "durability_policy": "\u00e9" }', 'latin1'));
  const { code, err } = await importing('--yes');
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining(`${KEYSPACE}: the text is not UTF-8`),
  });
  expect(err).toContain('save');
});

test.each([
  'notes.md',
  'global/keyspaces/commerce/Keyspace.json~',
  'global/metadata/owner.json',
  'global/keyspaces/commerce/locks/x.bin',
])('a file that is none of the tree is refused by name: %s', async (file) => {
  await mkdir(join(tree, file, '..'), { recursive: true });
  await writeFile(join(tree, file), '{}');
  expect(await importing('--yes')).toMatchObject({ code: 2, err: expect.stringContaining(file) });
});

test('one record in two files, a cell without CellInfo and a cut manifest are refused', async () => {
  await writeFile(join(tree, 'global/keyspaces/commerce/Keyspace.bin'), '');
  expect(await importing()).toMatchObject({ code: 2, err: expect.stringContaining('are one record') });
  await rm(join(tree, 'global/keyspaces/commerce/Keyspace.bin'));
  await mkdir(join(tree, 'cells/zone9'));
  await writeFile(join(tree, 'cells/zone9/x.bin'), '');
  expect(await importing()).toMatchObject({ code: 2, err: expect.stringContaining('no CellInfo') });
  await rm(join(tree, 'cells/zone9'), { recursive: true });
  await edit('manifest.jsonl', (text) => text.slice(0, text.lastIndexOf('{')));
  expect(await importing()).toMatchObject({ code: 2, err: expect.stringContaining('manifest') });
});

test('what somebody changed or deleted in the store since the export is not taken back', async () => {
  await edit(KEYSPACE, (text) => text.replace('none', 'semi_sync'));
  await withStore(source(), async (store) => {
    await store.update('metadata/owner', Buffer.from('somebody'), null);
    await store.delete('custom/dashboard.bin', null);
  });
  const { code, err } = await importing('--yes');
  expect({ code, err }).toEqual({
    code: 4,
    err: expect.stringContaining('global:metadata/owner was changed'),
  });
  expect(err).toContain('global:custom/dashboard.bin was deleted');
  expect((await contents(source())).get('metadata/owner')?.toString()).toBe('somebody');
  expect(await importing('--yes', '--allow-moved')).toMatchObject({ code: 0 });
  expect((await contents(source())).get('metadata/owner')?.toString()).toBe('payments');
});

test('a backup can be looked at as a tree, and a folder that exists is left alone', async () => {
  const file = `file:${tree}.topo`;
  expect(await cli(['backup', source(), file])).toMatchObject({ code: 0 });
  expect(await cliJson(['export', file, `${tree}-backup`])).toMatchObject({
    leftOut: { 'record of this tool': 1 },
    undecodable: ['global:keyspaces/broken/Keyspace'],
  });
  expect(await cli(['export', source(), tree])).toMatchObject({
    code: 2,
    err: expect.stringContaining('exists'),
  });
});

test.runIf(existsSync('/proc'))('where no folder can be made nothing is, and that is told', async () => {
  const said = /^error \/proc\/never\/\S+ cannot be read or written: \w+ \[Unavailable\]\n/;
  expect(await cli(['export', source(), '/proc/never/tree'])).toMatchObject({
    code: 3,
    err: expect.stringMatching(said),
  });
});

const OWN_MOUNTS = ['-rm', 'sh', '-c'];
const MOUNT = 'mount -t tmpfs -o ro none "$0"';

test.runIf(spawnSync('unshare', [...OWN_MOUNTS, MOUNT, tmpdir()]).status === 0)(
  'on a file system that is read-only, folders above it missing, that is what is said',
  async () => {
    const backup = join(root, 'backup.topo');
    expect(await cli(['backup', source(), `file:${backup}`])).toMatchObject({
      code: 0,
    });
    const folder = await mkdtemp(join(root, 'read-only-'));
    const run = `${MOUNT} && exec "$@"`;
    const tool = [
      process.execPath,
      '--import',
      'tsx',
      fileURLToPath(new URL('tool-process.ts', import.meta.url)),
    ];
    const place = join(folder, 'not', 'there');
    const said = await new Promise<string>((resolve) => {
      const args = [...OWN_MOUNTS, run, folder, ...tool, 'export', `file:${backup}`, place];
      execFile('unshare', args, (error, _out, err) => resolve(`${error?.code}: ${err}`));
    });
    expect(said).toMatch(
      /^3: error .* EROFS, the file system is read-only \[Unavailable\]\n.*name a place elsewhere/,
    );
  },
);

const LONG = 'x'.repeat(300);
test.each([
  ['export', () => ['export', source(), join(root, LONG)], 3],
  ['backup', () => ['backup', source(), `file:${join(root, LONG)}`], 3],
  ['plan', () => ['plan', source(), source(), '-o', join(root, LONG)], 2],
  ['copy with a journal', () => ['copy', source(), source(), '--journal', join(root, LONG)], 2],
])('a name that can be none is told as such: %s', async (_name, args, code) => {
  expect(await cli(args())).toMatchObject({ code, err: expect.stringContaining('ENAMETOOLONG [') });
});
