import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConnectSettings, TlsSettings } from '../../src/topo/backend.js';
import type { Connection } from '../../src/topo/connection.js';
import { failure } from '../conformance/tools.js';
import {
  available,
  type Certificates,
  freePorts,
  makeCertificates,
  removeFolder,
  startZooKeeper,
} from '../servers/index.js';
import { listening } from '../support/listening.js';

/** For what is not to be waited for. */
export const SOON = { connectTimeoutMs: 1_500 };

/** A kind of store that is connected to over the network, for what is alike in all of them. */
export interface Networked {
  readonly root: string;
  /** The store's name for one server, `host:port`. */
  readonly nameOf: (server: string) => string;
  connect(servers: string, root?: string, settings?: Partial<ConnectSettings>): Promise<Connection>;
}

/** Tests of addresses behind which there is no server of the store. */
export function nobodyThere({ root, nameOf, connect }: Networked): void {
  test('connection refused', async () => {
    const [port] = await freePorts(1);
    const server = `127.0.0.1:${port}`;
    const error = await failure(connect(server));
    expect(error).toMatchObject({ code: 'Unavailable', retryable: true, store: nameOf(server) });
    expect(error.message).toContain(`${server}: connection refused`);
  });

  test('a name that does not resolve', async () => {
    const error = await failure(connect('no-such-host.invalid:8500'));
    expect(error).toMatchObject({ code: 'Unavailable' });
    expect(error.message).toContain('no-such-host.invalid:8500: the name does not resolve');
  });

  test('a server that accepts connections and says nothing', async () => {
    const error = await listening(net.createServer(), (address) => failure(connect(address, root, SOON)));
    expect(error).toMatchObject({ code: 'Timeout' });
    expect(error.message).toContain('no answer');
  });

  test.runIf(available.zookeeper('3.8'))('a ZooKeeper server', async () => {
    const zookeeper = await startZooKeeper({ version: '3.8' });
    // It hangs up as soon as it has read what it does not understand, which takes a busy machine a moment.
    const error = await failure(connect(zookeeper.servers, root));
    await zookeeper.stop();
    expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('another product') });
  });
}

/** A running store, as far as connecting to it goes. */
interface Running {
  readonly servers: string;
  freeze(): void;
  stop(): Promise<void>;
}

/** Connects to `cluster` through servers that are silent or down, then to it frozen; stops it. */
export async function oneIsEnough({ root, connect }: Networked, cluster: Running): Promise<void> {
  const [down] = await freePorts(1);
  await listening(net.createServer(), async (silent) => {
    const connection = await connect(`${silent},127.0.0.1:${down},${cluster.servers}`, root, SOON);
    const made = await connection.create('a', Buffer.from('x'));
    expect((await connection.get('a')).version.equals(made)).toBe(true);
    await connection.close();
  });
  cluster.freeze();
  expect(await failure(connect(cluster.servers, root, SOON))).toMatchObject({ code: 'Timeout' });
  await cluster.stop();
}

/** Certificates for a server to start with; undefined: it is to speak plainly. */
export type ServerTls = (Certificates & { readonly clientCertificates: boolean }) | undefined;

/** Tests of TLS, with servers that `start` makes. */
export function secured(
  { root, connect }: Networked,
  start: (tls: ServerTls) => Promise<Pick<Running, 'servers' | 'stop'>>,
): void {
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
  const withServer = async (
    clients: 'plain' | 'tls' | 'mutual',
    use: (servers: string) => Promise<void>,
  ): Promise<void> => {
    const tls = { ...certificates, clientCertificates: clients === 'mutual' };
    const running = await start(clients === 'plain' ? undefined : tls);
    try {
      await use(running.servers);
    } finally {
      await running.stop();
    }
  };
  const works = async (servers: string, tls: TlsSettings) => {
    const connection = await connect(servers, root, { tls });
    await connection.update('a', Buffer.from('x'), null);
    for await (const event of connection.watch('a')) {
      expect(event.value).toBeDefined();
      break;
    }
    await connection.close();
  };

  test('with the server’s authority, under https:// and without a scheme, and under the certificate’s name', () =>
    withServer('tls', async (servers) => {
      const { ca } = own;
      await works(servers, { ca });
      await works(`https://${servers.replace('127.0.0.1', 'localhost')}`, { ca });
      await works(servers, { ca, serverName: 'localhost' });
    }));

  test('with a certificate of the client’s own, where the server wants one', () =>
    withServer('mutual', async (servers) => {
      await works(servers, own);
      expect(await failure(connect(servers, root, { tls: { ca: own.ca } }))).toMatchObject({
        code: 'Unauthorized',
        hint: expect.stringContaining('client certificate'),
      });
    }));

  test('a connection is made with its own certificate, whatever others to the same server have', () =>
    withServer('mutual', async (servers) => {
      const first = await connect(servers, root, { tls: own });
      await first.update('a', Buffer.from('x'), null);
      for (const tls of [{ ca: own.ca }, { ...read(others), ca: own.ca }])
        expect(await failure(connect(servers, root, { tls }))).toMatchObject({ code: 'Unauthorized' });
      await failure(connect(servers, root, { tls: read(others) }));
      await first.get('a');
      await first.close();
    }));

  test('another authority, no authority, and another name are refused by name', () =>
    withServer('tls', async (servers) => {
      for (const tls of [{ ca: read(others).ca }, {}]) {
        const error = await failure(connect(servers, root, { tls }));
        expect(error).toMatchObject({ code: 'Unavailable', retryable: false });
        expect(error.message).toContain('not signed by the given authority');
      }
      const tls = { ca: own.ca, serverName: 'other.example' };
      expect((await failure(connect(servers, root, { tls }))).message).toContain('for another name');
    }));

  test('plain against TLS and TLS against plain say which is which', async () => {
    await withServer('tls', async (servers) => {
      for (const plainly of [servers, `http://${servers}`]) {
        const error = await failure(connect(plainly));
        expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('https://') });
        expect(error.message).toContain('speaks TLS');
      }
    });
    await withServer('plain', async (servers) => {
      const error = await failure(connect(`https://${servers}`, root, { tls: own }));
      expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('http://') });
      expect(error.message).toContain('does not speak TLS');
      await works(`http://${servers}`, own);
    });
  });
}

/**
 * The exit code of a process that uses a connection, closes it, and has nothing else to do; null when it had to be killed,
 * `patienceMs` after it closed the connection.
 *
 * @param script gets the servers as its argument, and says `closed`
 */
export async function exitOf(script: URL, servers: string, patienceMs: number): Promise<number | null> {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(script), servers], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = once(child.stdout, 'data');
  const ended = once(child, 'exit');
  expect(String(await said)).toContain('closed');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const [code]: (number | null)[] = await ended;
  clearTimeout(timer);
  return code ?? null;
}
