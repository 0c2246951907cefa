import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TlsSettings } from '../../src/topo/backend.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { scanPaths } from '../conformance/tools.js';
import {
  available,
  type Certificates,
  type Cluster,
  freePorts,
  makeCertificates,
  removeFolder,
  startZooKeeper,
} from '../servers/index.js';
import { nativeClientBuilt } from '../support/native.js';
import { openZk2 } from './zk2-subject.js';

const ROOT = '/vitess/global';

describe.runIf(available.zookeeper('3.8'))('connecting to zk2', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8' });
  });
  afterAll(() => cluster?.stop());
  afterEach(() => cluster.restore());

  test('where nobody listens it is Unavailable at once, and names the server', async () => {
    const [port] = await freePorts(1);
    const begun = Date.now();
    await expect(openZk2(`127.0.0.1:${port}`, ROOT)).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*nobody listens there`)),
    });
    expect(Date.now() - begun).toBeLessThan(5_000);
  });

  test('a name that does not resolve is Unavailable, and is named', async () => {
    await expect(
      openZk2('no-such-host.invalid:2181', ROOT, { connectTimeoutMs: 5_000 }),
    ).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('no-such-host.invalid'),
    });
  });

  test('a server that is no ZooKeeper is Unavailable, and said to be none', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(openZk2(`127.0.0.1:${port}`, ROOT, { connectTimeoutMs: 2_000 })).rejects.toMatchObject({
      message: expect.stringMatching(/cannot connect to ZooKeeper: .*no ZooKeeper/),
    });
    server.close();
  });

  test('a frozen server is Unavailable within the time allowed', async () => {
    cluster.freeze();
    const begun = Date.now();
    await expect(openZk2(cluster.servers, ROOT, { connectTimeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('no answer within'),
    });
    expect(Date.now() - begun).toBeLessThan(3_000);
    cluster.thaw();
  });

  test('credentials that the ACL of the root does not know are Unauthorized, and are not shown', async () => {
    const owner = await connectOwnClient({
      servers: [cluster.servers],
      auth: [{ scheme: 'digest', auth: 'vitess:right' }],
    });
    const acl = [{ perms: 31, scheme: 'auth', id: '' }];
    for (const path of ['/closed', '/closed/global']) await owner.create({ path, data: null, acl });
    await owner.close();
    for (const zkAuth of ['digest:vitess:wrong-secret', undefined]) {
      const refused = openZk2(cluster.servers, '/closed/global', { zkAuth });
      await expect(refused).rejects.toMatchObject({ code: 'Unauthorized' });
      await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('wrong-secret') });
    }
    const connection = await openZk2(cluster.servers, '/closed/global', { zkAuth: 'digest:vitess:right' });
    await connection.create('a', Buffer.from('x'));
    await connection.close();
  });

  test('a scheme that the servers do not know is Unauthorized, text without a scheme is Usage', async () => {
    await expect(openZk2(cluster.servers, ROOT, { zkAuth: 'nonsense:secret' })).rejects.toMatchObject({
      code: 'Unauthorized',
    });
    await expect(openZk2(cluster.servers, ROOT, { zkAuth: 'secret' })).rejects.toMatchObject({
      code: 'Usage',
    });
  });

  test('a root that leaves no room for records is InvalidAddress', async () => {
    await expect(openZk2(cluster.servers, `/${'x'.repeat(200)}`)).rejects.toMatchObject({
      code: 'InvalidAddress',
    });
  });

  test('TLS with the zookeeper package is Unsupported, by name', async () => {
    if (!nativeClientBuilt()) return;
    await expect(openZk2(cluster.servers, ROOT, { zkClient: 'native', tls: {} })).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('TLS'),
      hint: 'use --zk-client own',
    });
  });

  test('records and locks are made through digest credentials, with the ACLs that Vitess sets', async () => {
    const connection = await openZk2(cluster.servers, '/digest', { zkAuth: 'digest:vitess:right' });
    await connection.create('keyspaces/a/Keyspace', Buffer.from('x'));
    const lock = await connection.lock('keyspaces/a', 'why');
    await connection.write([{ type: 'create', path: 'b', bytes: Buffer.from('x') }], { fence: lock });
    const raw = await connectOwnClient({ servers: [cluster.servers] });
    for (const path of ['keyspaces/a/Keyspace', lock.entry, 'b'])
      expect((await raw.getAcl(`/digest/${path}`)).acl).toEqual([
        { perms: 19, scheme: 'world', id: 'anyone' },
      ]);
    await lock.unlock();
    await Promise.all([raw.close(), connection.close()]);
  });

  test('locks work where the ACL of the root is for these credentials alone', async () => {
    const auth = [{ scheme: 'digest', auth: 'vitess:right' }];
    const owner = await connectOwnClient({ servers: [cluster.servers], auth });
    await owner.create({ path: '/own', data: null, acl: [{ perms: 31, scheme: 'auth', id: '' }] });
    const connection = await openZk2(cluster.servers, '/own', { zkAuth: 'digest:vitess:right' });
    const lock = await connection.lockName('n', 'why');
    await lock.check();
    await lock.unlock();
    expect((await owner.getChildren('/own')).children).toEqual([]);
    await Promise.all([owner.close(), connection.close()]);
  });
});

describe.runIf(available.zookeeper('3.8'))('zk2 over TLS', () => {
  let own: Certificates;
  let others: Certificates;
  beforeAll(async () => {
    [own, others] = await Promise.all([makeCertificates(), makeCertificates()]);
  });
  afterAll(() => Promise.all([own, others].map(({ folder }) => removeFolder(folder))));

  const read = ({ ca, cert, key }: Certificates) => ({
    ca: readFileSync(ca),
    cert: readFileSync(cert),
    key: readFileSync(key),
  });
  const failureOf = async (servers: string, tls: TlsSettings | undefined) => {
    const begun = Date.now();
    const error = await openZk2(servers, ROOT, { tls, connectTimeoutMs: 3_000 }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(Date.now() - begun).toBeLessThan(10_000);
    if (!isTopologyError(error)) throw new Error(`connected, or failed with ${error}`);
    return error;
  };

  test('what is wrong is told, and that it is TLS', { timeout: 60_000 }, async () => {
    const cluster = await startZooKeeper({ version: '3.8', tls: own });
    const { ca } = read(own);
    const connection = await openZk2(cluster.servers, ROOT, { tls: { ca } });
    await connection.create('a', Buffer.from('x'));
    await (await connection.lockName('n', '')).unlock();
    await connection.close();
    for (const [tls, what] of [
      [{ ca: read(others).ca }, 'not signed by the given authority'],
      [{}, 'not signed by the given authority'],
      [{ ca, serverName: 'other.example' }, 'for another name'],
    ] as const) {
      const error = await failureOf(cluster.servers, tls);
      expect(error.code).toBe('Unavailable');
      expect(error.message).toContain(what);
      expect(error.hint).toContain('TLS');
    }
    const plain = await failureOf(cluster.servers, undefined);
    expect(plain.code).toBe('Unavailable');
    const withoutTls = await failureOf(cluster.plainServers, { ca });
    expect(withoutTls.code).toBe('Unavailable');
    expect(withoutTls.hint).toContain('TLS');
    for (const tls of [{ ca: Buffer.from('no PEM') }, { ca, cert: read(own).cert }])
      expect((await failureOf(cluster.servers, tls)).code).toBe('Usage');
    await cluster.stop();
  });

  test('a server that wants a certificate takes that of its authority and no other', {
    timeout: 60_000,
  }, async () => {
    const cluster = await startZooKeeper({ version: '3.8', tls: { ...own, clientCertificates: true } });
    const connection = await openZk2(cluster.servers, ROOT, { tls: read(own) });
    await connection.create('a', Buffer.from('x'));
    await connection.close();
    const { ca } = read(own);
    const { cert, key } = read(others);
    for (const tls of [{ ca }, { ca, cert, key }]) {
      const error = await failureOf(cluster.servers, tls);
      expect(error.code).toBe('Unavailable');
      expect(error.message).toContain('client’s certificate');
    }
    await cluster.stop();
  });
});

describe.runIf(available.zookeeper('3.8'))('zk2 with several servers', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8', members: 3 });
  });
  afterAll(() => cluster?.stop());
  afterEach(() => cluster.restore());

  test('observers serve scans, up to date, and later reads are never older', async () => {
    const [main = '', ...others] = cluster.members.map(({ address }) => address);
    const connection = await openZk2(`${main}|${others.join(',')}`, ROOT);
    const writer = await openZk2(others[0] ?? '', ROOT);
    for (let i = 0; i < 30; i++) {
      await writer.update('a', Buffer.from(String(i)), null);
      for await (const { records } of connection.scan('')) {
        for (const { bytes } of records) expect(Buffer.from(bytes).toString()).toBe(String(i));
      }
      expect(Buffer.from((await connection.get('a')).bytes).toString()).toBe(String(i));
    }
    await Promise.all([connection.close(), writer.close()]);
  });

  test('observers are shown the credentials, too', async () => {
    const [main = '', ...others] = cluster.members.map(({ address }) => address);
    const auth = [{ scheme: 'digest', auth: 'vitess:right' }];
    const owner = await connectOwnClient({ servers: [main], auth });
    await owner.create({ path: '/own', data: null, acl: [{ perms: 31, scheme: 'auth', id: '' }] });
    const observed = `${main}|${others.join(',')}`;
    const connection = await openZk2(observed, '/own', { zkAuth: 'digest:vitess:right' });
    await connection.create('d/a', Buffer.from('x'));
    expect(await scanPaths(connection)).toEqual(['d/a']);
    await Promise.all([owner.close(), connection.close()]);
  });

  test('observers that cannot be reached are done without', async () => {
    const [port] = await freePorts(1);
    const connection = await openZk2(`${cluster.servers}|127.0.0.1:${port}`, '/vitess/other');
    await connection.create('d/a', Buffer.from('x'));
    expect(await scanPaths(connection)).toEqual(['d/a']);
    await connection.close();
  });

  test('a read and a scan go on when the server of the session dies', async () => {
    const connection = await openZk2(cluster.servers, '/vitess/third');
    await connection.create('d/a', Buffer.from('x'));
    for (const member of cluster.members) {
      await member.kill();
      const deadline = Date.now() + 20_000;
      for (;;) {
        const read = await connection.get('d/a', { deadline }).catch(() => undefined);
        if (read !== undefined) break;
        expect(Date.now()).toBeLessThan(deadline);
      }
      await member.restart();
    }
    await connection.close();
  });
});
