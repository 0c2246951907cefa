import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectSettings } from '../../src/topo/backend.js';
import type { Connection } from '../../src/topo/connection.js';
import { findLocks } from '../../src/topo/found-locks.js';
import type { Lock } from '../../src/topo/locks.js';
import { failure, must } from '../conformance/tools.js';
import { available, CONSUL_VERSIONS, type ConsulCluster, FaultProxy, startConsul } from '../servers/index.js';
import { LongTimers } from '../support/long-timers.js';
import { until } from '../support/until.js';
import { Curl, connect, LOCK_FLAGS } from './consul-support.js';

const CONTENTS = '{"Action":"PlannedReparentShard","HostName":"host","UserName":"user"}';
const SCRIPT = fileURLToPath(new URL('./consul-holder.ts', import.meta.url));
/** A session that leaves its key behind, as Vitess's do. */
const RELEASING = { Behavior: 'release', LockDelay: '0s', TTL: '600s' };

for (const version of CONSUL_VERSIONS) {
  describe.runIf(available.consul(version))(`locks of Consul ${version}, with curl for a rival`, () => {
    let consul: ConsulCluster;
    let curl: Curl;
    let places = 0;
    let opened: { close(): Promise<unknown> }[] = [];
    beforeAll(async () => {
      consul = await startConsul({ version });
      curl = new Curl(consul.apis[0] ?? '');
    });
    afterAll(() => consul.stop());
    afterEach(async () => {
      for (const connection of opened) await connection.close();
      opened = [];
    });

    /** A root of its own with a directory to lock, `keyspaces/ks`. */
    const place = async (settings: Partial<ConnectSettings> = {}) => {
      const root = `locks/${++places}`;
      await curl.put(`${root}/keyspaces/ks/Keyspace`, 'record');
      const open = async (more: Partial<ConnectSettings> = {}, servers = consul.servers) => {
        const connection = await connect(servers, root, { ...settings, ...more });
        opened.push(connection);
        return connection;
      };
      const tree = async (below = '') => (await curl.tree(`${root}/${below}`)).map(({ key }) => key);
      return { root, key: `${root}/keyspaces/ks/Lock`, connection: await open(), open, tree };
    };
    const sessions = async (): Promise<string[]> =>
      (await curl.ask('GET', 'session/list')).match(/"ID":"[^"]+"/g) ?? [];
    const isLost = (lock: Lock) => until('the lock is lost', () => lock.lost.aborted);

    test('the key, its flags and its contents are what Vitess writes, and unlock leaves nothing', async () => {
      const { key, connection, tree } = await place();
      const before = await sessions();
      const lock = await connection.lock('keyspaces/ks', CONTENTS);
      expect(lock).toMatchObject({ dir: 'keyspaces/ks', entry: 'keyspaces/ks/Lock' });
      const [found] = await curl.tree(key);
      expect(found).toMatchObject({
        key,
        flags: LOCK_FLAGS,
        value: Buffer.from(CONTENTS).toString('base64'),
      });
      expect(await curl.ask('GET', `session/info/${found?.session}`)).toMatch(
        /"LockDelay":1000000,"Behavior":"delete","TTL":"10000ms"/,
      );
      await lock.check();
      expect(await connection.lockQueue('keyspaces/ks')).toMatchObject([
        { path: 'keyspaces/ks/Lock', contents: CONTENTS, holds: true, owner: found?.session },
      ]);
      expect(await connection.listDirFull('keyspaces/ks')).toEqual([
        { name: 'Keyspace', type: 'file', ephemeral: false },
        { name: 'Lock', type: 'file', ephemeral: true },
      ]);
      await lock.unlock();
      await lock.unlock();
      expect(lock.lost.aborted).toBe(false);
      expect(await tree()).toEqual([key.replace('Lock', 'Keyspace')]);
      expect(await sessions()).toEqual(before);
      expect(await failure(lock.check())).toMatchObject({ code: 'LockLost' });
      expect(await connection.lockQueue('keyspaces/ks')).toEqual([]);
    });

    test('a lock whose return was not answered was given back all the same, and is not told to be lost', async () => {
      const { key, open } = await place();
      const proxy = await FaultProxy.to(consul.servers);
      const connection = await open({}, proxy.address);
      for (const take of [() => connection.lock('keyspaces/ks', 'x'), () => connection.campaign('e', 'x')]) {
        const lock = await take();
        const place = lock.entry === 'elections/e' ? key.replace('keyspaces/ks/Lock', lock.entry) : key;
        expect(await curl.tree(place)).toHaveLength(1);
        proxy.mute('answers');
        const unlocking = lock.unlock();
        await until('the key is gone', async () => (await curl.tree(place)).length === 0);
        await proxy.mend();
        await unlocking;
        expect(lock.lost.aborted).toBe(false);
      }
      await connection.close();
      await proxy.close();
    });

    test('the rival gets nothing while we hold the lock, and we wait while the rival does', async () => {
      const { key, connection } = await place();
      const session = await curl.session(RELEASING);
      const first = await connection.lock('keyspaces/ks', 'ours');
      expect(await curl.acquire(key, session, 'theirs')).toBe(false);
      await first.unlock();
      expect(await curl.acquire(key, session, 'theirs')).toBe(true);
      expect(await connection.lockQueue('keyspaces/ks')).toMatchObject([
        { contents: 'theirs', holds: true, owner: session },
      ]);
      expect(await failure(connection.tryLock('keyspaces/ks', 'ours'))).toMatchObject({
        code: 'NodeExists',
        path: 'keyspaces/ks',
      });
      const deadline = Date.now() + 300;
      expect(await failure(connection.lock('keyspaces/ks', 'ours', { deadline }))).toMatchObject({
        code: 'Timeout',
      });
      let got = false;
      const waiting = connection.lock('keyspaces/ks', 'ours again').then((lock) => {
        got = true;
        return lock;
      });
      await connection.get('keyspaces/ks/Keyspace');
      expect(got).toBe(false);
      // Released, and not deleted: Consul's own API leaves the key so.
      await curl.ask('PUT', `kv/${key}?release=${session}&flags=${LOCK_FLAGS}`, 'theirs');
      const lock = await waiting;
      expect(await curl.acquire(key, session, 'theirs')).toBe(false);
      expect(Buffer.from((await curl.tree(key))[0]?.value ?? '', 'base64').toString()).toBe('ours again');
      await lock.unlock();
      expect(await curl.tree(key)).toEqual([]);
    });

    test('many that want one lock hold it one after the other', async () => {
      const { open } = await place();
      const connections = await Promise.all([0, 1, 2].map(() => open()));
      let inside = 0;
      let turns = 0;
      const work = async (connection: Connection) => {
        for (let i = 0; i < 4; i++) {
          const lock = await connection.lock('keyspaces/ks', 'one of many');
          inside += 1;
          expect(inside).toBe(1);
          const { version, bytes } = await connection.get('keyspaces/ks/Keyspace');
          const next = Buffer.from(`${bytes.length}${'x'.repeat(++turns)}`);
          await connection.update('keyspaces/ks/Keyspace', next, version);
          inside -= 1;
          await lock.unlock();
        }
      };
      await Promise.all([...connections, ...connections].map(work));
      expect(turns).toBe(24);
    });

    test('what a dead holder of Vitess’s left behind is an orphan: lock takes it, tryLock does not', async () => {
      const { key, connection } = await place();
      const session = await curl.session(RELEASING);
      await curl.acquire(key, session, 'dead');
      await curl.ask('PUT', `session/destroy/${session}`);
      const [orphan] = await connection.lockQueue('keyspaces/ks');
      expect(orphan).toMatchObject({ contents: 'dead', holds: true, owner: undefined });
      expect((await connection.get('keyspaces/ks/Lock')).ephemeral).toBe(true);
      expect(await failure(connection.tryLock('keyspaces/ks', 'ours'))).toMatchObject({ code: 'NodeExists' });
      const lock = await connection.lock('keyspaces/ks', 'ours');
      expect((await connection.lockQueue('keyspaces/ks'))[0]?.owner).toBeDefined();
      await lock.unlock();
      expect(await curl.tree(key)).toEqual([]);
    });

    test('an orphan is broken by deleting it in the state in which it was seen', async () => {
      const { key, connection } = await place();
      const session = await curl.session(RELEASING);
      await curl.acquire(key, session, 'dead');
      await curl.ask('PUT', `session/destroy/${session}`);
      const [orphan] = await connection.lockQueue('keyspaces/ks');
      if (orphan === undefined) throw new Error('there is no orphan');
      await connection.delete(orphan.path, orphan.version);
      await (await connection.tryLock('keyspaces/ks', 'ours')).unlock();
    });

    test('a record in the place of the lock is refused by name, and not overwritten', async () => {
      const { key, connection } = await place();
      await curl.put(key, 'somebody’s data');
      const before = await curl.tree(key);
      for (const method of ['lock', 'tryLock'] as const) {
        const error = await failure(connection[method]('keyspaces/ks', 'x'));
        expect(error).toMatchObject({ code: 'NodeExists', path: 'keyspaces/ks' });
        expect(error.message).toContain('keyspaces/ks/Lock');
      }
      expect(await curl.tree(key)).toEqual(before);
      // Who lists the locks is to see what keeps everybody from locking.
      expect(await connection.lockQueue('keyspaces/ks')).toMatchObject([{ holds: true, owner: undefined }]);
    });

    test('a record that comes to be in the place of the lock while it is being taken is not overwritten', async () => {
      const { key, open } = await place();
      const before = await sessions();
      const proxy = await FaultProxy.to(consul.servers);
      try {
        const connection = await open({}, proxy.address);
        proxy.shape('requests', { latencyMs: 500 });
        const taking = failure(connection.lock('keyspaces/ks', 'ours'));
        // There was nothing in its place by then, and the lock is asked for next.
        await until('the session', async () => (await sessions()).length > before.length);
        await curl.put(key, 'a record');
        expect(await taking).toMatchObject({ code: 'NodeExists', path: 'keyspaces/ks' });
        expect(await curl.tree(key)).toMatchObject([
          { value: Buffer.from('a record').toString('base64'), session: '' },
        ]);
      } finally {
        await proxy.close();
      }
    });

    test('a directory must exist, a name need not, and odd characters are no matter', async () => {
      const { connection, tree } = await place();
      for (const method of ['lock', 'tryLock'] as const)
        expect(await failure(connection[method]('keyspaces/none', 'x'))).toMatchObject({
          code: 'NoNode',
          path: 'keyspaces/none',
        });
      expect(await failure(connection.lock('keyspaces/ks/Keyspace', 'x'))).toMatchObject({ code: 'NoNode' });
      const name = 'ks/wörkflow 100%?#\u0001';
      const lock = await connection.lockName(name, 'named');
      expect(lock).toMatchObject({ entry: `internal/named_locks/${name}/Lock` });
      const other = connection.lockName(name, 'the next');
      expect(await failure(connection.tryLock(`internal/named_locks/${name}`, 'x'))).toMatchObject({
        code: 'NodeExists',
      });
      await lock.unlock();
      await (await other).unlock();
      expect(await tree('internal/')).toEqual([]);
      const root = await connection.lock('', 'the whole root');
      expect(root.entry).toBe('Lock');
      await root.unlock();
    });

    test('a lock is lost when its key is deleted, its session destroyed, or the key released or taken', async () => {
      const { key, connection } = await place();
      const ways: Record<string, (session: string) => Promise<unknown>> = {
        deleted: () => curl.ask('DELETE', `kv/${key}`),
        destroyed: (session) => curl.ask('PUT', `session/destroy/${session}`),
        released: (session) => curl.ask('PUT', `kv/${key}?release=${session}`, 'x'),
      };
      const rival = await curl.session(RELEASING);
      for (const [name, way] of Object.entries(ways)) {
        const lock = await connection.lock('keyspaces/ks', name);
        await way((await curl.tree(key))[0]?.session ?? '');
        await isLost(lock);
        expect(lock.lost.reason).toMatchObject({ code: 'LockLost', path: 'keyspaces/ks' });
        expect(await failure(lock.check())).toMatchObject({ code: 'LockLost' });
        expect(await curl.acquire(key, rival, 'theirs')).toBe(true);
        expect(await failure(lock.unlock())).toMatchObject({ code: 'LockLost' });
        expect(await curl.tree(key)).toMatchObject([{ session: rival }]);
        await curl.ask('DELETE', `kv/${key}`);
      }
    });

    test('after a holder died, the lock delay that it chose is waited for', async () => {
      const { key, connection } = await place();
      const session = await curl.session({ Behavior: 'delete', LockDelay: '2s' });
      await curl.acquire(key, session, 'theirs');
      const waiting = connection.lock('keyspaces/ks', 'ours');
      await curl.ask('PUT', `session/destroy/${session}`);
      expect(await curl.tree(key)).toEqual([]);
      expect(await failure(connection.tryLock('keyspaces/ks', 'ours'))).toMatchObject({ code: 'NodeExists' });
      await (await waiting).unlock();
    });

    test('a wait that is aborted, or too long, leaves no session and no key', async () => {
      const { key, connection, tree } = await place();
      const session = await curl.session(RELEASING);
      await curl.acquire(key, session, 'theirs');
      const before = await sessions();
      const abort = new AbortController();
      const waits = [
        failure(connection.lock('keyspaces/ks', 'x', { signal: abort.signal })),
        failure(connection.lock('keyspaces/ks', 'x', { signal: AbortSignal.abort() })),
        failure(connection.lock('keyspaces/ks', 'x', { deadline: Date.now() + 200 })),
      ];
      await waits[2];
      abort.abort();
      expect((await Promise.all(waits)).map(({ code }) => code)).toEqual([
        'Interrupted',
        'Interrupted',
        'Timeout',
      ]);
      await curl.ask('DELETE', `kv/${key}`);
      await until('the sessions are gone', async () => (await sessions()).length <= before.length);
      expect(await tree('keyspaces/ks/Lock')).toEqual([]);
    });

    test('an abort that meets the making of the session in flight, or a close, ends it', async () => {
      const { open } = await place({ lockTtlMs: 3_600_000 });
      const before = await sessions();
      const proxy = await FaultProxy.to(consul.servers);
      try {
        const [aborted, closed] = [await open({}, proxy.address), await open({}, proxy.address)];
        proxy.shape('answers', { latencyMs: 1_000 });
        const abort = new AbortController();
        const waits = [
          failure(aborted.lock('keyspaces/ks', 'x', { signal: abort.signal })),
          failure(closed.lock('keyspaces/ks', 'x')),
        ];
        await until('the sessions are made', async () => (await sessions()).length >= before.length + 2);
        abort.abort();
        await closed.close();
        for (const wait of waits) expect(await wait).toMatchObject({ code: 'Interrupted' });
        await until('the sessions are gone', async () => (await sessions()).length <= before.length);
      } finally {
        await proxy.close();
      }
    });

    test('an abort that meets the taking of the lock in flight takes it back', async () => {
      const { key, open } = await place();
      const proxy = await FaultProxy.to(consul.servers);
      try {
        const connection = await open({}, proxy.address);
        const session = await curl.session(RELEASING);
        await curl.acquire(key, session, 'theirs');
        const abort = new AbortController();
        const waiting = failure(connection.lock('keyspaces/ks', 'ours', { signal: abort.signal }));
        await connection.lockQueue('keyspaces/ks');
        // The session is made and the lock taken once the key is free, and nobody is told.
        proxy.shape('answers', { latencyMs: 1_000 });
        await curl.ask('DELETE', `kv/${key}`);
        await until('the lock is taken', async () => (await curl.tree(key)).length > 0);
        proxy.mute('answers');
        abort.abort();
        expect(await waiting).toMatchObject({ code: 'Interrupted' });
        await proxy.mend();
        await until('the key is taken back', async () => (await curl.tree(key)).length === 0);
      } finally {
        await proxy.close();
      }
    });

    test('a session that is made late lives from when it was asked for, not from the answer', async () => {
      const [ttlMs, latencyMs] = [10_000, 2_000];
      const { open } = await place({ lockTtlMs: ttlMs });
      const proxy = await FaultProxy.to(consul.servers);
      try {
        const connection = await open({}, proxy.address);
        proxy.shape('answers', { latencyMs });
        const lock = await connection.lock('keyspaces/ks', 'ours');
        const taken = performance.now();
        proxy.mute('answers');
        await until('the loss', () => lock.lost.aborted);
        expect(String(lock.lost.reason)).toContain('kept alive');
        // The answers to the making of the session and to the taking of the lock were waited for.
        expect(performance.now() - taken).toBeLessThan(ttlMs - 2 * latencyMs + 1_000);
        await proxy.mend();
      } finally {
        await proxy.close();
      }
    });

    test('a lock outlives a restart of the server, and close gives it back and tells', async () => {
      const { key, connection, open } = await place();
      const lock = await connection.lock('keyspaces/ks', 'ours');
      await consul.restart();
      await until('a check', () =>
        lock.check().then(
          () => true,
          (error) => error.code === 'LockLost',
        ),
      );
      expect(lock.lost.aborted).toBe(false);
      await connection.close();
      expect(lock.lost.reason).toMatchObject({ code: 'LockLost' });
      expect(await curl.tree(key)).toEqual([]);
      expect(await failure(lock.unlock())).toMatchObject({ code: 'LockLost' });
      await (await (await open()).tryLock('keyspaces/ks', 'the next')).unlock();
    });

    test('the key of a killed process goes with its session', async () => {
      const { root, key } = await place();
      const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, consul.servers, root], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      expect(await curl.tree(key)).toHaveLength(1);
      child.kill('SIGKILL');
      await until('the key is gone', async () => (await curl.tree(key)).length === 0, 45_000);
    }, 90_000);

    test('a fenced batch is done while the lock is held, and not when it is lost', async () => {
      const { key, connection, open } = await place();
      const lock = await connection.lock('keyspaces/ks', 'ours');
      const [made] = await connection.write([{ type: 'create', path: 'a', bytes: Buffer.from('1') }], {
        fence: lock,
      });
      const other = await open();
      const create = (path: string) => ({ type: 'create', path, bytes: Buffer.from('2') }) as const;
      await other.write([create('b')], { fence: lock });
      expect(await failure(connection.write([create('c'), create('a')], { fence: lock }))).toMatchObject({
        code: 'NodeExists',
        path: 'a',
        index: 1,
      });
      const { maxOps } = connection.capabilities.batch;
      const many = Array.from({ length: maxOps - 1 }, (_, i) => create(`many/${i}`));
      await connection.write(many, { fence: lock });
      await connection.write(
        many.map(({ path }) => ({ type: 'delete', path, version: null })),
        { fence: lock },
      );
      expect(await failure(connection.write([...many, create('d')], { fence: lock }))).toMatchObject({
        code: 'TooLarge',
      });
      await curl.ask('DELETE', `kv/${key}`);
      const refused = [connection, other].map((each) =>
        failure(each.write([{ type: 'delete', path: 'a', version: made ?? null }], { fence: lock })),
      );
      for (const error of await Promise.all(refused))
        expect(error).toMatchObject({ code: 'LockLost', path: 'keyspaces/ks' });
      expect((await connection.get('a')).version).toEqual(made);
      await failure(lock.unlock());
    });

    test('a lock that its holder counts as over fences no more, though Consul still has its key', async () => {
      const hour = 3_600_000;
      const clock = new LongTimers(hour / 2);
      const { key, connection } = await place({ clock, lockTtlMs: hour });
      const lock = await connection.lock('keyspaces/ks', 'ours');
      clock.fire();
      await isLost(lock);
      const write = connection.write([{ type: 'create', path: 'over', bytes: Buffer.from('x') }], {
        fence: lock,
      });
      expect(await failure(write)).toMatchObject({ code: 'LockLost', path: 'keyspaces/ks' });
      expect(await curl.tree(key)).toHaveLength(1);
      expect(await failure(lock.unlock())).toMatchObject({ code: 'LockLost' });
      expect(await curl.tree(key)).toEqual([]);
    });

    test('elections: a lock of the directory of one is told once, by its own place, and leads nothing', async () => {
      const { root, connection } = await place();
      const key = `${root}/elections/vtctld/Lock`;
      expect(await curl.acquire(key, await curl.session(RELEASING), 'theirs')).toBe(true);
      const found = async () =>
        (await findLocks(connection, '', new AbortController().signal)).map(({ name, entries }) => [
          name,
          ...entries.map(({ contents }) => contents),
        ]);
      expect(await found()).toEqual([['vtctld/Lock', 'theirs']]);
      expect(await connection.lockQueue('elections/vtctld')).toEqual([]);
      const leadership = await connection.campaign('vtctld', 'host:15000');
      expect(await found()).toEqual([
        ['vtctld', 'host:15000'],
        ['vtctld/Lock', 'theirs'],
      ]);
      await leadership.unlock();
    });

    test('elections: the next leader is told although it has the id of the one before', async () => {
      const { root, connection } = await place();
      const key = `${root}/elections/vtctld`;
      const told: (string | undefined)[] = [];
      const watching = failure(
        (async () => {
          for await (const { id } of connection.watchLeader('vtctld')) told.push(id);
        })(),
      );
      const sessions = [await curl.session(RELEASING), await curl.session(RELEASING)];
      expect(await curl.acquire(key, must(sessions[0]), 'host:15000')).toBe(true);
      await until('the first is told of', () => told.at(-1) === 'host:15000');
      const before = told.length;
      // In one transaction, so that nobody can see it free.
      const steps = ['unlock', 'lock'].map((Verb, i) => ({
        KV: { Verb, Key: key, Value: Buffer.from('host:15000').toString('base64'), Session: sessions[i] },
      }));
      await curl.ask('PUT', 'txn', JSON.stringify(steps));
      await until('the second is told of', () => told.length > before);
      expect(told.slice(before)).toEqual(['host:15000']);
      await connection.close();
      expect(await watching).toMatchObject({ code: 'Interrupted' });
    });

    test('elections: who leads is seen by curl and told, the next leads when the leader is gone', async () => {
      const { root, connection, open } = await place();
      const key = `${root}/elections/vtctld`;
      const told: (string | undefined)[] = [];
      const watching = failure(
        (async () => {
          for await (const { id } of connection.watchLeader('vtctld')) told.push(id);
        })(),
      );
      expect(await connection.leader('vtctld')).toBeUndefined();
      const first = await connection.campaign('vtctld', 'host1:15000');
      expect(first).toMatchObject({ dir: 'elections/vtctld', entry: 'elections/vtctld' });
      expect(await curl.tree(key)).toMatchObject([{ key, flags: LOCK_FLAGS }]);
      expect(await connection.leader('vtctld')).toBe('host1:15000');
      expect(await connection.lockQueue('elections/vtctld')).toMatchObject([{ contents: 'host1:15000' }]);
      const second = (await open()).campaign('vtctld', 'host2:15000');
      const session = await curl.session(RELEASING);
      expect(await curl.acquire(key, session, 'host3:15000')).toBe(false);
      await first.unlock();
      const next = await second;
      expect(await connection.leader('vtctld')).toBe('host2:15000');
      await curl.ask('DELETE', `kv/${key}`);
      await isLost(next);
      expect(await curl.acquire(key, session, 'host3:15000')).toBe(true);
      await until('the rival is told of', () => told.at(-1) === 'host3:15000');
      await curl.ask('PUT', `session/destroy/${session}`);
      await until('nobody is told of', () => told.at(-1) === undefined);
      expect(await connection.leader('vtctld')).toBeUndefined();
      await connection.close();
      expect(await watching).toMatchObject({ code: 'Interrupted' });
    });
  });
}
