import { beforeEach, describe, expect, it } from 'vitest';
import { ConsulStore } from '../../src/backends/memory/consul.js';
import { EtcdStore } from '../../src/backends/memory/etcd.js';
import { backend } from '../../src/backends/memory/index.js';
import type { Item, Steps } from '../../src/backends/memory/operation.js';
import type { MemoryStore } from '../../src/backends/memory/store.js';
import { forgetMemoryStores, memoryStore } from '../../src/backends/memory/stores.js';
import { ZooKeeperStore } from '../../src/backends/memory/zookeeper.js';
import { addressFromTriple, parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { Version } from '../../src/topo/version.js';
import { ManualClock } from '../support/manual-clock.js';

const utf8 = (text: string) => Buffer.from(text);

/** Numbers that look random and are the same in every run. */
function counting(): () => number {
  let n = 0;
  return () => (n++ % 97) / 97;
}

function settings(): { clock: ManualClock; random: () => number } {
  return { clock: new ManualClock(), random: counting() };
}

/** Runs an operation with nothing in between. */
function run<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}

const put = (store: MemoryStore, key: string, text: string) => run(store.put(key, utf8(text), ''));
const remove = (store: MemoryStore, key: string, root = '') =>
  run(store.write([{ type: 'delete', key, token: null }], root));
const text = (item: Item | undefined) => (item?.bytes ? Buffer.from(item.bytes).toString() : undefined);

function open(url: string): Promise<Connection> {
  return backend.connect(parseAddress(url), {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: 1000,
    requestTimeoutMs: 1000,
  });
}

describe('the ZooKeeper flavour', () => {
  it('counts data versions anew when a znode is made again, and tells the two by their czxid', () => {
    const store = new ZooKeeperStore(settings());
    const first = put(store, 'a', '1');
    expect(put(store, 'a', '2')).toBe(first?.replace(/^0/, '1'));
    remove(store, 'a');
    const second = put(store, 'a', '3');
    expect(second).toMatch(/^0:/);
    expect(second).not.toBe(first);
  });

  it('gives all operations of a transaction one zxid', () => {
    const store = new ZooKeeperStore(settings());
    const before = store.position;
    const tokens = run(
      store.write(
        ['x/a', 'y/b'].map((key) => ({ type: 'create' as const, key, bytes: utf8('1') })),
        '',
      ),
    );
    expect(store.position).toBe(before + 1n);
    expect(new Set(tokens)).toEqual(new Set([`0:${store.position}`]));
  });

  it('has directories as znodes: with a record they remain, without they go, up to the root', () => {
    const store = new ZooKeeperStore(settings());
    put(store, 'root/dir/sub/a', '1');
    store.makeDirectory('/root/dir/other');
    remove(store, 'root/dir/sub/a', 'root');
    expect(store.names('root/dir')).toEqual(['other']);
    put(store, 'root/x/y', '1');
    remove(store, 'root/x/y', 'root');
    expect(store.names('root')).toEqual(['dir']);
    expect(store.names('root/dir/other')).toEqual([]);
  });

  it('makes a directory a record, and back, without another znode', () => {
    const store = new ZooKeeperStore(settings());
    put(store, 'dir/a', '1');
    const token = put(store, 'dir', 'data');
    expect(token).toMatch(/^1:/);
    remove(store, 'dir');
    expect(store.record('dir')).toBeUndefined();
    expect(store.names('dir')).toEqual(['a']);
    expect(put(store, 'dir', 'data')?.split(':')[1]).toBe(token?.split(':')[1]);
  });

  it('ends ephemeral records with their session, and leaves the directory', () => {
    const store = new ZooKeeperStore(settings());
    const session = store.putEphemeral('/elections/x/1', utf8('me'));
    store.putEphemeral('/elections/x/2', utf8('me too'), session);
    const other = store.putEphemeral('/elections/x/3', utf8('you'));
    expect(store.entries('')).toEqual([{ name: 'elections', type: 'directory', ephemeral: true }]);
    store.expireSession(session);
    expect(store.names('elections/x')).toEqual(['3']);
    store.expireSession(other);
    store.expireSession(other);
    expect(store.names('elections/x')).toEqual([]);
    expect(store.entries('')).toEqual([{ name: 'elections', type: 'directory', ephemeral: false }]);
  });

  it('numbers sequential records by their directory, never twice', () => {
    const store = new ZooKeeperStore(settings());
    const session = store.openSession();
    const first = store.putSequential('/locks/', utf8('1'), session);
    remove(store, first, 'locks');
    const second = store.putSequential('/locks/', utf8('2'), session);
    expect([first, second]).toEqual(['locks/0000000000', 'locks/0000000001']);
  });

  it('has no records below an ephemeral one', () => {
    const store = new ZooKeeperStore(settings());
    store.putEphemeral('a', utf8('1'));
    expect(() => put(store, 'a/b', '1')).toThrow(expect.objectContaining({ code: ErrorCode.Unsupported }));
    expect(store.names('')).toEqual(['a']);
  });

  it('wraps data versions at 2^31', () => {
    class Aged extends ZooKeeperStore {
      age(key: string, version: number): void {
        const znode = this.tree.get(key);
        if (znode !== undefined) this.commit(() => this.set(key, { ...znode, version }));
      }
    }
    const store = new Aged(settings());
    const created = put(store, 'a', '1')?.split(':')[1];
    store.age('a', 2 ** 31 - 1);
    const wrapped = put(store, 'a', '2');
    expect(wrapped).toBe(`${-(2 ** 31)}:${created}`);
    const bytes = utf8('3');
    expect(run(store.write([{ type: 'update', key: 'a', bytes, token: wrapped ?? '' }], ''))).toEqual([
      `${-(2 ** 31) + 1}:${created}`,
    ]);
  });

  it('checks versions in one request and writes in the next: what is made again between shows as OutcomeUnknown', () => {
    const store = new ZooKeeperStore(settings());
    const token = put(store, 'a', '1') ?? '';
    const steps = store.write([{ type: 'update', key: 'a', bytes: utf8('mine'), token }], '');
    expect(steps.next().done).toBe(false);
    remove(store, 'a');
    put(store, 'a', 'theirs');
    expect(() => steps.next()).toThrow(expect.objectContaining({ code: ErrorCode.OutcomeUnknown }));
    expect(text(store.record('a'))).toBe('mine');
  });

  it('refuses a version of a znode that was made again before', () => {
    const store = new ZooKeeperStore(settings());
    const token = put(store, 'a', '1') ?? '';
    remove(store, 'a');
    put(store, 'a', '2');
    for (const type of ['delete', 'check'] as const) {
      expect(() => run(store.write([{ type, key: 'a', token }], ''))).toThrow(
        expect.objectContaining({ code: ErrorCode.BadVersion, index: 0 }),
      );
    }
  });

  it('writes in any state by trying in turn to set and to make', () => {
    const store = new ZooKeeperStore(settings());
    const steps = store.put('a', utf8('mine'), '');
    expect(steps.next().done).toBe(false);
    put(store, 'a', 'theirs');
    expect(steps.next().done).toBe(false);
    expect(steps.next()).toMatchObject({ done: true, value: expect.stringMatching(/^1:/) });
  });

  it('takes back everything when one operation of a transaction fails', () => {
    const store = new ZooKeeperStore(settings());
    const token = put(store, 'dir/a', '1');
    const before = store.position;
    const ops = [
      { type: 'create' as const, key: 'new/b', bytes: utf8('1') },
      { type: 'delete' as const, key: 'dir/a', token: null },
      { type: 'check' as const, key: 'absent', token: '0:1' },
    ];
    expect(() => run(store.write(ops, ''))).toThrow(expect.objectContaining({ key: 'absent', index: 2 }));
    expect(store.position).toBe(before);
    expect(store.names('')).toEqual(['dir']);
    expect(run(store.write([{ type: 'check', key: 'dir/a', token: token ?? '' }], ''))).toEqual([undefined]);
  });
});

