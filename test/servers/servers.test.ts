import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  available,
  type Cluster,
  CONSUL_VERSIONS,
  ETCD_VERSIONS,
  fourLetterWord,
  makeCertificates,
  removeFolder,
  startConsul,
  startEtcd,
  startZooKeeper,
  ZOOKEEPER_VERSIONS,
} from './index.js';

const started: Cluster[] = [];
afterAll(() => Promise.all(started.map((cluster) => cluster.stop())));

async function keep<T extends Cluster>(starting: Promise<T>): Promise<T> {
  const cluster = await starting;
  started.push(cluster);
  return cluster;
}

const field = (answer: string, name: string): string => new RegExp(`${name}: (.*)`).exec(answer)?.[1] ?? '';

/** Creates a znode with the fewest bytes that the protocol takes: a session, then one request. */
async function createNode(address: string, path: string): Promise<void> {
  const frame = (...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    return Buffer.concat([int(body.length), body]);
  };
  const int = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const string = (text: string): Buffer => Buffer.concat([int(text.length), Buffer.from(text)]);
  const openAcl = [int(1), int(31), string('world'), string('anyone')];
  const [host, port] = address.split(':');
  const socket = connect({ host: host ?? '', port: Number(port) });
  socket.write(frame(int(0), Buffer.alloc(8), int(10_000), Buffer.alloc(8), int(16), Buffer.alloc(16)));
  await once(socket, 'data');
  socket.write(frame(int(1), int(1), string(path), string('data'), ...openAcl, int(0)));
  await once(socket, 'data');
  socket.destroy();
}

describe.each(ZOOKEEPER_VERSIONS)('ZooKeeper %s', (version) => {
  describe.runIf(available.zookeeper(version))('as a test server', () => {
    test('starts, says its version, holds still when frozen, and keeps its data over a restart', async () => {
      const cluster = await keep(startZooKeeper({ version }));
      const { address } = cluster.member;
      const nodes = async (): Promise<number> =>
        Number(field(await fourLetterWord(address, 'srvr'), 'Node count'));
      expect(cluster.version.startsWith(`${version}.`)).toBe(true);
      expect(await fourLetterWord(address, 'srvr')).toContain(`version: ${cluster.version}`);

      const before = await nodes();
      await createNode(address, '/kept');
      expect(await nodes()).toBe(before + 1);

      cluster.freeze();
      await expect(fourLetterWord(address, 'srvr')).rejects.toThrow('did not answer');
      cluster.thaw();
      expect(await nodes()).toBe(before + 1);

      const pid = cluster.member.pid();
      await cluster.member.kill();
      expect(cluster.member.pid()).toBeUndefined();
      await expect(fourLetterWord(address, 'srvr')).rejects.toThrow('ECONNREFUSED');
      await cluster.restart();
      expect(cluster.member.pid()).not.toBe(pid);
      expect(await nodes()).toBe(before + 1);
    });

    test('forms an ensemble of three that has one leader and lives on when a member is killed', async () => {
      const cluster = await keep(startZooKeeper({ version, members: 3 }));
      const modes = await Promise.all(
        cluster.members.map(async ({ address }) => field(await fourLetterWord(address, 'srvr'), 'Mode')),
      );
      expect(modes.sort()).toEqual(['follower', 'follower', 'leader']);
      await cluster.member.kill();
      await cluster.member.restart();
      expect(field(await fourLetterWord(cluster.member.address, 'srvr'), 'Mode')).not.toBe('');
    });
  });
});

describe.each(ETCD_VERSIONS)('etcd %s', (version) => {
  describe.runIf(available.etcd(version))('as a test server', () => {
    test('starts, says its version, holds still when frozen, and keeps its data over a restart', async () => {
      const cluster = await keep(startEtcd({ version }));
      expect(cluster.version.startsWith(`${version}.`)).toBe(true);
      const reply = await fetch(`${cluster.endpoints[0]}/version`);
      expect(await reply.json()).toMatchObject({ etcdserver: cluster.version });
      await cluster.ctl('put', 'key', 'kept');

      cluster.freeze();
      const asked = fetch(`${cluster.endpoints[0]}/version`, { signal: AbortSignal.timeout(500) });
      await expect(asked).rejects.toThrow('timeout');
      cluster.thaw();
      expect(await cluster.ctl('get', 'key', '--print-value-only')).toBe('kept\n');

      await cluster.kill();
      await cluster.restart();
      expect(await cluster.ctl('get', 'key', '--print-value-only')).toBe('kept\n');
    });

    test('forms a cluster of three that goes on without one', async () => {
      const cluster = await keep(startEtcd({ version, members: 3 }));
      const list = await cluster.ctl('member', 'list');
      expect(list.trim().split('\n')).toHaveLength(3);
      await cluster.member.kill();
      await expect
        .poll(() => cluster.ctl('put', 'key', 'value').catch(() => ''), { timeout: 15_000 })
        .toBe('OK\n');
      await cluster.member.restart();
      expect(await cluster.ctl('get', 'key', '--print-value-only')).toBe('value\n');
    });

    test.runIf(available.certificates())('serves TLS to clients that show a certificate', async () => {
      const tls = await makeCertificates();
      const cluster = await keep(startEtcd({ version, tls: { ...tls, clientCertificates: true } }));
      expect(await cluster.ctl('put', 'key', 'value')).toBe('OK\n');
      await removeFolder(tls.folder);
    });
  });
});

describe.each(CONSUL_VERSIONS)('Consul %s', (version) => {
  test.runIf(available.consul(version))(
    'starts, says its version, and keeps its data over a restart',
    async () => {
      const cluster = await keep(startConsul({ version }));
      const [endpoint] = cluster.endpoints;
      const self: unknown = await (await fetch(`${endpoint}/v1/agent/self`)).json();
      expect(self).toHaveProperty('Config.Version', expect.stringContaining(cluster.version));
      await fetch(`${endpoint}/v1/kv/key`, { method: 'PUT', body: 'kept' });
      await cluster.restart();
      expect(await (await fetch(`${endpoint}/v1/kv/key?raw`)).text()).toBe('kept');
    },
  );
});

describe('a server that its test leaves behind', () => {
  test.runIf(available.etcd('3.4'))('is killed, even when frozen, and its data deleted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'topo2topo-abandoned-'));
    const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'abandon.ts')], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const pid = Number(String(line));
    expect(process.kill(pid, 0)).toBe(true);
    const leftovers = async (): Promise<string[]> =>
      (await readdir(folder)).filter((name) => name.startsWith('topo2topo-server-'));
    expect(await leftovers()).toHaveLength(1);

    child.kill('SIGKILL');
    await expect.poll(leftovers, { timeout: 10_000 }).toEqual([]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await rm(folder, { recursive: true, force: true });
  });

  test.runIf(available.zookeeper('3.8'))('that does not start says why', async () => {
    const config = { dataDir: '/proc/no/such/folder' };
    await expect(startZooKeeper({ version: '3.8', config })).rejects.toThrow(/ended \(exit \d+\)[\s\S]*proc/);
  });
});
