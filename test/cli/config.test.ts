import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { followCommand } from '../../src/cli/commands/follow.js';
import { verifyCommand } from '../../src/cli/commands/verify.js';
import { vitessCommand } from '../../src/cli/commands/vitess.js';
import { SCHEMA_FILE } from '../../src/cli/config/schema.js';
import { sideFlags } from '../../src/cli/side-flags.js';
import { cli } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';
import { type ConfigFolder, configFolder } from './config-file.js';
import { CERTIFICATE } from './pem.js';
import { emptyStore, plantSample } from './sample.js';

let folder: ConfigFolder;
let from: string;
let server: string;
beforeAll(async () => {
  folder = await configFolder();
  ({ from, server } = await plantSample());
});
afterAll(() => folder.remove());

/** Migrates the sample into an empty store; gives the file and the destination. */
async function migration(more = ''): Promise<{ file: string; to: string; other: string }> {
  const { to, server: other } = emptyStore();
  const text = `from: ${from}\nto: ${to}\ncells:\n  root: /vitess/{cell}\n${more}`;
  return { file: await folder.write('topo2topo.yaml', text), to, other };
}

describe('a migration file', () => {
  test('says what copy, verify and the command line of Vitess need', async () => {
    const { file, to } = await migration();
    expect(await cli(['copy', '--config', file])).toMatchObject({ code: 0, err: '' });
    expect((await contents(to)).size).toBe(24);
    expect((await cli(['verify', '--config', file])).code).toBe(0);
    expect((await cli(['-config', file, '-compare'])).code).toBe(0);
  });

  test('gives one of its sides to commands about one topology', async () => {
    const { file } = await migration();
    const { err, code } = await cli(['ls', 'keyspaces', '--config', file]);
    expect(err).toMatch(/has two sides.*\n.*--side from or --side to/);
    expect(code).toBe(2);
    const keyspaces = 'commerce\ncustomer\norders\n';
    expect((await cli(['ls', 'keyspaces', '--config', file, '--side', 'from'])).out).toBe(keyspaces);
    expect((await cli(['ls', 'keyspaces', '--config', file, '--side', 'to'])).code).toBe(3);
    expect((await cli(['ls', from, 'keyspaces', '--config', file])).out).toBe(keyspaces);
    expect((await cli(['locks', 'list', '--config', file, '--side', 'from'])).code).toBe(0);
    const half = await folder.write('half.yaml', `to: ${from}\n`);
    expect((await cli(['ls', '/keyspaces', '--config', half])).out).toBe(keyspaces);
    expect(await cli(['ls', '--config', half, '--side', 'from'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('has no from'),
    });
    expect(await cli(['copy', '--config', half])).toMatchObject({
      code: 2,
      err: expect.stringContaining('the source is not given'),
    });
  });

  test('has options, of which each command takes its own', async () => {
    const { file, to } = await migration('options:\n  dry-run: true\n  concurrency: 2\n  do-tablets: true\n');
    const { code, out } = await cli(['copy', '--config', file]);
    expect(code).toBe(0);
    expect(out).toContain('dry run');
    expect((await contents(to)).size).toBe(0);
    expect((await cli(['verify', '--config', file, '--allow-empty-cells'])).code).toBe(1);
  });

  test('gives no command what counts on its command line alone', async () => {
    // A follower’s address for its metrics, which a patrol beside it must not take.
    const { file } = await migration('options: {listen: "1", settle: 0, authority: to}\n');
    expect(await cli(['copy', '--config', file])).toMatchObject({ code: 0 });
    expect(await cli(['verify', '--config', file])).toMatchObject({ code: 0, err: '' });
  });

  test('names cells that are elsewhere', async () => {
    const { to, server: other } = emptyStore();
    const text = [
      `from:\n  address: ${from}\n  cells:\n    zone2: {server: "${server}", root: /vitess/zone1}`,
      `to:\n  implementation: memory\n  server: "\${SERVER}"\n  root: /vitess/global\n  cells:`,
      `    zone1: {server: "${other}", root: /here/zone1}\n    zone2: {server: "${other}", root: /there/zone2}\n`,
    ];
    const file = await folder.write('cells.yaml', text.join('\n'));
    const env = { SERVER: other };
    const { out, err } = await cli(['copy', '--config', file, '--dry-run'], env);
    expect(err).toMatch(/zone2.*zone1|zone1.*zone2/);
    const given = ['--from-cell', `zone2=${server},/vitess/zone2`];
    expect((await cli(['copy', '--config', file, ...given], env)).err).toBe('');
    expect((await contents(to.replace('/vitess/global', '/there/zone2'))).size).toBe(23);
    expect(out).toBe('');
  });

  test('finds files beside itself', async () => {
    const file = await folder.write('backup.yaml', `from: ${from}\nto: file:./sub.topo\n`);
    expect((await cli(['copy', '--config', file])).code).toBe(0);
    expect((await contents(`file:${file.replace('backup.yaml', 'sub.topo')}`)).size).toBe(24);
  });
});

describe('layers', () => {
  test('the command line wins over the environment, that over the file, that over presets', async () => {
    const { file } = await migration('options:\n  timeout: 0.5\n  dry-run: true\n');
    const env = { TOPO2TOPO_CONFIG: file, TOPO2TOPO_TIMEOUT: 'x' };
    const refused = await cli(['copy'], env);
    expect(refused).toMatchObject({
      code: 2,
      err: expect.stringMatching(/TOPO2TOPO_TIMEOUT must be a number/),
    });
    expect((await cli(['copy', '--timeout', '9'], { ...env, TOPO2TOPO_TIMEOUT: '8' })).out).toContain(
      'dry run',
    );
    const done = await cli(['copy', '--dry-run=false'], { TOPO2TOPO_CONFIG: file, TOPO2TOPO_DRY_RUN: 'T' });
    expect(done.out).toContain('done');
  });

  test('an address given above replaces the whole side of the file', async () => {
    const { to, server: other } = emptyStore();
    const text = `from: ${from}\nto:\n  address: etcd2://127.0.0.1:1/a\n  tls: {ca: none.pem}\ncells: {root: "/vitess/{cell}"}\n`;
    const file = await folder.write('other.yaml', text);
    const flags = ['--to-implementation', 'memory', '--to-server', other, '--to-root', '/vitess/global'];
    const root = ['--to-cell-root', '/vitess/{cell}'];
    expect(await cli(['copy', '--config', file, ...flags])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no address for cells zone1'),
    });
    expect(await cli(['copy', '--config', file, ...flags, ...root])).toMatchObject({ code: 0, err: '' });
    expect(await cli(['verify', '--config', file], { TOPO2TOPO_TO: to })).toMatchObject({ code: 0, err: '' });
    const env = { TOPO2TOPO_FROM: 'etcd2://127.0.0.1:1/a', TOPO2TOPO_FROM_CELL: 'zone1=127.0.0.1:1,/a' };
    expect(await cli(['verify', from, to], env)).toMatchObject({
      code: 0,
    });
  });

  test('every flag can come from the environment', async () => {
    const { to, server: other } = emptyStore();
    const env = {
      TOPO2TOPO_FROM: from,
      TOPO2TOPO_TO: to,
      TOPO2TOPO_TO_CELL: `zone1=${other},/a/zone1  zone2=${other},/a/zone2`,
      TOPO2TOPO_OUTPUT: 'json',
    };
    const { code, out } = await cli(['copy'], env);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ written: 72 });
    const one = { TOPO2TOPO_ADDRESS: from, TOPO2TOPO_CELL: 'zone1' };
    expect((await cli(['ls', 'keyspaces'], one)).code).toBe(0);
    expect((await cli(['ls', '/'], one)).out).toBe('SrvVSchema\nkeyspaces\ntablets\n');
    const triple = {
      TOPO2TOPO_TOPO_IMPLEMENTATION: 'memory',
      TOPO2TOPO_TOPO_GLOBAL_SERVER_ADDRESS: server,
      TOPO2TOPO_TOPO_GLOBAL_ROOT: '/vitess/global',
    };
    expect((await cli(['ls', 'cells'], triple)).out).toBe('zone1\nzone2\n');
  });

  test('errors, too, are JSON when the environment says so', async () => {
    const { out } = await cli(['ls'], { TOPO2TOPO_OUTPUT: 'json' });
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'Usage' } });
    expect((await cli(['ls', '--output', 'text'], { TOPO2TOPO_OUTPUT: 'json' })).out).toBe('');
  });

  test('of wrong values the variable is named', async () => {
    for (const [name, value] of [
      ['TOPO2TOPO_OUTPUT', 'xml'],
      ['TOPO2TOPO_DRY_RUN', 'maybe'],
      ['TOPO2TOPO_CONCURRENCY', '0'],
    ] as const)
      expect(await cli(['copy', from, 'memory://etcd:x/a'], { [name]: value })).toMatchObject({
        code: 2,
        err: expect.stringContaining(`${name} `),
      });
  });

  test('--side without a file to choose from is refused', async () => {
    const { file } = await migration();
    for (const args of [
      ['ls', from, '--side', 'from'],
      ['ls', from, '--side', 'to', '--config', file],
    ])
      expect(await cli(args)).toMatchObject({ code: 2, err: expect.stringContaining('--side') });
  });
});

