import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { createMany, eventually } from '../conformance/tools.js';
import { available, type Cluster, FaultProxy, fourLetterWord, startZooKeeper } from '../servers/index.js';
import { openZk2, plant } from './zk2-subject.js';

const PATIENCE = 30_000;
const utf8 = (text: string) => Buffer.from(text);

for (const version of ['3.4', '3.8', '3.9'] as const) {
  describe.runIf(available.zookeeper(version))(`zk2 follows directories on ZooKeeper ${version}`, () => {
    let cluster: Cluster;
    let writer: Connection;
    let root: string;
    let places = 0;

    beforeAll(async () => {
      cluster = await startZooKeeper({ version });
    }, 120_000);
    afterAll(() => cluster?.stop());

    const begin = async () => {
      places += 1;
      root = `/watch/${places}`;
      writer = await openZk2(cluster.servers, root);
    };
    /** Watches that the server holds, as it says itself: it leaves those on lists of children out. */
    const watches = async () => {
      const counts = await fourLetterWord(cluster.servers, 'wchs');
      return Number(/Total watches:(\d+)/.exec(counts)?.[1]);
    };
    const states = async () => {
      const found: Record<string, string> = {};
      await writer.position();
      for await (const { records } of writer.scan('d'))
        for (const { path, bytes } of records) found[path] = Buffer.from(bytes).toString();
      return found;
    };

    /** Follows `d`, and keeps the latest state of each record. */
    const follow = (connection: Connection) => {
      const latest: Record<string, string> = {};
      const stop = new AbortController();
      let synced = false;
      const ended = (async () => {
        for await (const event of connection.watchRecursive('d', { signal: stop.signal })) {
          if (event.type === 'synced') synced = true;
          else if (event.value === undefined) delete latest[event.path];
          else latest[event.path] = Buffer.from(event.value.bytes).toString();
        }
      })().catch((error: unknown) => error);
      return {
        latest,
        isSynced: () => synced,
        stop: () => {
          stop.abort();
          return ended;
        },
      };
    };

    test('one watch at the server is enough from 3.6 on, and the end of the loop takes it back; before, each znode has one on its data', async () => {
      await begin();
      await createMany(
        writer,
        Array.from({ length: 300 }, (_, i) => [`d/${i}/Tablet`, utf8(String(i))] as const),
      );
      const connection = await openZk2(cluster.servers, root);
      const before = await watches();
      const follower = follow(connection);
      await eventually('all of it', async () => follower.isSynced(), PATIENCE);
      expect(Object.keys(follower.latest)).toHaveLength(300);
      expect((await watches()) - before).toBe(version === '3.4' ? 1 + 2 * 300 : 1);
      await follower.stop();
      if (version !== '3.4') await eventually('no watch', async () => (await watches()) === before, PATIENCE);
      await Promise.all([connection.close(), writer.close()]);
    });

    test('writers during the first reads and through lost connections leave no difference', {
      timeout: 120_000,
    }, async () => {
      await begin();
      const names = Array.from({ length: 2_000 }, (_, i) => `d/${i % 40}/${i}/Tablet`);
      await createMany(
        writer,
        names.map((path) => [path, utf8('first')] as const),
      );
      const proxy = await FaultProxy.to(cluster.servers);
      const connection = await openZk2(proxy.address, root);
      const follower = follow(connection);
      let going = true;
      const write = async (seed: number) => {
        for (let i = seed; going; i += 7) {
          const path = names[(i * 131) % names.length] ?? '';
          if (i % 3 === 0) await writer.delete(path, null).catch(() => {});
          else await writer.update(path, utf8(String(i)), null);
        }
      };
      const writing = Promise.all([write(0), write(1), write(2)]);
      await eventually('the first states', async () => follower.isSynced(), PATIENCE);
      for (let round = 0; round < 5; round++) {
        proxy.reset();
        const path = `d/round/${round}`;
        await writer.create(path, utf8('after the reset'));
        await eventually(
          'a change after the reset',
          async () => follower.latest[path] !== undefined,
          PATIENCE,
        );
      }
      going = false;
      await writing;
      const expected = await states();
      await eventually(
        'the end state',
        async () => {
          expect(follower.latest).toEqual(expected);
        },
        PATIENCE,
      );
      await follower.stop();
      await Promise.all([connection.close(), writer.close()]);
      await proxy.close();
    });

    test('a record without bytes comes and goes with its children', async () => {
      await begin();
      const raw: ZooKeeperClient = await connectOwnClient({ servers: [cluster.servers] });
      await plant(raw, `${root}/d/empty`, utf8(''));
      const follower = follow(writer);
      await eventually('the record', async () => follower.latest['d/empty'] === '', PATIENCE);
      await plant(raw, `${root}/d/empty/child`, utf8('x'));
      await eventually(
        'a directory',
        async () => JSON.stringify(follower.latest) === '{"d/empty/child":"x"}',
        PATIENCE,
      );
      await raw.delete(`${root}/d/empty/child`, -1);
      await eventually('the record again', async () => follower.latest['d/empty'] === '', PATIENCE);
      await follower.stop();
      await Promise.all([raw.close(), writer.close()]);
    });
  });
}
