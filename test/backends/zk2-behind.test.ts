import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import { CreateMode } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { must, within } from '../conformance/tools.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { openZk2, plant } from './zk2-subject.js';

const BEHIND_MS = 400;
const DIR = 'keyspaces/a';
const ROUNDS = 3;
const utf8 = (text: string) => Buffer.from(text);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe.runIf(available.zookeeper('3.8'))('zk2 at a server that is behind the others', () => {
  let cluster: Cluster;
  let voter: string;
  let slow: string;
  let places = 0;
  const opened: Connection[] = [];
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8', members: 1, observers: 1, behindMs: BEHIND_MS });
    [voter = '', slow = ''] = cluster.members.map(({ address }) => address);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  afterAll(() => cluster?.stop());

  /** Two connections to a place of the test's own: at the server that is behind, or as `servers` says, and at another. */
  const begin = async (servers = slow) => {
    const root = `/behind/${++places}`;
    const [behind, ahead] = await Promise.all([openZk2(servers, root), openZk2(voter, root)]);
    opened.push(behind, ahead);
    await ahead.create(`${DIR}/Keyspace`, utf8('old'));
    await behind.position();
    return { root, behind, ahead };
  };

  test('the server is behind: without being brought up to date it shows what was', async () => {
    const { behind, ahead } = await begin();
    await ahead.update(`${DIR}/Keyspace`, utf8('new'), null);
    expect(text((await behind.get(`${DIR}/Keyspace`)).bytes)).toBe('old');
  });

  test('position brings every kind of read up to date', async () => {
    const { behind, ahead } = await begin();
    for (let round = 0; round < ROUNDS; round++) {
      await ahead.update(`${DIR}/Keyspace`, utf8(String(round)), null);
      await ahead.create(`${DIR}/${round}`, utf8('beside'));
      await behind.position();
      expect(text((await behind.get(`${DIR}/Keyspace`)).bytes)).toBe(String(round));
      expect(await behind.listDir(DIR)).toEqual([String(round), 'Keyspace']);
      await ahead.delete(`${DIR}/${round}`, null);
      await behind.position();
      expect(await behind.listDir(DIR)).toEqual(['Keyspace']);
    }
  });

  test('a scan shows what was written before it, through whatever server, and later reads are not older', async () => {
    for (const servers of [slow, `${voter}|${slow}`, `${slow}|${voter}`]) {
      const { behind, ahead } = await begin(servers);
      for (let round = 0; round < ROUNDS; round++) {
        await ahead.update(`${DIR}/Keyspace`, utf8(String(round)), null);
        const seen: string[] = [];
        for await (const { records } of behind.scan(''))
          seen.push(...records.map(({ path, bytes }) => `${path} ${text(bytes)}`));
        expect(seen).toEqual([`${DIR}/Keyspace ${round}`]);
        expect(text((await behind.get(`${DIR}/Keyspace`)).bytes)).toBe(String(round));
      }
    }
  });

  test('a recursive watch shows at its beginning what position showed to be there', async () => {
    const { behind, ahead } = await begin();
    await ahead.update(`${DIR}/Keyspace`, utf8('new'), null);
    const seen: string[] = [];
    for await (const event of behind.watchRecursive('')) {
      if (event.type === 'synced') break;
      seen.push(`${event.path} ${event.value && text(event.value.bytes)}`);
    }
    expect(seen).toEqual([`${DIR}/Keyspace new`]);
  });

  test('a lock whose entry was deleted elsewhere is not held: for check, for a fenced batch, and for unlock', async () => {
    const { behind, ahead } = await begin();
    const breakLock = async (path: string) => {
      await ahead.position();
      await ahead.delete(path, null);
    };
    for (const use of ['check', 'write', 'unlock'] as const) {
      const lock = await behind.lock(DIR, use);
      await breakLock(lock.entry);
      const work: Promise<unknown> =
        use === 'write'
          ? behind.write([{ type: 'create', path: 'fenced', bytes: utf8('x') }], { fence: lock })
          : lock[use]();
      await expect(within(10_000, use, work), use).rejects.toMatchObject({ code: 'LockLost' });
      await lock.unlock().catch(() => {});
    }
    await ahead.position();
    await expect(ahead.get('fenced')).rejects.toMatchObject({ code: 'NoNode' });
  });

  test('whoever waits for a lock behind an entry that was made elsewhere does not get it before', async () => {
    const { root, behind, ahead } = await begin();
    const client = await connectOwnClient({ servers: [voter] });
    try {
      await plant(client, `${root}/${DIR}/locks/`, utf8('theirs'), CreateMode.EphemeralSequential);
      await expect(behind.tryLock(DIR, 'ours')).rejects.toMatchObject({ code: 'NodeExists' });
      await ahead.position();
      const [entry] = await ahead.lockQueue(DIR);
      expect(must(entry).contents).toBe('theirs');
    } finally {
      await client.close();
    }
  });
});
