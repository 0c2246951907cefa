import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import { CreateMode, type ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { eventually, must, within } from '../conformance/tools.js';
import { available, type Cluster, startZooKeeper, ZOOKEEPER_VERSIONS } from '../servers/index.js';
import { endSession } from './zk2-session-end.js';
import { openZk2, plant } from './zk2-subject.js';

const FILE = [{ perms: 19, scheme: 'world', id: 'anyone' }];
const ALL = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const DIR = 'keyspaces/a';
const PATIENCE = 20_000;
const utf8 = (text: string) => Buffer.from(text);

for (const version of ZOOKEEPER_VERSIONS) {
  describe.runIf(available.zookeeper(version))(`zk2 locks as Vitess does, on ZooKeeper ${version}`, () => {
    let cluster: Cluster;
    let raw: ZooKeeperClient;
    let root: string;
    let connection: Connection;
    let places = 0;
    const opened: Connection[] = [];

    beforeAll(async () => {
      cluster = await startZooKeeper({ version });
      raw = await connectOwnClient({ servers: [cluster.servers] });
    }, 120_000);
    afterAll(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await raw?.close();
      await cluster?.stop();
    });

    const open = async () => {
      const each = await openZk2(cluster.servers, root);
      opened.push(each);
      return each;
    };
    /** A place of the test's own, with a keyspace in it. */
    const begin = async () => {
      places += 1;
      root = `/vitess/place${places}`;
      connection = await open();
      await connection.create(`${DIR}/Keyspace`, utf8('keyspace'));
    };
    const children = async (path: string) => {
      await raw.sync('/');
      return (await raw.getChildren(path === '' ? root : `${root}/${path}`)).children.sort();
    };
    const exists = async (path: string) => {
      await raw.sync('/');
      return (await raw.exists(path === '' ? root : `${root}/${path}`)).stat;
    };

    test('an entry is an ephemeral sequential file with the contents, below a directory that goes with it', async () => {
      await begin();
      const lock = await connection.lock(DIR, 'who and why');
      expect(lock).toMatchObject({ store: connection.store, dir: DIR, entry: `${DIR}/locks/0000000000` });
      const { data, stat } = await raw.getData(`${root}/${lock.entry}`);
      expect(data?.toString()).toBe('who and why');
      expect(stat.ephemeralOwner).not.toBe(0n);
      expect((await raw.getAcl(`${root}/${lock.entry}`)).acl).toEqual(FILE);
      expect((await raw.getAcl(`${root}/${DIR}/locks`)).acl).toEqual(ALL);
      expect((await raw.getData(`${root}/${DIR}/locks`)).data).toBeNull();
      expect(await connection.listDir(DIR)).toEqual(['Keyspace', 'locks']);
      await lock.check();
      await lock.unlock();
      expect(await children(DIR)).toEqual(['Keyspace']);
      expect(await connection.listDir(DIR)).toEqual(['Keyspace']);
      await expect(lock.check()).rejects.toMatchObject({ code: 'LockLost', path: DIR });
      await lock.unlock();
    });

    test('an entry is written before a write depends on it: none of Vitess has its version, nor the next of its name', async () => {
      await begin();
      const versions: (number | undefined)[] = [];
      const entries = new Set<string>();
      for (let round = 0; round < 5; round++) {
        const lock = await connection.lock(DIR, 'mine');
        entries.add(lock.entry);
        expect((await exists(lock.entry))?.version).toBe(0);
        await connection.write([{ type: 'create', path: `x${round}`, bytes: utf8('x') }], { fence: lock });
        versions.push((await exists(lock.entry))?.version);
        expect((await raw.getData(`${root}/${lock.entry}`)).data?.toString()).toBe('mine');
        await lock.check();
        await lock.unlock();
      }
      expect(entries.size).toBe(1);
      expect(new Set([...versions, 0, undefined]).size).toBe(7);
    });

    test('an absent directory and a record without records below it are NoNode, and nothing is made', async () => {
      await begin();
      for (const dir of ['keyspaces/b', `${DIR}/Keyspace`])
        for (const attempt of [connection.lock(dir, ''), connection.tryLock(dir, '')])
          await expect(attempt).rejects.toMatchObject({ code: 'NoNode', path: dir });
      expect(await children('keyspaces')).toEqual(['a']);
      expect(await children(DIR)).toEqual(['Keyspace']);
    });

    test('a directory that was empty stays; one that lost its last record under the lock goes with the lock', async () => {
      await begin();
      await plant(raw, `${root}/empty`, null);
      await (await connection.lock('empty', '')).unlock();
      expect(await children('empty')).toEqual([]);
      const lock = await connection.lock(DIR, '');
      await connection.delete(`${DIR}/Keyspace`, null);
      expect(await children(DIR)).toEqual(['locks']);
      await lock.unlock();
      expect(await exists('keyspaces')).toBeUndefined();
      expect(await exists('')).toBeDefined();
    });

    test('a name needs no directory and leaves none, nor does an election', async () => {
      await begin();
      const named = await connection.lockName('a/workflow', 'switch');
      expect(named.entry).toBe('internal/named_locks/a/workflow/locks/0000000000');
      const leading = await connection.campaign('vtctld', 'host:1');
      expect(leading.entry).toBe('elections/vtctld/0000000000');
      await Promise.all([named.unlock(), leading.unlock()]);
      expect(await children('')).toEqual(['keyspaces']);
    });

    test('an entry of somebody else is waited for, whatever its name, and an orphan is shown', async () => {
      await begin();
      await plant(raw, `${root}/${DIR}/locks/000`, utf8('theirs'));
      await expect(connection.lock(DIR, 'ours', { deadline: Date.now() + 300 })).rejects.toMatchObject({
        code: 'Timeout',
      });
      await eventually('only theirs', async () => (await children(`${DIR}/locks`)).length === 1, PATIENCE);
      const waiting = connection.lock(DIR, 'ours');
      await eventually('the wait', async () => (await children(`${DIR}/locks`)).length === 2, PATIENCE);
      await connection.position();
      const [orphan, entry] = await connection.lockQueue(DIR);
      expect(orphan).toMatchObject({
        contents: 'theirs',
        holds: true,
        owner: undefined,
        ttlLeftMs: undefined,
      });
      expect(entry).toMatchObject({ contents: 'ours', holds: false });
      expect(entry?.owner).toMatch(/^0x[0-9a-f]+$/);
      expect(Math.abs(must(entry?.since) - Date.now())).toBeLessThan(600_000);
      await connection.delete(must(orphan).path, must(orphan).version);
      const lock = await within(PATIENCE, 'the lock', waiting);
      await expect(connection.tryLock(DIR, '')).rejects.toMatchObject({ code: 'NodeExists', path: DIR });
      await lock.unlock();
      expect(await children(DIR)).toEqual(['Keyspace']);
    });

    test('a try is not refused for a keyspace that is called locks', async () => {
      await begin();
      await connection.create('keyspaces/locks/Keyspace', utf8('a keyspace'));
      const lock = await connection.tryLock('keyspaces', 'all of them');
      expect(await connection.lockQueue('keyspaces')).toMatchObject([
        { contents: 'all of them', holds: true },
        {},
      ]);
      await lock.unlock();
      expect(await children('keyspaces/locks')).toEqual(['Keyspace']);
    });

    test('locks that nobody disturbs are had by all contenders, one at a time, over one session and over many', async () => {
      await begin();
      const connections = [connection, await open(), await open()];
      let inside = 0;
      let most = 0;
      await Promise.all(
        Array.from({ length: 30 }, async (_, i) => {
          const lock = await must(connections[i % 3]).lock(DIR, String(i));
          most = Math.max(most, ++inside);
          await lock.check();
          inside -= 1;
          await lock.unlock();
        }),
      );
      expect(most).toBe(1);
      expect(await children(DIR)).toEqual(['Keyspace']);
    });

    test('an end of the session loses all locks of the connection at once, and the next one begins another session', async () => {
      await begin();
      const [a, b] = [await connection.lock(DIR, ''), await connection.lockName('n', '')];
      const [entry] = await connection.lockQueue(DIR);
      await endSession(cluster.servers, BigInt(must(entry?.owner)));
      for (const lock of [a, b]) {
        await eventually('the loss', async () => lock.lost.aborted, PATIENCE);
        expect(lock.lost.reason).toMatchObject({ code: 'LockLost', path: lock.dir });
        await expect(lock.check()).rejects.toMatchObject({ code: 'LockLost' });
        await expect(lock.unlock()).rejects.toMatchObject({ code: 'LockLost' });
      }
      await connection.get(`${DIR}/Keyspace`);
      await (await connection.lock(DIR, '')).unlock();
    });

    test('a wait whose session ends queues again', async () => {
      await begin();
      const holder = await open();
      const held = await holder.lock(DIR, 'holder');
      const waiting = connection.lock(DIR, 'waiter');
      const waiter = async () => {
        await connection.position();
        return (await connection.lockQueue(DIR)).find(({ contents }) => contents === 'waiter');
      };
      const before = await eventually('the wait', async () => (await waiter()) ?? false, PATIENCE);
      if (before === false) throw new Error('not waiting');
      await endSession(cluster.servers, BigInt(must(before.owner)));
      await eventually(
        'a new entry',
        async () => {
          const entry = await waiter();
          return entry !== undefined && entry.path !== before.path;
        },
        PATIENCE,
      );
      await held.unlock();
      const lock = await within(PATIENCE, 'the lock', waiting);
      await lock.check();
      await lock.unlock();
    });

    test('an entry that is deleted or written by hand is a lost lock', async () => {
      await begin();
      const deleted = await connection.lock(DIR, '');
      await raw.delete(`${root}/${deleted.entry}`, -1);
      const written = await connection.lockName('n', '');
      await raw.setData(`${root}/${written.entry}`, utf8('mine now'), -1);
      for (const lock of [deleted, written]) {
        await eventually('the loss', async () => lock.lost.aborted, PATIENCE);
        await expect(lock.unlock()).rejects.toMatchObject({ code: 'LockLost' });
      }
      expect(await children(DIR)).toEqual(['Keyspace']);
      expect(await children('')).toEqual(['keyspaces']);
    });

    test('an entry of the same name that somebody else made is neither ours nor removed', async () => {
      await begin();
      const lock = await connection.lock(DIR, 'ours');
      const path = `${root}/${DIR}/locks`;
      await raw.multi([
        { type: 'delete', path: `${path}/0000000000`, version: -1 },
        { type: 'delete', path, version: -1 },
        { type: 'create', path, data: null, acl: ALL },
        {
          type: 'create',
          path: `${path}/`,
          data: utf8('theirs'),
          acl: FILE,
          mode: CreateMode.EphemeralSequential,
        },
      ]);
      await expect(lock.check()).rejects.toMatchObject({ code: 'LockLost' });
      const batch = [{ type: 'create', path: 'a', bytes: utf8('x') }] as const;
      await expect(connection.write(batch, { fence: lock })).rejects.toMatchObject({
        code: 'LockLost',
        path: DIR,
      });
      await expect(lock.unlock()).rejects.toMatchObject({ code: 'LockLost' });
      expect((await raw.getData(`${path}/0000000000`)).data?.toString()).toBe('theirs');
      await raw.delete(`${path}/0000000000`, -1);
    });

    test('a sealed directory, which lets nobody remove anything, still gives its lock back', async () => {
      await begin();
      const lock = await connection.lock(DIR, '');
      const locks = `${root}/${DIR}/locks`;
      await raw.setAcl(locks, [{ perms: 1 + 16, scheme: 'world', id: 'anyone' }], -1);
      await lock.unlock();
      expect(await children(`${DIR}/locks`)).toEqual([]);
      await raw.setAcl(locks, ALL, -1);
      const again = await connection.lock(DIR, '');
      await again.unlock();
      expect(await children(DIR)).toEqual(['Keyspace']);
    });

    test('the end of a connection gives all its locks and places back, and leaves no directory', async () => {
      await begin();
      const other = await open();
      const locks = [await other.lock(DIR, ''), await other.lockName('n', '')];
      const waiting = other.lock(DIR, 'waiting');
      const refused = expect(waiting).rejects.toMatchObject({ code: 'Interrupted' });
      await eventually('the wait', async () => (await children(`${DIR}/locks`)).length === 2, PATIENCE);
      await other.close();
      await refused;
      for (const lock of locks) {
        expect(lock.lost.reason).toMatchObject({ code: 'LockLost' });
        await expect(lock.unlock()).rejects.toMatchObject({ code: 'LockLost' });
      }
      expect(await children(DIR)).toEqual(['Keyspace']);
      expect(await children('')).toEqual(['keyspaces']);
    });

    test('a time to live of its own is a session of its own, which ends with the lock', async () => {
      await begin();
      const plain = await connection.lock(DIR, '');
      const longer = await connection.lockWithTtl('keyspaces', '', 30_000);
      const owner = async (path: string) => must((await exists(path))?.ephemeralOwner);
      const session = await owner(longer.entry);
      expect(session).not.toBe(await owner(plain.entry));
      await longer.unlock();
      await plain.check();
      await plain.unlock();
    });

    test('a fenced batch is applied while the lock is held, is seen at once, and is refused afterwards', async () => {
      await begin();
      const lock = await connection.lock(DIR, '');
      const batch = (path: string) => [{ type: 'create', path, bytes: utf8('x') }] as const;
      const [version] = await connection.write(batch('deep/down/a'), { fence: lock });
      expect((await connection.get('deep/down/a')).version).toEqual(version);
      await expect(connection.write(batch('deep/down/a'), { fence: lock })).rejects.toMatchObject({
        code: 'NodeExists',
        path: 'deep/down/a',
        index: 0,
      });
      await lock.unlock();
      await expect(connection.write(batch('b'), { fence: lock })).rejects.toMatchObject({
        code: 'LockLost',
        path: DIR,
        index: undefined,
      });
      await expect(connection.get('b')).rejects.toMatchObject({ code: 'NoNode' });
    });

    test('what is no candidate leads nothing: a directory beside them, that of a lock of the election’s own', async () => {
      await begin();
      await plant(raw, `${root}/elections/vtctld`, null);
      const lock = await connection.lock('elections/vtctld', 'not a candidate');
      expect(await connection.leader('vtctld')).toBeUndefined();
      expect(await connection.lockQueue('elections/vtctld')).toEqual([]);
      const leading = await connection.campaign('vtctld', 'host:1');
      expect(await connection.leader('vtctld')).toBe('host:1');
      expect(await connection.lockQueue('elections/vtctld')).toMatchObject([{ contents: 'host:1' }]);
      await Promise.all([lock.unlock(), leading.unlock()]);
    });

    test('leaders follow one another in order, and each is told', async () => {
      await begin();
      const told: (string | undefined)[] = [];
      const stop = new AbortController();
      const watching = (async () => {
        for await (const { id } of connection.watchLeader('vtctld', { signal: stop.signal })) told.push(id);
      })();
      const reached = (...ids: (string | undefined)[]) =>
        eventually(`leaders ${ids}`, async () => JSON.stringify(told) === JSON.stringify(ids), PATIENCE);
      await reached(undefined);
      const first = await connection.campaign('vtctld', 'one');
      await reached(undefined, 'one');
      const other = await open();
      const second = other.campaign('vtctld', 'two');
      await eventually(
        'the candidate',
        async () => (await children('elections/vtctld')).length === 2,
        PATIENCE,
      );
      expect(await other.leader('vtctld')).toBe('one');
      await first.unlock();
      const leading = await within(PATIENCE, 'leadership', second);
      await reached(undefined, 'one', 'two');
      expect(await other.leader('vtctld')).toBe('two');
      expect(await other.lockQueue('elections/vtctld')).toMatchObject([{ contents: 'two', holds: true }]);
      await leading.unlock();
      await reached(undefined, 'one', 'two', undefined);
      expect(await other.leader('vtctld')).toBeUndefined();
      stop.abort();
      await expect(watching).rejects.toMatchObject({ code: 'Interrupted' });
    });
  });
}
