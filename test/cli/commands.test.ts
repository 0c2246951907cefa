import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { cli, cliJson } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';

const server = `zookeeper:${randomUUID()}`;
const from = `memory://${server}/vitess/global`;

beforeAll(async () => {
  for (const scope of ['global', 'zone1', 'zone2']) {
    await withStore(`memory://${server}/vitess/${scope}`, async (store) => {
      for (const record of sampleTopology(server).filter((each) => each.scope === scope))
        await store.create(record.path, record.bytes);
    });
  }
});

describe('looking', () => {
  test('ls lists a directory, of the global store or of a cell', async () => {
    expect((await cli(['ls', from, 'keyspaces'])).out).toBe('commerce\ncustomer\norders\n');
    expect((await cli(['ls', from, '/keyspaces/orders/shards'])).out).toBe('-40\n-80\n40-80\n80-\n');
    expect((await cli(['ls', from, '--cell', 'zone1'])).out).toBe('SrvVSchema\nkeyspaces\ntablets\n');
  });

  test('ls -l says what each name is', async () => {
    expect((await cli(['ls', from, 'keyspaces/orders', '-l'])).out).toMatch(
      /^-- 16 0:\d+ Keyspace\n-- 51 0:\d+ VSchema\nd- {2}- +- shards\/\n$/,
    );
  });

  test('cat decodes a record for a terminal, and gives its bytes unchanged to a pipe and with --raw', async () => {
    const path = 'keyspaces/orders/shards/-40/Shard';
    const shown = await cli(['cat', from, path], {}, { terminal: true });
    expect(JSON.parse(shown.out)).toMatchObject({ primary_alias: { cell: 'zone1', uid: 600 } });
    const stored = (await contents(from)).get(path);
    const piped = await cli(['cat', from, path]);
    expect([piped.out, piped.bytes]).toEqual(['', stored]);
    const raw = await cli(['cat', from, path, '--raw'], {}, { terminal: true });
    expect([raw.out, raw.bytes]).toEqual(['', stored]);
  });

  test('cat shows text as text, and what is neither text nor a record in base64', async () => {
    const shown = async (path: string) => (await cli(['cat', from, path], {}, { terminal: true })).out;
    expect(await shown('metadata/owner')).toBe('payments\n');
    expect(await shown('custom/dashboard.bin')).toBe('AP8B/oA= (base64, 5 B)\n');
  });

  test('cat of nothing says so and exits with 3', async () => {
    const { code, err } = await cli(['cat', from, 'metadata/nothing']);
    expect(code).toBe(3);
    expect(err).toContain('metadata/nothing');
  });

  test('a cell that does not exist is refused, with those that do', async () => {
    expect(await cli(['ls', from, '--cell', 'zone9'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('zone1, zone2'),
    });
  });

  test('tree shows every store, as deep as asked', async () => {
    const { out } = await cli(['tree', from, '--depth', '1']);
    expect(out).toContain('global memory://');
    expect(out).toContain('├── keyspaces …');
    expect(await cliJson(['tree', from, '--cell', 'zone2', '--depth', '1'])).toMatchObject([
      { scope: 'zone2', tree: { children: { SrvVSchema: { record: true }, tablets: { cut: true } } } },
    ]);
  });

  test('Vitess’s flags for one topology work, with one dash and underscores', async () => {
    const flags = [
      '-topo_implementation',
      'memory',
      '-topo_global_server_address',
      server,
      '-topo_global_root',
      '/vitess/global',
    ];
    expect((await cli(['ls', ...flags, '--path', 'keyspaces'])).out).toBe('commerce\ncustomer\norders\n');
    expect((await cli(['ls', ...flags, '/keyspaces'])).out).toBe('commerce\ncustomer\norders\n');
  });
});

describe('Vitess’s own command line', () => {
  const flags = (to: string, dash: (name: string) => string) => [
    ...[
      dash('from_implementation'),
      'memory',
      dash('from_server'),
      server,
      dash('from_root'),
      '/vitess/global',
    ],
    ...[dash('to_implementation'), 'memory', dash('to_server'), to, dash('to_root'), '/vitess/global'],
    ...['--to-cell-root', '/vitess/{cell}'],
  ];
  const spellings: [string, (name: string) => string][] = [
    ['-from_server', (name) => `-${name}`],
    ['--from_server', (name) => `--${name}`],
    ['--from-server', (name) => `--${name.replaceAll('_', '-')}`],
  ];

  test.each(spellings)('copies everything without a do- flag: %s', async (_, dash) => {
    const to = `etcd:${randomUUID()}`;
    expect((await cli(flags(to, dash))).code).toBe(0);
    expect((await contents(`memory://${to}/vitess/global`)).size).toBe(24);
    expect((await contents(`memory://${to}/vitess/zone2`)).size).toBe(23);
    expect((await cli([...flags(to, dash), '-compare'])).code).toBe(0);
  });

  test('narrows with do- flags, names what is left out, and compares as narrowly', async () => {
    const to = `etcd:${randomUUID()}`;
    const all = [
      ...flags(to, (name) => `-${name}`),
      '-do-keyspaces',
      '-do-shards=true',
      '--do_tablets=false',
    ];
    const { code, out } = await cli(all);
    expect(code).toBe(0);
    expect(out).toContain('only Keyspace, VSchema, Shard');
    expect(out).toMatch(/left out, kind not asked for: 11/);
    const paths = [...(await contents(`memory://${to}/vitess/global`)).keys()];
    expect(paths.every((path) => /(Keyspace|VSchema|Shard)$/.test(path))).toBe(true);
    expect(paths).toHaveLength(13);
    expect((await cli([...all, '--compare', '--to-cell', `zone1=${to},/vitess/zone1`])).code).toBe(0);
  });

  test('compare exits with 1 when something differs', async () => {
    const to = `etcd:${randomUUID()}`;
    const args = flags(to, (name) => `-${name}`);
    await cli(args);
    await withStore(`memory://${to}/vitess/zone1`, (store) => store.delete('SrvVSchema', null));
    const { code, out } = await cli([...args, '-compare']);
    expect(code).toBe(1);
    expect(out).toContain('- missing zone1:SrvVSchema');
  });
});

describe('the tool itself', () => {
  test('without arguments shows its help and exits with 2', async () => {
    expect(await cli([])).toMatchObject({
      code: 2,
      out: expect.stringContaining('copy [source] [destination]'),
    });
  });

  test('an unknown command is refused with exit code 2', async () => {
    expect(await cli(['cpoy', from])).toMatchObject({ code: 2, err: expect.stringContaining('cpoy') });
  });

  test('--help and --version exit with 0', async () => {
    expect((await cli(['copy', '--help'])).code).toBe(0);
    expect((await cli(['--version'])).code).toBe(0);
  });

  test('with --output json an error is JSON, with its code and what to do', async () => {
    const { out, code } = await cli(['ls', 'zk2://h:1', '--output', 'json']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'InvalidAddress', hint: expect.any(String) } });
  });

  test('the flags of a program that a command starts are not its own', async () => {
    const { out, code } = await cli(['locks', 'hold', 'zk2://h:1', 'a', '--', 'env', '--output', 'json']);
    expect({ out, code }).toEqual({ out: '', code: 2 });
  });

  test('an error says what to do next, also where the store has nothing to say', async () => {
    for (const address of ['zk2://127.0.0.1:1/a', 'etcd2://127.0.0.1:1/a', 'consul://127.0.0.1:1/a']) {
      const { err, out, code } = await cli(['ls', address, '--output', 'json']);
      expect(code).toBe(3);
      expect(err).toMatch(/Unavailable\]\n.*check (the addresses and ports|host and port)/);
      expect(JSON.parse(out)).toMatchObject({ error: { hint: expect.stringContaining('check') } });
    }
  });

  test('the demo ends with exit code 0 and an equal verdict', async () => {
    const { code, out } = await cli(['demo']);
    expect(code).toBe(0);
    expect(out).toContain('different: 3 differences');
    expect(out.trimEnd().split('\n').at(-1)).toContain('The topology has moved.');
  });
});

