import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compareOpen } from '../../src/cli/comparing.js';
import type { Flags } from '../../src/cli/flags.js';
import { repair } from '../../src/cli/repairing.js';
import { withPair } from '../../src/cli/topologies.js';
import { encode, readCellInfo } from '../../src/topo/codec.js';
import type { VerifyReport } from '../../src/verify/report.js';
import { captured, cli } from '../support/cli.js';
import { FakeTerminal } from '../support/fake-terminal.js';
import { contents } from '../support/topologies.js';
import { CopiedPair } from '../verify/copied-pair.js';

let pair: CopiedPair;
beforeEach(async () => {
  pair = await CopiedPair.make();
});
afterEach(() => pair.remove());

const OWNER = 'metadata/owner';
const TABLET = 'tablets/zone1-0000000100/Tablet';

const at = async (side: 'source' | 'destination', scope: string, path: string) =>
  (await contents(pair.places[side](scope))).get(path)?.toString();

/** Everything that a side holds. */
async function whole(side: 'source' | 'destination'): Promise<Map<string, string>> {
  const all = await Promise.all(
    ['global', 'zone1', 'zone2'].map(async (scope) =>
      [...(await contents(pair.places[side](scope)))].map(
        ([path, bytes]) => [`${scope}:${path}`, bytes.toString('hex')] as const,
      ),
    ),
  );
  return new Map(all.flat());
}

