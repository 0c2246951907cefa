import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { type CliResult, cli, cliJson } from '../support/cli.js';
import { type SplitOperator, splitOperator } from '../support/split-operator.js';
import { contents, withStore } from '../support/topologies.js';
import { plantSample } from './sample.js';

let folder: string;
let server: string;
let from: string;
let operator: SplitOperator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  ({ server, from } = await plantSample());
  operator = splitOperator(at, 'zone1', 'zone3');
});

const at = (scope: string) => `memory://${server}/vitess/${scope}`;
const everything = async () =>
  (await Promise.all(['global', 'zone1', 'zone2', 'zone3', 'zone4'].map((scope) => contents(at(scope))))).map(
    (each) => [...each],
  );
const place = () => ['--server-address', server, '--root', '/vitess/{cell}'];
const split = (...more: string[]) => cli(['cell', 'split', from, 'zone1', 'zone3', ...more]);
/** Zone3 takes the place of zone1. */
const replace = (...more: string[]) => split(...place(), '--alias', 'join', '--remove-old', ...more);

/** Puts back what a command said of itself, by what it said. */
async function undo({ out }: CliResult): Promise<CliResult> {
  const line = out.split('\n').find((each) => each.startsWith('{"changes"')) ?? '';
  const [, words = ''] = /and run: topo2topo (.*)/.exec(out) ?? [];
  await writeFile(join(folder, 'undo.json'), line);
  return cli(words.replace('FILE', join(folder, 'undo.json')).split(' '));
}

/** Takes the steps of a replacement until one whose title matches is next. */
async function until(title: RegExp): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const { out } = await replace('--vtgates-moved');
    const next = /^ {2}next {2}(.*)$/m.exec(out)?.[1] ?? '';
    if (title.test(next)) return;
    if (next.startsWith('you: start')) await operator.start();
    else if (next.startsWith('you: make')) await operator.reparent();
    else if (next.startsWith('you: stop')) await operator.stop();
    else expect(await replace('--vtgates-moved', '--yes')).toMatchObject({ code: 0, err: '' });
  }
  throw new Error(`no step ${title}`);
}

describe('without --yes', () => {
  test('all steps are shown, and what the next one would write, and nothing is written', async () => {
    const before = await everything();
    const shown = await replace();
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(
      /^zone1 → zone3; zone1 goes away\n {2}next {2}add zone3, with CellInfo\n {2}later let zone3 join alias region1.*\n/,
    );
    expect(shown.out).toMatch(/later you: make tablets of other cells the primaries \(7\)/);
    expect(shown.out).toContain('create global:cells/zone3/CellInfo');
    expect(shown.out).toContain('dry run: nothing is written');
    expect((await replace('--dry-run', '--yes')).out).toBe(shown.out);
    expect(await everything()).toEqual(before);
  });

  test('the same for programs', async () => {
    const args = ['cell', 'split', from, 'zone1', 'zone3', ...place(), '--alias', 'join'];
    expect(await cliJson(args)).toMatchObject({
      command: 'cell split',
      old: 'zone1',
      new: ['zone3'],
      written: false,
      steps: [
        { name: 'add', by: 'tool', state: 'next', details: ['zone3'] },
        { name: 'join', by: 'tool', state: 'later', details: ['zone3'] },
        { name: 'serve', by: 'tool', state: 'later' },
        { name: 'start', by: 'operator', state: 'later' },
      ],
      changes: [{ scope: 'global', path: 'cells/zone3/CellInfo' }],
    });
  });
});

test('one cell becomes several, each with a store of its own, and stays', async () => {
  const args = ['cell', 'split', from, 'zone1', 'zone3,zone4', ...place(), '--alias', 'join', '--yes'];
  const [global, zone1] = await everything();
  for (let step = 0; step < 3; step++) expect(await cli(args)).toMatchObject({ code: 0, err: '' });
  expect(await cli(args)).toMatchObject({
    code: 4,
    err: expect.stringMatching(/not this command’s: start tablets in zone3, zone4.*\n.*→ zone3; zone4/),
  });
  const after = await contents(from);
  expect([...after.keys()].filter((path) => !global?.some(([known]) => known === path))).toEqual([
    'cells/zone3/CellInfo',
    'cells/zone4/CellInfo',
  ]);
  expect([...(await contents(at('zone1')))]).toEqual(zone1);
  for (const cell of ['zone3', 'zone4'])
    expect([...(await contents(at(cell))).keys()]).toEqual([
      'SrvVSchema',
      ...['commerce', 'customer', 'orders'].map((name) => `keyspaces/${name}/SrvKeyspace`),
    ]);
  expect((await cli(['graph', 'check', from, '--cells', 'zone3,zone4'])).code).toBe(0);
  expect((await cli(['cell', 'alias', 'list', from])).out).toMatch(/zone1, zone2, zone3, zone4/);
  await operator.start();
  await splitOperator(at, 'zone1', 'zone4').start();
  expect(await cli(args)).toMatchObject({ code: 0, out: expect.stringMatching(/done all steps\n$/) });
});

