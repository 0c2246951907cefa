import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decode } from '../../src/topo/codec.js';
import { type Places, placesInMemory, plantSample } from '../copy/followers.js';
import { cli, cliJson } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';

let folder: string;
let places: Places;
/** Stores of their own for the global part and each cell. */
let apart: (scope: string) => string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  places = placesInMemory();
  await plantSample(places);
  const id = randomUUID();
  apart = (scope) => `memory://etcd:${id}-${scope}/vitess/${scope}`;
});

const from = () => places.source('global');
const to = () => places.destination('global');
const cellOf = (place: string) => place.replace(/^memory:\/\//, '').replace(/\//, ',/');
const cellInfo = async (place: string, cell: string) =>
  decode('topodata.CellInfo', (await contents(place)).get(`cells/${cell}/CellInfo`) ?? new Uint8Array()).json;
const table = () => ['zone1', 'zone2'].flatMap((cell) => ['--to-cell', `${cell}=${cellOf(apart(cell))}`]);
const aliases = async (place: string) => (await contents(place)).get('cells_aliases/region1/CellsAlias');

test('one cluster is split into one for the global part and one for each cell, and merged again', async () => {
  expect(await cli(['copy', from(), apart('global'), ...table()])).toMatchObject({ code: 0, err: '' });
  expect(await cliJson(['verify', from(), apart('global')])).toMatchObject({ equal: true });
  for (const cell of ['zone1', 'zone2'])
    expect(await cellInfo(apart('global'), cell)).toEqual({
      server_address: cellOf(apart(cell)).split(',')[0],
      root: `/vitess/${cell}`,
    });
  expect((await contents(apart('global'))).has('tablets/zone1-0000000100/Tablet')).toBe(false);
  const merged = ['copy', apart('global'), to(), '--to-cell-root', places.cellRoot];
  expect(await cli(merged)).toMatchObject({ code: 0, err: '' });
  expect(await cliJson(['verify', from(), to()])).toMatchObject({ equal: true });
  expect(await aliases(to())).toEqual(await aliases(from()));
  expect(await cellInfo(to(), 'zone2')).toMatchObject({ root: '/vitess/zone2' });
});

test('a rule places all cells but those that are named', async () => {
  const args = ['copy', from(), to(), '--to-cell-root', places.cellRoot, ...table().slice(0, 2)];
  expect(await cli(args)).toMatchObject({ code: 0, err: '' });
  expect(await cellInfo(to(), 'zone1')).toMatchObject({
    server_address: cellOf(apart('zone1')).split(',')[0],
  });
  expect((await contents(places.destination('zone1'))).size).toBe(0);
  expect((await contents(places.destination('zone2'))).size).toBeGreaterThan(0);
  expect(await cliJson(['verify', from(), to()])).toMatchObject({ equal: true });
});

describe('a person who sits there', () => {
  test('is asked where cells go, is shown a place beside the global one, and how to do without', async () => {
    const questions: string[] = [];
    const answer = (question: string) => {
      questions.push(question);
      return question.includes('zone1') ? cellOf(apart('zone1')) : '';
    };
    const { code, err } = await cli(['copy', from(), to()], {}, { answer });
    expect(code).toBe(0);
    expect(questions).toEqual([
      expect.stringContaining('zone1'),
      expect.stringContaining(`[${cellOf(places.destination('zone2'))}]`),
    ]);
    expect(err).toContain(`--to-cell zone1=${cellOf(apart('zone1'))}`);
    expect(await cliJson(['verify', from(), to()])).toMatchObject({ equal: true });
    expect((await contents(places.destination('zone2'))).size).toBeGreaterThan(0);
    questions.length = 0;
    expect(await cli(['copy', from(), to()], {}, { answer })).toMatchObject({ code: 0 });
    expect(questions).toEqual([]);
  });

  test('is asked again where an answer is none, and told why', async () => {
    const answers = ['somewhere', '', ''];
    const answer = () => answers.shift() ?? '';
    const { code, err } = await cli(['copy', from(), to()], {}, { answer });
    expect({ code, answers }).toEqual({ code: 0, answers: [] });
    expect(err).toMatch(/zone1=somewhere is not CELL=SERVER,ROOT; for example zone1=/);
    expect(err).toContain(`--to-cell zone1=${cellOf(places.destination('zone1'))}`);
  });

  test('is asked by a plan, too, which keeps the answers', async () => {
    const file = join(folder, `${randomUUID()}.jsonl`);
    const answer = (question: string) => (question.includes('zone1') ? cellOf(apart('zone1')) : '');
    expect(await cli(['plan', from(), to(), '-o', file], {}, { answer })).toMatchObject({ code: 0 });
    expect(await cli(['copy', '--plan', file])).toMatchObject({ code: 0, err: '' });
    expect(await cliJson(['verify', from(), to()])).toMatchObject({ equal: true });
    expect((await contents(apart('zone1'))).size).toBeGreaterThan(0);
  });

  test('is not, where nobody is', async () => {
    expect(await cli(['copy', from(), to()])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no address for cells zone1, zone2'),
    });
  });
});

