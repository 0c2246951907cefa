import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CreateMode, ZkCode, type ZooKeeperClient, ZooKeeperError } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, type Cluster, FaultProxy, startZooKeeper, ZOOKEEPER_VERSIONS } from '../servers/index.js';
import { closingConnect } from './clients.js';
import { answerHeader, framedBytes, hostileServer, Opcode } from './hostile-server.js';
import { eventually, failure, OPEN, uniquePath } from './support.js';
import { cutConnectionOf, endSessionOf } from './takeover.js';

const SCRIPT = fileURLToPath(new URL('./stalled-process.ts', import.meta.url));
const PATIENCE_MS = 30_000;
const TEST_MS = 90_000;

/** The reason with which a session that is not renewed was told to be over. */
function reasonOf(client: ZooKeeperClient): ZooKeeperError {
  const { reason } = client.expired;
  if (!(reason instanceof ZooKeeperError)) throw new Error('not expired');
  return reason;
}

describe.each(ZOOKEEPER_VERSIONS)('on ZooKeeper %s', (version) => {
  describe.runIf(available.zookeeper(version))('', () => {
    let server: Cluster;
    beforeAll(async () => {
      // Short ticks, so that sessions of one second are allowed, and sessions that outlast a slow restart.
      const config = { tickTime: '500', maxSessionTimeout: '60000' };
      server = await startZooKeeper({ version, config });
    });
    afterAll(() => server?.stop());
    const connect = closingConnect(connectOwnClient, () => server.servers);

    const ephemeral = async (client: ZooKeeperClient): Promise<string> => {
      const path = uniquePath();
      await client.create({ path, data: null, acl: OPEN, mode: CreateMode.Ephemeral });
      return path;
    };
    const gone = async (client: ZooKeeperClient, path: string): Promise<boolean> =>
      (await client.exists(path)).stat === undefined;

    describe('a session', () => {
      it('is left by detach and taken over by another client; its ephemeral nodes live on until that one closes', async () => {
        const observer = await connect();
        const first = await connect();
        const path = await ephemeral(first);
        const { session } = first;
        await first.detach();
        const second = await connect({ session });
        expect(second.sessionId).toBe(session.id);
        expect((await second.exists(path)).stat?.ephemeralOwner).toBe(session.id);
        await second.setData(path, Buffer.from('v'), 0);
        expect(await gone(observer, path)).toBe(false);
        await second.close();
        await eventually(() => gone(observer, path), PATIENCE_MS);
      });

      it('has the time-out that the server grants', async () => {
        expect((await connect({ sessionTimeoutMs: 3_000 })).sessionTimeoutMs).toBe(3_000);
        expect((await connect({ sessionTimeoutMs: 1 })).sessionTimeoutMs).toBe(1_000);
        expect((await connect({ sessionTimeoutMs: 3_600_000 })).sessionTimeoutMs).toBe(60_000);
      });

      it('that was left expires after its time-out when nobody takes it over, and cannot be had any more', async () => {
        const observer = await connect();
        const client = await connect({ sessionTimeoutMs: 1_000 });
        const path = await ephemeral(client);
        const { session } = client;
        await client.detach();
        await eventually(() => gone(observer, path), PATIENCE_MS);
        const error = await failure(connect({ session, renewSession: false }));
        expect(error.code).toBe(ZkCode.SessionExpired);
        expect(error.message).not.toContain(session.password.toString('hex'));
        const renewed = await connect({ session });
        expect(renewed.sessionId).not.toBe(session.id);
        expect(renewed.expired.aborted).toBe(false);
      });

      it('is not given to who does not know its password, and stays its owner’s', async () => {
        const owner = await connect({ renewSession: false });
        const path = await ephemeral(owner);
        const session = { id: owner.sessionId, password: Buffer.alloc(16, 7) };
        expect((await failure(connect({ session, renewSession: false }))).code).toBe(ZkCode.SessionExpired);
        expect(await gone(owner, path)).toBe(false);
        expect(owner.expired.aborted).toBe(false);
      });
    });

    describe('detach', () => {
      it('ends the client: what is in flight and every later call fail with Closed, watchers are told `lost`', async () => {
        const client = await connect();
        const signals: string[] = [];
        await client.exists('/', { watcher: (signal) => signals.push(signal) });
        const call = failure(client.exists('/'));
        await client.detach();
        await client.detach();
        await client.close();
        expect((await call).code).toBe(ZkCode.Closed);
        expect(await failure(client.exists('/'))).toMatchObject({ code: ZkCode.Closed, sent: false });
        expect(signals).toEqual(['lost']);
        expect(client.expired.aborted).toBe(false);
      });
    });

    describe('a session that is not renewed', () => {
      it('survives a broken connection', async () => {
        const client = await connect({ renewSession: false });
        const path = await ephemeral(client);
        const { id } = client.session;
        await cutConnectionOf(server.servers, client.session);
        await eventually(
          () =>
            gone(client, path).then(
              (is) => !is,
              () => false,
            ),
          PATIENCE_MS,
        );
        expect(client.sessionId).toBe(id);
        expect(client.expired.aborted).toBe(false);
      });

      it('survives a restart of the server within its time-out', async () => {
        const client = await connect({ renewSession: false, sessionTimeoutMs: 60_000 });
        const path = await ephemeral(client);
        const { id } = client.session;
        await server.restart();
        await eventually(
          () =>
            gone(client, path).then(
              (is) => !is,
              () => false,
            ),
          PATIENCE_MS,
        );
        expect(client.sessionId).toBe(id);
        expect(client.expired.aborted).toBe(false);
      });

      it('is over when a server says so: every pending and later call is SessionExpired', async () => {
        const client = await connect({ renewSession: false });
        await endSessionOf(server.servers, client.session);
        await eventually(() => client.expired.aborted, PATIENCE_MS);
        expect(reasonOf(client).code).toBe(ZkCode.SessionExpired);
        expect(await failure(client.exists('/'))).toMatchObject({ code: ZkCode.SessionExpired, sent: false });
      });

      it('is over by itself when nothing was heard for its time-out', async () => {
        const client = await connect({ renewSession: false, sessionTimeoutMs: 1_000 });
        const path = await ephemeral(client);
        const signals: string[] = [];
        await client.exists(path, { watcher: (signal) => signals.push(signal) });
        server.freeze();
        try {
          const sent = failure(client.exists(path));
          await eventually(() => client.expired.aborted, PATIENCE_MS);
          expect(reasonOf(client).code).toBe(ZkCode.SessionExpired);
          // In flight it fails with the connection, which is given up before the session is.
          expect([ZkCode.ConnectionLoss, ZkCode.SessionExpired]).toContain((await sent).code);
          expect((await failure(client.exists(path))).code).toBe(ZkCode.SessionExpired);
          expect(signals).toEqual(['lost']);
        } finally {
          server.thaw();
        }
        const observer = await connect();
        await eventually(() => gone(observer, path), PATIENCE_MS);
      });

      it('lives from when it was asked for, not from an answer that came late', async () => {
        const [sessionTimeoutMs, latencyMs] = [4_000, 1_000];
        const proxy = await FaultProxy.to(server.servers);
        try {
          proxy.shape('answers', { latencyMs });
          const servers = [proxy.address];
          const client = await connect({ servers, renewSession: false, sessionTimeoutMs });
          const begun = performance.now();
          proxy.mute('answers');
          await eventually(() => client.expired.aborted, PATIENCE_MS);
          // The latest request that was answered had been sent so long before.
          expect(performance.now() - begun).toBeLessThan(sessionTimeoutMs - latencyMs / 2);
          await proxy.mend();
        } finally {
          await proxy.close();
        }
      });

      it('fails a call that waits for a connection with SessionExpired, unsent', async () => {
        const client = await connect({ renewSession: false, sessionTimeoutMs: 1_000 });
        server.freeze();
        try {
          await failure(client.exists('/'));
          const waiting = failure(client.exists('/'));
          expect(await waiting).toMatchObject({ code: ZkCode.SessionExpired, sent: false });
        } finally {
          server.thaw();
        }
      });

      it('does not fire `expired` by close', async () => {
        const client = await connect({ renewSession: false, sessionTimeoutMs: 1_000 });
        await client.close();
        const other = await connect({ renewSession: false, sessionTimeoutMs: 1_000 });
        await endSessionOf(server.servers, other.session);
        await eventually(() => other.expired.aborted, PATIENCE_MS);
        expect(client.expired.aborted).toBe(false);
      });
    });

    describe('a session that is renewed', () => {
      it('never fires `expired`', async () => {
        const client = await connect();
        const { id } = client.session;
        await endSessionOf(server.servers, client.session);
        await eventually(
          () =>
            client.exists('/').then(
              () => client.sessionId !== id,
              () => false,
            ),
          PATIENCE_MS,
        );
        expect(client.expired.aborted).toBe(false);
      });
    });

    // The clock of a process does not depend on the server.
    describe.runIf(version === '3.8')('a process that stands still for longer than the time-out', () => {
      const children: ChildProcess[] = [];
      afterEach(() => {
        for (const child of children.splice(0)) child.kill('SIGKILL');
      });
      const TIMEOUT_MS = 2_000;
      const start = (path: string, ...how: string[]) => {
        const args = ['--import', 'tsx', SCRIPT, server.servers, path, String(TIMEOUT_MS), ...how];
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        children.push(child);
        const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
        return {
          child,
          line: async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? 'null'),
        };
      };
      const expectTold = async (told: unknown): Promise<void> => {
        expect(told).toMatchObject({
          codes: expect.arrayContaining([ZkCode.SessionExpired]),
          later: ZkCode.SessionExpired,
          answersAfterwards: 0,
        });
        // An answer between waking and being told would have made this short.
        const quietMs = typeof told === 'object' && told !== null && 'quietMs' in told ? told.quietMs : 0;
        expect(quietMs).toBeGreaterThan(TIMEOUT_MS / 2);
      };

      it(
        'by being busy is told before any call is answered',
        async () => {
          const { line } = start(uniquePath(), 'busy', String(TIMEOUT_MS + 500));
          expect(await line()).toEqual({ timeoutMs: TIMEOUT_MS });
          await expectTold(await line());
        },
        TEST_MS,
      );

      it(
        'by being stopped is told before any call is answered',
        async () => {
          const observer = await connect();
          const path = uniquePath();
          const { child, line } = start(path, 'paused');
          await line();
          await eventually(() => gone(observer, path), PATIENCE_MS);
          child.kill('SIGCONT');
          await expectTold(await line());
        },
        TEST_MS,
      );
    });
  });
});

