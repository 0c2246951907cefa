import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TlsSettings } from '../../src/topo/backend.js';
import {
  available,
  type Certificates,
  ETCD_VERSIONS,
  type EtcdCluster,
  freePorts,
  makeCertificates,
  removeFolder,
  startEtcd,
  startZooKeeper,
} from '../servers/index.js';
import { connect, errorOf } from './etcd2-support.js';

const ROOT = '/vitess/global';
const SOON = { connectTimeoutMs: 1_500 };

/** What listens on a port of its own for the time of `use`. */
async function listening<T>(server: net.Server, use: (address: string) => Promise<T>): Promise<T> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  try {
    return await use(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe('what is not there, or is not etcd', () => {
  test('connection refused', async () => {
    const [port] = await freePorts(1);
    const error = await errorOf(connect(`127.0.0.1:${port}`));
    expect(error).toMatchObject({
      code: 'Unavailable',
      retryable: true,
      store: `etcd2://127.0.0.1:${port}${ROOT}`,
    });
    expect(error.message).toContain(`127.0.0.1:${port}: connection refused`);
  });

  test('a name that does not resolve', async () => {
    const error = await errorOf(connect('no-such-host.invalid:2379'));
    expect(error).toMatchObject({ code: 'Unavailable' });
    expect(error.message).toContain('no-such-host.invalid:2379: the name does not resolve');
  });

  test('a server that accepts connections and says nothing', async () => {
    const error = await listening(net.createServer(), (address) => errorOf(connect(address, ROOT, SOON)));
    expect(error).toMatchObject({ code: 'Timeout' });
    expect(error.message).toContain('no answer');
  });

  test('an HTTP server', async () => {
    const server = http.createServer((_, answer) => answer.end('hello'));
    const error = await listening(server, (address) => errorOf(connect(address, ROOT, SOON)));
    expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('another product') });
  });

  test.runIf(available.zookeeper('3.8'))('a ZooKeeper server', async () => {
    const zookeeper = await startZooKeeper({ version: '3.8' });
    const error = await errorOf(connect(zookeeper.servers, ROOT, SOON));
    await zookeeper.stop();
    expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('another product') });
  });
});

for (const version of ETCD_VERSIONS) {
  describe.runIf(available.etcd(version))(`connecting to etcd ${version}`, () => {
    test('any one member that answers is enough, and the others do not hold it up', async () => {
      const etcd = await startEtcd({ version });
      const [down] = await freePorts(1);
      await listening(net.createServer(), async (silent) => {
        const connection = await connect(`${silent},127.0.0.1:${down},${etcd.servers}`, ROOT, SOON);
        const made = await connection.create('a', Buffer.from('x'));
        expect((await connection.get('a')).version.equals(made)).toBe(true);
        await connection.close();
      });
      etcd.freeze();
      expect(await errorOf(connect(etcd.servers, ROOT, SOON))).toMatchObject({ code: 'Timeout' });
      await etcd.stop();
    });

    test('user and password: right, wrong, missing, without rights, and where none are wanted', async () => {
      const etcd = await startEtcd({ version });
      const as = (username: string, password: string, root = ROOT) =>
        connect(etcd.servers, root, { etcdAuth: { username, password } });
      await (await as('anybody', 'anything')).close();
      await etcd.ctl('user', 'add', 'root:secret-1');
      await etcd.ctl('role', 'add', 'root').catch(() => 'newer ones have it');
      await etcd.ctl('user', 'grant-role', 'root', 'root');
      await etcd.ctl('user', 'add', 'vitess:secret-2');
      await etcd.ctl('role', 'add', 'topology');
      await etcd.ctl('role', 'grant-permission', 'topology', '--prefix=true', 'readwrite', `${ROOT}/`);
      await etcd.ctl('user', 'grant-role', 'vitess', 'topology');
      await etcd.ctl('auth', 'enable');

      const connection = await as('vitess', 'secret-2');
      await connection.create('a/b', Buffer.from('x'));
      expect(await connection.listDir('')).toEqual(['a']);
      expect(await connection.position()).toBeGreaterThan(0n);
      for await (const event of connection.watchRecursive('')) if (event.type === 'synced') break;
      const wrong = await errorOf(as('vitess', 'secret-3'));
      expect(wrong).toMatchObject({ code: 'Unauthorized' });
      expect(JSON.stringify([wrong.message, wrong.hint, String(wrong.cause)])).not.toContain('secret');
      expect(await errorOf(connect(etcd.servers))).toMatchObject({ code: 'Unauthorized' });
      expect(await errorOf(as('vitess', 'secret-2', '/vitess/global2'))).toMatchObject({
        code: 'Unauthorized',
      });

      // Tokens are forgotten with a restart: the connection gets itself a new one.
      await etcd.restart();
      await connection
        .position({ deadline: Date.now() + 5_000 })
        .catch(() => 'first contact after the restart');
      await connection.update('a/b', Buffer.from('y'), null);
      await etcd.ctl(
        '--user',
        'root:secret-1',
        'role',
        'revoke-permission',
        'topology',
        '--prefix=true',
        `${ROOT}/`,
      );
      const refused = await errorOf(connection.update('a/b', Buffer.from('z'), null));
      expect(refused).toMatchObject({ code: 'Unauthorized', path: 'a/b' });
      await connection.close();
      await etcd.stop();
    });
  });
}