describe('a copy spread over processes, one a cell', () => {
  const part = (cells: string, ...args: string[]) => [
    ...['copy', from(), apart('global'), '--cells', cells],
    ...['--journal', join(folder, `${randomUUID()}.journal`), ...args],
  ];
  const own = (cell: string) => ['--to-cell', `${cell}=${cellOf(apart(cell))}`];

  test('knows the place of its own cell alone; the global part comes last, and the whole is compared', async () => {
    const jobs = ['zone1', 'zone2'].map((cell) => part(cell, ...own(cell)));
    const early = await cli(part('global', ...table()));
    expect(early).toMatchObject({
      code: 4,
      err: expect.stringContaining('cell zone1, cell zone2 are not copied yet'),
    });
    expect(await Promise.all(jobs.map((job) => cli(job)))).toMatchObject([{ code: 0 }, { code: 0 }]);
    expect((await contents(apart('global'))).size).toBe(0);
    const last = part('global', ...table());
    expect(await cli(last)).toMatchObject({ code: 0, err: '' });
    expect(await cliJson(['verify', from(), apart('global')])).toMatchObject({ equal: true });
    for (const job of [...jobs, last]) expect(await cliJson(job)).toMatchObject({ written: 0 });
  });

  test('does not commit while a cell is there in part, and does while the source lives on', async () => {
    for (const cell of ['zone1', 'zone2']) await cli(part(cell, ...own(cell)));
    const tablet = 'tablets/zone1-0000000100/Tablet';
    const bytes = (await contents(apart('zone1'))).get(tablet) ?? new Uint8Array();
    await withStore(apart('zone1'), (store) => store.delete(tablet, null));
    const half = await cli(part('global', ...table()));
    expect(half).toMatchObject({ code: 4, err: expect.stringContaining('zone1 lacks 1 of its records') });
    expect((await contents(apart('global'))).size).toBe(0);
    await withStore(apart('zone1'), (store) => store.create(tablet, bytes));
    await withStore(places.source('zone2'), (store) => store.update('SrvVSchema', new Uint8Array(), null));
    expect(await cli(part('global', ...table()))).toMatchObject({ code: 0, err: '' });
    expect(await cli(['verify', from(), apart('global')])).toMatchObject({ code: 1 });
    expect(await cli(part('zone2', ...own('zone2')))).toMatchObject({ code: 0, err: '' });
    expect(await cliJson(['verify', from(), apart('global')])).toMatchObject({ equal: true });
  });

  test('compares what it copied, whose place no CellInfo tells yet', async () => {
    expect(await cli(part('zone1', ...own('zone1'), '--verify'))).toMatchObject({ code: 0, err: '' });
    const kinds = ['copy', from(), to(), '--to-cell-root', places.cellRoot, '--kinds', 'Tablet'];
    expect(await cli([...kinds, '--verify'])).toMatchObject({ code: 0, err: '' });
    const compare = ['verify', from(), to(), '--kinds', 'Tablet'];
    const given = (cell: string) => ['--to-cell', `${cell}=${cellOf(places.destination(cell))}`];
    expect(await cli([...compare, ...given('zone1'), ...given('zone2')])).toMatchObject({ code: 0 });
  });

  test('refuses a keyspace that neither side has, but not one that a cell lacks', async () => {
    const misspelt = await cli(part('zone1', ...own('zone1'), '--keyspace', 'comerce'));
    expect(misspelt).toMatchObject({
      code: 2,
      err: expect.stringContaining('neither side has keyspace comerce'),
    });
    expect(misspelt.err).toContain('there are commerce, customer, orders');
    await withStore(from(), (store) => store.create('keyspaces/new/Keyspace', new Uint8Array()));
    expect(await cli(part('zone1', ...own('zone1'), '--keyspace', 'new'))).toMatchObject({
      code: 0,
      err: '',
    });
  });

  test('may copy some kinds, or some keyspaces, of some cells', async () => {
    const rule = ['--to-cell-root', places.cellRoot];
    const some = ['copy', from(), to(), ...rule, '--cells', 'zone1', '--kinds', 'tablet,srvvschema'];
    expect(await cli([...some, '--keyspace', 'commerce'])).toMatchObject({ code: 0, err: '' });
    expect([...(await contents(places.destination('zone1'))).keys()]).toEqual([
      'tablets/zone1-0000000100/Tablet',
      'tablets/zone1-0000000102/Tablet',
    ]);
    expect(await cli(some)).toMatchObject({ code: 0, err: '' });
    const kinds = new Set(
      [...(await contents(places.destination('zone1'))).keys()].map((path) => path.split('/').at(-1)),
    );
    expect([...kinds].sort()).toEqual(['SrvVSchema', 'Tablet']);
    expect((await contents(places.destination('zone2'))).size).toBe(0);
    expect(await cli([...some, '--cells', 'zone9'])).toMatchObject({ code: 2 });
  });
});
