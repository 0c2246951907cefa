import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zk2Connection } from '../../src/backends/zk2/connection.js';
import { LAYOUT } from '../../src/backends/zk2/layout.js';
import { recreationMet } from '../../src/copy/conflicts.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import type { TopologyError } from '../../src/topo/errors.js';
import type { Lock } from '../../src/topo/locks.js';
import { Locks } from '../../src/znodes/lock-session.js';
import { Sessions } from '../../src/znodes/sessions.js';
import { Store } from '../../src/znodes/store.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { until } from '../support/until.js';
import { openZk2 } from './zk2-subject.js';

const utf8 = (text: string) => Buffer.from(text);
type Request = 'create' | 'delete' | 'setData' | 'multi' | 'exists' | 'getData';

describe.runIf(available.zookeeper('3.8'))('zk2 when somebody else is faster', () => {
  let cluster: Cluster;
  let other: Connection;
  let raced: Connection;
  let root: string;
  let places = 0;
  /** What happens just before the next request of this kind is sent. */
  let before: { readonly kind: Request; readonly act: () => Promise<unknown> } | undefined;
  /** What an answer that there is no such znode waits for. */
  let late: Promise<void> | undefined;
  /** Paths whose watchers were let go. */
  let forgotten: string[] = [];
  /** Lists of children as they were answered. */
  const listed: string[] = [];

  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8' });
  });
  afterAll(() => cluster?.stop());

  /** `asOld`: as with servers that have no persistent watches. */
  const begin = async (asOld = false): Promise<void> => {
    places += 1;
    root = `/races/${places}`;
    other = await openZk2(cluster.servers, root);
    const own = await connectOwnClient({ servers: [cluster.servers] });
    const client = interposed(own, asOld, async (kind) => {
      if (before?.kind !== kind) return;
      const { act } = before;
      before = undefined;
      await act();
    });
    forgotten = [];
    client.forgetWatcher = (path) => forgotten.push(path);
    const { getData, getChildren } = client;
    client.getData = (...args) =>
      getData(...args).catch(async (error: unknown) => {
        await late;
        throw error;
      });
    client.getChildren = async (...args) => {
      const answer = await getChildren(...args);
      listed.push(answer.children.join());
      return answer;
    };
    const oneSession = () => Promise.reject(new Error('one session'));
    const sessions = new Sessions(client, oneSession, false);
    const locks = new Locks(oneSession, systemClock);
    const context = { store: other.store, clock: systemClock, defaultTimeoutMs: 10_000 };
    const closing = new AbortController();
    const parts = { context, root, sessions, locks, servers: [cluster.servers], closed: closing.signal };
    raced = zk2Connection(new Store({ ...parts, layout: LAYOUT }), async () => {
      closing.abort();
      await sessions.close();
    });
  };
  const end = () => Promise.all([other.close(), raced.close()]);
  const recreate = (path: string) => async () => {
    await other.delete(path, null);
    await other.create(path, utf8('theirs'));
  };

  test('a re-creation between check and update is noticed: OutcomeUnknown', async () => {
    await begin();
    const version = await raced.create('a', utf8('1'));
    before = { kind: 'setData', act: recreate('a') };
    await expect(raced.update('a', utf8('2'), version)).rejects.toMatchObject({
      code: 'OutcomeUnknown',
      path: 'a',
      message: expect.stringContaining('deleted and created again'),
    });
    await end();
  });

  test('a re-creation between check and deletion is noticed: OutcomeUnknown', async () => {
    await begin();
    const version = await raced.create('a', utf8('1'));
    before = { kind: 'multi', act: recreate('a') };
    await expect(raced.delete('a', version)).rejects.toMatchObject({ code: 'OutcomeUnknown', path: 'a' });
    await end();
  });

  test('a re-creation under a batch is noticed, in updates, deletions and checks', async () => {
    for (const type of ['update', 'delete', 'check'] as const) {
      await begin();
      const version = await raced.create('d/a', utf8('1'));
      before = { kind: 'multi', act: recreate('d/a') };
      const batch = [
        { type: 'create', path: 'd/b', bytes: utf8('b') },
        { type, path: 'd/a', bytes: utf8('2'), version },
      ] as const;
      await expect(raced.write(batch)).rejects.toMatchObject({
        code: 'OutcomeUnknown',
        path: 'd/a',
        index: 1,
      });
      await end();
    }
  });

  test('all records that were re-created under a batch are named', async () => {
    await begin();
    const both = ['d/a', 'd/b'];
    const made = [];
    for (const path of both) made.push({ path, version: await raced.create(path, utf8('1')) });
    before = {
      kind: 'multi',
      act: async () => {
        for (const path of both) await recreate(path)();
      },
    };
    const batch = made.map((each) => ({ type: 'update', bytes: utf8('2'), ...each }) as const);
    const error: unknown = await raced.write(batch).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'OutcomeUnknown', path: 'd/a', index: 0 });
    expect(error).toMatchObject({
      cause: { code: 'BadVersion', path: 'd/a', cause: { code: 'BadVersion', path: 'd/b' } },
    });
    expect(recreationMet(other.store, '', error as TopologyError)).toMatchObject({
      code: 'Guard',
      path: 'd/a',
      message: expect.stringContaining('over d/b'),
    });
    await end();
  });

  test('a change between check and write is BadVersion, and nothing is written', async () => {
    await begin();
    const version = await raced.create('a', utf8('1'));
    const act = () => other.update('a', utf8('theirs'), null);
    for (const [kind, attempt] of [
      ['setData', () => raced.update('a', utf8('2'), version)],
      ['multi', () => raced.delete('a', version)],
      ['multi', () => raced.write([{ type: 'check', path: 'a', version }])],
    ] as const) {
      before = { kind, act };
      await expect(attempt()).rejects.toMatchObject({ code: 'BadVersion', path: 'a' });
    }
    expect(Buffer.from((await raced.get('a')).bytes).toString()).toBe('theirs');
    await end();
  });

  test('directories that vanish while a record is created are made again', async () => {
    await begin();
    await raced.create('d/e/a', utf8('a'));
    before = { kind: 'create', act: () => other.delete('d/e/a', null) };
    await raced.create('d/e/b', utf8('b'));
    expect(await raced.listDir('d/e')).toEqual(['b']);
    await end();
  });

  test('directories that vanish under a batch are made again', async () => {
    await begin();
    await raced.write([{ type: 'create', path: 'd/e/a', bytes: utf8('a') }]);
    before = { kind: 'multi', act: () => other.delete('d/e/a', null) };
    await raced.write([{ type: 'create', path: 'd/e/b', bytes: utf8('b') }]);
    expect(await raced.listDir('d/e')).toEqual(['b']);
    await end();
  });

  test('directories that somebody else makes under a batch are used', async () => {
    await begin();
    before = { kind: 'multi', act: () => other.create('d/e/a', utf8('a')) };
    await raced.write([{ type: 'create', path: 'd/e/b', bytes: utf8('b') }]);
    expect(await raced.listDir('d/e')).toEqual(['a', 'b']);
    await end();
  });

  test('absence is guarded: a record made under a batch that checked it is NodeExists', async () => {
    await begin();
    const batch = [
      { type: 'create', path: 'beside', bytes: utf8('x') },
      { type: 'check', path: 'n/o/n/e', version: null },
    ] as const;
    before = { kind: 'multi', act: () => other.create('n/o/n/e', utf8('theirs')) };
    await expect(raced.write(batch)).rejects.toMatchObject({ code: 'NodeExists', path: 'n/o/n/e', index: 1 });
    await expect(raced.get('beside')).rejects.toMatchObject({ code: 'NoNode' });
    await other.delete('n/o/n/e', null);
    await raced.write(batch);
    expect(await raced.listDir('')).toEqual(['beside']);
    await end();
  });

  test('absence is guarded where a directory is: a record made of it under a batch is NodeExists', async () => {
    await begin();
    await raced.create('d/a', utf8('a'));
    before = { kind: 'multi', act: () => other.create('d', utf8('theirs')) };
    await expect(raced.write([{ type: 'check', path: 'd', version: null }])).rejects.toMatchObject({
      code: 'NodeExists',
      path: 'd',
      index: 0,
    });
    await end();
  });

  test('a child that appears under a deletion is kept: the record goes, its directory stays', async () => {
    for (const kind of ['single', 'batch']) {
      await begin();
      const version = await raced.create('a', utf8('parent'));
      before = { kind: 'multi', act: () => other.create('a/b', utf8('child')) };
      if (kind === 'single') await raced.delete('a', version);
      else await raced.write([{ type: 'delete', path: 'a', version }]);
      await expect(raced.get('a')).rejects.toMatchObject({ code: 'NoNode' });
      expect(Buffer.from((await raced.get('a/b')).bytes).toString()).toBe('child');
      await end();
    }
  });

  test('a directory that comes to be just before it is waited for is followed by single watches', async () => {
    await begin(true);
    before = { kind: 'exists', act: () => other.create('d/a', utf8('a')) };
    const followed: string[] = [];
    for await (const event of raced.watchRecursive('d'))
      if (event.type === 'record') {
        followed.push(event.path);
        break;
      }
    expect(followed).toEqual(['d/a']);
    await end();
  });

  test('a record that is there again before it is known to have been gone is followed by single watches', async () => {
    await begin(true);
    await other.create('d/a', utf8('first'));
    await other.create('d/b', utf8('stays'));
    let seen: string | undefined;
    const following = (async () => {
      for await (const event of raced.watchRecursive('d'))
        if (event.type === 'record' && event.path === 'd/a') seen = event.value && String(event.value.bytes);
    })().catch(() => {});
    await until('the first', () => seen === 'first');
    let tell = () => {};
    late = new Promise((resolve) => {
      tell = resolve;
    });
    await other.delete('d/a', null);
    await until('a list without it', () => listed.at(-1) === 'b');
    await other.create('d/a', utf8('second'));
    await until('a list with it', () => listed.at(-1)?.length === 3);
    tell();
    await until('the second', () => seen === 'second');
    late = undefined;
    await end();
    await following;
  });

  test('single watches whose loop is left are let go, all of them', async () => {
    await begin(true);
    for (const path of ['d/a', 'd/b/c']) await other.create(path, utf8(path));
    for await (const { type } of raced.watchRecursive('d')) if (type === 'synced') break;
    expect(forgotten.map((path) => path.slice(root.length)).sort()).toEqual(
      ['/d', '/d/a', '/d/b', '/d/b/c'].flatMap((path) => [path, path]),
    );
    await end();
  });

  test('a candidate that takes over while the leader is being read leads: it is not nobody', async () => {
    await begin();
    const first = await other.campaign('vtctld', 'one');
    let next: Promise<Lock> | undefined;
    before = {
      kind: 'getData',
      act: async () => {
        next = other.campaign('vtctld', 'two');
        await until('two', async () => (await other.lockQueue('elections/vtctld')).length === 2);
        await first.unlock();
      },
    };
    expect(await raced.leader('vtctld')).toBe('two');
    await (await next)?.unlock();
    await end();
  });

  test('many who create and delete in one directory lose nothing, and leave nothing', async () => {
    await begin();
    const connections = [other, raced, await openZk2(cluster.servers, root)];
    await Promise.all(
      connections.flatMap((connection, c) =>
        Array.from({ length: 8 }, async (_, i) => {
          for (let round = 0; round < 15; round++) {
            const path = `shared/dir/${c}-${i}`;
            if (round % 2 === 0) {
              await connection.create(path, utf8(path));
              expect(Buffer.from((await connection.get(path)).bytes).toString()).toBe(path);
              await connection.delete(path, null);
            } else {
              await connection.write([{ type: 'create', path, bytes: utf8(path) }]);
              await connection.write([{ type: 'delete', path, version: null }]);
            }
          }
        }),
      ),
    );
    await raced.position();
    expect(await raced.listDir('')).toEqual([]);
    await connections[2]?.close();
    await end();
  });
});

