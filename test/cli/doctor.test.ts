import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { encode } from '../../src/topo/codec.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';
import { emptyStore, plantSample } from './sample.js';

interface Told {
  readonly mayStart: boolean;
  readonly findings: readonly Record<'id' | 'severity' | 'what' | 'why' | 'todo', string>[];
}

let folder: string;
let from: string;
let to: string;
let servers: { readonly from: string; readonly to: string };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'topo2topo-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  const [source, destination] = [await plantSample(), emptyStore()];
  [from, to] = [source.from, destination.to];
  servers = { from: source.server, to: destination.server };
});

const ROOT = ['--to-cell-root', '/vitess/{cell}'];
const doctor = (...more: string[]) => cli(['doctor', from, to, ...ROOT, ...more]);
const told = async (code: number, ...more: string[]) =>
  (await cliJson(['doctor', from, to, ...ROOT, ...more], [code])) as Told;
const ids = ({ findings }: Told, severity: string) =>
  [...new Set(findings.filter((each) => each.severity === severity).map(({ id }) => id))].sort();
const inSource = (scope: string, path: string, bytes: Uint8Array) =>
  withStore(from.replace(/global$/, scope), (store) => store.update(path, bytes, null));
const inDestination = (path: string, bytes: Uint8Array) =>
  withStore(to, (store) => store.create(path, bytes));
/** Everything that a server holds, with versions: a record that was written and put back shows. */
const everything = (server: string) => JSON.stringify(memoryStore(server).recordsBelow(''));

describe('doctor', () => {
  test('of two sides that are well says that the migration may start, and shows what they hold', async () => {
    const { code, out, err } = await doctor();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^source memory:.*\n {2}global memory:\S+ 24 records, 822 B, the largest 81 B of at most/,
    );
    expect(out).toMatch(
      /\ndestination memory:.*\n(.*\n)*note estimate: the source holds 72 records, 5139 bytes; /,
    );
    expect(out).toMatch(/72 to write; a copy takes about 1 s\n/);
    expect(out).toMatch(/\nthe migration may start, \d+ warnings\n$/);
  });

  test('gives each finding its severity, place, reason, and what to do; the worst first', async () => {
    await inSource('global', 'keyspaces/customer/Keyspace', Buffer.of(255));
    const { code, out } = await doctor();
    expect(code).toBe(4);
    expect(out).toMatch(
      /\nstop undecodable: .*global:keyspaces\/customer\/Keyspace.*\n {5}Vitess stumbles over such a record\n {5}→ \S.*\nwarn /,
    );
    expect(out).toMatch(/\nthe migration must not start: 1 finding against it, \d+ warnings\n$/);
  });

  test('writes nothing that stays, and with --skip-probe nothing at all', async () => {
    const before = [everything(servers.from), everything(servers.to)];
    expect(ids(await told(0, '--probe-source'), 'note')).toEqual(['estimate']);
    expect([everything(servers.from), everything(servers.to)]).toEqual(before);
    const position = () => withStore(to, (store) => store.position());
    const quiet = await position();
    expect(ids(await told(0, '--skip-probe'), 'note')).toEqual([
      'estimate',
      'probe-skipped',
      'source-not-probed',
    ]);
    expect(await position()).toEqual(quiet);
  });

  test('makes no file, and leaves one that is there as it is', async () => {
    const file = join(folder, 'backup.topo');
    const there = (await cliJson(['doctor', from, `file:${file}`])) as Told;
    expect(there.mayStart).toBe(true);
    expect(existsSync(file)).toBe(false);
    expect(await cli(['copy', from, `file:${file}`])).toMatchObject({ code: 0 });
    const before = readFileSync(file);
    expect(await cli(['doctor', '--from', `file:${file}`, '--probe-source'])).toMatchObject({ code: 0 });
    expect(readFileSync(file)).toEqual(before);
  });

  test('takes what a killed doctor left out of the way', async () => {
    await inDestination('topo2topo/doctor', Buffer.from('{}'));
    expect((await told(0)).mayStart).toBe(true);
    expect(everything(servers.to)).toBe('[]');
  });

  test('for programs has both sides, store by store', async () => {
    const document = await cliJson(['doctor', from, to, ...ROOT]);
    expect(document).toMatchObject({
      command: 'doctor',
      from,
      to,
      mayStart: true,
      sides: [
        {
          side: 'source',
          servers: [],
          stores: [
            {
              scope: 'global',
              reached: true,
              records: 24,
              bytes: 822,
              largestBytes: 81,
              kinds: { Shard: 7 },
            },
            { scope: 'zone1', limits: { maxPathBytes: 1024, batch: { maxOps: 500 } } },
            { scope: 'zone2' },
          ],
        },
        {
          side: 'destination',
          stores: [{ scope: 'global', records: 0, writable: true, lockable: true }, { scope: 'zone1' }, {}],
        },
      ],
      estimate: { records: 72, bytes: 5139, toWrite: 72, seconds: expect.any(Number) },
    });
  });

  test('of one side alone', async () => {
    const source = (await cliJson(['doctor', '--from', from])) as Told;
    expect(ids(source, 'stop')).toEqual([]);
    expect(ids(source, 'note')).toEqual(['estimate', 'source-not-probed']);
    const destination = (await cliJson(['doctor', '--to', to])) as Told;
    expect(destination).toMatchObject({ mayStart: true, findings: [] });
  });
});