describe.runIf(available.etcd('3.4'))('TLS', () => {
  let certificates: Certificates;
  let own: TlsSettings;
  let others: Certificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
    others = await makeCertificates();
    own = read(certificates);
  });
  afterAll(async () => {
    await removeFolder(certificates.folder);
    await removeFolder(others.folder);
  });
  const read = ({ ca, cert, key }: Certificates) => ({
    ca: readFileSync(ca),
    cert: readFileSync(cert),
    key: readFileSync(key),
  });
  const withServer = async (tls: boolean, use: (etcd: EtcdCluster) => Promise<void>, mutual = false) => {
    const options = tls ? { tls: { ...certificates, clientCertificates: mutual } } : {};
    const etcd = await startEtcd({ version: '3.4', ...options });
    try {
      await use(etcd);
    } finally {
      await etcd.stop();
    }
  };
  const works = async (servers: string, tls: TlsSettings) => {
    const connection = await connect(servers, ROOT, { tls });
    await connection.update('a', Buffer.from('x'), null);
    for await (const event of connection.watch('a')) {
      expect(event.value).toBeDefined();
      break;
    }
    await connection.close();
  };

  test('with the server’s authority, under https:// and without a scheme, and under the certificate’s name', () =>
    withServer(true, async (etcd) => {
      const { ca } = own;
      await works(etcd.servers, { ca });
      await works(`https://${etcd.servers.replace('127.0.0.1', 'localhost')}`, { ca });
      await works(etcd.servers, { ca, serverName: 'localhost' });
    }));

  test('with a certificate of the client’s own, where the server wants one', () =>
    withServer(
      true,
      async (etcd) => {
        await works(etcd.servers, own);
        expect(await errorOf(connect(etcd.servers, ROOT, { tls: { ca: own.ca } }))).toMatchObject({
          code: 'Unauthorized',
          hint: expect.stringContaining('client certificate'),
        });
      },
      true,
    ));

  test('another authority, no authority, and another name are refused by name', () =>
    withServer(true, async (etcd) => {
      for (const tls of [{ ca: read(others).ca }, {}]) {
        const error = await errorOf(connect(etcd.servers, ROOT, { tls }));
        expect(error).toMatchObject({ code: 'Unavailable', retryable: false });
        expect(error.message).toContain('not signed by the given authority');
      }
      const tls = { ca: own.ca, serverName: 'other.example' };
      expect((await errorOf(connect(etcd.servers, ROOT, { tls }))).message).toContain('for another name');
    }));

  test('plain against TLS and TLS against plain say which is which', async () => {
    await withServer(true, async (etcd) => {
      for (const servers of [etcd.servers, `http://${etcd.servers}`]) {
        const error = await errorOf(connect(servers));
        expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('https://') });
        expect(error.message).toContain('speaks TLS');
      }
    });
    await withServer(false, async (etcd) => {
      const error = await errorOf(connect(`https://${etcd.servers}`, ROOT, { tls: own }));
      expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('http://') });
      expect(error.message).toContain('does not speak TLS');
      await works(`http://${etcd.servers}`, own);
    });
  });
});

describe.runIf(available.etcd('3.5'))('close', () => {
  const SCRIPT = fileURLToPath(new URL('./etcd2-process.ts', import.meta.url));

  /** The exit code of a process that uses a connection, closes it, and has nothing else to do. */
  const exitOf = async (servers: string): Promise<number | null> => {
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, servers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = once(child.stdout, 'data');
    const ended = once(child, 'exit');
    expect(String(await said)).toContain('closed');
    const timer = setTimeout(() => child.kill('SIGKILL'), 900);
    const [code]: (number | null)[] = await ended;
    clearTimeout(timer);
    return code ?? null;
  };

  test('leaves nothing that keeps a process alive: with a server, with one down, with one silent beside it', async () => {
    const etcd = await startEtcd({ version: '3.5' });
    const [down] = await freePorts(1);
    expect(await exitOf(etcd.servers)).toBe(0);
    expect(await exitOf(`127.0.0.1:${down},${etcd.servers}`)).toBe(0);
    await listening(net.createServer(), async (silent) => {
      expect(await exitOf(`${silent},${etcd.servers}`)).toBe(0);
    });
    await etcd.stop();
  });
});