describe('the etcd flavour', () => {
  it('has one revision for all keys, which names the state of each', () => {
    const store = new EtcdStore(settings());
    expect([put(store, 'a', '1'), put(store, 'b', '1'), put(store, 'a', '1')]).toEqual(['2', '3', '4']);
    remove(store, 'a');
    expect(put(store, 'a', '1')).toBe('6');
    expect(store.position).toBe(6n);
  });

  it('has directories only where there are keys below', () => {
    const store = new EtcdStore(settings());
    put(store, 'dir/sub/a', '1');
    remove(store, 'dir/sub/a');
    expect(store.names('')).toBeUndefined();
    expect(() => store.makeDirectory('dir')).toThrow(
      expect.objectContaining({ code: ErrorCode.Unsupported }),
    );
  });

  it('ends a lease, and all its keys at one revision, when its time to live is over', () => {
    const injected = settings();
    const store = new EtcdStore(injected);
    const lease = store.openSession({ ttlMs: 30_000 });
    for (const key of ['locks/a', 'locks/b']) store.putEphemeral(key, utf8('1'), lease);
    const before = store.position;
    injected.clock.advance(29_999);
    expect(store.keepAlive(lease)).toBe(true);
    injected.clock.advance(29_999);
    expect(store.names('locks')).toEqual(['a', 'b']);
    injected.clock.advance(1);
    expect(store.names('locks')).toBeUndefined();
    expect(store.position).toBe(before + 1n);
    expect(store.keepAlive(lease)).toBe(false);
    expect(injected.clock.pending).toBe(0);
  });

  it('takes a key out of its lease when it is written without one', () => {
    const store = new EtcdStore(settings());
    const lease = store.putEphemeral('a', utf8('1'));
    put(store, 'a', '2');
    store.expireSession(lease);
    expect(text(store.record('a'))).toBe('2');
  });
});

