import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeLockContents } from '../../src/topo/lock-contents.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { eventually } from '../conformance/tools.js';
import {
  available,
  type ConsulCluster,
  type EtcdCluster,
  startConsul,
  startEtcd,
  startZooKeeper,
} from '../servers/index.js';
import { cli } from '../support/cli.js';
import { withStore } from '../support/topologies.js';

const TOOL = fileURLToPath(new URL('./tool-process.ts', import.meta.url));
const LIMIT_MS = 90_000;
const PATIENCE_MS = 40_000;
const DIR = 'keyspaces/commerce/shards/0';
const CONTENTS = makeLockContents({
  action: 'EmergencyReparentShard',
  host: 'host-7',
  user: 'vitess',
  now: Date.now() - 3_700_000,
});
const LOCK_FLAGS = '3304740253564472344';

const started: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** Starts the tool as a process of its own. */
function tool(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', TOOL, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const says = (text: string) =>
    eventually(`the tool says ${text}`, async () => expect(output).toContain(text), PATIENCE_MS);
  return { child, ended, says, output: () => output };
}

async function plant(address: string): Promise<void> {
  await withStore(address, (store) => store.create(`${DIR}/Shard`, new Uint8Array()));
}

/** An orphan: found and named, broken only when asked to, then gone. */
async function findAndBreak(address: string): Promise<void> {
  const list = await cli(['locks', 'list', address]);
  expect(list.out).toMatch(
    /shard commerce\/0 +orphan +EmergencyReparentShard +host-7 +vitess +1h0\dm +for ever/,
  );
  expect(list.out).toContain('stops what needs the lock, failovers too');
  expect(list.code).toBe(1);
  expect((await cli(['locks', 'break', address, 'commerce/0'])).code).toBe(4);
  expect(await cli(['locks', 'break', address, 'commerce/0', '--yes'])).toMatchObject({ code: 0, err: '' });
  expect(await cli(['locks', 'list', address])).toMatchObject({
    code: 0,
    out: expect.stringContaining('no locks'),
  });
}

describe.runIf(available.etcd('3.5'))('locks of etcd', () => {
  let etcd: EtcdCluster;
  let address: string;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.5' });
    address = `etcd2://${etcd.servers}/vitess/global`;
    await plant(address);
  });
  afterAll(() => etcd?.stop());

  const lockKeys = () => etcd.ctl('get', '--prefix', `/vitess/global/${DIR}/locks/`, '--keys-only');

  test('a process that holds one gives it back on an interrupt, and exits with 0', {
    timeout: LIMIT_MS,
  }, async () => {
    const { child, ended, says } = tool('locks', 'hold', address, 'commerce/0');
    await says('Ctrl-C gives it back');
    expect(await lockKeys()).toContain('/locks/');
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(await lockKeys()).toBe('');
  });

  test('a program under one is ended with it', { timeout: LIMIT_MS }, async () => {
    const program = ['--', process.execPath, '-e', 'console.log("at work"); setInterval(() => {}, 1000)'];
    const { child, ended, says, output } = tool('locks', 'hold', address, 'commerce/0', ...program);
    await says('at work');
    expect(output()).toContain('holding the lock');
    child.kill('SIGTERM');
    expect(await ended).toBe(128 + 15);
    expect(await lockKeys()).toBe('');
  });

  test('a killed process leaves one that says how long it will stay', { timeout: LIMIT_MS }, async () => {
    const { child, ended, says } = tool(
      'locks',
      'hold',
      address,
      'commerce/0',
      '--topo_etcd_lease_ttl',
      '600',
    );
    await says('Ctrl-C gives it back');
    child.kill('SIGKILL');
    await ended;
    expect((await cli(['locks', 'list', address])).out).toMatch(
      /shard commerce\/0 +holds .* (9m\d\ds|10m00s)/,
    );
    const args = ['locks', 'break', address, 'commerce/0', '--yes'];
    expect(await cli(args)).toMatchObject({ code: 4, err: expect.stringContaining('--even-if-alive') });
    expect((await cli([...args, '--even-if-alive'])).code).toBe(0);
    expect(await lockKeys()).toBe('');
  });

  test('an orphan is found and broken', async () => {
    await etcd.ctl('put', `/vitess/global/${DIR}/locks/77`, CONTENTS);
    await findAndBreak(address);
    expect(await lockKeys()).toBe('');
  });
});

