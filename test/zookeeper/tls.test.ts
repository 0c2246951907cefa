import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZkCode, type ZooKeeperTls } from '../../src/zookeeper/client.js';
import { connectNativeClient } from '../../src/zookeeper/native.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, type Certificates, makeCertificates, removeFolder } from '../servers/index.js';
import { closingConnect, whileZooKeeperRuns } from './clients.js';
import { eventually, failure, OPEN, uniquePath } from './support.js';

const PATIENCE_MS = 30_000;

type Pem = Required<Pick<ZooKeeperTls, 'ca' | 'cert' | 'key'>>;

async function read({ ca, cert, key }: Certificates): Promise<Pem> {
  return { ca: await readFile(ca), cert: await readFile(cert), key: await readFile(key) };
}

let ours: Certificates;
let others: Certificates;
let pem: Pem;
let foreign: Pem;
beforeAll(async () => {
  [ours, others] = await Promise.all([makeCertificates(), makeCertificates()]);
  [pem, foreign] = await Promise.all([read(ours), read(others)]);
});
afterAll(async () => {
  for (const each of [ours, others]) if (each !== undefined) await removeFolder(each.folder);
});

describe.each(['3.8', '3.9'] as const)('over TLS, on ZooKeeper %s', (version) => {
  describe.runIf(available.zookeeper(version))('that asks for no client certificate', () => {
    const server = whileZooKeeperRuns(() => ({ version, tls: ours }));
    const connect = closingConnect(connectOwnClient, () => server().servers);

    it('a client that knows the authority does all it does without', async () => {
      const client = await connect({ tls: { ca: pem.ca } });
      const path = uniquePath();
      const data = Buffer.alloc(client.maxRequestBytes - 200, 7);
      await client.create({ path, data, acl: OPEN });
      const paths = Array.from({ length: 2_000 }, (_, i) => `${path}/${i}`);
      await Promise.all(
        paths.map((each) => client.create({ path: each, data: Buffer.from(each), acl: OPEN })),
      );
      const told: string[] = [];
      await client.addWatch(path, { recursive: true }, ({ path: at }) => told.push(at));
      const answers = await Promise.all([path, ...paths].map((each) => client.getData(each)));
      expect(answers[0]?.data?.equals(data)).toBe(true);
      expect(answers.slice(1).map((answer) => answer.data?.toString())).toEqual(paths);
      await Promise.all(paths.map((each) => client.setData(each, null, 0)));
      expect(told).toEqual(paths);
    });

    it('finds its session again after a restart', async () => {
      const client = await connect({ tls: { ca: pem.ca }, sessionTimeoutMs: 40_000 });
      const { id } = client.session;
      await server().restart();
      await eventually(
        () =>
          client.exists('/').then(
            () => true,
            () => false,
          ),
        PATIENCE_MS,
      );
      expect(client.sessionId).toBe(id);
    });

    it('a name of the certificate other than the host’s is accepted when it is expected', async () => {
      for (const serverName of ['localhost', '127.0.0.1']) {
        const client = await connect({ tls: { ca: pem.ca, serverName } });
        expect((await client.exists('/')).stat).toBeDefined();
      }
    });

    it.each(['zk.example.org', '10.0.0.1'])(
      'a certificate for another name than the expected %s is named',
      async (serverName) => {
        const error = await failure(connect({ tls: { ca: pem.ca, serverName } }));
        expect(error.code).toBe(ZkCode.ConnectionLoss);
        expect(error.message).toContain(`${server().servers}: the server’s certificate is for another name`);
      },
    );

    it('an authority that did not sign the server’s certificate is named, the system’s ones as well', async () => {
      for (const tls of [{ ca: foreign.ca }, {}]) {
        const error = await failure(connect({ tls }));
        expect(error.code).toBe(ZkCode.ConnectionLoss);
        expect(error.message).toContain('certificate is not signed by the given authority');
      }
    });

    it('the port without TLS is named', async () => {
      const error = await failure(
        connect({ servers: [server().plainServers], tls: { ca: pem.ca }, connectTimeoutMs: 1_500 }),
      );
      expect(error.code).toBe(ZkCode.ConnectionLoss);
      expect(error.message).toContain(server().plainServers);
      expect(error.message).toMatch(/may speak no TLS|does not speak TLS/);
    });

    it('a client without TLS is told what the port may want', async () => {
      const error = await failure(connect({ connectTimeoutMs: 1_500 }));
      expect(error.code).toBe(ZkCode.ConnectionLoss);
      expect(error.message).toMatch(/want TLS|speaks TLS/);
    });

    it('the `zookeeper` package is refused by name', async () => {
      const servers = [server().servers];
      const error = await failure(connectNativeClient({ servers, tls: { ca: pem.ca } }));
      expect(error).toMatchObject({
        code: ZkCode.Unsupported,
        message: 'the zookeeper package cannot speak TLS',
      });
    });
  });

  describe.runIf(available.zookeeper(version))('that wants a client certificate', () => {
    const server = whileZooKeeperRuns(() => ({ version, tls: { ...ours, clientCertificates: true } }));
    const connect = closingConnect(connectOwnClient, () => server().servers);

    it('one of the right authority is accepted', async () => {
      const client = await connect({ tls: pem });
      expect((await client.exists('/')).stat).toBeDefined();
    });

    it.each([
      ['none', () => ({ ca: pem.ca })],
      ['one of another authority', () => ({ ...foreign, ca: pem.ca })],
    ])('a client with %s is told', async (_, tls) => {
      const error = await failure(connect({ tls: tls(), connectTimeoutMs: 3_000 }));
      expect(error.code).toBe(ZkCode.ConnectionLoss);
      expect(error.message).toMatch(
        /does not accept the client’s certificate, or wants one|want another client certificate/,
      );
      expect(error.message).not.toContain('PRIVATE');
    });
  });
});

describe('what is given for TLS', () => {
  const servers = ['127.0.0.1:1'];
  it.each<[string, () => ZooKeeperTls]>([
    ['an authority that is no PEM', () => ({ ca: Buffer.from('no PEM') })],
    ['a key that is no PEM', () => ({ ...pem, key: Buffer.from('hunter2') })],
    ['the key of another certificate', () => ({ ...pem, key: foreign.key })],
    ['a certificate without its key', () => ({ cert: pem.cert })],
    ['a key without its certificate', () => ({ key: pem.key })],
  ])('is BadArguments when it is %s, and is not shown', async (_, tls) => {
    const error = await failure(connectOwnClient({ servers, tls: tls() }));
    expect(error.code).toBe(ZkCode.BadArguments);
    expect(error.message).toMatch(/certificate/);
    expect(`${error.message} ${String(error.cause)}`).not.toMatch(/hunter2|PRIVATE|BEGIN/);
  });
});

describe('a server that is no ZooKeeper', () => {
  it('and answers TLS with something else is named, at once', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const servers = [`127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`];
    try {
      // Longer than the sentence may take: it is not tried again.
      const error = await failure(
        connectOwnClient({ servers, tls: { ca: pem.ca }, connectTimeoutMs: 600_000 }),
      );
      expect(error.code).toBe(ZkCode.ConnectionLoss);
      expect(error.message).toContain('does not speak TLS there');
    } finally {
      server.close();
    }
  });
});
