import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type WatchSignal,
  ZkCode,
  type ZooKeeperClient,
  type ZooKeeperError,
} from '../../src/zookeeper/client.js';
import { available, type Cluster, fourLetterWord, type Member, startZooKeeper } from '../servers/index.js';
import { NATIVE_FAULTS } from '../support/native.js';
import { loudSkip } from '../support/notices.js';
import { CLIENTS, closingConnect } from './clients.js';
import { eventually, failure, OPEN, uniquePath } from './support.js';
import { endSessionOf } from './takeover.js';

/** The addon can abort the whole process when its servers go away: TOPO2TOPO_NATIVE_FAULTS=1 runs its part all the same. */
const native = process.env['TOPO2TOPO_NATIVE_FAULTS'] === '1';
if (!native) loudSkip(NATIVE_FAULTS);
const TESTED = CLIENTS.filter(({ name }) => name === 'own' || (name === 'native' && native));

/** Short ticks, so that sessions of one second are allowed. */
const CONFIG = { tickTime: '500' };

/** The member that a client is connected to. */
function memberOf(cluster: Cluster, client: ZooKeeperClient): Promise<Member> {
  const sid = `sid=0x${BigInt.asUintN(64, client.sessionId).toString(16)},`;
  return eventually(async () => {
    for (const member of cluster.members) {
      const connections = await fourLetterWord(member.address, 'cons').catch(() => '');
      if (connections.includes(sid)) return member;
    }
    return undefined;
  });
}

