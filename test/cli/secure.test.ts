import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import {
  available,
  type Certificates,
  type ConsulCluster,
  type EtcdCluster,
  makeCertificates,
  makeFolder,
  removeFolder,
  startConsul,
  startEtcd,
  startZooKeeper,
} from '../servers/index.js';
import { cli } from '../support/cli.js';
import { makeToken } from '../support/consul-tokens.js';
import { type ConfigFolder, configFolder } from './config-file.js';
import { plantSample } from './sample.js';

const runs = available.zookeeper('3.8') && available.etcd('3.5') && available.consul('1.8');

const SECRETS = { ZK_PASSWORD: 'm4rk3d-zk', ETCD_PASSWORD: 'm4rk3d-etcd' };
const MANAGEMENT = '6f6b4f6e-0000-4000-8000-6d61726b3364';
/** Also how far a refused login may take on a busy machine. */
const LIMIT = ['--timeout', '10'];

// A machine that is slow is told how far the copy is.
const PROGRESS_ALONE = expect.stringMatching(/^(global: .*\n)*$/);

describe.runIf(runs)('a migration between stores that ask for certificates, passwords and tokens', () => {
  let folder: ConfigFolder;
  let certificates: Certificates;
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let etcd: EtcdCluster;
  let consul: ConsulCluster;
  let tokens: Record<'GLOBAL_TOKEN' | 'ZONE_TOKEN', string>;
  let sides: Record<'zk' | 'etcd' | 'consul', string>;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await configFolder();
    certificates = await makeCertificates();
    const { ca, cert, key } = certificates;
    const tls = { ca, cert, key, clientCertificates: true };
    [zookeeper, etcd, consul] = await Promise.all([
      startZooKeeper({ version: '3.8', tls }),
      startEtcd({ version: '3.5', tls }),
      startConsul({ version: '1.8', tls, acl: { managementToken: MANAGEMENT } }),
    ]);
    await etcd.ctl('user', 'add', `root:${SECRETS.ETCD_PASSWORD}`);
    await etcd.ctl('user', 'grant-role', 'root', 'root');
    await etcd.ctl('auth', 'enable');
    tokens = {
      GLOBAL_TOKEN: await consulToken('vitess/global'),
      ZONE_TOKEN: await consulToken('vitess/zone'),
    };
    env = { ...SECRETS, ...tokens };
    sides = {
      zk: side(`zk2://${zookeeper.servers}/vitess/global`, `username: vitess, password: "\${ZK_PASSWORD}"`),
      etcd: side(
        `etcd2://https://${etcd.servers}/vitess/global`,
        `username: root, password: {file: etcd-password}`,
      ),
      consul: side(
        `consul://${consul.endpoints[0]}/vitess/global`,
        `tokens: {global: "\${GLOBAL_TOKEN}", zone1: "\${ZONE_TOKEN}", zone2: "\${ZONE_TOKEN}"}`,
      ),
    };
    await folder.write('etcd-password', `${SECRETS.ETCD_PASSWORD}\n`);
    await plantInZooKeeper();
  }, 180_000);
  afterAll(async () => {
    await Promise.all([zookeeper, etcd, consul].map((server) => server?.stop()));
    if (certificates !== undefined) await removeFolder(certificates.folder);
    await folder.remove();
  });

  function side(address: string, auth: string): string {
    const { ca, cert, key } = certificates;
    return `\n  address: ${address}\n  tls: {ca: "${ca}", cert: "${cert}", key: "${key}"}\n  auth: {${auth}}\n`;
  }

  function migration(from: string, to: string, root: string): Promise<string> {
    return folder.write('topo2topo.yaml', `from:${from}to:${to}cells: {root: "${root}"}\n`);
  }

  /** A token that may use the keys below a prefix, and sessions. */
  function consulToken(prefix: string): Promise<string> {
    const rules = `key_prefix "${prefix}" { policy = "write" } session_prefix "" { policy = "write" }`;
    return makeToken(consul, MANAGEMENT, rules);
  }

  /** The sample topology, at a root that only the right user may read. */
  async function plantInZooKeeper(): Promise<void> {
    const owner = await connectOwnClient({
      servers: zookeeper.plainServers.split(','),
      auth: [{ scheme: 'digest', auth: `vitess:${SECRETS.ZK_PASSWORD}` }],
    });
    const acl = [{ perms: 31, scheme: 'auth', id: '' }];
    for (const path of ['/vitess', '/vitess/global', '/vitess/zone1', '/vitess/zone2'])
      await owner.create({ path, data: null, acl });
    await owner.close();
    const { from } = await plantSample();
    const text = `from: ${from}\nto:${sides.zk}cells: {root: "/vitess/{cell}"}\n`;
    const planted = await cli(['copy', '--config', await folder.write('plant.yaml', text)], env);
    if (planted.code !== 0) throw new Error(planted.err);
  }

  async function plantInConsul(): Promise<void> {
    const file = await migration(sides.zk, sides.consul, 'vitess/{cell}');
    const copied = await cli(['copy', '--config', file], env);
    if (copied.code !== 0) throw new Error(copied.err);
  }

  function hides(text: string): void {
    for (const secret of [...Object.values(SECRETS), ...Object.values(tokens), MANAGEMENT])
      expect(text).not.toContain(secret);
  }

  test('goes from ZooKeeper to etcd and on to Consul, each with its own login', async () => {
    const first = await migration(sides.zk, sides.etcd, '/vitess/{cell}');
    const copied = await cli(['copy', '--config', first, '--verify'], env);
    expect(copied).toMatchObject({ code: 0, err: PROGRESS_ALONE });
    const kept = await makeFolder();
    const second = await migration(sides.etcd, sides.consul, 'vitess/{cell}');
    const planned = await cli(['plan', '--config', second, '-o', join(kept, 'plan')], env);
    expect(planned).toMatchObject({ code: 0 });
    const journal = ['--journal', join(kept, 'journal')];
    const again = await cli(['copy', '--config', second, '--verify', ...journal], env);
    expect(again).toMatchObject({ code: 0, err: PROGRESS_ALONE });
    const certificate = ['--certificate', join(kept, 'certificate'), '--output', 'json'];
    const verified = await cli(['verify', '--config', second, ...certificate], env);
    expect(verified).toMatchObject({ code: 0 });
    hides(copied.out + again.out + planned.out + verified.out);
    hides((await cli(['config', 'check', second], env)).out);
    const files = readdirSync(kept);
    expect(files.sort()).toEqual(['certificate', 'journal', 'plan']);
    for (const file of files) hides(readFileSync(join(kept, file), 'utf8'));
    await removeFolder(kept);
  });

  test('a cell’s store is looked at as it is with the cell’s own token', async () => {
    await plantInConsul();
    const file = await folder.write('cells.yaml', `from:${sides.consul}`);
    const list = (...args: string[]) => cli(['ls', '--config', file, '--native', ...args], env);
    expect(await list('vitess/zone1/tablets', '--cell', 'zone1')).toMatchObject({
      code: 0,
      out: expect.stringContaining('zone1-'),
    });
    expect(await list('vitess/global')).toMatchObject({ code: 0, out: expect.stringContaining('keyspaces') });
    expect((await list('vitess/global', '--cell', 'zone1')).out).not.toContain('keyspaces');
  });

  test('a program that runs under a lock is given no secret as an argument', async () => {
    const file = await folder.write('program.yaml', `from:${sides.consul}`);
    const script = 'require("fs").writeFileSync(process.argv[1], process.argv.join("\\n"))';
    const kept = await makeFolder();
    const program = [process.execPath, '-e', script, join(kept, 'arguments')];
    const held = await cli(['locks', 'hold', '--config', file, '/keyspaces/commerce', '--', ...program], env);
    expect(held).toMatchObject({ code: 0 });
    hides(readFileSync(join(kept, 'arguments'), 'utf8'));
    await removeFolder(kept);
  });

  test.each(['zk', 'etcd', 'consul'] as const)(
    'locks are held and listed there: %s',
    { timeout: 90_000 },
    async (product) => {
      const file = await folder.write(`${product}.yaml`, `from:${sides[product]}`);
      const abort = new AbortController();
      let tell = () => {};
      const holds = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const held = cli(
        ['locks', 'hold', '--config', file, '/keyspaces/commerce', '--action', 'secured'],
        env,
        { signal: abort.signal, onOut: () => tell() },
      );
      // It may end without a word, which the exit code below tells of.
      await Promise.race([holds, held]);
      expect(await cli(['locks', 'list', '--config', file], env)).toMatchObject({
        err: '',
        out: expect.stringMatching(/keyspace commerce +holds +secured/),
      });
      abort.abort();
      expect(await held).toMatchObject({ code: 0 });
      expect((await cli(['locks', 'list', '--config', file], env)).out).toContain('no locks');
    },
  );

  const wrong: [product: 'zk' | 'etcd' | 'consul', env: Record<string, string>][] = [
    ['zk', { ZK_PASSWORD: 'm4rk3d-wrong' }],
    ['etcd', { TOPO2TOPO_ETCD_PASSWORD: 'm4rk3d-wrong' }],
    ['consul', { GLOBAL_TOKEN: '00000000-0000-4000-8000-6d61726b3364' }],
  ];
  test.each(wrong)('a wrong secret is refused, and no secret is shown: %s', async (product, replaced) => {
    const file = await folder.write('wrong.yaml', `from:${sides[product]}`);
    for (const more of [{}, { TOPO2TOPO_DEBUG: '1' }, { TOPO2TOPO_OUTPUT: 'json' }]) {
      const result = await cli(['ls', '--config', file, ...LIMIT], { ...env, ...replaced, ...more });
      expect(result.err).toMatch(/Unauthorized/);
      expect(result.code).toBe(3);
      const text = result.out + result.err;
      hides(text);
      for (const secret of Object.values(replaced)) expect(text).not.toContain(secret);
    }
  });

  test.each(['zk', 'etcd', 'consul'] as const)(
    'without our certificate nothing is read: %s',
    async (product) => {
      const bare = sides[product].replace(/, cert: .*"\}/, '}');
      expect(bare).not.toBe(sides[product]);
      const file = await folder.write('bare.yaml', `from:${bare}`);
      const { code, out, err } = await cli(['ls', '--config', file, ...LIMIT], env);
      expect(code).toBe(3);
      expect(out).toBe('');
      hides(err);
    },
  );
});
