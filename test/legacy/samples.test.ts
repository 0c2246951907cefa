import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readClientPlaces } from '../../src/cli/client-config.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, startZooKeeper } from '../servers/index.js';
import { clearZookeeper, plantZookeeper, writeClientConfig } from './plant.js';
import { FIRST } from './samples/first.js';
import { nodesOf } from './samples/sample.js';
import { WHOLE_RECORDS, WHOLE_ZOOKEEPER, wholeEtcd } from './samples/whole.js';
import { etcdNodes, readNodes, readZnodes } from './znodes.js';

test('a whole topology of generation 2 is the same in both stores, without anything odd', () => {
  const { global, nyc, sfo } = wholeEtcd({ nyc: 'http://localhost:1', sfo: 'http://localhost:2' });
  const zookeeper = readZnodes(nodesOf(WHOLE_ZOOKEEPER));
  const etcd = readNodes([
    ...etcdNodes(undefined, nodesOf(global)),
    ...etcdNodes('nyc', nodesOf(nyc)),
    ...etcdNodes('sfo', nodesOf(sfo)),
  ]);
  expect(zookeeper.records).toEqual(WHOLE_RECORDS);
  expect(etcd.records).toEqual({
    ...WHOLE_RECORDS,
    'global:cells/nyc/CellInfo': { server_address: 'http://localhost:1', root: '/vt' },
    'global:cells/sfo/CellInfo': { server_address: 'http://localhost:2', root: '/vt' },
  });
  for (const { losses, notes, unreadable, left, derived } of [zookeeper, etcd])
    expect([losses, notes, unreadable, left, derived.length]).toEqual([[], [], [], [], 6 + 8]);
});

describe.runIf(available.zookeeper('3.8'))('planted into a real ZooKeeper', () => {
  let server: Awaited<ReturnType<typeof startZooKeeper>>;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    server = await startZooKeeper({ version: '3.8' });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each([
    ['both generations', FIRST],
    ['the whole', WHOLE_ZOOKEEPER],
  ])('%s: every znode, and what a session owns until it leaves', async (_, sample) => {
    const planted = await plantZookeeper(sample, server.servers);
    const client = await connectOwnClient({ servers: server.servers.split(',') });
    try {
      const owned: string[] = [];
      for (const { path, value } of nodesOf(sample)) {
        const { data, stat } = await client.getData(path);
        expect([path, data?.toString()]).toEqual([path, value?.toString()]);
        if (stat.ephemeralOwner !== 0n) owned.push(path);
      }
      expect(owned).toEqual(
        Object.keys(sample).filter((path) => /\/(action|election\/\w+)\/\d+$|\/pid$/.test(path)),
      );
      const places = readClientPlaces(await writeClientConfig(folder, planted), {});
      expect(places.global.server).toBe(server.servers);
      expect([...places.cells.keys()]).toEqual(['nyc', 'sfo']);
      await planted.leave();
      for (const path of owned) expect((await client.exists(path)).stat).toBeUndefined();
      await clearZookeeper(server.servers);
      expect((await client.getChildren('/')).children).toEqual(['zookeeper']);
    } finally {
      await client.close();
    }
  });
});
