import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import {
  available,
  type Certificates,
  type EtcdCluster,
  freePorts,
  makeCertificates,
  removeFolder,
  startEtcd,
  startZooKeeper,
} from '../servers/index.js';
import { type CliResult, cli } from '../support/cli.js';
import { withStore } from '../support/topologies.js';

const runs = available.zookeeper('3.8') && available.etcd('3.5');

/** Long enough for a busy machine, short enough to notice what hangs. */
const LIMIT = ['--timeout', '5'];

describe.runIf(runs)('bad input gets one clear message before anything is written', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let etcd: EtcdCluster;
  let etcdTls: EtcdCluster;
  let folder: string;
  let certificates: Certificates;
  let source: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    certificates = await makeCertificates();
    const { ca, cert, key } = certificates;
    [zookeeper, etcd, etcdTls] = await Promise.all([
      startZooKeeper({ version: '3.8' }),
      startEtcd({ version: '3.5' }),
      startEtcd({ version: '3.5', tls: { ca, cert, key } }),
    ]);
    source = `zk2://${zookeeper.servers}/vitess/global`;
    const cellInfo = encode('topodata.CellInfo', {
      server_address: zookeeper.servers,
      root: '/vitess/zone1',
    });
    await withStore(source, async (store) => {
      await store.create('cells/zone1/CellInfo', cellInfo);
      await store.create('keyspaces/broken/Keyspace', Uint8Array.from([0xff, 0xff, 0xff]));
    });
    await withStore(`zk2://${zookeeper.servers}/vitess/zone1`, (store) =>
      store.create('SrvVSchema', new Uint8Array()),
    );
  });
  afterAll(async () => {
    await Promise.all([zookeeper, etcd, etcdTls].map((server) => server?.stop()));
    if (certificates !== undefined) await removeFolder(certificates.folder);
    await rm(folder, { recursive: true, force: true });
  });

  const place = (root = '/vitess/global') => `etcd2://${etcd.servers}${root}`;
  const copy = (from: string, to: string, ...more: string[]) => cli(['copy', from, to, ...LIMIT, ...more]);

  async function refused(result: CliResult, code: number, message: RegExp): Promise<void> {
    expect(result.err).toMatch(message);
    // What stops it, and what to do: of each guard.
    const stops = Math.max(1, result.err.match(/\[Guard\]/g)?.length ?? 0);
    expect(result.err.trim().split('\n').length).toBeLessThanOrEqual(2 * stops);
    expect(result.code).toBe(code);
    expect(await etcd.ctl('get', '--prefix', '', '--keys-only')).toBe('');
  }

  test('an unknown scheme', async () => {
    await refused(
      await copy('mysql://h:1/r', place()),
      2,
      /unknown topology implementation "mysql".*\n.*known are zk2, etcd2/,
    );
  });
  test('an unknown implementation', async () => {
    const args = ['-from_implementation', 'zk3', '-from_server', 'h:1', '-from_root', '/r', '--to', place()];
    await refused(await cli(args), 2, /unknown topology implementation "zk3"/);
  });
  test('an address without a root', async () => {
    await refused(await copy(source, `etcd2://${etcd.servers}`), 2, /no root/);
  });
  test('a Consul-style root for etcd, and the other way round', async () => {
    const args = [
      '--from',
      source,
      '-to_implementation',
      'etcd2',
      '-to_server',
      etcd.servers,
      '-to_root',
      'vitess/global',
    ];
    await refused(await cli(args), 2, /begins with \//);
    const consul = [
      '-from_implementation',
      'consul',
      '-from_server',
      'h:1',
      '-from_root',
      '/vitess',
      '--to',
      place(),
    ];
    await refused(await cli(consul), 2, /does not begin with \//);
  });
  test('a flag that does not exist, and one that is given twice', async () => {
    await refused(await copy(source, place(), '--no-such-flag'), 2, /no-such-flag/);
    await refused(await cli(['copy', '--from', source, '--from', source, '--to', place()]), 2, /given twice/);
  });
  test('a source root that does not exist', async () => {
    await refused(
      await copy(`zk2://${zookeeper.servers}/nowhere`, place()),
      4,
      /holds nothing.*does not exist/,
    );
  });
  test('a source without cells', async () => {
    await withStore(`zk2://${zookeeper.servers}/nocells`, (store) =>
      store.create('keyspaces/a/Keyspace', new Uint8Array()),
    );
    await refused(await copy(`zk2://${zookeeper.servers}/nocells`, place()), 4, /no cells/);
  });
  test('a cell whose store is empty', async () => {
    const flags = [
      '--to-cell-root',
      '/vitess/{cell}',
      '--from-cell',
      `zone1=${zookeeper.servers},/elsewhere`,
    ];
    await refused(await copy(source, place(), ...flags), 4, /holds nothing for: cell zone1/);
  });
  test('a server that is not there', async () => {
    const [port] = await freePorts(1);
    await refused(await copy(`zk2://127.0.0.1:${port}/vitess/global`, place()), 3, /127\.0\.0\.1/);
    await refused(await copy(source, `etcd2://127.0.0.1:${port}/vitess/global`), 3, /127\.0\.0\.1/);
  });
  test('a port at which another product listens', async () => {
    await refused(await copy(`zk2://${etcd.servers}/vitess/global`, place()), 3, /ZooKeeper/);
    await refused(await copy(source, `etcd2://${zookeeper.servers}/vitess/global`), 3, /etcd/);
  });
  test('TLS against a plain port, and plain against a TLS port', async () => {
    const tls = ['--to-topo-etcd-tls-ca', certificates.ca];
    await refused(await copy(source, `etcd2://https://${etcd.servers}/vitess/global`, ...tls), 3, /TLS/);
    await refused(await copy(source, `etcd2://${etcdTls.servers}/vitess/global`), 3, /TLS|etcd/);
  });
  test('a password that is wrong', async () => {
    const secure = await startEtcd({ version: '3.5' });
    try {
      await secure.ctl('user', 'add', 'root:right');
      await secure.ctl('user', 'grant-role', 'root', 'root');
      await secure.ctl('auth', 'enable');
      await writeFile(join(folder, 'password'), 'wrong-secret\n');
      const auth = [
        '--to-topo-etcd-username',
        'root',
        '--to-topo-etcd-password-file',
        join(folder, 'password'),
      ];
      const result = await copy(source, `etcd2://${secure.servers}/vitess/global`, ...auth);
      await refused(result, 3, /password|authentication/i);
      expect(result.err + result.out).not.toContain('wrong-secret');
    } finally {
      await secure.stop();
    }
  });
  test('a cell that has no address on the destination', async () => {
    await refused(await copy(source, place()), 2, /no address for cell zone1/);
  });
  test('source and destination the same place under two spellings', async () => {
    const port = zookeeper.servers.split(':')[1];
    const result = await copy(
      source,
      `zk2://localhost:${port},other:2181/vitess`,
      '--to-cell-root',
      '/new/{cell}',
    );
    // The destination is opened first; a name that does not resolve is one server of two.
    await refused(result, 4, /same place/);
    await refused(await copy(source, source, '--to-cell-root', '/new/{cell}'), 4, /same place/);
  });
  test('a value that is too large for the destination', async () => {
    await withStore(place('/big/global'), async (store) => {
      await store.create(
        'cells/zone1/CellInfo',
        encode('topodata.CellInfo', { server_address: etcd.servers, root: '/big/zone1' }),
      );
      await store.create('metadata/large', new Uint8Array(1_200_000));
    });
    await withStore(place('/big/zone1'), (store) => store.create('SrvVSchema', new Uint8Array()));
    const to = `zk2://${zookeeper.servers}/big/global`;
    const result = await copy(place('/big/global'), to, '--to-cell-root', '/big/{cell}');
    expect(result).toMatchObject({ code: 4, err: expect.stringMatching(/metadata\/large is too large/) });
    await withStore(to, async (store) => {
      for await (const page of store.scan('')) expect(page.records).toEqual([]);
    });
    await etcd.ctl('del', '--prefix', '/big');
  });
  test('a record that does not decode stops the copy, and is copied byte for byte when that is asked for', async () => {
    const args = [source, place(), '--to-cell-root', '/vitess/{cell}'] as const;
    expect(await copy(...args)).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /do not decode: global:keyspaces\/broken\/Keyspace.*\n.*--allow-undecodable/,
      ),
    });
    await withStore(place(), async (store) => {
      for await (const page of store.scan('')) expect(page.records).toEqual([]);
    });
    const result = await copy(...args, '--allow-undecodable');
    expect(result.err).toBe('');
    expect(result.code).toBe(0);
    expect(result.out).toMatch(/do not decode.*: 1\n.*global:keyspaces\/broken\/Keyspace/);
    await withStore(place(), async (store) => {
      expect(Buffer.from((await store.get('keyspaces/broken/Keyspace')).bytes).toString('hex')).toBe(
        'ffffff',
      );
    });
  });
});
