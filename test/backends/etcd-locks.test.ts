import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import type { Connection, WatchEvent } from '../../src/topo/connection.js';
import { findLocks } from '../../src/topo/found-locks.js';
import type { Lock } from '../../src/topo/locks.js';
import { available, type EtcdCluster, startEtcd } from '../servers/index.js';
import { until } from '../support/until.js';
import { connect, V2 } from './etcd-support.js';
import { errorOf } from './etcd2-support.js';

const CONTENTS =
  '{\n  "Action": "RebuildKeyspace",\n  "HostName": "h",\n  "UserName": "u",\n  "Time": "2016-05-06T07:08:09Z",\n  "Status": "Running"\n}';
const KEYSPACE = 'keyspaces/ks';

describe.runIf(available.etcd('3.3'))('locks, elections and watches of a retired etcd store', () => {
  let etcd: EtcdCluster;
  const v2 = new V2(() => etcd.endpoints[0] ?? '');
  const open: Connection[] = [];
  let places = 0;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.3', flags: ['--enable-v2'] });
  }, 60_000);
  afterAll(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await etcd.stop();
  });

  const place = async (settings: Parameters<typeof connect>[2] = {}) => {
    places += 1;
    const root = `/locks/${places}`;
    const connection = await connect(etcd.servers, root, settings);
    open.push(connection);
    return { connection, root, file: `${root}/${KEYSPACE}/_Lock` };
  };
  const lockable = async (connection: Connection) =>
    connection.create(`${KEYSPACE}/Keyspace`, encode('topodata.Keyspace', {}));
  const isLost = (lock: Lock) => until('lost', () => lock.lost.aborted, 5_000);

  test('the lock of a keyspace is swapped in and out, and its file stays', async () => {
    const { connection, file } = await place();
    await lockable(connection);
    for (const free of ['open', '', 'open']) {
      await v2.put(file, free);
      expect(await connection.lockQueue(KEYSPACE)).toEqual([]);
      const lock = await connection.lock(KEYSPACE, CONTENTS);
      expect(await v2.get(file)).toBe(CONTENTS);
      // As Vitess of that time tries: compared with what stands for a free one.
      expect(await v2.ask('PUT', file, { prevValue: 'open' }, { value: 'x' })).toMatchObject({
        errorCode: 101,
      });
      await lock.unlock();
      expect(await v2.get(file)).toBe('');
    }
  });

  test('where there is no such file it is made and deleted, as Vitess of 2016 had it', async () => {
    const { connection, file } = await place();
    await lockable(connection);
    await v2.ask('DELETE', file);
    const lock = await connection.lock(KEYSPACE, CONTENTS);
    expect(await v2.ask('PUT', file, { prevExist: false }, { value: 'x' })).toMatchObject({ errorCode: 105 });
    await lock.unlock();
    expect(await v2.ask('GET', file)).toMatchObject({ errorCode: 100 });
    await v2.ask('PUT', file, { prevExist: false }, { value: CONTENTS, ttl: '30' });
    const [entry] = await connection.lockQueue(KEYSPACE);
    expect(entry).toMatchObject({
      path: `${KEYSPACE}/_Lock`,
      contents: CONTENTS,
      holds: true,
      owner: expect.any(String),
    });
    expect(entry?.ttlLeftMs).toBeGreaterThan(0);
    // Broken, it goes away: it would be taken for one that is held for ever by those who make it.
    await connection.delete(`${KEYSPACE}/_Lock`, entry?.version ?? null);
    expect(await v2.ask('GET', file)).toMatchObject({ errorCode: 100 });
  });

  test('the lock of a dead process stays, is found with what it says, and can be broken', async () => {
    const { connection, file } = await place();
    await lockable(connection);
    await v2.ask('PUT', file, { prevValue: 'open' }, { value: CONTENTS });
    const [found, ...others] = await findLocks(connection, '', new AbortController().signal);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      type: 'keyspace',
      name: 'ks',
      entries: [{ path: `${KEYSPACE}/_Lock`, orphan: true, said: { action: 'RebuildKeyspace', host: 'h' } }],
    });
    expect(await errorOf(connection.tryLock(KEYSPACE, 'x'))).toMatchObject({ code: 'NodeExists' });
    await connection.delete(`${KEYSPACE}/_Lock`, found?.entries[0]?.version ?? null);
    expect(await v2.get(file)).toBe('');
    await (await connection.tryLock(KEYSPACE, 'x')).unlock();
  });

  test('a lock is lost when somebody else writes or deletes its file, and takes nothing of theirs', async () => {
    const { connection, file } = await place();
    await lockable(connection);
    const lock = await connection.lock(KEYSPACE, CONTENTS);
    await v2.put(file, CONTENTS);
    await isLost(lock);
    expect(await errorOf(lock.unlock())).toMatchObject({ code: 'LockLost', path: KEYSPACE });
    expect(await v2.get(file)).toBe(CONTENTS);
    await v2.put(file, '');
    const next = await connection.lock(KEYSPACE, CONTENTS);
    await v2.ask('DELETE', file);
    await isLost(next);
  });

  test('a lock cannot say what stands for a free one', async () => {
    const { connection } = await place();
    await lockable(connection);
    for (const contents of ['', 'open'])
      expect(await errorOf(connection.lock(KEYSPACE, contents))).toMatchObject({ code: 'Usage' });
  });

  test('a candidate leads through a file with a time to live, which is renewed', async () => {
    const { connection, root } = await place({ lockTtlMs: 2_000 });
    const lead = await connection.campaign('vtctld', 'host:1');
    const file = `${root}/election/vtctld`;
    const { node } = await v2.ask('GET', file);
    expect(node).toMatchObject({ value: 'host:1', ttl: expect.any(Number) });
    await until(
      'a renewal',
      async () => (await v2.ask('GET', file)).node?.modifiedIndex !== node?.modifiedIndex,
    );
    expect((await v2.ask('GET', file)).node?.createdIndex).toBe(node?.createdIndex);
    await lead.check();
    await v2.ask('DELETE', file);
    await isLost(lead);
    expect(await connection.leader('vtctld')).toBeUndefined();
  });

  test('a candidate whose file has no time to live leads for ever, and is found as an orphan', async () => {
    const { connection, root } = await place();
    await v2.put(`${root}/election/vtctld`, 'host:1');
    expect(await connection.leader('vtctld')).toBe('host:1');
    const [found] = await findLocks(connection, 'elections', new AbortController().signal);
    expect(found).toMatchObject({ type: 'election', entries: [{ contents: 'host:1', orphan: true }] });
  });

  /** The states of one record, as a watch tells them. */
  const told = (events: AsyncIterable<WatchEvent | { readonly type: 'synced' }>, path: string) => {
    const states: string[] = [];
    const end = (async () => {
      for await (const event of events) {
        if (event.type === 'synced') states.push('synced');
        else if (event.path === path) states.push(String(event.value?.bytes));
      }
    })().catch(() => {});
    return { states, end };
  };

  test('what is hidden is told of, also when etcd has forgotten what came between', async () => {
    const { connection, root } = await place({ watchPollMs: 400 });
    await lockable(connection);
    const abort = new AbortController();
    const { signal } = abort;
    const path = `${KEYSPACE}/Keyspace`;
    const all = told(connection.watchRecursive('keyspaces', { signal }), path);
    const one = told(connection.watch(path, { signal }), path);
    await until('synced', () => all.states.includes('synced') && one.states.length === 1);
    const file = `${root}/${KEYSPACE}/_Data`;
    const bothTold = (state: string) =>
      until(state, () => [all, one].every(({ states }) => states.at(-1) === state), 5_000);
    await v2.put(file, '{"sharding_column_name": "a"}');
    await bothTold('\n\u0001a');
    // etcd remembers a thousand changes of all keys.
    await Promise.all(
      Array.from({ length: 16 }, async (_, worker) => {
        for (let i = 0; i < 65; i++) await v2.put(`/elsewhere/${worker}`, String(i));
      }),
    );
    await v2.put(file, '{"sharding_column_name": "b"}');
    await bothTold('\n\u0001b');
    await v2.ask('DELETE', `${root}/${KEYSPACE}`, { recursive: true });
    await bothTold('undefined');
    abort.abort();
    await Promise.all([all.end, one.end]);
    expect(one.states).toEqual(['', '\n\u0001a', '\n\u0001b', 'undefined']);
  });
});