/** Creates nodes, `workers` at a time, until told to stop. */
function createWithoutPause(client: ZooKeeperClient, base: string, workers: number) {
  const written: string[] = [];
  const failures: unknown[] = [];
  let stopped = false;
  let longestPause = 0;
  let last = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    while (!stopped) {
      const path = `${base}/${next++}`;
      try {
        await client.create({ path, data: null, acl: OPEN });
        written.push(path);
        longestPause = Math.max(longestPause, performance.now() - last);
        last = performance.now();
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const all = Array.from({ length: workers }, work);
  return {
    written,
    failures,
    longestPause: () => longestPause,
    stop: async () => {
      stopped = true;
      await Promise.all(all);
    },
  };
}

describe.runIf(available.zookeeper('3.8')).each(TESTED)(
  'the $name client',
  ({ name, connect: connectClient, built }) => {
    describe.runIf(built)('with one server', () => {
      let server: Cluster;
      beforeAll(async () => {
        server = await startZooKeeper({ version: '3.8', config: CONFIG });
      });
      afterAll(() => server?.stop());
      afterEach(() => server.restore());
      const connect = closingConnect(connectClient, () => server.servers);

      it('finds a restarted server again, in the same session; calls in flight fail, watches are lost', async () => {
        const client = await connect({ sessionTimeoutMs: 10_000 });
        const path = uniquePath();
        await client.create({ path, data: Buffer.from('v'), acl: OPEN });
        const signals: WatchSignal[] = [];
        await client.getData(path, { watcher: (signal) => signals.push(signal) });
        const session = client.sessionId;
        server.freeze();
        const calls = Array.from({ length: 20 }, () => client.getData(path));
        const failed = Promise.all(calls.map(failure));
        await new Promise((resolve) => setTimeout(resolve, 50));
        await server.kill();
        for (const error of await failed)
          expect(error).toMatchObject({ code: ZkCode.ConnectionLoss, sent: true });
        const meanwhile = client.getData(path);
        await server.restart();
        expect((await meanwhile).data?.toString()).toBe('v');
        expect(client.sessionId).toBe(session);
        expect(signals).toEqual(['lost']);
      });

      it('fails calls made while the server is down when their time is up, unsent', async () => {
        const client = await connect();
        await server.kill();
        try {
          // Until the client has noticed, a call goes to a connection that is broken already.
          const read = () => failure(client.getData('/', { timeoutMs: 300 }));
          const noticed = ({ code, sent }: ZooKeeperError): boolean =>
            code === ZkCode.ConnectionLoss && !sent;
          for (let error = await read(), tries = 1; !noticed(error) && tries < 20; tries++)
            error = await read();
          expect(await failure(client.setData('/', null, -1, { timeoutMs: 200 }))).toMatchObject({
            code: ZkCode.ConnectionLoss,
            sent: false,
          });
        } finally {
          await server.restart();
        }
        expect((await client.exists('/')).stat).toBeDefined();
      });

      it('notices that the server is frozen within the session time-out, and goes on when it thaws', async () => {
        const client = await connect({ sessionTimeoutMs: 1_500 });
        await client.exists('/');
        server.freeze();
        const start = performance.now();
        const error = await failure(client.exists('/'));
        const silence = performance.now() - start;
        server.thaw();
        expect(error).toMatchObject({ code: ZkCode.ConnectionLoss, sent: true });
        expect(silence).toBeLessThan(5_000);
        expect((await client.exists('/')).stat).toBeDefined();
      });

      it('ends a call at its deadline while the server is frozen, and drops the late answer', async () => {
        const client = await connect();
        server.freeze();
        const error = await failure(client.exists('/', { timeoutMs: 150 }));
        server.thaw();
        expect(error).toMatchObject({ code: ZkCode.OperationTimeout, sent: true });
        expect((await client.getData('/zookeeper')).stat.numChildren).toBeGreaterThan(0);
      });

      it('begins a new session when its own has expired; ephemeral nodes are gone, watches are lost', async () => {
        const client = await connectClient({ servers: [server.servers] });
        try {
          const path = uniquePath();
          await client.create({ path, data: null, acl: OPEN, mode: 1 });
          const signals: WatchSignal[] = [];
          await client.getData(path, { watcher: (signal) => signals.push(signal) });
          const before = client.sessionId;
          await endSessionOf(server.servers, client.session);
          await eventually(async () => {
            const outcome = await client.exists(path, { timeoutMs: 2_000 }).catch(() => undefined);
            return outcome !== undefined && outcome.stat === undefined;
          });
          expect(client.sessionId).not.toBe(before);
          expect(signals).toHaveLength(1);
          await client.create({ path, data: null, acl: OPEN, mode: 1 });
          expect((await client.exists(path)).stat?.ephemeralOwner).toBe(client.sessionId);
        } finally {
          await client.close();
        }
      });

      it('sends its credentials again after a reconnect and in a new session', async () => {
        const auth = [{ scheme: 'digest', auth: 'user:pass' }];
        const client = await connectClient({ servers: [server.servers], auth });
        try {
          const path = uniquePath();
          const mine = [{ perms: 31, scheme: 'auth', id: '' }];
          await client.create({ path, data: Buffer.from('v'), acl: mine });
          await server.restart();
          expect((await client.getData(path)).data?.toString()).toBe('v');
          const before = client.sessionId;
          await endSessionOf(server.servers, client.session);
          await eventually(() =>
            client.exists(path, { timeoutMs: 2_000 }).then(
              () => client.sessionId !== before,
              () => false,
            ),
          );
          expect((await client.getData(path)).data?.toString()).toBe('v');
        } finally {
          await client.close();
        }
      });

      it('gives up a frozen server at the connect after connectTimeoutMs', async () => {
        server.freeze();
        const start = performance.now();
        const error = await failure(connect({ connectTimeoutMs: 400 }));
        server.thaw();
        expect(error.code).toBe(ZkCode.ConnectionLoss);
        expect(error.message).toContain(server.servers);
        expect(performance.now() - start).toBeLessThan(10_000);
      });

      it('names an address where nobody listens, and a name that does not resolve', async () => {
        const refused = await failure(connect({ servers: ['127.0.0.1:1'] }));
        expect(refused.code).toBe(ZkCode.ConnectionLoss);
        expect(refused.message).toContain('127.0.0.1:1: nobody listens there');
        const unknown = await failure(
          connect({ servers: ['no-such-host.invalid:1'], connectTimeoutMs: 5_000 }),
        );
        expect(unknown.code).toBe(ZkCode.ConnectionLoss);
        expect(unknown.message).toContain('no-such-host.invalid:1');
      });

      it('lets the process end once it is closed', async () => {
        const module = name === 'own' ? 'own.ts' : 'native.ts';
        const connectName = name === 'own' ? 'connectOwnClient' : 'connectNativeClient';
        const path = join(import.meta.dirname, '../../src/zookeeper', module);
        const script = `
        const { ${connectName}: connect } = await import(${JSON.stringify(path)});
        const client = await connect({ servers: [${JSON.stringify(server.servers)}] });
        await client.exists('/');
        await client.close();
        process.stdout.write('closed');`;
        const args = ['--import', 'tsx', '--input-type=module', '-e', script];
        const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
        expect(stdout).toBe('closed');
      });
    });

    describe.runIf(built)('with an ensemble of three', () => {
      let ensemble: Cluster;
      beforeAll(async () => {
        ensemble = await startZooKeeper({ version: '3.8', members: 3, config: CONFIG });
      });
      afterAll(() => ensemble?.stop());
      afterEach(() => ensemble.restore());
      const connect = closingConnect(connectClient, () => ensemble.servers);

      /** A client whose member leads, or one whose member follows. Which member a client takes is chance. */
      const connectToA = async (
        role: 'leader' | 'follower',
        sessionTimeoutMs: number,
      ): Promise<{ client: ZooKeeperClient; member: Member }> => {
        for (let attempt = 0; attempt < 100; attempt++) {
          const client = await connect({ sessionTimeoutMs, requestTimeoutMs: 60_000 });
          const member = await memberOf(ensemble, client);
          if ((await fourLetterWord(member.address, 'srvr')).includes(`Mode: ${role}`))
            return { client, member };
          await client.close();
        }
        throw new Error(`no client was given a ${role}`);
      };

      it.each([
        // How long an election takes is not the client's affair: several seconds on a busy machine.
        ['a leader', 'killed', 50_000],
        ['a follower', 'killed', 20_000],
        ['a follower', 'frozen', 20_000],
      ] as const)(
        'moves on when its member, %s, is %s under load, in the same session',
        async (who, what, limitMs) => {
          const { client, member } = await connectToA(who === 'a leader' ? 'leader' : 'follower', 4_000);
          const base = uniquePath();
          await client.create({ path: base, data: null, acl: OPEN });
          const session = client.sessionId;
          const load = createWithoutPause(client, base, 64);
          await eventually(() => load.written.length > 500);
          if (what === 'killed') await member.kill();
          else member.freeze();
          const before = load.written.length;
          await eventually(() => load.written.length > before + 500, 55_000);
          await load.stop();
          const moved = await memberOf(ensemble, client);
          if (what === 'killed') await member.restart();
          else member.thaw();

          expect(client.sessionId).toBe(session);
          expect(load.failures.length).toBeGreaterThan(0);
          expect(load.failures.length).toBeLessThan(500);
          for (const error of load.failures)
            expect(error).toMatchObject({ code: ZkCode.ConnectionLoss, sent: true });
          expect(load.longestPause()).toBeLessThan(limitMs);
          expect(moved.address).not.toBe(member.address);
          await client.sync(base);
          const { children } = await client.getChildren(base);
          const present = new Set(children.map((child) => `${base}/${child}`));
          expect(load.written.filter((path) => !present.has(path))).toEqual([]);
        },
        90_000,
      );

      it('says that no server could be reached when there is no quorum, and connects when there is one again', async () => {
        const [first, second] = ensemble.members;
        await first?.kill();
        second?.freeze();
        const error = await failure(connect({ connectTimeoutMs: 1_500 }));
        second?.thaw();
        await first?.restart();
        expect(error.code).toBe(ZkCode.ConnectionLoss);
        await eventually(
          () =>
            connect().then(
              () => true,
              () => false,
            ),
          20_000,
        );
      });

      it('stores a value of the largest request on all members', async () => {
        const client = await connect();
        const path = uniquePath();
        await client.create({ path, data: null, acl: OPEN });
        const data = Buffer.alloc(client.maxRequestBytes - 20 - path.length, 5);
        await client.setData(path, data, -1);
        for (const { address } of ensemble.members) {
          const other = await connect({ servers: [address] });
          await other.sync(path);
          expect((await other.getData(path)).data?.equals(data)).toBe(true);
        }
      });

      it('is spread over the members by chance', async () => {
        const values = [0.1, 0.5, 0.9, 0.9, 0.1, 0.5, 0.5, 0.9, 0.1];
        let next = 0;
        const addresses = new Set<string>();
        for (let i = 0; i < 3; i++) {
          const client = await connect({ random: () => values[next++ % values.length] ?? 0 });
          addresses.add((await memberOf(ensemble, client)).address);
        }
        if (name === 'own') expect(addresses.size).toBe(3);
        else expect(addresses.size).toBeGreaterThan(0);
      });
    });
  },
);
