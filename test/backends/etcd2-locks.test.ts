import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import type { Lock } from '../../src/topo/locks.js';
import { available, ETCD_VERSIONS, type EtcdCluster, FaultWay, startEtcd } from '../servers/index.js';
import { LongTimers } from '../support/long-timers.js';
import { until } from '../support/until.js';
import { etcdRivals } from './etcd2-rivals.js';
import { connect, errorOf, etcdHolds } from './etcd2-support.js';

const ROOT = '/vitess/global';
const DIR = 'keyspaces/ks';

/** Ids of all leases in the cluster, in hexadecimal. */
async function leases(etcd: EtcdCluster): Promise<string[]> {
  const [, ...ids] = (await etcd.ctl('lease', 'list')).trim().split('\n');
  return ids;
}

/** The keys in the queue of `DIR`. */
async function queueKeys(etcd: EtcdCluster): Promise<string[]> {
  return [...(await etcdHolds(etcd)).keys()].filter((key) => key.startsWith(`${ROOT}/${DIR}/locks/`));
}

/** Waits until a lock is lost; answers with the message. */
async function lossOf(lock: Lock): Promise<string> {
  await until('the loss', () => lock.lost.aborted);
  expect(lock.lost.reason).toMatchObject({ code: 'LockLost', path: lock.dir });
  expect(await errorOf(lock.check())).toMatchObject({ code: 'LockLost' });
  return lock.lost.reason.message;
}