describe('a client whose session is not renewed', () => {
  it('is told at the connect that nobody listens, as any other', async () => {
    const error = await failure(connectOwnClient({ servers: ['127.0.0.1:1'], renewSession: false }));
    expect(error.code).toBe(ZkCode.ConnectionLoss);
    expect(error.message).toContain('nobody listens there');
  });
});

describe('a server that goes on talking', () => {
  it('keeps a session that is not renewed by answers to pings, and by nothing that is no answer', async () => {
    const event = framedBytes(answerHeader(-1), Buffer.alloc(12));
    let pings = 0;
    let answering = true;
    const server = await hostileServer({
      timeoutMs: 1_500,
      request: ({ socket }, { opcode }) => {
        if (opcode !== Opcode.ping) return true;
        pings++;
        if (answering) return true;
        const telling = setInterval(() => socket.write(event), 100);
        socket.on('close', () => clearInterval(telling));
        return false;
      },
    });
    try {
      const client = await connectOwnClient({ servers: [server.address], renewSession: false });
      // By then its time-out has passed.
      await eventually(() => pings >= 4, PATIENCE_MS);
      expect(client.expired.aborted).toBe(false);
      answering = false;
      await eventually(() => client.expired.aborted, PATIENCE_MS);
      expect(reasonOf(client).code).toBe(ZkCode.SessionExpired);
      expect(server.connections).toBe(1);
    } finally {
      await server.close();
    }
  });
});