/** A client that lets `hook` run before each of such requests, and keeps their order. */
function interposed(
  client: ZooKeeperClient,
  asOld: boolean,
  hook: (kind: Request) => Promise<void>,
): ZooKeeperClient {
  let hooked: Promise<void> = Promise.resolve();
  return {
    get features() {
      const { features } = client;
      return asOld ? { ...features, persistentWatch: false } : features;
    },
    maxRequestBytes: client.maxRequestBytes,
    get sessionId() {
      return client.sessionId;
    },
    get session() {
      return client.session;
    },
    get sessionTimeoutMs() {
      return client.sessionTimeoutMs;
    },
    expired: client.expired,
    create: async (args, options) => {
      await hook('create');
      return client.create(args, options);
    },
    delete: async (path, version, options) => {
      await hook('delete');
      return client.delete(path, version, options);
    },
    setData: async (path, data, version, options) => {
      await hook('setData');
      return client.setData(path, data, version, options);
    },
    multi: async (ops, options) => {
      hooked = hook('multi');
      await hooked;
      return client.multi(ops, options);
    },
    exists: async (path, options) => {
      await hooked;
      await hook('exists');
      return client.exists(path, options);
    },
    getData: async (path, options) => {
      await hook('getData');
      return client.getData(path, options);
    },
    getChildren: (path, options) => client.getChildren(path, options),
    getAcl: (path, options) => client.getAcl(path, options),
    setAcl: (path, acl, version, options) => client.setAcl(path, acl, version, options),
    sync: (path, options) => client.sync(path, options),
    multiRead: (reads, options) => client.multiRead(reads, options),
    addWatch: (path, kind, watcher, options) => client.addWatch(path, kind, watcher, options),
    close: () => client.close(),
    detach: () => client.detach(),
  };
}
