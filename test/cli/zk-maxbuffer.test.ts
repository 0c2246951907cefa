import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, startZooKeeper, type ZooKeeperVersion } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { SETTINGS, withStore } from '../support/topologies.js';
import { type ConfigFolder, configFolder } from './config-file.js';

const MAXBUFFER = 4_194_304;

for (const version of ['3.4', '3.8'] satisfies ZooKeeperVersion[])
  describe.runIf(available.zookeeper(version))(`jute.maxbuffer of ZooKeeper ${version}, raised`, () => {
    let folder: ConfigFolder;
    let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
    let address: string;
    beforeAll(async () => {
      folder = await configFolder();
      const javaFlags = ['-Xmx512m', '-XX:TieredStopAtLevel=1', `-Djute.maxbuffer=${MAXBUFFER}`];
      zookeeper = await startZooKeeper({ version, javaFlags });
      address = `zk2://${zookeeper.servers}/vitess/global`;
    });
    afterAll(async () => {
      await zookeeper?.stop();
      await folder?.remove();
    });

    test('larger records are written once it is told, by flag or migration file, and always read', async () => {
      const large = await folder.write('large', 'x'.repeat(3_000_000));
      const put = (path: string, ...where: string[]) => cli(['put', ...where, path, '--file', large]);
      expect(await put('metadata/a', address)).toMatchObject({
        code: 4,
        err: expect.stringContaining('TooLarge'),
      });
      const flag = `--topo-zk-jute-maxbuffer=${MAXBUFFER}`;
      expect(await put('metadata/a', address, flag)).toMatchObject({ code: 0 });
      const text = `from:\n  address: ${address}\n  juteMaxbuffer: ${MAXBUFFER}\n`;
      const file = await folder.write('topo2topo.yaml', text);
      expect(await put('metadata/b', '--config', file)).toMatchObject({ code: 0 });
      await withStore(address, async (store) => {
        for (const path of ['metadata/a', 'metadata/b'])
          expect((await store.get(path)).bytes.byteLength).toBe(3_000_000);
      });
    });

    test('the largest record and the largest batch fit, and one byte more is refused', async () => {
      await withStore(
        address,
        async (store) => {
          const { maxValueBytes, batch } = store.capabilities;
          await store.create('metadata/most', Buffer.alloc(maxValueBytes));
          await expect(store.create('metadata/more', Buffer.alloc(maxValueBytes + 1))).rejects.toMatchObject({
            code: 'TooLarge',
          });
          const paths = ['metadata/1', 'metadata/2', 'metadata/3'];
          const framing = paths.length * (64 + 'metadata/1'.length);
          const bytes = Math.floor((batch.maxBytes - framing) / paths.length);
          expect(bytes).toBeGreaterThan(1_048_575);
          await store.write(paths.map((path) => ({ type: 'create', path, bytes: Buffer.alloc(bytes) })));
          expect(await store.listDir('metadata')).toEqual(expect.arrayContaining(['1', '2', '3', 'most']));
        },
        { ...SETTINGS, zkMaxRequestBytes: MAXBUFFER },
      );
    });
  });