describe('config check', () => {
  test('shows what it understood, and no secret', async () => {
    const password = await folder.write('password', 'm4rk3d-p4ssword\n');
    const ca = await folder.write('ca.pem', CERTIFICATE);
    const file = await folder.write(
      'full.yaml',
      [
        'from:',
        '  address: zk2://h1,h2|o1/vitess/global',
        '  tls: {ca: ca.pem, serverName: zk.example.com}',
        '  auth: {username: vitess, password: {file: password}}',
        '  lockTtl: 12',
        '  juteMaxbuffer: 4194304',
        'to:',
        '  address: consul://c1/vitess/global',
        '  auth:',
        `    token: "\${TOKEN}"`,
        `    tokens: {global: "\${TOKEN}", zone1: "\${TOKEN}"}`,
        '  cells:',
        '    zone1: {server: c2, root: vitess/zone1}',
        '  lockDelay: 1s',
        '  watchPoll: 2m',
        'cells: {root: "vitess/{cell}"}',
        'options: {timeout: 5, verify: true}',
      ].join('\n'),
    );
    const env = { TOKEN: 'm4rk3d-t0ken' };
    const { code, out, err } = await cli(['config', 'check', file], env);
    expect(err).toBe('');
    expect(code).toBe(0);
    for (const part of [
      'zk2://h1:2181,h2:2181|o1:2181/vitess/global',
      `tls ca ${ca}, serverName zk.example.com`,
      `user vitess, password hidden, from ${password}`,
      'lockTtl 12',
      'juteMaxbuffer 4194304',
      `token hidden, from \${TOKEN}`,
      `token of zone1 hidden, from \${TOKEN}`,
      'cell zone1 at c2:8500 vitess/zone1',
      'new cells at vitess/{cell}',
      'option   timeout 5',
    ])
      expect(out).toContain(part);
    const { out: asJson } = await cli(['config', 'check', '--config', file, '--output', 'json'], env);
    expect(JSON.parse(asJson)).toMatchObject({
      from: {
        auth: { username: 'vitess', password: `hidden, from ${password}` },
        lockTtl: '12',
        juteMaxbuffer: '4194304',
      },
      to: { address: 'consul://c1:8500/vitess/global', cells: { zone1: { server: 'c2:8500' } } },
      options: { timeout: 5 },
    });
    expect(out + asJson).not.toContain('m4rk3d');
  });

  test(`a plain \${ is written $\${`, async () => {
    const file = await folder.write('dollar.yaml', `from: "file:a$\${b}"\n`);
    expect((await cli(['config', 'check', file])).out).toContain(`a\${b}`);
  });
});