describe('verify --repair', () => {
  test('copies what differs from the source, and ends with the verdict of a second comparison', async () => {
    const asCopied = await whole('destination');
    await pair.put('destination', 'global', OWNER, 'theirs');
    await pair.drop('destination', 'zone1', TABLET);
    const source = await whole('source');
    const { code, out } = await pair.verify('--repair', '--yes');
    expect(out).toMatch(
      /^different: 2 differences[\s\S]*^repair: 2 differing records, from the authority, the source[\s\S]*^equal: /m,
    );
    expect(out).toMatch(/^ {2}~ global:metadata\/owner .*\n {2}\+ zone1:tablets\/zone1-0000000100\/Tablet/m);
    expect(code).toBe(0);
    expect(await whole('destination')).toEqual(asCopied);
    expect(await whole('source')).toEqual(source);
  });

  test('--authority to copies the other way, and writes nothing to the destination', async () => {
    await pair.put('destination', 'global', OWNER, 'new');
    await pair.put('destination', 'zone2', 'metadata/made', 'new');
    const destination = await whole('destination');
    const before = await whole('source');
    expect(await pair.verify('--authority', 'to', '--repair', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('from the authority, the destination'),
    });
    expect(await whole('destination')).toEqual(destination);
    before.set(`global:${OWNER}`, Buffer.from('new').toString('hex'));
    before.set('zone2:metadata/made', Buffer.from('new').toString('hex'));
    expect(await whole('source')).toEqual(before);
  });

  test('shows the plan and writes nothing without --yes, and with --dry-run', async () => {
    await pair.put('destination', 'global', OWNER, 'theirs');
    const before = await whole('destination');
    expect(await pair.verify('--repair')).toMatchObject({
      code: 4,
      out: expect.stringContaining('~ global:metadata/owner'),
      err: expect.stringContaining('--yes'),
    });
    const dry = await pair.verify('--repair', '--yes', '--dry-run');
    expect(dry).toMatchObject({ code: 1, out: expect.stringContaining('dry run: nothing was written') });
    expect(dry.out).toContain('~ global:metadata/owner');
    expect(await whole('destination')).toEqual(before);
  });

  test('asks the person at a terminal, and takes nothing but yes for yes', async () => {
    await pair.put('destination', 'global', OWNER, 'theirs');
    const asked: string[] = [];
    const run = (answer: string) =>
      cli(
        ['verify', ...pair.addresses, '--settle', '0', '--repair'],
        {},
        {
          terminal: true,
          screen: new FakeTerminal(),
          answer: (question) => {
            asked.push(question);
            return answer;
          },
        },
      );
    expect((await run('')).code).toBe(4);
    expect((await run('no')).code).toBe(4);
    expect(await at('destination', 'global', OWNER)).toBe('theirs');
    expect((await run('yes')).code).toBe(0);
    expect(await at('destination', 'global', OWNER)).not.toBe('theirs');
    expect(asked).toHaveLength(3);
    expect(asked[0]).toContain('write 1 record');
  });

  test('deletes nothing, when the record that it copied goes from the source while it is asked', async () => {
    await pair.put('destination', 'global', OWNER, 'theirs');
    const { code, out } = await cli(
      ['verify', ...pair.addresses, '--settle', '0', '--repair'],
      {},
      {
        terminal: true,
        screen: new FakeTerminal(),
        answer: async () => {
          await pair.drop('source', 'global', OWNER);
          return 'yes';
        },
      },
    );
    expect({ code, out }).toMatchObject({
      code: 1,
      out: expect.stringContaining('+ extra global:metadata/owner'),
    });
    expect(await at('destination', 'global', OWNER)).toBe('payments');
  });

  test('touches nothing that is benign, expected or ignored', async () => {
    const alias = 'cells_aliases/everywhere/CellsAlias';
    await pair.put('source', 'global', alias, encode('topodata.CellsAlias', { cells: ['zone1', 'zone2'] }));
    await pair.put(
      'destination',
      'global',
      alias,
      encode('topodata.CellsAlias', { cells: ['zone2', 'zone1'] }),
    );
    await pair.put('destination', 'global', 'metadata/new', 'only here');
    await pair.put('destination', 'zone1', 'SrvVSchema', encode('vschema.SrvVSchema', {}));
    const before = await whole('destination');
    const { code, out } = await pair.verify('--repair', '--yes', '--ignore', 'metadata');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('accepted') });
    expect(out).toContain('repair: 1 differing record,');
    expect(out).toMatch(/graph rebuild memory:/);
    const after = await whole('destination');
    expect(
      [...after].filter(([place, bytes]) => before.get(place) !== bytes).map(([place]) => place),
    ).toEqual(['zone1:SrvVSchema']);
  });

  test('--output json is one document, that follows the schema', async () => {
    await pair.put('destination', 'zone1', 'SrvVSchema', encode('vschema.SrvVSchema', {}));
    const validate = new Ajv2020({ strictRequired: false }).compile(
      JSON.parse(readFileSync('schema/verify.schema.json', 'utf8')),
    );
    const run = async (...more: string[]) => {
      const { code, out } = await pair.verify('--repair', '--output', 'json', ...more);
      const document = JSON.parse(out);
      expect([validate(document), validate.errors]).toEqual([true, null]);
      return { code, document };
    };
    expect(await run()).toMatchObject({
      code: 4,
      document: {
        decision: 'different',
        differences: [{ path: 'SrvVSchema', versions: { source: expect.any(String) } }],
        repair: { dryRun: false, toWrite: 1, written: 0, writes: [{ path: 'SrvVSchema' }] },
        error: { code: 'Guard', hint: expect.stringContaining('--yes') },
      },
    });
    expect(await run('--dry-run')).toMatchObject({
      code: 1,
      document: { decision: 'different', repair: { dryRun: true, toWrite: 1, written: 0 } },
    });
    expect(await run('--yes')).toMatchObject({
      code: 0,
      document: {
        decision: 'equal',
        repair: {
          authority: 'source',
          dryRun: false,
          found: [{ scope: 'zone1', path: 'SrvVSchema', type: 'different' }],
          writes: [{ action: 'update', path: 'SrvVSchema' }],
          written: 1,
          next: [expect.stringContaining('graph rebuild')],
        },
      },
    });
    const { document } = await run('--yes');
    expect(document).not.toHaveProperty('repair');
  });

  test('CellInfo keeps the address of its own side, and one that was reached by --from-cell stays', async () => {
    const path = 'cells/zone1/CellInfo';
    const info = async (side: 'source' | 'destination', region: string) => {
      const bytes = (await contents(pair.places[side]('global'))).get(path) ?? Buffer.of();
      return Buffer.concat([bytes, encode('topodata.CellInfo', { region })]);
    };
    const address = readCellInfo(
      (await contents(pair.places.destination('global'))).get(path) ?? Buffer.of(),
    );
    await pair.put('source', 'global', path, await info('source', 'north'));
    expect(await pair.verify('--repair', '--yes')).toMatchObject({ code: 0 });
    const after = (await contents(pair.places.destination('global'))).get(path) ?? Buffer.of();
    expect(readCellInfo(after)).toEqual(address);
    expect(after.toString()).toContain('north');

    await pair.put('destination', 'global', path, await info('destination', 'south'));
    const before = await whole('source');
    const reached = ['--from-cell', `zone1=${pair.places.server},/vitess/zone1`];
    expect(await pair.verify('--authority', 'to', ...reached, '--repair', '--yes')).toMatchObject({
      code: 1,
      out: expect.stringContaining('the cell was reached by --from-cell'),
    });
    expect(await whole('source')).toEqual(before);
    expect(await pair.verify('--authority', 'to', '--repair', '--yes')).toMatchObject({ code: 0 });
  });

  test('certifies what is there afterwards', async () => {
    await pair.put('destination', 'global', OWNER, 'theirs');
    await pair.verify('--repair', '--yes', '--certificate', pair.at('c.json'));
    const { certificate } = JSON.parse(readFileSync(pair.at('c.json'), 'utf8'));
    expect(certificate).toMatchObject({ decision: 'equal', differences: [] });
  });
});