describe('the Consul flavour', () => {
  it('keeps the ModifyIndex when the same is written again', () => {
    const store = new ConsulStore(settings());
    const token = put(store, 'a', '1');
    expect(put(store, 'a', '1')).toBe(token);
    expect(put(store, 'a', '2')).not.toBe(token);
  });

  it('lets nobody acquire a key for the lock delay after its holder’s session ended', () => {
    const injected = settings();
    const store = new ConsulStore(injected);
    const session = store.putEphemeral('dir/Lock', utf8('1'), store.openSession({ lockDelayMs: 5000 }));
    expect(() => store.putEphemeral('dir/Lock', utf8('2'))).toThrow(
      expect.objectContaining({ code: ErrorCode.NodeExists }),
    );
    store.expireSession(session);
    expect(store.record('dir/Lock')).toBeUndefined();
    injected.clock.advance(4999);
    expect(() => store.putEphemeral('dir/Lock', utf8('2'))).toThrow(
      expect.objectContaining({ code: ErrorCode.Unavailable }),
    );
    injected.clock.advance(1);
    store.putEphemeral('dir/Lock', utf8('2'));
    expect(text(store.record('dir/Lock'))).toBe('2');
  });

  it('keeps the session of a key that is written by others', () => {
    const store = new ConsulStore(settings());
    const session = store.putEphemeral('a', utf8('1'));
    put(store, 'a', '2');
    store.expireSession(session);
    expect(store.record('a')).toBeUndefined();
  });

  it('counts the key of a lock as ephemeral after its session has released it', () => {
    const store = new ConsulStore(settings());
    store.expireSession(store.putEphemeral('a', utf8('1'), store.openSession({ behavior: 'release' })));
    expect(store.entries('')).toEqual([{ name: 'a', type: 'file', ephemeral: true }]);
  });

  it('names sessions as Consul does, the same ones in every run', () => {
    const ids = [1, 2].map(() => new ConsulStore(settings()).openSession());
    expect(ids[0]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(ids[0]).toBe(ids[1]);
  });
});

describe('memory stores', () => {
  beforeEach(forgetMemoryStores);

  it('are one for all connections to one name, each seeing its root', async () => {
    const global = await open('memory://etcd:demo/vitess/global');
    const all = await open('memory://etcd:demo/');
    await global.create('keyspaces/user/Keyspace', utf8('1'));
    await expect(all.get('vitess/global/keyspaces/user/Keyspace')).resolves.toMatchObject({
      bytes: utf8('1'),
    });
    const other = await open('memory://etcd:other/vitess/global');
    await expect(other.listDir('')).rejects.toMatchObject({ code: ErrorCode.NoNode });
  });

  it('with a name outlive their connections, until they are forgotten', async () => {
    const url = 'memory://zookeeper:demo/vitess';
    const first = await open(url);
    expect(first.capabilities.durable).toBe(true);
    await first.create('a', utf8('1'));
    await first.close();
    const second = await open(url);
    await expect(second.get('a')).resolves.toMatchObject({ bytes: utf8('1') });
    forgetMemoryStores();
    await expect((await open(url)).get('a')).rejects.toMatchObject({ code: ErrorCode.NoNode });
  });

  it('without a name are shared by all connections at a time, and forgotten with the last', async () => {
    const [a, b] = [await open('memory:'), await open('memory://etcd/')];
    expect(a.capabilities.durable).toBe(false);
    await a.create('x', utf8('1'));
    await a.close();
    await a.close();
    await expect(b.get('x')).resolves.toMatchObject({ bytes: utf8('1') });
    await b.close();
    await expect((await open('memory:')).get('x')).rejects.toMatchObject({ code: ErrorCode.NoNode });
  });

  it('keep copies of what they are given, and give copies', async () => {
    const connection = await open('memory://consul:demo/vitess');
    const given = utf8('1');
    const creating = connection.create('a', given);
    given.fill('x');
    await creating;
    const got = await connection.get('a');
    got.bytes.fill(0);
    await expect(connection.get('a')).resolves.toMatchObject({ bytes: utf8('1') });
  });

  it('carry out nothing before the call has returned, and everything in the order that `deliver` decides', async () => {
    const connection = await open('memory://etcd:demo/');
    const store = memoryStore('etcd:demo');
    const held: (() => void)[] = [];
    store.deliver = (arrive) => held.push(arrive);
    const first = connection.create('a', utf8('1'));
    const second = connection.create('a', utf8('2'));
    await Promise.resolve();
    expect([held.length, store.record('a')]).toEqual([2, undefined]);
    for (const arrive of held.reverse()) arrive();
    await expect(second).resolves.toBeInstanceOf(Version);
    await expect(first).rejects.toMatchObject({ code: ErrorCode.NodeExists, path: 'a', index: undefined });
  });

  it.each(['etcd2', 'redis:demo', 'etcd:', ':demo'])('cannot be called %j', async (server) => {
    const address = addressFromTriple('memory', server, '/');
    const settings = { clock: systemClock, random: Math.random, connectTimeoutMs: 1, requestTimeoutMs: 1 };
    await expect(backend.connect(address, settings)).rejects.toMatchObject({
      code: ErrorCode.InvalidAddress,
      hint: expect.stringContaining('zookeeper, etcd, consul'),
    });
  });
});