const SHARD = 'keyspaces/commerce/shards/0/Shard';
interface Stop {
  readonly id: string;
  /** What is done to the two sides before. */
  readonly spoil?: () => Promise<unknown>;
  readonly flags?: readonly string[];
  /** What lets it pass. */
  readonly lets?: string;
}
const cellInfo = (root: string) => encode('topodata.CellInfo', { server_address: servers.from, root });
const STOPS: readonly Stop[] = [
  {
    id: 'undecodable',
    spoil: () => inSource('global', 'keyspaces/customer/Keyspace', Buffer.of(255)),
    lets: '--allow-undecodable',
  },
  {
    id: 'other-cell',
    spoil: () => inSource('zone1', 'tablets/zone2-0000000999/Tablet', Buffer.of()),
    lets: '--allow-other-cell',
  },
  { id: 'extra', spoil: () => inDestination('keyspaces/other/Keyspace', Buffer.of()), lets: '--allow-extra' },
  {
    id: 'older',
    spoil: () =>
      inDestination(
        SHARD,
        encode('topodata.Shard', {
          primary_alias: { cell: 'zone1', uid: 1 },
          primary_term_start_time: { seconds: '9999999999' },
        }),
      ),
    lets: '--allow-older',
  },
  {
    id: 'cell-in-source',
    spoil: () => inDestination('cells/zone1/CellInfo', cellInfo('/vitess/zone1')),
  },
  {
    id: 'empty-cells',
    spoil: () => inSource('global', 'cells/zone3/CellInfo', cellInfo('/vitess/zone3')),
    lets: '--allow-empty-cells',
  },
  { id: 'cell-unusable', spoil: () => inSource('global', 'cells/zone3/CellInfo', Buffer.of()) },
  { id: 'unknown-cell', flags: ['--cells', 'zone9'] },
  { id: 'layout', flags: ['--to-cell', 'zone1=DESTINATION,/vitess/zone2'] },
  {
    id: 'deletions',
    spoil: () => inDestination('keyspaces/other/Keyspace', Buffer.of()),
    flags: ['--delete'],
    lets: '--max-delete=1',
  },
  {
    id: 'primary-deleted',
    spoil: async () => {
      await cli(['copy', from, to, ...ROOT]);
      // The Shards are in a part that is not asked for.
      await withStore(from.replace(/global$/, 'zone1'), (store) =>
        store.delete('tablets/zone1-0000000100/Tablet', null),
      );
    },
    flags: ['--cells', 'zone1', '--delete', '--max-delete', '1'],
  },
  { id: 'not-copied', flags: ['--cells', 'global'], lets: '--allow-empty-cells' },
];

