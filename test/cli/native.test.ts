import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { encode } from '../../src/topo/codec.js';
import { Curl } from '../backends/consul-support.js';
import { available, startConsul, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';

const LIMIT_MS = 180_000;
const PATIENCE = ['--timeout', '20'];

/** Writes the sample into a store; CellInfo of zone1 names the store's own servers. */
async function plant(
  implementation: string,
  servers: string,
  root: (scope: string) => string,
): Promise<string> {
  const at = (scope: string) => `${implementation}://${servers}/${root(scope).replace(/^\//, '')}`;
  for (const scope of ['global', 'zone1'])
    await withStore(at(scope), async (store) => {
      for (const { path, bytes, scope: of } of sampleTopology('zookeeper:x'))
        if (of === scope && !path.startsWith('cells/')) await store.create(path, bytes);
      if (scope !== 'global') return;
      const info = { server_address: servers, root: root('zone1') };
      await store.create('cells/zone1/CellInfo', encode('topodata.CellInfo', info));
    });
  return at('global');
}

const slashed = (scope: string) => `/vitess/${scope}`;

describe.runIf(available.zookeeper('3.8'))('--native, of ZooKeeper', () => {
  let server: Awaited<ReturnType<typeof startZooKeeper>>;
  let address: string;
  const run = (command: string, ...line: string[]) =>
    cli([command, address, '--native', ...line, ...PATIENCE]);
  beforeAll(async () => {
    server = await startZooKeeper({ version: '3.8' });
    address = await plant('zk2', server.servers, slashed);
  }, LIMIT_MS);
  afterAll(() => server?.stop());

  test('ls begins at the root of the topology, and sees beyond', async () => {
    expect((await run('ls')).out).toMatch(/^cells\n[\s\S]*keyspaces\n/m);
    expect((await run('ls', '/')).out).toBe('vitess\nzookeeper\n');
    expect((await run('ls', '/vitess/zone1/SrvVSchema')).out).toBe('/vitess/zone1/SrvVSchema\n');
    expect(await run('ls', '/nothing')).toMatchObject({ code: 3 });
    expect(await run('ls', 'keyspaces')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/\/vitess\/global/),
    });
  });

  test('ls -l shows the words of ZooKeeper', async () => {
    const { out } = await run('ls', '-l', '/vitess');
    expect(out).toMatch(/czxid +mzxid +pzxid .* numChildren +acl +name\n/);
    expect(out).toMatch(/0x[0-9a-f]+ .* world:anyone cdrwa +global\n/);
    const [global] = (await cliJson(['ls', address, '--native', '-l', '/vitess'])) as [object];
    expect(global).toMatchObject({ path: '/vitess/global', size: null, words: { ephemeralOwner: '0x0' } });
  });

  test('of a cell it begins at the root of that', async () => {
    expect((await run('ls', '--cell', 'zone1')).out).toBe('SrvVSchema\nkeyspaces\ntablets\n');
    expect(await run('ls', '--cell', 'zone9')).toMatchObject({ code: 2 });
  });

  test('cat gives the bytes of any znode', async () => {
    const { bytes, out } = await run('cat', '/vitess/global/metadata/owner');
    expect([bytes.toString(), out]).toEqual(['payments', '']);
    expect((await run('cat', '/vitess')).bytes).toHaveLength(0);
    const shown = await cliJson(['cat', address, '--native', '/vitess/global/metadata/owner']);
    expect(shown).toMatchObject({ record: Buffer.from('payments').toString('base64'), version: 0 });
  });

  test('tree shows what is there, as deep as asked', async () => {
    const { out } = await run('tree', '/', '--depth', '2');
    expect(out).toMatch(
      /├── vitess \(no data\)\n│ {3}├── global \(no data\) …\n│ {3}└── zone1 \(no data\) …\n/,
    );
    expect(out).toMatch(/└── zookeeper \(0 B\)|└── zookeeper/);
    expect((await run('tree', '/vitess/global/metadata')).out).toMatch(/└── owner \(8 B\)\n$/);
    expect(await run('tree', '/nothing')).toMatchObject({ code: 3 });
  });
});

describe.runIf(available.etcd('3.5'))('--native, of etcd', () => {
  let etcd: Awaited<ReturnType<typeof startEtcd>>;
  let address: string;
  const run = (command: string, ...line: string[]) =>
    cli([command, address, '--native', ...line, ...PATIENCE]);
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.5' });
    address = await plant('etcd2', etcd.servers.replaceAll('http://', ''), slashed);
    await etcd.ctl('put', 'other', 'v');
  }, LIMIT_MS);
  afterAll(() => etcd?.stop());

  test('shows keys, their revisions, and what is no record', async () => {
    expect((await run('ls')).out).toMatch(/cells\/\n[\s\S]*keyspaces\/\n/);
    expect((await run('ls', '')).code).toBe(0);
    const { out } = await run('ls', '-l', '/vitess/global/metadata');
    expect(out).toMatch(/create_revision +mod_revision +version +lease +name\n +\d+ +\d+ +1 +0 +owner\n/);
    expect((await run('cat', 'other')).bytes.toString()).toBe('v');
    expect((await run('tree', '/vitess/global/metadata')).out).toMatch(
      /\/vitess\/global\/metadata .*\n└── owner \(8 B\)\n/,
    );
    expect((await run('ls', '--cell', 'zone1')).out).toContain('SrvVSchema\n');
    expect(await run('cat', '/vitess/global/metadata')).toMatchObject({ code: 3 });
  });
});

describe.runIf(available.consul('1.8'))('--native, of Consul', () => {
  let consul: Awaited<ReturnType<typeof startConsul>>;
  let address: string;
  const run = (command: string, ...line: string[]) =>
    cli([command, address, '--native', ...line, ...PATIENCE]);
  beforeAll(async () => {
    consul = await startConsul({ version: '1.8' });
    address = await plant('consul', consul.servers, (scope) => `vitess/${scope}`);
    await new Curl(`http://${consul.servers}`).put('other/', '');
  }, LIMIT_MS);
  afterAll(() => consul?.stop());

  test('shows keys, their indexes, and what is no record', async () => {
    expect((await run('ls')).out).toMatch(/cells\/\n[\s\S]*keyspaces\/\n/);
    const { out } = await run('ls', '-l', 'vitess/global/metadata');
    expect(out).toMatch(
      /CreateIndex +ModifyIndex +LockIndex +Flags +Session +name\n +\d+ +\d+ +0 +0 +owner\n/,
    );
    expect((await run('ls', 'other')).out).toBe('""\n');
    expect((await run('cat', 'vitess/global/metadata/owner')).bytes.toString()).toBe('payments');
    expect((await run('tree', 'vitess/global/metadata')).out).toContain('└── owner (8 B)\n');
    expect((await run('ls', '--cell', 'zone1')).out).toContain('SrvVSchema\n');
  });
});

test('--native is refused by name where the canonical tree is all there is', async () => {
  const { code, err } = await cli(['ls', `memory://etcd:${randomUUID()}/vitess/global`, '--native']);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/canonical tree is all there is/) });
});
