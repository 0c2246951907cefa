import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ZkCode, type ZooKeeperClient, type ZooKeeperSettings } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { connectPackageReads } from '../../src/zookeeper/package-reads.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { nativeClientBuilt } from '../support/native.js';
import { closingConnect, whileZooKeeperRuns } from './clients.js';
import { isReader, readersOf } from './reader-processes.js';
import { eventually, failure, OPEN, uniquePath } from './support.js';

const PARENT = join(import.meta.dirname, 'reader-parent.ts');
const notes: string[] = [];
afterEach(() => {
  notes.length = 0;
});

function connectReading(settings: ZooKeeperSettings): Promise<ZooKeeperClient> {
  return connectPackageReads(settings, { required: true, onNote: (text) => notes.push(text) });
}

/** The process that reads for this one. */
function reader(): number {
  const [pid, ...more] = readersOf(process.pid);
  if (pid === undefined || more.length > 0) throw new Error('one process reads');
  return pid;
}

const noReader = (): Promise<true> => eventually(() => readersOf(process.pid).length === 0);

/** Makes a directory of nodes, each with its number as data. */
async function plantMany(client: ZooKeeperClient, count: number): Promise<string> {
  const base = uniquePath();
  await client.create({ path: base, data: null, acl: OPEN });
  for (let from = 0; from < count; from += 500)
    await client.multi(
      Array.from({ length: Math.min(500, count - from) }, (_, i) => ({
        type: 'create' as const,
        path: `${base}/${from + i}`,
        data: Buffer.from(String(from + i)),
        acl: OPEN,
      })),
    );
  return base;
}

/** The numbers of such a directory, as reads of a few hundred at a time find them, or single ones as many at a time. */
async function readMany(
  client: ZooKeeperClient,
  base: string,
  count: number,
  how: 'many' | 'single' = 'many',
): Promise<string[]> {
  const found: string[][] = [];
  const work = async (from: number): Promise<void> => {
    for (let at = from; at < count; at += 4 * 250) {
      const paths = Array.from({ length: Math.min(250, count - at) }, (_, i) => `${base}/${at + i}`);
      if (how === 'single') {
        const answers = await Promise.all(paths.map((path) => client.getData(path)));
        found[at / 250] = answers.map(({ data }) => String(data));
        continue;
      }
      const { results } = await client.multiRead(paths.map((path) => ({ type: 'getData' as const, path })));
      found[at / 250] = results.map((each) => (each.type === 'getData' ? String(each.data) : each.type));
    }
  };
  await Promise.all([0, 250, 500, 750].map(work));
  return found.flat();
}