for (const version of ETCD_VERSIONS) {
  describe.runIf(available.etcd(version))(`locks of etcd ${version}`, () => {
    let etcd: EtcdCluster;
    let direct: Connection;
    beforeAll(async () => {
      etcd = await startEtcd({ version });
      direct = await connect(etcd.servers);
      await direct.create(`${DIR}/Keyspace`, Buffer.from('ks'));
    });
    afterAll(async () => {
      await direct?.close();
      await etcd?.stop();
    });
    const use = async (work: (connection: Connection) => Promise<void>, settings = {}) => {
      const connection = await connect(etcd.servers, ROOT, settings);
      try {
        await work(connection);
      } finally {
        await connection.close();
      }
      await until('no lease is left', async () => (await leases(etcd)).length === 0);
      expect(await queueKeys(etcd)).toEqual([]);
    };

    test('stand where Vitess has them: <directory>/locks/<lease id in decimal>, with that lease', () =>
      use(async (connection) => {
        const lock = await connection.lock(DIR, 'contents');
        const [lease = ''] = await leases(etcd);
        const key = `${ROOT}/${DIR}/locks/${BigInt(`0x${lease}`)}`;
        expect(`${ROOT}/${lock.entry}`).toBe(key);
        expect((await etcdHolds(etcd)).get(key)?.toString()).toBe('contents');
        expect(await etcd.ctl('lease', 'timetolive', lease, '--keys')).toMatch(
          new RegExp(`granted with TTL\\(30s\\).*${key}`),
        );
        await lock.unlock();
      }));

    test('live as long as they are told, rounded up to seconds, and are kept alive beyond that', () =>
      use(
        async (connection) => {
          const short = await connection.lock(DIR, '');
          const long = await connection.lockWithTtl('keyspaces', '', 86_399_001);
          const granted = await Promise.all(
            (await leases(etcd)).map(async (lease) =>
              Number(/TTL\((\d+)s\)/.exec(await etcd.ctl('lease', 'timetolive', lease))?.[1]),
            ),
          );
          expect(granted.sort((a, b) => a - b)).toEqual([3, 86_400]);
          const since = Date.now();
          await until('more than one life', () => Date.now() - since > 5_000);
          await short.check();
          expect([short.lost.aborted, long.lost.aborted]).toEqual([false, false]);
          await short.unlock();
          await long.unlock();
        },
        { lockTtlMs: 2_001 },
      ));

    test('a queue of rivals and our own is served in order of arrival, and each sees the others’ contents', () =>
      use(async (connection) => {
        const { rivals } = etcdRivals(() => etcd);
        const served: string[] = [];
        const wait = (contents: string) =>
          connection.lock(DIR, contents).then((lock) => {
            served.push(contents);
            return lock;
          });
        const inLine = (count: number) =>
          until(`${count} in line`, async () => (await queueKeys(etcd)).length === count);
        const first = await rivals.lock(ROOT, DIR, 'rival 1');
        const second = wait('own 2');
        await inLine(2);
        const third = await rivals.lock(ROOT, DIR, 'rival 3');
        const fourth = wait('own 4');
        await inLine(4);
        const queue = await connection.lockQueue(DIR);
        expect(queue.map(({ contents, holds }) => [contents, holds])).toEqual([
          ['rival 1', true],
          ['own 2', false],
          ['rival 3', false],
          ['own 4', false],
        ]);
        for (const { path, owner, ttlLeftMs, version } of queue) {
          expect(path).toBe(`${DIR}/locks/${owner}`);
          expect(ttlLeftMs).toBeGreaterThan(10_000);
          expect((await connection.get(path)).version.equals(version)).toBe(true);
        }
        expect(served).toEqual([]);
        await first.release();
        await (await second).check();
        expect(await third.holds()).toBe(false);
        expect(await third.holder()).toBe('own 2');
        await (await second).unlock();
        expect(await third.holds()).toBe(true);
        expect(served).toEqual(['own 2']);
        await third.die();
        await (await fourth).unlock();
        expect(served).toEqual(['own 2', 'own 4']);
      }));

    test('are lost when the lease is revoked, the key deleted, or the key written over, and say so', () =>
      use(async (connection) => {
        const revoked = await connection.lock(DIR, '');
        await etcd.ctl('lease', 'revoke', (await leases(etcd))[0] ?? '');
        await lossOf(revoked);
        expect(await errorOf(revoked.unlock())).toMatchObject({ code: 'LockLost' });

        const deleted = await connection.lock(DIR, '');
        await etcd.ctl('del', `${ROOT}/${deleted.entry}`);
        expect(await lossOf(deleted)).toContain('deleted');
        const next = await connection.lock(DIR, 'next');
        // It gives back its lease, and leaves the next one's key alone.
        expect(await errorOf(deleted.unlock())).toMatchObject({ code: 'LockLost' });
        await next.check();
        expect(await leases(etcd)).toHaveLength(1);

        await etcd.ctl('put', `${ROOT}/${next.entry}`, 'somebody else’s');
        expect(await lossOf(next)).toContain('written over');
        expect(await errorOf(next.unlock())).toMatchObject({ code: 'LockLost' });
        await etcd.ctl('del', `${ROOT}/${next.entry}`);
      }));

    test('a wait goes on through a restart and a compaction, in its place', async () => {
      const own = await startEtcd({ version });
      const connection = await connect(own.servers);
      const { rivals } = etcdRivals(() => own);
      const holder = await rivals.lock(ROOT, 'internal/named_locks/a', 'rival');
      const waiting = connection.lockName('a', 'own');
      const entries = () => connection.lockQueue('internal/named_locks/a');
      await until('a waiter', async () => (await entries()).length === 2);
      const before = (await entries()).map(({ path }) => path);
      await own.member.stop();
      await own.member.restart();
      await own.ctl('compact', String(await connection.position()));
      expect((await entries()).map(({ path }) => path)).toEqual(before);
      await holder.release();
      const lock = await waiting;
      await lock.check();
      expect(lock.entry).toBe(before[1]);
      await lock.unlock();
      await connection.close();
      await own.stop();
    });

    test('whose lease is granted late lives from when it was asked for, not from the answer', async () => {
      const [ttlMs, latencyMs] = [4_000, 1_000];
      const way = await FaultWay.to(etcd.servers);
      const connection = await connect(way.servers, ROOT, { lockTtlMs: ttlMs });
      try {
        for (const proxy of way.proxies) proxy.shape('answers', { latencyMs });
        const lock = await connection.campaign('late', 'x');
        const taken = performance.now();
        way.loseAnswers();
        expect(await lossOf(lock)).toContain('kept alive');
        // Two answers were waited for, of which the first one granted the lease.
        expect(performance.now() - taken).toBeLessThan(ttlMs - 2 * latencyMs + 1_000);
      } finally {
        await way.mend();
        await connection.close();
        await way.close();
      }
      await until('no lease is left', async () => (await leases(etcd)).length === 0);
    });

    test('who follows an election hears of what came to pass while he was cut off, and of no leader who is gone', async () => {
      const way = await FaultWay.to(etcd.servers);
      await use(async (connection) => {
        const watcher = await connect(way.servers);
        const told: (string | undefined)[] = [];
        const watching = errorOf(
          (async () => {
            for await (const { id } of watcher.watchLeader('cut-off')) told.push(id);
          })(),
        );
        const first = await connection.campaign('cut-off', 'a');
        await until('the first is told of', () => told.at(-1) === 'a');
        /** Does what it sees nothing of. */
        const unseen = async (work: () => Promise<unknown>) => {
          for (const proxy of way.proxies) {
            proxy.refuse();
            proxy.reset();
          }
          await work();
          await way.mend();
        };
        let second: Lock | undefined;
        await unseen(async () => {
          await first.unlock();
          second = await connection.campaign('cut-off', 'b');
        });
        await until('the second is told of', () => told.at(-1) === 'b');
        await unseen(async () => second?.unlock());
        await until('nobody is told of', () => told.at(-1) === undefined);
        await watcher.close();
        expect(await watching).toMatchObject({ code: 'Interrupted' });
      });
      await way.close();
    });

    test('a lock whose return was not answered was given back all the same, and is not told to be lost', async () => {
      const way = await FaultWay.to(etcd.servers);
      await use(async () => {
        const connection = await connect(way.servers);
        const lock = await connection.lock(DIR, 'x');
        for (const proxy of way.proxies) proxy.shape('answers', { latencyMs: 500 });
        const unlocking = lock.unlock();
        await until('the key is gone', async () => (await queueKeys(etcd)).length === 0);
        way.loseAnswers();
        await way.mend();
        await unlocking;
        expect(lock.lost.aborted).toBe(false);
        await connection.close();
      });
      await way.close();
    });

    test('what is given up between a request and its answer leaves nothing behind', async () => {
      const way = await FaultWay.to(etcd.servers);
      await use(async () => {
        const connection = await connect(way.servers);
        for (const begin of [
          (signal: AbortSignal) => connection.lock(DIR, '', { signal }),
          (signal: AbortSignal) => connection.tryLock(DIR, '', { signal }),
        ])
          for (const request of ['lease', 'key']) {
            // Opens the connections that it needs.
            await (await connection.lockName('n', '')).unlock();
            for (const proxy of way.proxies) proxy.shape('answers', { latencyMs: 700 });
            const abort = new AbortController();
            const outcome = errorOf(begin(abort.signal));
            if (request === 'lease') await until('the lease', async () => (await leases(etcd)).length === 1);
            else await until('the key', async () => (await direct.lockQueue(DIR)).length === 1);
            abort.abort();
            expect(await outcome).toMatchObject({ code: 'Interrupted' });
            await until('nothing is left', async () => (await leases(etcd)).length === 0);
            for (const proxy of way.proxies) proxy.shape('answers', {});
          }
        await (await connection.lockName('n', '')).unlock();
        // Here no answer ever comes: the connections are gone.
        way.loseAnswers();
        const lost = errorOf(connection.lock(DIR, '', { deadline: Date.now() + 1_000 }));
        expect(await lost).toMatchObject({ code: 'Timeout' });
        await way.mend();
        await connection.close();
      });
      await way.close();
    }, 60_000);

    test('a batch that depends on a lock is applied while it is held, and refused by the store when it is not', () =>
      use(async (connection) => {
        const lock = await connection.lock(DIR, '');
        const ops = (path: string) => [{ type: 'create', path, bytes: Buffer.from('x') }] as const;
        await connection.write(ops('fenced/1'), { fence: lock });
        // Whoever took it here can write there: the store decides, not the connection.
        await direct.write(ops('fenced/2'), { fence: lock });
        const full = Array.from({ length: 127 }, (_, i) => ops(`fenced/full/${i}`)).flat();
        await connection.write(full, { fence: lock });
        expect(await errorOf(connection.write([...full, ...ops('fenced/x')], { fence: lock }))).toMatchObject(
          { code: 'TooLarge' },
        );
        expect(await errorOf(connection.write(ops('fenced/1'), { fence: lock }))).toMatchObject({
          code: 'NodeExists',
          path: 'fenced/1',
          index: 0,
        });
        // Sent before the loss can be known here.
        const deletion = etcd.ctl('del', `${ROOT}/${lock.entry}`);
        const outcomes: unknown[] = [];
        for (let i = 0; !lock.lost.aborted; i++)
          outcomes.push(
            await connection.write(ops(`fenced/late/${i}`), { fence: lock }).catch((error) => error),
          );
        await deletion;
        const applied = outcomes.filter((outcome) => Array.isArray(outcome)).length;
        for (const refused of outcomes.slice(applied))
          expect(refused).toMatchObject({ code: 'LockLost', path: DIR, index: undefined });
        expect(await connection.listDir('fenced/late').catch(() => [])).toHaveLength(applied);
        expect(await errorOf(lock.unlock())).toMatchObject({ code: 'LockLost' });

        const given = await connection.lock(DIR, '');
        await given.unlock();
        expect(await errorOf(connection.write(ops('fenced/3'), { fence: given }))).toMatchObject({
          code: 'LockLost',
        });
        expect(await connection.listDir('fenced')).not.toContain('3');
      }));

    test('a lock that its holder counts as over fences no more, though etcd still has its key', () =>
      use(async () => {
        const hour = 3_600_000;
        const clock = new LongTimers(hour / 2);
        const connection = await connect(etcd.servers, ROOT, { clock, lockTtlMs: hour });
        const lock = await connection.lock(DIR, '');
        clock.fire();
        expect(await lossOf(lock)).toContain('kept alive');
        const write = connection.write([{ type: 'create', path: 'over', bytes: Buffer.from('x') }], {
          fence: lock,
        });
        expect(await errorOf(write)).toMatchObject({ code: 'LockLost', path: DIR });
        expect(await queueKeys(etcd)).toEqual([`${ROOT}/${lock.entry}`]);
        expect(await errorOf(lock.unlock())).toMatchObject({ code: 'LockLost' });
        await connection.close();
      }));
  });
}