describe.runIf(available.zookeeper('3.8'))('locks of ZooKeeper', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let address: string;
  beforeAll(async () => {
    zookeeper = await startZooKeeper({ version: '3.8' });
    address = `zk2://${zookeeper.servers}/vitess/global`;
    await plant(address);
  });
  afterAll(() => zookeeper?.stop());

  test('what is orphaned is found and broken, an empty directory too', async () => {
    const client = await connectOwnClient({ servers: [zookeeper.servers] });
    const open = [{ perms: 31, scheme: 'world', id: 'anyone' }];
    const locks = `/vitess/global/${DIR}/locks`;
    try {
      await client.create({ path: locks, data: null, acl: open });
      expect((await cli(['locks', 'list', address])).out).toMatch(
        /shard commerce\/0 +orphan +an empty directory/,
      );
      expect(await cli(['locks', 'break', address, 'commerce/0', '--yes'])).toMatchObject({
        code: 0,
        err: '',
      });
      expect((await client.exists(locks)).stat).toBeUndefined();
      await client.create({ path: locks, data: null, acl: open });
      await client.create({ path: `${locks}/0000000003`, data: Buffer.from(CONTENTS), acl: open });
      await findAndBreak(address);
      expect((await client.exists(locks)).stat).toBeUndefined();
    } finally {
      await client.close();
    }
  });
});

describe.runIf(available.consul('1.8'))('locks of Consul', () => {
  let consul: ConsulCluster;
  let address: string;
  beforeAll(async () => {
    consul = await startConsul({ version: '1.8' });
    address = `consul://${consul.servers}/vitess/global`;
    await plant(address);
  });
  afterAll(() => consul?.stop());

  test('the key that a dead session left behind is found and broken', async () => {
    const key = `${consul.apis[0]}/v1/kv/vitess/global/${DIR}/Lock`;
    const signal = AbortSignal.timeout(20_000);
    const put = await fetch(`${key}?flags=${LOCK_FLAGS}`, { method: 'PUT', body: CONTENTS, signal });
    expect(await put.json()).toBe(true);
    await findAndBreak(address);
    expect((await fetch(key, { signal })).status).toBe(404);
  });

  test('what a candidate leaves behind when it stops, as Vitess’s do, is no orphan: the next one leads at once', async () => {
    const path = 'elections/vtctld';
    const signal = AbortSignal.timeout(20_000);
    const ask = async (request: string, body = ''): Promise<unknown> => {
      const answer = await fetch(`${consul.apis[0]}/v1/${request}`, { method: 'PUT', body, signal });
      return answer.json();
    };
    const { ID } = (await ask('session/create', '{"TTL":"600s","LockDelay":"1ms"}')) as { ID: string };
    const kv = `kv/vitess/global/${path}?flags=${LOCK_FLAGS}`;
    expect(await ask(`${kv}&acquire=${ID}`, 'host-7:15000')).toBe(true);
    expect((await cli(['locks', 'list', address])).out).toMatch(/election vtctld +leads +host-7:15000/);
    expect(await ask(`${kv}&release=${ID}`, 'host-7:15000')).toBe(true);
    expect(await cli(['locks', 'list', address])).toMatchObject({
      code: 0,
      out: expect.stringContaining('no locks and no elections'),
    });
    expect(await cli(['locks', 'break', address, path, '--yes'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('nobody holds'),
    });
    await withStore(address, async (store) => (await store.campaign('vtctld', 'host-8')).unlock());
  });
});