describe('a cell that another one replaces', () => {
  test('goes away step by step, and nothing of it is left', async () => {
    const zone2 = await contents(at('zone2'));
    await until(/delete CellInfo/);
    await replace('--yes');
    const last = ['--remove-old', '--cell-address', `zone1=${server},/vitess/zone1`];
    expect(await split(...last)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/delete zone1:SrvVSchema/),
    });
    expect(await split(...last, '--yes')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/done all steps\n$/),
    });
    expect((await contents(at('zone1'))).size).toBe(0);
    expect(await contents(at('zone2'))).toEqual(zone2);
    expect((await cli(['cell', 'list', from])).out).not.toContain('zone1');
    expect((await cli(['cell', 'alias', 'list', from])).out).toMatch(/region1 +zone2, zone3/);
    expect(await split(...last, '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('all steps'),
    });
  });

  test('says where its store was when its record goes, and cannot go on without', async () => {
    await until(/delete CellInfo/);
    const removed = await replace('--yes');
    expect(removed.out).toContain(
      `zone1 has no record any more: add --cell-address zone1=${server},/vitess/zone1`,
    );
    expect(await replace()).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no cell zone1.*\n.*--cell-address zone1=SERVER,ROOT/),
    });
  });

  test.each([
    ['add zone3'],
    ['join alias region1'],
    ['make SrvKeyspace and SrvVSchema'],
    ['delete what zone1 has'],
    ['take zone1 out'],
    ['delete CellInfo of zone1'],
  ])('%s is put back by what it printed', async (title) => {
    await until(new RegExp(title));
    const before = await everything();
    const made = await replace('--vtgates-moved', '--yes');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(await everything()).not.toEqual(before);
    expect(await undo(made)).toMatchObject({ code: 0, err: '' });
    expect(await everything()).toEqual(before);
  });

  test('what is left of it is put back, too, though its record is gone', async () => {
    await until(/delete CellInfo/);
    await replace('--yes');
    const before = await everything();
    const last = ['--remove-old', '--cell-address', `zone1=${server},/vitess/zone1`, '--yes'];
    expect(await undo(await split(...last))).toMatchObject({ code: 0, err: '' });
    expect(await everything()).toEqual(before);
  });

  test('waits for the operator, and says for what', async () => {
    await until(/you: start/);
    expect((await replace('--yes')).err).toMatch(/start tablets in zone3.*\n.*→ commerce\/0; customer\/-80/);
    await operator.start();
    expect((await replace('--yes')).err).toMatch(
      /primaries.*\n.*→ PlannedReparentShard commerce\/0 --new-primary/,
    );
    await operator.reparent();
    expect(await replace('--yes')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/no process but tablets use zone1.*\n.*→ restart vtgate.*--vtgates-moved/),
    });
    const before = await everything();
    const moved = await replace('--vtgates-moved', '--yes');
    expect(moved).toMatchObject({
      code: 4,
      err: expect.stringMatching(/stop the tablets of zone1.*\n.*zone1-0000000100/),
    });
    expect(await everything()).toEqual(before);
    expect(await replace('--vtgates-moved', '--force', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('delete zone1:tablets/zone1-0000000100/Tablet'),
    });
  });

  test('is not emptied with --force while a primary is in it', async () => {
    await until(/you: start/);
    const before = await everything();
    expect(await replace('--vtgates-moved', '--force', '--yes')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/make tablets of other cells the primaries/),
    });
    expect(await everything()).toEqual(before);
  });

  test('is not emptied of the last tablets of a shard without primary', async () => {
    await until(/you: make/);
    await operator.reparent();
    await withStore(from, (store) =>
      store.update('keyspaces/commerce/shards/0/Shard', encode('topodata.Shard', {}), null),
    );
    expect((await replace('--yes')).err).toMatch(/→ commerce\/0 has no primary at all/);
  });
});

describe('what is left of a cell stays where it may be somebody else’s', () => {
  const last = (root: string) => ['--remove-old', '--cell-address', `zone1=${server},${root}`, '--yes'];
  beforeEach(async () => {
    await until(/delete CellInfo/);
    await replace('--yes');
  });
  const refused = async (root: string, message: RegExp) => {
    const before = await everything();
    const { code, err } = await split(...last(root));
    expect(err).toMatch(message);
    expect(code).toBe(4);
    expect(await everything()).toEqual(before);
  };

  test('a file that no cell leaves behind', async () => {
    await withStore(at('zone1'), (store) => store.create('notes/todo', Buffer.from('x')));
    await refused('/vitess/zone1', /holds more than a cell leaves behind: notes\/todo/);
  });

  test('a tablet that came back', async () => {
    await withStore(at('zone1'), (store) =>
      store.create('tablets/zone1-0000000100/Tablet', encode('topodata.Tablet', { hostname: 'h' })),
    );
    await refused('/vitess/zone1', /holds more than a cell leaves behind: tablets\/zone1-0000000100\/Tablet/);
  });

  test('the place of the global data, or of another cell, however it is reached', async () => {
    await refused('/vitess/global', /is also that of the global data/);
    await refused('/vitess', /also that of the global data, cell zone2, cell zone3/);
    await refused('/vitess/zone2', /is also that of cell zone2/);
  });
});