describe('what happened meanwhile', () => {
  test('a record that somebody wrote since it was compared is not written over, nor one deleted that came back', async () => {
    await pair.put('destination', 'global', OWNER, 'theirs');
    const report = await compared();
    await pair.put('destination', 'global', OWNER, 'somebody');
    await expect(repairing(report)).rejects.toMatchObject({
      code: 'Guard',
      message: expect.stringContaining('global:metadata/owner'),
    });
    expect(await at('destination', 'global', OWNER)).toBe('somebody');
    const again = await compared();
    await pair.put('source', 'global', OWNER, 'newer');
    expect(await repairing(again)).toMatchObject({ toWrite: 1, result: { written: 1 } });
    expect(await at('destination', 'global', OWNER)).toBe('newer');
    await pair.put('destination', 'global', OWNER, 'theirs');
    const last = await compared();
    await pair.drop('source', 'global', OWNER);
    await expect(repairing(last, { delete: true, 'max-delete': 1 })).rejects.toThrow(/not as they were/);
    expect(await at('destination', 'global', OWNER)).toBe('theirs');
  });

  /** A comparison, and later a repair of what it found. */
  const compared = () =>
    withPair(flags(), io, signal, 'compare', (opened) =>
      compareOpen(flags(), opened, { io, signal, kinds: undefined }),
    ).then(({ report }) => report);
  const repairing = (report: VerifyReport, more: Flags = {}) =>
    withPair(flags(), io, signal, 'write', (opened) =>
      repair({ ...flags(), ...more, yes: true }, opened, report, {
        io,
        signal,
        onPlan: () => {},
        document: () => ({}),
      }),
    );
  const flags = (): Flags => ({
    from: pair.places.source('global'),
    to: pair.places.destination('global'),
    concurrency: 4,
    timeout: 15,
  });
  const { io } = captured();
  const { signal } = new AbortController();

  test.each(['backup', 'certificate'] as const)(
    'after a cutover, which a %s of before shows, nothing goes back without --authority to',
    async (kind) => {
      const before = kind === 'backup' ? `file:${pair.at('before.topo')}` : pair.at('before.json');
      const make =
        kind === 'backup'
          ? await cli(['copy', pair.places.source('global'), before, '--allow-locks'])
          : await pair.verify('--certificate', before);
      expect(make).toMatchObject({ code: 0 });
      await pair.put('destination', 'global', OWNER, 'moved on');
      const args = ['--baseline', before, '--repair', '--yes'];
      expect(await pair.verify(...args)).toMatchObject({
        code: 4,
        err: expect.stringMatching(/moved on since the baseline[\s\S]*metadata\/owner[\s\S]*--authority to/),
      });
      expect(await at('destination', 'global', OWNER)).toBe('moved on');
      expect(await pair.verify('--authority', 'to', ...args)).toMatchObject({ code: 0 });
      expect(await at('source', 'global', OWNER)).toBe('moved on');
      await pair.put('destination', 'global', OWNER, 'by mistake');
      expect(await pair.verify(...args, '--allow-older')).toMatchObject({ code: 0 });
      expect(await at('destination', 'global', OWNER)).toBe('moved on');
    },
  );

  test('nor where a certificate has the destination as the authority', async () => {
    await pair.verify('--authority', 'to', '--certificate', pair.at('c.json'));
    await pair.put('destination', 'global', OWNER, 'theirs');
    for (const flag of ['--baseline', '--last-run-certificate'])
      expect(await pair.verify(flag, pair.at('c.json'), '--repair', '--yes')).toMatchObject({
        code: 4,
        err: expect.stringContaining('the cutover happened'),
      });
    expect(await at('destination', 'global', OWNER)).toBe('theirs');
  });
});

