import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import type { Acl, ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { failure } from '../conformance/tools.js';
import { available, type Cluster, FaultProxy, startZooKeeper } from '../servers/index.js';
import { until } from '../support/until.js';
import { openZk2 } from './zk2-subject.js';

/** Everything but reading. */
const UNREADABLE: readonly Acl[] = [{ perms: 30, scheme: 'world', id: 'anyone' }];
const SHARD = 'keyspaces/a/shards/0/Shard';
const utf8 = (text: string) => Buffer.from(text);

async function all(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

// The one has its znodes read and watched one by one, the other many at a time.
for (const version of ['3.4', '3.8'] as const)
  describe.runIf(available.zookeeper(version))(
    `zk2 where ACLs keep from reading, ZooKeeper ${version}`,
    () => {
      let cluster: Cluster;
      let raw: ZooKeeperClient;
      let root: string;
      let connection: Connection;
      let places = 0;
      beforeAll(async () => {
        cluster = await startZooKeeper({ version });
        raw = await connectOwnClient({ servers: [cluster.servers] });
      });
      afterEach(() => connection.close());
      afterAll(async () => {
        await raw?.close();
        await cluster?.stop();
      });

      const begin = async () => {
        root = `/denied/${++places}`;
        connection = await openZk2(cluster.servers, root);
        for (const path of ['keyspaces/a/Keyspace', SHARD, 'keyspaces/b/Keyspace'])
          await connection.create(path, utf8(path));
      };
      const close = (path: string) => raw.setAcl(`${root}/${path}`, UNREADABLE, -1);
      const next = (items: AsyncIterable<unknown>) => items[Symbol.asyncIterator]().next();
      const allRefused = async (works: Readonly<Record<string, () => Promise<unknown>>>) => {
        for (const [name, work] of Object.entries(works)) {
          const { code } = await failure(work());
          expect(`${name}: ${code}`).toBe(`${name}: Unauthorized`);
        }
      };

      test('a record is an error, never absent, however it is asked for', async () => {
        await begin();
        await close(SHARD);
        await allRefused({
          get: () => connection.get(SHARD),
          scan: () => all(connection.scan('')),
          'scan below': () => all(connection.scan('keyspaces/a')),
          listDirFull: () => connection.listDirFull('keyspaces/a/shards/0'),
          watch: () => next(connection.watch(SHARD)),
          watchRecursive: () => all(connection.watchRecursive('')),
        });
        expect(await failure(all(connection.scan('')))).toMatchObject({ path: SHARD });
      });

      test('a directory is an error, never absent or empty, however it is asked for', async () => {
        await begin();
        await close('keyspaces/a/shards');
        await allRefused({
          listDir: () => connection.listDir('keyspaces/a/shards'),
          listDirFull: () => connection.listDirFull('keyspaces/a/shards'),
          'listDirFull above': () => connection.listDirFull('keyspaces/a'),
          scan: () => all(connection.scan('')),
          watchRecursive: () => all(connection.watchRecursive('')),
        });
        expect(await connection.listDir('keyspaces/a')).toEqual(['Keyspace', 'shards']);
      });

      test('the queue of a lock is an error, never empty', async () => {
        await begin();
        const lock = await connection.lock('keyspaces/a', 'x');
        await close('keyspaces/a/locks');
        await allRefused({
          lockQueue: () => connection.lockQueue('keyspaces/a'),
          tryLock: () => connection.tryLock('keyspaces/a', 'y'),
        });
        await raw.setAcl(`${root}/keyspaces/a/locks`, [{ perms: 31, scheme: 'world', id: 'anyone' }], -1);
        await lock.unlock();
      });

      test('a right that is taken away ends watches with Unauthorized when they read again, and deletes nothing', async () => {
        await begin();
        const proxy = await FaultProxy.to(cluster.servers);
        const far = await openZk2(proxy.address, root);
        try {
          const seen: string[] = [];
          const follow = async (items: ReturnType<Connection['watch' | 'watchRecursive']>) => {
            for await (const event of items)
              seen.push(event.type === 'synced' ? 'synced' : `${event.path} ${event.value !== undefined}`);
          };
          const watching = [
            failure(follow(far.watch(SHARD))),
            failure(follow(far.watchRecursive('keyspaces'))),
          ];
          await until('the beginning', () => seen.includes('synced') && seen.length >= 5);
          await close(SHARD);
          // Newer servers keep changes from those who may not read them.
          proxy.reset();
          for (const watch of watching) expect(await watch).toMatchObject({ code: 'Unauthorized' });
          expect(seen.filter((text) => text.endsWith('false'))).toEqual([]);
        } finally {
          await far.close();
          await proxy.close();
        }
      });
    },
  );