describe('a copy that several guards stop', () => {
  const guarded = `zookeeper:${randomUUID()}`;
  const source = (scope: string) => `memory://${guarded}/vitess/${scope}`;
  const to = `memory://etcd:${randomUUID()}/vitess/global`;
  const args = ['copy', source('global'), to, '--to-cell-root', '/vitess/{cell}'];
  const flags = ['--allow-undecodable', '--allow-extra', '--allow-locks'];

  beforeAll(async () => {
    for (const scope of ['global', 'zone1', 'zone2'])
      await withStore(source(scope), async (store) => {
        for (const record of sampleTopology(guarded).filter((each) => each.scope === scope))
          await store.create(record.path, record.bytes);
      });
    await withStore(source('global'), (store) => store.create('keyspaces/bad/Keyspace', Buffer.of(0xff)));
    await withStore(to, (store) => store.create('keyspaces/elsewhere/Keyspace', Buffer.of()));
  });

  test('tells each of them, and what lets each pass, and writes nothing', async () => {
    await withStore(source('global'), async (store) => {
      const lock = await store.lock('keyspaces/commerce', 'x');
      for (const command of ['copy', 'plan']) {
        const { code, out, err } = await cli([command, ...args.slice(1)]);
        expect({ code, out }).toEqual({ code: 4, out: '' });
        expect(err).toMatch(
          new RegExp(
            [
              '^error records of the source do not decode: global:keyspaces/bad/Keyspace.*\\[Guard\\]\\n  → .*--allow-undecodable\\n',
              'error locks are held in the source: global:keyspaces/commerce/.*\\[Guard\\]\\n  → .*--allow-locks.*\\n',
              'error the destination holds .*: global:keyspaces/elsewhere/Keyspace.*\\[Guard\\]\\n  → .*--allow-extra.*\\n$',
            ].join(''),
          ),
        );
      }
      const { error } = JSON.parse((await cli([...args, '--output', 'json'])).out);
      expect(error).toMatchObject({
        code: 'Guard',
        message: expect.stringMatching(/do not decode/),
        hint: expect.stringContaining('--allow-undecodable'),
        guards: [
          { guard: 'undecodable', flag: '--allow-undecodable', message: error.message, hint: error.hint },
          { guard: 'locks', flag: '--allow-locks' },
          { guard: 'extra', flag: '--allow-extra' },
        ],
      });
      expect([...(await contents(to)).keys()]).toEqual(['keyspaces/elsewhere/Keyspace']);
      await lock.unlock();
    });
  });

  test('tells those that are left when some are overruled', async () => {
    const { code, err } = await cli([...args, ...flags.slice(0, 1)]);
    expect(code).toBe(4);
    expect(err.match(/\[Guard\]/g)).toHaveLength(1);
    expect(err).toContain('--allow-extra');
    expect((await cli([...args, ...flags])).code).toBe(0);
  });
});
