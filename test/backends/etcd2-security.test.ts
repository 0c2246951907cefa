import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Member } from '../../src/backends/etcd2/member.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import {
  available,
  type Certificates,
  ETCD_VERSIONS,
  type EtcdCluster,
  type EtcdVersion,
  FaultWay,
  makeCertificates,
  makeFolder,
  removeFolder,
  startEtcd,
} from '../servers/index.js';
import { until } from '../support/until.js';
import { connect, enableAuth, errorOf, ROOT } from './etcd2-support.js';

const ADMINISTRATOR = ['--user', 'root:secret-1'];

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The versions whose tokens can be told to live for a second. */
for (const version of ['3.4', '3.5'] satisfies EtcdVersion[]) {
  describe.runIf(available.etcd(version))(
    `etcd ${version} with TLS, certificates of clients, and users`,
    () => {
      let certificates: Certificates;
      let etcd: EtcdCluster;
      let settings: Partial<ConnectSettings>;
      beforeAll(async () => {
        certificates = await makeCertificates();
        const tls = { ...certificates, clientCertificates: true };
        etcd = await startEtcd({ version, tls, flags: ['--auth-token-ttl', '1'] });
        await enableAuth(etcd);
        settings = {
          tls: {
            ca: readFileSync(certificates.ca),
            cert: readFileSync(certificates.cert),
            key: readFileSync(certificates.key),
          },
          etcdAuth: { username: 'vitess', password: 'secret-2' },
          lockTtlMs: 5_000,
        };
      });
      afterAll(async () => {
        await etcd.stop();
        await removeFolder(certificates.folder);
      });
      /** Until tokens that nobody used in the meantime are no longer taken. */
      const tokensExpire = async () => {
        const since = Date.now();
        await until('the tokens’ end', () => Date.now() - since > 3_000);
      };

      test('locks, elections, fences and watches work, and go on when tokens have expired', async () => {
        const connection = await connect(etcd.servers, ROOT, settings);
        const other = await connect(etcd.servers, ROOT, settings);
        await connection.update('d/a', Buffer.from('1'), null);
        const seen: string[] = [];
        const leaders: (string | undefined)[] = [];
        const watching = Promise.all([
          errorOf(
            (async () => {
              for await (const event of connection.watchRecursive('d'))
                if (event.type === 'record') seen.push(`${event.path} ${event.value?.bytes ?? 'absent'}`);
            })(),
          ),
          errorOf(
            (async () => {
              for await (const { id } of connection.watchLeader('e')) leaders.push(id);
            })(),
          ),
        ]);
        const lock = await connection.lock('d', 'held');
        const leading = await connection.campaign('e', 'own');
        const waiting = other.lock('d', 'waits');
        await until('a waiter', async () => (await connection.lockQueue('d')).length === 2);
        await tokensExpire();
        await connection.write([{ type: 'create', path: 'd/b', bytes: Buffer.from('2') }], { fence: lock });
        await until('the record', () => seen.includes('d/b 2'));
        await tokensExpire();
        await lock.check();
        await lock.unlock();
        const second = await waiting;
        await tokensExpire();
        await second.check();
        expect([lock.lost.aborted, second.lost.aborted, leading.lost.aborted]).toEqual([false, false, false]);
        await second.unlock();
        await leading.unlock();
        await until('nobody leads', () => leaders.at(-1) === undefined && leaders.length > 1);
        expect(await connection.listDir('d')).toEqual(['a', 'b']);
        await connection.close();
        await other.close();
        for (const error of await watching) expect(error).toMatchObject({ code: 'Interrupted' });
      }, 60_000);

      test('a watch that begins again after its token was outdated goes on', async () => {
        const connection = await connect(etcd.servers, ROOT, settings);
        await connection.update('w', Buffer.from('1'), null);
        let last: string | undefined;
        const watching = errorOf(
          (async () => {
            for await (const { value } of connection.watch('w'))
              last = value && Buffer.from(value.bytes).toString();
          })(),
        );
        const lock = await connection.lockName('n', '');
        await until('the first state', () => last === '1');
        // Outdates all tokens, and ends all streams.
        await etcd.ctl(...ADMINISTRATOR, 'user', 'add', `other-${version}:secret-3`);
        await etcd.restart();
        await until('a write', async () => {
          const outcome = await connection
            .update('w', Buffer.from('2'), null)
            .catch((error: unknown) => error);
          return !(outcome instanceof Error);
        });
        await until('the change', () => last === '2');
        await lock.check();
        await lock.unlock();
        await connection.close();
        expect(await watching).toMatchObject({ code: 'Interrupted' });
      }, 60_000);

      test('a watch is opened whatever became of the token that its member was given before', async () => {
        const { tls, etcdAuth } = settings;
        const member = new Member(`https://${etcd.servers}`, { tls, etcdAuth });
        const signal = new AbortController().signal;
        const limits = () => ({ connectBy: Date.now() + 10_000, answerBy: Date.now() + 10_000, signal });
        const key = Buffer.from(`${ROOT}/w`);
        await member.call('range', { key }, limits());
        await tokensExpire();
        const created: boolean[] = [];
        await member.watch({ key }, limits(), (message) => {
          created.push(message.created);
          return false;
        });
        expect(created).toEqual([true]);
        const others = { key: Buffer.from('/other/w') };
        await expect(member.watch(others, limits(), () => false)).rejects.toThrow('permission denied');
        member.close();
      });

      test('a user of one root sees the past of what is there, and of what is gone is told who would', async () => {
        const connection = await connect(etcd.servers, ROOT, settings);
        await connection.create('past', Buffer.from('1'));
        await connection.delete('past', null);
        const gone = await errorOf(collect(connection.history('past')));
        expect(gone).toMatchObject({ code: 'Unauthorized', hint: expect.stringMatching(/all keys/) });
        await connection.create('past', Buffer.from('2'));
        const told = await collect(connection.history('past'));
        expect(
          told.map((item) => (item.type === 'end' ? item.reason : item.value?.bytes.toString())),
        ).toEqual(['2', undefined, '1', 'created']);
        await connection.close();
      });

      test('a user who may only read sees who holds a lock, and takes none', async () => {
        await etcd.ctl(...ADMINISTRATOR, 'user', 'add', 'reader:secret-4');
        await etcd.ctl(...ADMINISTRATOR, 'role', 'add', 'reading');
        const grant = ['role', 'grant-permission', 'reading', '--prefix=true', 'read', `${ROOT}/`];
        await etcd.ctl(...ADMINISTRATOR, ...grant);
        await etcd.ctl(...ADMINISTRATOR, 'user', 'grant-role', 'reader', 'reading');
        const connection = await connect(etcd.servers, ROOT, settings);
        const etcdAuth = { username: 'reader', password: 'secret-4' };
        const reader = await connect(etcd.servers, ROOT, { ...settings, etcdAuth });
        const lock = await connection.lockName('n', 'held');
        const [entry] = await reader.lockQueue('internal/named_locks/n');
        expect(entry).toMatchObject({ contents: 'held', holds: true });
        expect(entry?.ttlLeftMs).toBeGreaterThanOrEqual(0);
        const refused = await errorOf(reader.lockName('m', 'x'));
        expect(refused).toMatchObject({ code: 'Unauthorized', path: 'internal/named_locks/m' });
        expect(JSON.stringify([refused.message, refused.hint, String(refused.cause)])).not.toContain(
          'secret',
        );
        await lock.unlock();
        expect(await reader.lockQueue('internal/named_locks/n')).toEqual([]);
        await until('no lease', async () => {
          const [, ...ids] = (await etcd.ctl(...ADMINISTRATOR, 'lease', 'list')).trim().split('\n');
          return ids.length === 0;
        });
        await reader.close();
        await connection.close();
      }, 60_000);
    },
  );
}