describe('what a copy would stop at stops doctor, which goes on looking', () => {
  test.each(STOPS)('$id', async ({ id, spoil, flags = [], lets }) => {
    await spoil?.();
    const args = flags.map((flag) => flag.replace('DESTINATION', servers.to));
    const found = await told(4, ...args);
    expect(found.mayStart).toBe(false);
    expect(ids(found, 'stop')).toContain(id);
    expect(found.findings.map((each) => each.id)).toContain('estimate');
    for (const { what, why, todo } of found.findings) expect([what, why, todo]).not.toContain('');
    if (lets === undefined) return;
    const passed = await told(0, ...args, lets);
    expect(passed.mayStart).toBe(true);
  });

  test('a value that the destination cannot hold', async () => {
    await inSource('global', 'metadata/large', Buffer.alloc(600_000));
    const consul = `memory://consul:${servers.to}/vitess/global`;
    const found = (await cliJson(['doctor', from, consul, ...ROOT], [4])) as Told;
    expect(found.findings).toContainEqual(
      expect.objectContaining({
        id: 'cannot-hold',
        severity: 'stop',
        what: expect.stringMatching(/global:metadata\/large.*600000 bytes, the destination takes \d+/),
      }),
    );
  });

  test('cells without a destination', async () => {
    const found = (await cliJson(['doctor', from, to], [4])) as Told;
    expect(found.findings[0]).toMatchObject({
      id: 'cell-without-destination',
      what: expect.stringMatching(/zone1, zone2/),
      todo: expect.stringMatching(/--to-cell zone1=SERVER,ROOT/),
    });
  });

  test('a source that is no topology, and one that is the destination', async () => {
    const empty = (await cliJson(['doctor', to, from, ...ROOT], [4])) as Told;
    expect(ids(empty, 'stop')).toContain('no-cells');
    const same = (await cliJson(['doctor', from, from, ...ROOT], [4])) as Told;
    expect(ids(same, 'stop')).toContain('same-place');
  });

  test('a journal that the copy could not begin', async () => {
    const missing = join(folder, 'missing', 'copy.journal');
    const { findings } = await told(4, '--journal', missing);
    expect(findings.filter(({ id }) => id === 'journal')).toEqual([
      expect.objectContaining({
        severity: 'stop',
        what: expect.stringMatching(/missing cannot .*: ENOENT$/),
      }),
    ]);
    expect(await cli(['copy', from, to, ...ROOT, '--journal', missing])).toMatchObject({ code: 2 });
    expect(existsSync(join(folder, 'missing'))).toBe(false);
    expect(ids(await told(0, '--journal', join(folder, 'copy.journal')), 'stop')).toEqual([]);
    expect(existsSync(join(folder, 'copy.journal'))).toBe(false);
  });

  test('a source that shrank since the run that the journal knows', async () => {
    const journal = join(folder, 'shrunk.journal');
    expect(await cli(['copy', from, to, ...ROOT, '--journal', journal])).toMatchObject({ code: 0 });
    await withStore(from.replace(/global$/, 'zone1'), async (store) => {
      for (const tablet of (await store.listDir('tablets')).slice(2))
        await store.delete(`tablets/${tablet}/Tablet`, null);
    });
    expect(ids(await told(4, '--journal', journal, '--allow-extra'), 'stop')).toEqual(['shrunk']);
  });

  test('what is let pass is told as a note', async () => {
    await inDestination('keyspaces/other/Keyspace', Buffer.of());
    const { findings } = await told(0, '--allow-extra');
    expect(findings).toContainEqual(
      expect.objectContaining({ id: 'extra', severity: 'note', todo: 'nothing: --allow-extra lets it pass' }),
    );
  });
});