describe('bad input is refused with the reason and what to do, and nothing is written', () => {
  test.each([
    [['zone9', 'zone3'], 2, /no cell zone9/],
    [['zone1', 'zone3', '--root', '/vitess/{cell}', '--yes'], 2, /where cell zone3 is to be is not given/],
    [['zone1', 'zone3', '--server-address', 'HERE', '--root', '/vitess/zone1', '--yes'], 2, /would overlap/],
    [['zone1', 'zone3', '--server-address', 'HERE', '--root', '/vitess', '--yes'], 2, /would overlap/],
    [
      ['zone1', 'zone3,zone4', '--server-address', 'HERE', '--root', '/vitess/x', '--yes'],
      2,
      /zone3 and zone4 would/,
    ],
    [['zone1', 'zone2', '--root', '/vitess/other'], 2, /a cell zone2 already, at .*zone2, not .*other/],
    [['zone1', 'zone1'], 2, /split into itself/],
    [['zone1', 'zone3,zone3'], 2, /zone3 is named twice/],
    [['zone1', 'zone3,'], 2, /empty name/],
    [['zone1', 'global'], 2, /cannot be called global/],
    [['zone1', 'a/b'], 2, /invalid character/],
    [['zone1'], 2, /no new-cells is given/],
    [['zone1', 'zone3', '--alias', 'maybe'], 2, /Invalid values|Choices/],
    [['zone1', 'zone3', '--target-version', '3'], 2, /Vitess 3 and older/],
  ])('%j', async (more, code, message) => {
    const before = await everything();
    const result = await cli([
      'cell',
      'split',
      from,
      ...more.map((word) => (word === 'HERE' ? server : word)),
    ]);
    expect(result.err).toMatch(message);
    expect(result.err).toMatch(/\n {2}→ \S/);
    expect(result.code).toBe(code);
    expect(await everything()).toEqual(before);
  });

  test('a cell in an alias, and nobody said what becomes of the new one', async () => {
    await split(...place(), '--yes');
    const { code, err } = await split('--yes');
    expect(err).toMatch(/zone1 is in alias region1.*\n.*→ say --alias join .* or --alias apart/);
    expect(code).toBe(2);
    expect((await split('--alias', 'apart', '--yes')).out).toContain('create zone3:SrvVSchema');
  });

  test('a new cell that is in another alias', async () => {
    await split(...place(), '--yes');
    await cli(['cell', 'alias', 'add', from, 'west', '--cells', 'zone3']);
    expect(await split('--alias', 'join', '--yes')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/zone3 is in alias west already/),
    });
  });

  test('a migration that only the old cell shows', async () => {
    const controls = { shard_tablet_controls: [{ name: '-80', query_service_disabled: true }] };
    const stopped = encode('topodata.SrvKeyspace', { partitions: [{ served_type: 'RDONLY', ...controls }] });
    await withStore(at('zone1'), (store) => store.update('keyspaces/orders/SrvKeyspace', stopped, null));
    await until(/SrvKeyspace and/);
    const before = await everything();
    const { code, err } = await replace('--yes');
    expect(err).toMatch(/can't rebuild serving keyspace while a migration is on going/);
    expect(code).toBe(4);
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['keyspaces/orders/shards/-80/Shard', 'topodata.Shard', { tablet_controls: [{ cells: ['zone1'] }] }],
    ['keyspaces/orders/Keyspace', 'topodata.Keyspace', { served_froms: [{ cells: ['zone2', 'zone1'] }] }],
  ])('a rule for the old cell by its name: %s', async (path, message, rule) => {
    await until(/SrvKeyspace and/);
    await withStore(from, (store) => store.update(path, encode(message, rule), null));
    const before = await everything();
    const { code, err } = await replace('--yes');
    expect(err).toMatch(/a migration was switched in cell zone1 by its name/);
    expect(err).toContain(path);
    expect(code).toBe(4);
    expect(await everything()).toEqual(before);
  });

  test('a Tablet that does not decode, by its name', async () => {
    const path = 'tablets/zone1-0000000100/Tablet';
    await withStore(at('zone1'), (store) => store.update(path, Uint8Array.of(0xff), null));
    expect(await replace()).toMatchObject({ code: 3, err: expect.stringContaining(path) });
  });

  test('a store whose cells another one shares is not emptied', async () => {
    await until(/delete what zone1 has/);
    await withStore(from, (store) =>
      store.create(
        'cells/zone5/CellInfo',
        encode('topodata.CellInfo', { server_address: server, root: '/vitess/zone1' }),
      ),
    );
    expect(await replace('--vtgates-moved', '--yes')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/place of cell zone1 is also that of cell zone5/),
    });
  });

  test('a file keeps its cells itself', async () => {
    const file = `file:${join(folder, 'cells.topo')}`;
    await cli(['copy', from, file]);
    expect((await cli(['cell', 'split', file, 'zone1', 'zone3'])).err).toMatch(
      /a file keeps its cells itself/,
    );
  });
});
