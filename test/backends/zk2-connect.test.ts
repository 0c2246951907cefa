import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, type Cluster, freePorts, startZooKeeper } from '../servers/index.js';
import { openZk2 } from './zk2-subject.js';

const ROOT = '/vitess/global';

describe.runIf(available.zookeeper('3.8'))('connecting to zk2', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8' });
  });
  afterAll(() => cluster?.stop());

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

  test('TLS is Unsupported, by name, and so is a root that leaves no room for records', async () => {
    await expect(openZk2(cluster.servers, ROOT, { tls: {} })).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('TLS'),
    });
    await expect(openZk2(cluster.servers, `/${'x'.repeat(200)}`)).rejects.toMatchObject({
      code: 'InvalidAddress',
    });
  });
});

describe.runIf(available.zookeeper('3.8'))('zk2 with several servers', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8', members: 3 });
  });
  afterAll(() => cluster?.stop());

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

  test('observers that cannot be reached are done without', async () => {
    const [port] = await freePorts(1);
    const connection = await openZk2(`${cluster.servers}|127.0.0.1:${port}`, '/vitess/other');
    await connection.create('d/a', Buffer.from('x'));
    const paths: string[] = [];
    for await (const { records } of connection.scan('')) paths.push(...records.map(({ path }) => path));
    expect(paths).toEqual(['d/a']);
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