describe('the guards of a copy', () => {
  test('a record that only the destination has stops it; --delete deletes it, and nothing else', async () => {
    await pair.put('destination', 'global', 'metadata/extra', 'x');
    await pair.put('destination', 'global', OWNER, 'theirs');
    const before = await whole('destination');
    expect(await pair.verify('--repair', '--yes')).toMatchObject({
      code: 4,
      err: expect.stringContaining('metadata/extra'),
    });
    expect(await pair.verify('--repair', '--yes', '--delete')).toMatchObject({
      code: 4,
      err: expect.stringContaining('--max-delete 1'),
    });
    expect(await whole('destination')).toEqual(before);
    const left = await pair.verify('--repair', '--yes', '--allow-extra');
    expect(left).toMatchObject({ code: 1, out: expect.stringContaining('--delete deletes it: 1') });
    expect(await at('destination', 'global', 'metadata/extra')).toBe('x');
    expect(await pair.verify('--repair', '--yes', '--delete', '--max-delete', '1')).toMatchObject({
      code: 0,
    });
    expect(await at('destination', 'global', 'metadata/extra')).toBeUndefined();
  });

  test('a cell that only the destination has stays, whatever may be deleted, and the plan says so', async () => {
    const address = { server_address: pair.places.server, root: '/elsewhere/zone3' };
    await pair.put('destination', 'global', 'cells/zone3/CellInfo', encode('topodata.CellInfo', address));
    const all = ['--repair', '--yes', '--delete', '--max-delete', '9', '--allow-empty-cells'];
    const { code, out } = await pair.verify(...all);
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('topo2topo cell remove') });
    expect(out).not.toContain('--delete deletes it');
    expect(await at('destination', 'global', 'cells/zone3/CellInfo')).toBeDefined();
  });

  test('with --authority to it says which side it calls the destination', async () => {
    await pair.put('source', 'global', 'metadata/extra', 'x');
    const back = ['--authority', 'to', '--repair', '--yes'];
    expect(await pair.verify(...back)).toMatchObject({
      code: 4,
      err: expect.stringMatching(/metadata\/extra[\s\S]*what it calls the source is the destination/),
    });
    expect((await pair.verify('--authority', 'from', ...back.slice(2))).err).not.toContain('what it calls');
  });

  test('a blank tablet never replaces a filled one: all else is copied, and the end is that of a copy', async () => {
    const filled = await at('destination', 'zone1', TABLET);
    await pair.put(
      'source',
      'zone1',
      TABLET,
      encode('topodata.Tablet', { alias: { cell: 'zone1', uid: 100 }, keyspace: 'commerce', shard: '0' }),
    );
    await pair.put('destination', 'global', OWNER, 'theirs');
    const { code, out } = await pair.verify('--repair', '--yes');
    expect(code).toBe(4);
    expect(out).toMatch(/stays different, blank in the source/);
    expect(await at('destination', 'zone1', TABLET)).toBe(filled);
    expect(await at('destination', 'global', OWNER)).not.toBe('theirs');
  });

  test('the Tablet that a Shard names is not deleted, in a repair of its cell alone either', async () => {
    await pair.drop('source', 'zone1', TABLET);
    const before = await whole('destination');
    const one = ['--repair', '--yes', '--cells', 'zone1', '--delete', '--max-delete', '1'];
    expect(await pair.verify(...one)).toMatchObject({
      code: 4,
      err: expect.stringContaining('the primary of a shard would be deleted'),
    });
    expect(await whole('destination')).toEqual(before);
  });

  test('CellInfo is not written before the cell’s store is filled, in a repair of the global part alone either', async () => {
    for (const path of (await contents(pair.places.destination('zone1'))).keys())
      await pair.drop('destination', 'zone1', path);
    await pair.drop('destination', 'global', 'cells/zone1/CellInfo');
    await pair.put('destination', 'global', OWNER, 'theirs');
    const before = await whole('destination');
    const place = ['--to-cell-root', pair.places.cellRoot];
    const global = ['--repair', '--yes', '--cells', 'global', ...place];
    expect(await pair.verify(...global)).toMatchObject({
      code: 4,
      err: expect.stringContaining('cell zone1 is not copied yet'),
    });
    expect(await whole('destination')).toEqual(before);
    expect(await pair.verify('--repair', '--yes', ...place)).toMatchObject({ code: 0 });
    // With a CellInfo that is there, a cell that lacks a record is no reason.
    await pair.drop('destination', 'zone1', TABLET);
    await pair.put('destination', 'global', OWNER, 'theirs');
    expect(await pair.verify(...global)).toMatchObject({ code: 0 });
  });

  test('a cell’s store that holds nothing, and a source without cells, stop it', async () => {
    for (const path of (await contents(pair.places.source('zone1'))).keys())
      await pair.drop('source', 'zone1', path);
    const before = await whole('destination');
    const all = ['--repair', '--yes', '--delete', '--max-delete', '1000'];
    expect(await pair.verify(...all)).toMatchObject({ code: 4, err: expect.stringContaining('zone1') });
    for (const scope of ['global', 'zone2'])
      for (const path of (await contents(pair.places.source(scope))).keys())
        await pair.drop('source', scope, path);
    expect(await pair.verify(...all)).toMatchObject({
      code: 4,
      err: expect.stringContaining('the source holds nothing'),
    });
    expect(await whole('destination')).toEqual(before);
  });
});

test('flags that make no sense are refused before anything is read', async () => {
  for (const more of [
    ['--delete'],
    ['--yes'],
    ['--last-run-certificate', 'c.json'],
    ['--watch', '--delete'],
    ['--watch', '--yes'],
    ['--repair', '--output', 'html'],
    ['--repair', '--output', 'marks'],
    ['--repair', '--authority', 'to', '--to-cell-root', '/vitess/{cell}'],
  ])
    expect(await cli(['verify', 'memory:nowhere/a', 'memory:nowhere/b', ...more])).toMatchObject({ code: 2 });
});
