import http from 'node:http';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { Member } from '../../src/backends/etcd2/member.js';
import { available, ETCD_VERSIONS, freePorts, startEtcd } from '../servers/index.js';
import { listening } from '../support/listening.js';
import { exitOf, type Networked, nobodyThere, oneIsEnough, SOON, secured } from './connecting.js';
import { connect, enableAuth, errorOf, ROOT } from './etcd2-support.js';

const ETCD: Networked = { root: ROOT, nameOf: (server) => `etcd2://${server}${ROOT}`, connect };

describe('what is not there, or is not etcd', () => {
  nobodyThere(ETCD);

  test('an HTTP server', async () => {
    const server = http.createServer((_, answer) => answer.end('hello'));
    const error = await listening(server, (address) => errorOf(connect(address, ROOT, SOON)));
    expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('another product') });
  });
});

for (const version of ETCD_VERSIONS) {
  describe.runIf(available.etcd(version))(`connecting to etcd ${version}`, () => {
    test('any one member that answers is enough, and the others do not hold it up', async () => {
      await oneIsEnough(ETCD, await startEtcd({ version }));
    });

    test('user and password: right, wrong, missing, without rights, and where none are wanted', async () => {
      const etcd = await startEtcd({ version });
      const as = (username: string, password: string, root = ROOT) =>
        connect(etcd.servers, root, { etcdAuth: { username, password } });
      await (await as('anybody', 'anything')).close();
      await enableAuth(etcd);

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

    test('a login that is not wanted at first is shown once it is', async () => {
      const etcd = await startEtcd({ version });
      const etcdAuth = { username: 'vitess', password: 'secret-2' };
      const connection = await connect(etcd.servers, ROOT, { etcdAuth });
      const watcher = new Member(etcd.servers, { tls: undefined, etcdAuth });
      const signal = new AbortController().signal;
      const limits = () => ({ connectBy: Date.now() + 10_000, answerBy: Date.now() + 10_000, signal });
      const key = Buffer.from(`${ROOT}/a`);
      const made = await connection.create('a', Buffer.from('1'));
      await watcher.call('range', { key }, limits());
      await enableAuth(etcd);
      await connection.update('a', Buffer.from('2'), made);
      expect(Buffer.from((await connection.get('a')).bytes).toString()).toBe('2');
      const created: boolean[] = [];
      await watcher.watch({ key }, limits(), (message) => {
        created.push(message.created);
        return false;
      });
      expect(created).toEqual([true]);
      watcher.close();
      await connection.close();
      await etcd.stop();
    });
  });
}

describe.runIf(available.etcd('3.4'))('TLS', () => {
  secured(ETCD, (tls) => startEtcd({ version: '3.4', ...(tls === undefined ? {} : { tls }) }));
});

describe.runIf(available.etcd('3.5'))('close', () => {
  const exit = (servers: string) => exitOf(new URL('./etcd2-process.ts', import.meta.url), servers, 900);

  test('leaves nothing that keeps a process alive: with a server, with one down, with one silent beside it', async () => {
    const etcd = await startEtcd({ version: '3.5' });
    const [down] = await freePorts(1);
    expect(await exit(etcd.servers)).toBe(0);
    expect(await exit(`127.0.0.1:${down},${etcd.servers}`)).toBe(0);
    await listening(net.createServer(), async (silent) => {
      expect(await exit(`${silent},${etcd.servers}`)).toBe(0);
    });
    // Its locks were given back each time, and did not wait for a server that says nothing.
    expect(await etcd.ctl('lease', 'list')).toContain('found 0 leases');
    await etcd.stop();
  });
});