for (const version of ETCD_VERSIONS)
  describe.runIf(available.etcd(version))(
    `etcd ${version} whose tokens are of one state of its users`,
    () => {
      test('calls go on while users are changed, again and again', async () => {
        const folder = await makeFolder();
        const { publicKey, privateKey } = generateKeyPairSync('rsa', {
          modulusLength: 2_048,
          publicKeyEncoding: { type: 'spki', format: 'pem' },
          privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
        });
        const [pub, priv] = [join(folder, 'public.pem'), join(folder, 'private.pem')];
        writeFileSync(pub, publicKey);
        writeFileSync(priv, privateKey);
        const token = `jwt,pub-key=${pub},priv-key=${priv},sign-method=RS256`;
        const etcd = await startEtcd({ version, flags: ['--auth-token', token] });
        await enableAuth(etcd);
        const way = await FaultWay.to(etcd.servers);
        const etcdAuth = { username: 'vitess', password: 'secret-2' };
        const connection = await connect(way.servers, ROOT, { etcdAuth });
        let made = await connection.create('a', Buffer.from('0'));
        for (const proxy of way.proxies) proxy.shape('answers', { latencyMs: 300 });
        const writing = (async () => {
          for (let i = 1; i <= 3; i++) made = await connection.update('a', Buffer.from(String(i)), made);
        })();
        // More than one change falls between a token and what is sent with it.
        for (let i = 0; i < 10; i++) await etcd.ctl(...ADMINISTRATOR, 'user', 'add', `other-${i}:secret-3`);
        await writing;
        expect(Buffer.from((await connection.get('a')).bytes).toString()).toBe('3');
        await connection.close();
        await way.close();
        await etcd.stop();
        await removeFolder(folder);
      }, 60_000);
    },
  );