describe('a destination in use', () => {
  test('is described, and equal records do not stop', async () => {
    expect(await cli(['copy', from, to, ...ROOT])).toMatchObject({ code: 0 });
    const { findings } = await told(0);
    expect(findings.filter(({ id }) => id === 'destination-holds').map(({ what }) => what)).toEqual([
      expect.stringMatching(/^the destination holds .*7 Shard/),
      expect.stringMatching(/14 Tablet/),
      expect.stringMatching(/12 Tablet/),
    ]);
    expect(findings.find(({ id }) => id === 'estimate')?.what).toMatch(/; 0 to write; /);
  });
});

describe('a side that cannot be reached', () => {
  const gone = 'etcd2://127.0.0.1:1/vitess/global';

  test('is told with exit code 3, and the other is looked at all the same', async () => {
    const { code, out } = await cli(['doctor', from, gone, ...ROOT, '--timeout', '2']);
    expect(code).toBe(3);
    expect(out).toMatch(/^source memory:.*\n {2}global .* 24 records/);
    expect(out).toMatch(/\nstop unreachable destination global.*: .*127\.0\.0\.1:1/);
  });

  test('may be the source', async () => {
    const found = (await cliJson(['doctor', gone, to, ...ROOT, '--timeout', '2'], [3])) as Told;
    expect(found.findings[0]).toMatchObject({ id: 'unreachable', side: 'source', scope: 'global' });
  });
});

describe('doctor --from-here and --matrix', () => {
  test('usage', async () => {
    const file = join(folder, 'rows.jsonl');
    writeFileSync(file, '{"from":"zone1"}\n');
    const empty = join(folder, 'empty.jsonl');
    writeFileSync(empty, '\n');
    for (const [args, said] of [
      [[], /neither source nor destination is given/],
      [['--from', from, '--from-here', 'zone1', '--matrix', file], /exclude one another/],
      [['--from', from, '--from-here', 'zone9'], /cell "?zone9"?, which neither side has.*\n.*zone1, zone2/],
      [['--matrix', file], /line 1 of .* is not what doctor --from-here writes/],
      [['--matrix', join(folder, 'none')], /cannot be read/],
      [['--matrix', empty], /says of no server whether it was reached/],
    ] as const)
      expect(await cli(['doctor', ...args])).toMatchObject({ code: 2, err: expect.stringMatching(said) });
  });

  test('rows of several cells are put together and judged', async () => {
    const row = (cell: string, server: string, up: boolean, scopes: string[]) =>
      JSON.stringify({
        from: cell,
        side: 'source',
        scopes,
        server,
        up,
        ...(up ? { ms: 2 } : { problem: 'refused' }),
      });
    const files = ['zone1', 'zone2'].map((cell) => join(folder, `${cell}.jsonl`));
    const [one = '', two = ''] = files;
    writeFileSync(
      one,
      `${row('zone1', 'a:1', true, ['global', 'zone1'])}\n${row('zone1', 'b:1', true, ['zone2'])}\n`,
    );
    writeFileSync(
      two,
      `${row('zone2', 'a:1', true, ['global', 'zone1'])}\n${row('zone2', 'b:1', true, ['zone2'])}\n`,
    );
    const matrix = files.flatMap((file) => ['--matrix', file]);
    const well = await cli(['doctor', ...matrix]);
    expect(well.code).toBe(0);
    expect(well.out).toMatch(/from cell +side +stores +server/);
    expect(well.out).toMatch(/zone2 +source +global, zone1 +a:1 +ok +2/);
    const half = await cli(['doctor', '--matrix', one]);
    expect(half).toMatchObject({ code: 0, out: expect.stringMatching(/warn cell-not-dialled zone2: /) });
    writeFileSync(two, `${row('zone2', 'a:1', false, ['global', 'zone1'])}\n`);
    const cut = await cli(['doctor', ...matrix]);
    expect(cut.code).toBe(4);
    expect(cut.out).toMatch(
      /stop cell-cut-off source global, zone1: from cell zone2 not reached: a:1 \(refused\)/,
    );
    expect(await cliJson(['doctor', ...matrix], [4])).toMatchObject({
      matrix: [{ from: 'zone1' }, {}, { from: 'zone2', up: false }],
      findings: [{ id: 'cell-cut-off', severity: 'stop' }],
    });
  });
});
