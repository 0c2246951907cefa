import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { covers, type Narrowing, selectionOf } from '../../src/verify/narrowing.js';
import { cli } from '../support/cli.js';
import { CopiedPair } from './copied-pair.js';

let pair: CopiedPair;
beforeEach(async () => {
  pair = await CopiedPair.make();
});
afterEach(() => pair.remove());

const TABLET = 'tablets/zone1-0000000100/Tablet';

describe('a comparison of a selection', () => {
  test('of cells finds what differs there, and names what it did not read', async () => {
    await pair.put('source', 'global', 'metadata/owner', 'changed');
    await pair.drop('destination', 'zone2', 'SrvVSchema');
    const one = await pair.verify('--cells', 'zone1');
    expect(one.code).toBe(0);
    expect(one.out).toMatch(
      /^equal in a selection: .*\nonly parts zone1; not compared at all: global, zone2$/m,
    );
    const two = await pair.verify('--cells', 'zone2,zone1');
    expect(two).toMatchObject({
      code: 1,
      out: expect.stringContaining('different in a selection: 1 difference'),
    });
    expect(two.out).toContain('- missing zone2:SrvVSchema');
    expect(two.out).not.toContain('metadata/owner');
  });

  test('of kinds, and of keyspaces, names the records that it left out', async () => {
    await pair.put('source', 'global', 'metadata/owner', 'changed');
    const kinds = await pair.verify('--kinds', 'tablet,ShardReplication');
    expect(kinds).toMatchObject({
      code: 0,
      out: expect.stringContaining('only kinds Tablet, ShardReplication'),
    });
    expect(kinds.out).toMatch(/not compared, kind not asked for: \d+/);
    const global = await pair.verify('--kinds', 'Shard');
    expect(global.out).toContain('only kinds Shard; not compared at all: zone1, zone2');
    const keyspace = await pair.verify('--keyspace', 'commerce');
    expect(keyspace).toMatchObject({ code: 0, out: expect.stringContaining('only keyspaces commerce') });
    expect(keyspace.out).toMatch(
      /not compared, keyspace not asked for: \d+[\s\S]*keyspaces\/customer\/Keyspace/,
    );
  });

  test('of files that Vitess does not know reads the cells, where such files may be, too', async () => {
    await pair.put('destination', 'zone1', 'custom/note', 'x');
    const { code, out } = await pair.verify('--kinds', 'Unknown');
    expect({ code, out }).toMatchObject({
      code: 1,
      out: expect.stringContaining('+ extra zone1:custom/note'),
    });
    expect(out).toContain('only kinds Unknown\n');
  });

  test('of CellInfo knows where the cells are', async () => {
    const { code, out } = await pair.verify('--kinds', 'CellInfo');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('as expected') });
    expect(out).toContain('not compared at all: zone1, zone2');
  });

  test('of a keyspace compares a tablet that is of it on one side alone', async () => {
    const tablet = { alias: { cell: 'zone1', uid: 100 }, keyspace: 'customer', shard: '-80', hostname: 'h' };
    await pair.put('destination', 'zone1', TABLET, encode('topodata.Tablet', tablet));
    for (const keyspace of ['commerce', 'customer']) {
      const { code, out } = await pair.verify('--keyspace', keyspace);
      expect(code).toBe(1);
      expect(out).toContain(`~ different zone1:${TABLET} dangerous`);
      expect(out).not.toContain('missing');
    }
  });

  test('says in every form what it is of', async () => {
    const run = async (form: string) =>
      (await pair.verify('--cells', 'zone1', '--kinds', 'Tablet', '--output', form)).out;
    const selection = { scopes: ['zone1'], kinds: ['Tablet'], unread: ['global', 'zone2'] };
    const document = JSON.parse(await run('json'));
    const schema = JSON.parse(readFileSync('schema/verify.schema.json', 'utf8'));
    const validate = new Ajv2020({ strictRequired: false }).compile(schema);
    expect([validate(document), validate.errors]).toEqual([true, null]);
    expect(document).toMatchObject({ decision: 'equal', kinds: ['Tablet'], selection });
    const lines = (await run('jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ line: 'verdict', selection });
    expect(lines.some((each) => each.line === 'not compared' && each.reason === 'kind not asked for')).toBe(
      true,
    );
    const said = 'only parts zone1; kinds Tablet; not compared at all: global, zone2';
    expect(await run('marks')).toMatch(
      new RegExp(`^# ${said}\n# not compared, kind not asked for: \\d+$`, 'm'),
    );
    expect(await run('html')).toContain(said);
    expect(await run('html')).toContain('equal in a selection');
  });

  test('is certified as one, and checked as one', async () => {
    await pair.verify('--cells', 'zone1', '--certificate', pair.at('c.json'));
    const file = JSON.parse(readFileSync(pair.at('c.json'), 'utf8'));
    const schema = JSON.parse(readFileSync('schema/certificate.schema.json', 'utf8'));
    const validate = new Ajv2020({ strictRequired: false }).compile(schema);
    expect([validate(file), validate.errors]).toEqual([true, null]);
    expect(file.certificate.selection).toEqual({ scopes: ['zone1'], unread: ['global', 'zone2'] });
    await pair.put('source', 'global', 'metadata/owner', 'changed');
    const check = ['certificate', 'check', pair.at('c.json'), ...pair.addresses];
    expect(await cli(check)).toMatchObject({ code: 0, out: expect.stringContaining('only parts zone1') });
    await pair.put('source', 'zone1', 'SrvVSchema', '');
    expect(await cli(check)).toMatchObject({ code: 1 });
  });

  test('is no baseline for a comparison of more', async () => {
    await pair.verify('--cells', 'zone1', '--certificate', pair.at('c.json'));
    const baseline = ['--baseline', pair.at('c.json')];
    expect(await pair.verify(...baseline)).toMatchObject({
      code: 2,
      err: expect.stringContaining('is of a selection'),
    });
    expect(await pair.verify('--cells', 'zone1', '--kinds', 'Tablet', ...baseline)).toMatchObject({
      code: 0,
    });
  });

  test('is refused for what neither side has', async () => {
    for (const [flag, name] of [
      ['--cells', 'zone9'],
      ['--kinds', 'Sahrd'],
      ['--keyspace', 'commerce,comerce'],
    ] as const)
      expect(await pair.verify(flag, name)).toMatchObject({
        code: 2,
        err: expect.stringContaining('there are'),
      });
    expect(await pair.verify('--cells', 'global', '--kinds', 'Tablet')).toMatchObject({ code: 4 });
  });

  test('is repaired alone', async () => {
    await pair.put('destination', 'global', 'metadata/owner', 'theirs');
    await pair.drop('destination', 'zone1', 'SrvVSchema');
    expect(await pair.verify('--cells', 'zone1', '--repair', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('wrote 1 record'),
    });
    expect(await pair.verify()).toMatchObject({ code: 1, out: expect.stringContaining('1 difference') });
  });
});

test('what was compared covers what is asked for when nothing of that is outside of it', () => {
  const had = (narrowing: Narrowing) => selectionOf(narrowing, ['zone1', 'zone2']);
  const cells = (...names: string[]): Narrowing => ({ scopes: new Set(names) });
  const rows: [Narrowing, Narrowing, boolean][] = [
    [{}, cells('zone1'), true],
    [cells('zone1'), {}, false],
    [cells('zone1', 'zone2'), cells('zone1'), true],
    [cells('zone1'), cells('zone1', 'zone2'), false],
    [{ kinds: new Set(['Shard']) }, cells('global'), false],
    [{ kinds: new Set(['Shard']) }, { ...cells('global'), kinds: new Set(['Shard']) }, true],
    [{ keyspaces: new Set(['a']) }, { keyspaces: new Set(['b']) }, false],
  ];
  expect(rows.map(([of, asked]) => covers(had(of), asked))).toEqual(rows.map(([, , is]) => is));
});
