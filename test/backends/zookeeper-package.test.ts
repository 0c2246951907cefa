import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backend } from '../../src/backends/zookeeper/index.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import type { StoredRecord } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { clearZookeeper, plantZookeeper } from '../legacy/plant.js';
import { WHOLE_ZOOKEEPER } from '../legacy/samples/whole.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { nativeClientBuilt } from '../support/native.js';
import { SETTINGS } from '../support/topologies.js';
import { readersOf } from '../zookeeper/reader-processes.js';
import { OPEN } from '../zookeeper/support.js';
import { legacyAddress, openLegacy, scanned, withClient } from './zookeeper-tools.js';

const readers = (): number => readersOf(process.pid).length;

// Before 3.6, where scans go through the package, too.
describe.runIf(available.zookeeper('3.4') && nativeClientBuilt())(
  'a legacy zookeeper store, and the package',
  () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startZooKeeper({ version: '3.4' });
    }, 120_000);
    afterAll(() => cluster?.stop());
    afterEach(() => clearZookeeper(cluster.servers));

    test('it is what reads unless the own client is asked for, and doctor says which one does', async () => {
      const ways: readonly (readonly [ConnectSettings['zkClient'], number, RegExp])[] = [
        [undefined, 1, /^the zookeeper package\b/],
        ['native', 1, /^the zookeeper package\b/],
        ['own', 0, /^the built-in client$/],
      ];
      for (const [zkClient, count, words] of ways) {
        const store = await openLegacy(cluster.servers, 'nyc', { zkClient });
        expect(readers()).toBe(count);
        await store.close();
        expect(readers()).toBe(0);
        const settings = { ...SETTINGS, zkClient };
        const health = await backend.health?.(legacyAddress(cluster.servers, 'nyc'), settings);
        expect(health?.readThrough).toMatch(words);
      }
    });

    test('what it cannot do at all is for the own client, unless it was asked for', async () => {
      const address = legacyAddress(cluster.servers, 'nyc');
      // The server speaks none: what matters is who fails.
      const tls = { ...SETTINGS, tls: {}, connectTimeoutMs: 2_000 };
      await expect(backend.connect(address, tls)).rejects.toMatchObject({ code: ErrorCode.Unavailable });
      await expect(backend.connect(address, { ...tls, zkClient: 'native' })).rejects.toMatchObject({
        code: ErrorCode.Unsupported,
        message: expect.stringContaining('it cannot speak TLS'),
      });
      expect(readers()).toBe(0);
    });

    test('it reads the same as the own client', async () => {
      await plantZookeeper(WHOLE_ZOOKEEPER, cluster.servers).then(({ leave }) => leave());
      for (const cell of ['global', 'nyc']) {
        const [own, reading] = [
          await openLegacy(cluster.servers, cell, { zkClient: 'own' }),
          await openLegacy(cluster.servers, cell, { zkClient: 'native' }),
        ];
        try {
          const found = await scanned(own);
          expect(found.records.length).toBeGreaterThan(0);
          expect(await scanned(reading)).toEqual(found);
        } finally {
          await Promise.all([own.close(), reading.close()]);
        }
      }
    });

    test('that it dies amid a scan costs nothing but a note', async () => {
      await withClient(cluster.servers, async (client) => {
        for (const path of ['/zk', '/zk/nyc', '/zk/nyc/vt', '/zk/nyc/vt/tablets'])
          await client.create({ path, data: null, acl: OPEN });
        for (let from = 1; from <= 8_000; from += 500)
          await client.multi(
            Array.from({ length: 500 }, (_, i) => ({
              type: 'create' as const,
              path: `/zk/nyc/vt/tablets/${String(from + i).padStart(10, '0')}`,
              data: Buffer.from(JSON.stringify({ Cell: 'nyc', Uid: from + i, Type: 'replica' })),
              acl: OPEN,
            })),
          );
      });
      const notes: string[] = [];
      const own = await openLegacy(cluster.servers, 'nyc', { zkClient: 'own' });
      const reading = await openLegacy(cluster.servers, 'nyc', {
        zkClient: 'native',
        onNote: (text) => notes.push(text),
      });
      try {
        const records: StoredRecord[] = [];
        for await (const page of reading.scan('')) {
          for (const pid of readersOf(process.pid)) process.kill(pid, 'SIGKILL');
          records.push(...page.records);
        }
        expect(records).toHaveLength(8_000);
        expect(records).toEqual((await scanned(own)).records);
        expect(notes).toEqual([expect.stringContaining('through the built-in client from now on')]);
      } finally {
        await Promise.all([own.close(), reading.close()]);
      }
    });
  },
);