describe('the published schema', () => {
  const schema = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'));

  test('is one of JSON Schema 2020-12 in strict mode', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false });
    expect(() => ajv.compile(schema)).not.toThrow();
  });

  test('has every flag of a copy, a follower and a comparison as an option, but for those that say where and for whom', () => {
    const elsewhere = [...sideFlags('from'), ...sideFlags('to')].map(({ name }) => name);
    const others = ['config', 'output', 'compare', 'to-cell-root'];
    const flags = [vitessCommand, followCommand, verifyCommand]
      .flatMap((command) => command.flags ?? [])
      .filter(
        ({ name, hidden, spoken }) =>
          hidden !== true && spoken !== true && ![...elsewhere, ...others].includes(name),
      )
      .map(({ name }) => name);
    expect(Object.keys(schema.properties.options.properties).sort()).toEqual([...new Set(flags)].sort());
  });

  test('takes the example of the documentation', () => {
    const page = readFileSync(new URL('../../docs/migration-file.md', import.meta.url), 'utf8');
    const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
    expect(examples.length).toBeGreaterThan(0);
    const check = new Ajv2020({ allowUnionTypes: true, strictRequired: false }).compile(schema);
    for (const example of examples) expect([check(parse(example)), check.errors]).toEqual([true, null]);
  });
});

test('completion knows the new commands', async () => {
  const complete = async (...words: string[]) =>
    (await cli(['--get-yargs-completions', 'topo2topo', ...words])).out;
  expect(await complete('')).toMatch(/^config/m);
  expect(await complete('locks', '')).toMatch(/break[\s\S]*hold[\s\S]*list/);
});

test('a record written through a migration file is the one that was meant', async () => {
  const { file, to } = await migration();
  await cli(['copy', '--config', file]);
  await withStore(to, async (store) => {
    expect(Buffer.from((await store.get('metadata/owner')).bytes).toString()).toBe('payments');
  });
});
