import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normaliseArgs } from '../../src/cli/args.js';
import { cli } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';
import { emptyStore, plantSample } from './sample.js';

const CELLS = ['--to-cell-root', '/vitess/{cell}'];
let from: string;
let server: string;
let folder: string;

beforeAll(async () => {
  ({ from, server } = await plantSample());
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  await writeFile(join(folder, 'secret'), 'digest:user:password\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The tool refuses, in two lines, and writes nothing to the destination. */
async function refused(args: readonly string[], message: RegExp, to?: string): Promise<void> {
  const { code, err, out } = await cli(args);
  expect(err).toMatch(message);
  expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
  expect(out).toBe('');
  expect(code).toBe(2);
  if (to !== undefined) expect((await contents(to)).size).toBe(0);
}

describe('boolean flags', () => {
  test('take Go’s spellings', () => {
    for (const value of ['1', 't', 'T', 'true', 'TRUE', 'True'])
      expect(normaliseArgs([`-dry_run=${value}`])).toEqual(['--dry-run=true']);
    for (const value of ['0', 'f', 'F', 'false', 'FALSE', 'False'])
      expect(normaliseArgs([`--compare=${value}`])).toEqual(['--compare=false']);
    expect(normaliseArgs(['-l=1'])).toEqual(['-l=true']);
  });

  test('so --dry-run=1 writes nothing', async () => {
    const { to } = emptyStore();
    const { code, out } = await cli(['copy', from, to, ...CELLS, '--dry-run=1']);
    expect(code).toBe(0);
    expect(out).toContain('dry run');
    expect((await contents(to)).size).toBe(0);
  });

  test.each(['--dry-run=yes', '-dry_run=', '--verify=2', '--dry-run=tRUE'])('refuse %s', async (flag) => {
    const { to } = emptyStore();
    await refused(['copy', from, to, ...CELLS, flag], /is true or false/, to);
  });

  test('are refused twice, in camel case and with parts', async () => {
    const { to } = emptyStore();
    await refused(['copy', from, to, ...CELLS, '--dry-run', '--dry-run'], /--dry-run is given twice/, to);
    await refused(['copy', from, to, ...CELLS, '--dryRun=1'], /dryRun/, to);
    await refused(['copy', from, to, ...CELLS, '--dry-run.x=1'], /dry-run\.x/, to);
  });
});

describe('words', () => {
  test('that no command takes are refused', async () => {
    const { to } = emptyStore();
    await refused(['copy', from, to, ...CELLS, 'dry-run'], /unexpected word dry-run/, to);
    await refused(['cat', from, 'metadata/owner', 'extra'], /unexpected word extra/);
    await refused(['ls', from, 'keyspaces', 'a', 'b'], /unexpected word a/);
    await refused(['demo', 'now'], /unexpected word now/);
  });

  test('are refused beside a flag that says the same', async () => {
    const { to } = emptyStore();
    await refused(['copy', from, to, '--from', from, ...CELLS], /or --from …, not both/, to);
    await refused(['copy', from, to, '--to', to, ...CELLS], /or --to …, not both/, to);
    await refused(['copy', '--from', from, to], /not both/, to);
    await refused(['copy', from, to, '--from-server', server], /not both/, to);
    await refused(['ls', from, 'keyspaces', '--topo-implementation', 'memory'], /not both/);
    await refused(['ls', from, '--topo-implementation', 'memory'], /not both/);
  });
});

describe('values', () => {
  const numbers = ['concurrency=0', 'concurrency=1.5', 'concurrency=x', 'concurrency=', 'concurrency'];
  const times = ['timeout=0', 'timeout=-1', 'timeout=x', 'timeout=', 'timeout'];
  test.each([...numbers, ...times])('--%s is refused', async (flag) => {
    const { to } = emptyStore();
    await refused(['copy', from, to, ...CELLS, `--${flag}`], new RegExp(flag.split('=')[0] ?? ''), to);
  });

  test.each(['depth=0', 'depth=-1', 'depth=1.5', 'depth=x', 'depth=', 'depth'])('--%s is refused', (flag) =>
    refused(['tree', from, `--${flag}`], /depth/),
  );

  test('a single-valued flag is refused twice, everywhere', async () => {
    await refused(['verify', from, from, '--output', 'text', '--output', 'text'], /--output is given twice/);
    await refused(['tree', from, '--depth', '1', '--depth', '2'], /--depth is given twice/);
    await refused(['ls', from, '--cell', 'zone1', '--cell', 'zone2'], /--cell is given twice/);
    await refused(['ls', from, '--timeout', '1', '--timeout', '1'], /--timeout is given twice/);
  });

  test('a missing value is refused', async () => {
    await refused(['copy', '--from'], /from/);
    await refused(['copy', '--from=', '--to', 'memory:'], /--from needs a value/);
  });

  test('an unknown choice is refused in one line', () => refused(['ls', from, '--output', 'xml'], /xml/));
});

describe('flags that make no sense together', () => {
  test('a dry run and a verification', async () => {
    const { to } = emptyStore();
    await refused(['copy', from, to, ...CELLS, '--dry-run', '--verify'], /exclude/, to);
  });

  test.each(['dry-run', 'verify', 'allow-extra', 'allow-older'])('--compare and --%s', async (flag) => {
    const { to } = emptyStore();
    await refused(['--from', from, '--to', to, '-compare', `--${flag}`], /--compare and --/, to);
  });

  test('raw bytes and JSON', async () => {
    const { code, err } = await cli(['cat', from, 'metadata/owner', '--raw', '--output', 'json']);
    expect(code).toBe(2);
    expect(err).toMatch(/--raw/);
  });

  test('a login for another product', async () => {
    const file = join(folder, 'secret');
    const etcd = 'etcd2://127.0.0.1:1/a';
    const zk = 'zk2://127.0.0.1:1/a';
    await refused(
      ['copy', etcd, zk, '--from-topo-zk-auth-file', file],
      /--from-topo-zk-auth-file is for zk2, and the source is etcd2/,
    );
    await refused(
      ['copy', etcd, zk, '--to-topo-etcd-tls-ca', file],
      /--to-topo-etcd-tls-ca is for etcd2, and the destination is zk2/,
    );
    await refused(['ls', zk, '--topo-etcd-username', 'u'], /--topo-etcd-username is for etcd2/);
  });

  test('a file keeps its cells itself', async () => {
    const to = `file:${join(folder, 'new.topo')}`;
    for (const flags of [CELLS, ['--to-cell', 'zone1=h:1,/a']])
      await refused(['copy', from, to, ...flags], /destination is a file/);
  });

  test('verify has no root of new cells', () =>
    refused(['verify', from, 'memory:', ...CELLS], /to-cell-root/));

  test('cells that neither side has', async () => {
    const { to, server: other } = emptyStore();
    await cli(['copy', from, to, ...CELLS]);
    for (const flag of ['--from-cell', '--to-cell'])
      await refused(['verify', from, to, flag, `zone9=${other},/a`], /cell zone9.*\n.*zone1, zone2/);
  });
});

describe('the flags of Vitess’s log library and servers', () => {
  const flags = [
    '-logtostderr',
    '-alsologtostderr=1',
    '-stderrthreshold',
    'INFO',
    '-v',
    '2',
    '-log_dir',
    '/tmp',
    '--log_err_stacks',
    '--vmodule',
    'topo=2',
    '--keep_logs=1h',
    '--grpc_prometheus',
    '--pprof=cpu',
    '--security-policy',
    'read-only',
  ];

  test('are accepted and ignored without a subcommand', async () => {
    const { to } = emptyStore();
    expect(await cli(['--from', from, '--to', to, ...CELLS, ...flags])).toMatchObject({ code: 0, err: '' });
    expect((await contents(to)).size).toBe(24);
  });

  test('and are unknown to every command', async () => {
    const { to } = emptyStore();
    for (const flag of ['-logtostderr', '-v=2'])
      await refused(['copy', from, to, ...CELLS, flag], /Unknown/, to);
  });
});

describe('secrets', () => {
  const secret = 'etcd2://root:s3cret@h:2379/x';
  const commands = [
    ['copy', secret, 'memory:'],
    ['copy', secret, 'memory:', '--from', secret],
    ['copy', secret, 'memory:', '--from-implementation', 'etcd2'],
    ['copy', 'memory:', 'memory://etcd:other/a', secret],
    ['copy', 'memory:', 'memory://etcd:other/a', '--to-cell', secret],
    [
      'copy',
      'memory:',
      'memory://etcd:other/a',
      '--to-cell',
      `zone1=${secret},/a`,
      '--to-cell',
      `zone1=${secret},/a`,
    ],
    ['copy', '--from', secret, '--from', secret, '--to', 'memory:'],
    ['copy', 'memory:', 'memory://etcd:other/a', `--${secret}`],
    ['ls', secret],
    ['ls', 'memory:', '--cell', secret],
    ['ls', secret, '--topo-implementation', 'etcd2'],
    ['ls', 'memory:', '--output', secret],
    [secret],
  ];
  test.each(commands.map((args) => [args]))('in an address are in no message: %j', async (args) => {
    for (const output of [[], ['--output', 'json']]) {
      const { code, out, err } = await cli([...args, ...output]);
      expect(code).not.toBe(0);
      expect(err).not.toBe('');
      expect(out + err).not.toContain('s3cret');
    }
  });
});

test('a command about one topology suggests its own flag for cells', async () => {
  const { to, server: other } = emptyStore();
  await cli(['copy', from, to, ...CELLS]);
  await withStore(to, (store) => store.update('cells/zone1/CellInfo', new Uint8Array(), null));
  const { code, err } = await cli(['ls', to, '--cell', 'zone1']);
  expect(code).toBe(2);
  expect(err).toContain('--cell-address');
  expect(err).not.toMatch(/--(from|to)-cell/);
  const given = ['--cell-address', `zone1=${other},/vitess/zone1`];
  expect((await cli(['ls', to, '--cell', 'zone1', ...given])).code).toBe(0);
});