describe.runIf(nativeClientBuilt())('reading through the package', () => {
  // Before 3.6 a scan goes through the package, too.
  describe.runIf(available.zookeeper('3.4'))('with one server of 3.4', () => {
    const server = whileZooKeeperRuns(() => ({ version: '3.4', config: { tickTime: '500' } }));
    const connect = closingConnect(connectReading, () => server().servers);
    const connectWriter = closingConnect(connectOwnClient, () => server().servers);
    afterEach(() => server().restore());

    it('tells no data from empty data, and gives the Stat to the last number', async () => {
      const [client, writer] = [await connect(), await connectWriter()];
      const path = uniquePath();
      await writer.create({ path, data: null, acl: OPEN });
      await writer.create({ path: `${path}/empty`, data: Buffer.alloc(0), acl: OPEN });
      await writer.create({ path: `${path}/mine`, data: Buffer.from('v'), acl: OPEN, mode: 1 });
      for (const each of [path, `${path}/empty`, `${path}/mine`]) {
        const { data, stat } = await client.getData(each);
        expect(stat).toEqual((await client.exists(each)).stat);
        expect(data).toEqual(each === path ? null : Buffer.from(each.endsWith('mine') ? 'v' : ''));
      }
      expect((await client.getData(`${path}/mine`)).stat.ephemeralOwner).toBe(writer.sessionId);
      const { children, stat } = await client.getChildren(path);
      expect([children.sort(), stat]).toEqual([['empty', 'mine'], (await client.exists(path)).stat]);
    });

    it('is done by one process, whose arguments and environment hold no secret', async () => {
      const auth = [{ scheme: 'digest', auth: 'user:not-to-be-seen' }];
      process.env['TOPO2TOPO_ZK_AUTH'] = 'digest:user:not-to-be-seen';
      try {
        const [first] = [await connect({ auth }), await connect({ auth }), await connect()];
        const path = uniquePath();
        await first.create({ path, data: Buffer.from('v'), acl: [{ perms: 31, scheme: 'auth', id: '' }] });
        expect(String((await first.getData(path)).data)).toBe('v');
        for (const file of ['cmdline', 'environ'])
          expect(readFileSync(`/proc/${reader()}/${file}`, 'utf8')).not.toContain('not-to-be-seen');
      } finally {
        delete process.env['TOPO2TOPO_ZK_AUTH'];
      }
    });

    it('gives the process that is killed amid reads nothing to lose: the own client reads on, and says so once', async () => {
      const client = await connect();
      const other = await connect();
      const base = await plantMany(await connectWriter(), 20_000);
      expect((await client.multiRead([{ type: 'getData', path: base }])).zxid).toBe(0n);
      const reading = readMany(client, base, 20_000);
      await client.getData(base);
      process.kill(reader(), 'SIGKILL');
      expect(await reading).toEqual(Array.from({ length: 20_000 }, (_, i) => String(i)));
      expect((await other.getData(base)).data).toBeNull();
      expect(notes).toEqual([expect.stringContaining('has died'), expect.stringContaining('has died')]);
      await noReader();
      expect((await client.getData(`${base}/7`)).data).toEqual(Buffer.from('7'));
      expect(notes).toHaveLength(2);
    });

    it('is given up where the process is silent and the servers are not', async () => {
      const client = await connect({ requestTimeoutMs: 1_000 });
      await client.getData('/');
      process.kill(reader(), 'SIGSTOP');
      expect((await client.getData('/')).stat.numChildren).toBeGreaterThan(0);
      expect(notes).toEqual([expect.stringContaining('no answer of the package in time')]);
      await noReader();
    });

    it('ends in the errors of the own client while the server is gone, and goes on when it is back', async () => {
      const client = await connect({ sessionTimeoutMs: 20_000 });
      await client.getData('/');
      await server().kill();
      await eventually(() =>
        client.getData('/', { timeoutMs: 300 }).then(
          () => false,
          ({ code }) => code === ZkCode.ConnectionLoss,
        ),
      );
      await server().restart();
      await eventually(() =>
        client.getData('/').then(
          () => true,
          () => false,
        ),
      );
      expect(await failure(client.getData('/nothing'))).toMatchObject({ code: ZkCode.NoNode });
    });

    it('ends with its last client', async () => {
      const [first, second] = [await connect(), await connect()];
      const pid = reader();
      await first.close();
      expect((await second.getData('/zookeeper')).stat.numChildren).toBeGreaterThan(0);
      expect(isReader(pid)).toBe(true);
      await second.close();
      expect(isReader(pid)).toBe(false);
    });

    it.each(['close', 'kill'])('leaves no process behind (%s)', async (how) => {
      const child = spawn(process.execPath, ['--import', 'tsx', PARENT, server().servers, how], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = await once(child.stdout, 'data');
      const [pid] = JSON.parse(String(line)) as [number];
      expect(pid).toBeGreaterThan(0);
      if (how === 'kill') child.kill('SIGKILL');
      const [code, signal] = await once(child, 'exit');
      expect([code, signal]).toEqual(how === 'kill' ? [null, 'SIGKILL'] : [0, null]);
      await eventually(() => !isReader(pid));
    });

    it('is done by the own client where the package is not installed', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
      try {
        await cp(join(import.meta.dirname, '../../src/zookeeper'), join(folder, 'zookeeper'), {
          recursive: true,
        });
        await writeFile(join(folder, 'package.json'), '{"type":"module"}');
        await writeFile(
          join(folder, 'try.ts'),
          `import { connectOwnClient } from '../../src/zookeeper/own.js';
import { connectPackageReads } from './zookeeper/package-reads.js';
          const settings = { servers: [process.argv[2]] };
          const client = await connectPackageReads(settings, { required: false, onNote: console.log });
          console.log((await client.getData('/')).stat.version);
          await client.close();
          await connectPackageReads(settings, { required: true }).catch((error) => console.log(error.code));`,
        );
        const args = [
          '--import',
          pathToFileURL(join(import.meta.dirname, '../../node_modules/tsx/dist/loader.mjs')).href,
          join(folder, 'try.ts'),
          server().servers,
        ];
        const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
        expect(stdout).toBe(`0\n${ZkCode.Unsupported}\n`);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  describe.runIf(available.zookeeper('3.8'))('with an ensemble of three', () => {
    let ensemble: Cluster;
    beforeAll(async () => {
      ensemble = await startZooKeeper({ version: '3.8', members: 3, config: { tickTime: '500' } });
    });
    afterAll(() => ensemble?.stop());
    const connect = closingConnect(connectReading, () => ensemble.servers);
    const connectWriter = closingConnect(connectOwnClient, () => ensemble.servers);

    it('is done where it was written from the first write on', async () => {
      const client = await connect();
      const path = uniquePath();
      await client.getData('/');
      await client.create({ path, data: Buffer.from('0'), acl: OPEN });
      for (let n = 1; n <= 200; n++) {
        const { stat } = await client.setData(path, Buffer.from(String(n)), -1);
        const read = await client.getData(path);
        expect([String(read.data), read.stat.mzxid]).toEqual([String(n), stat.mzxid]);
      }
      // The own client tells the zxids of its answers, the package does not.
      expect((await client.getData('/')).zxid).not.toBe(0n);
      expect((await (await connect()).getData('/')).zxid).toBe(0n);
    });

    it('is done by the own client where many reads are one request', async () => {
      const client = await connect();
      expect((await client.getData('/')).zxid).toBe(0n);
      const { results, zxid } = await client.multiRead([{ type: 'getData', path: '/' }]);
      expect(results).toMatchObject([{ type: 'getData' }]);
      expect(zxid).not.toBe(0n);
      expect((await client.getData('/')).zxid).toBe(0n);
    });

    it('never sees less than was seen before it, whichever servers the two sessions are at', async () => {
      for (let round = 0; round < 4; round++) {
        const client = await connect();
        const path = uniquePath();
        const other = await connectWriter();
        await other.create({ path, data: Buffer.from('0'), acl: OPEN });
        for (let n = 0; n < 50; n++) {
          await other.setData(path, Buffer.from('other'), -1);
          // Whoever of the two has seen more, the other one does not tell less.
          const seen = (await client.getData(path)).stat.version;
          const asked = (await client.exists(path)).stat?.version ?? -1;
          expect(asked).toBeGreaterThanOrEqual(seen);
          const [scanned] = (await client.multiRead([{ type: 'getData', path }])).results;
          expect(scanned?.type === 'getData' && scanned.stat.version).toBeGreaterThanOrEqual(asked);
          await client.sync('/');
          expect((await client.getData(path)).stat.version).toBe(n + 1);
        }
      }
    });

    it('goes on when a member goes away under it', async () => {
      const client = await connect({ sessionTimeoutMs: 4_000 });
      const base = await plantMany(await connectWriter(), 1_000);
      for (const member of ensemble.members) {
        await member.kill();
        await eventually(
          () =>
            readMany(client, base, 1_000, 'single').then(
              (found) => found.length === 1_000,
              () => false,
            ),
          60_000,
        );
        await member.restart();
      }
      expect(await readMany(client, base, 1_000, 'single')).toEqual(
        Array.from({ length: 1_000 }, (_, i) => String(i)),
      );
    }, 180_000);
  });
});
