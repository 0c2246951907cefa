import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import type { NativeNode, NativeStore } from '../../src/topo/native.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import {
  available,
  CONSUL_VERSIONS,
  type ConsulCluster,
  ETCD_VERSIONS,
  type EtcdCluster,
  startConsul,
  startEtcd,
  startZooKeeper,
  ZOOKEEPER_VERSIONS,
} from '../servers/index.js';
import { SETTINGS, withStore } from '../support/topologies.js';
import { OPEN } from '../zookeeper/support.js';
import { Curl, LOCK_FLAGS } from './consul-support.js';
import { errorOf } from './etcd2-support.js';

const LIMIT_MS = 180_000;
const bytes = (text: string) => Buffer.from(text);

async function withNative<T>(address: string, work: (store: NativeStore) => Promise<T>): Promise<T> {
  const store = await storesFor(SETTINGS, 'read').openNative(parseAddress(address), 'global');
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function walked(store: NativeStore, path: string): Promise<NativeNode[]> {
  const all: NativeNode[] = [];
  for await (const group of store.walk(path)) all.push(...group);
  return all;
}

const paths = (nodes: readonly { readonly path: string }[]) => nodes.map(({ path }) => path);

for (const version of ZOOKEEPER_VERSIONS) {
  describe.runIf(available.zookeeper(version))(`ZooKeeper ${version} as it is`, () => {
    let server: Awaited<ReturnType<typeof startZooKeeper>>;
    let client: ZooKeeperClient;
    let address: string;
    const create = (path: string, data: Uint8Array | null, acl = OPEN, mode: 0 | 1 = 0) =>
      client.create({ path, data, acl, mode });
    beforeAll(async () => {
      server = await startZooKeeper({ version });
      address = `zk2://${server.servers}/vitess/global`;
      client = await connectOwnClient({
        servers: server.servers.split(','),
        auth: [{ scheme: 'digest', auth: 'vt:secret-word' }],
      });
      await create('/vitess', null);
      await create('/vitess/global', bytes(''));
      await create('/vitess/global/keyspaces', null);
      await create('/vitess/global/keyspaces/a-b', bytes('x'));
      await create('/vitess/global/keyspaces/a', bytes('one'), [
        { perms: 31, scheme: 'auth', id: '' },
        ...OPEN,
      ]);
      await create('/vitess/global/keyspaces/a/b', bytes('two'), OPEN, 1);
      await client.setData('/vitess/global/keyspaces/a', bytes('three'), 0);
    }, LIMIT_MS);
    afterAll(async () => {
      await client?.close();
      await server?.stop();
    });

    test('what is outside the root is seen, and what is no record', () =>
      withNative(address, async (store) => {
        expect(store.root).toBe('/vitess/global');
        expect((await store.list('/')).map(({ name }) => name)).toEqual(['vitess', 'zookeeper']);
        expect(await store.list('/vitess')).toEqual([{ name: 'global', path: '/vitess/global', node: true }]);
        expect(await store.list('/vitess/')).toHaveLength(1);
        expect(paths(await walked(store, '/vitess'))).toEqual([
          '/vitess/global',
          '/vitess/global/keyspaces',
          '/vitess/global/keyspaces/a',
          '/vitess/global/keyspaces/a-b',
          '/vitess/global/keyspaces/a/b',
        ]);
        expect(paths(await walked(store, '/'))).toContain('/zookeeper/quota');
      }));

    test('a znode has its Stat and its ACL, of which no hash is shown', () =>
      withNative(address, async (store) => {
        const node = await store.read('/vitess/global/keyspaces/a');
        expect(Buffer.from(node.bytes ?? []).toString()).toBe('three');
        const { stat } = await client.exists('/vitess/global/keyspaces/a');
        expect(node.words).toEqual({
          czxid: `0x${stat?.czxid.toString(16)}`,
          mzxid: `0x${stat?.mzxid.toString(16)}`,
          pzxid: `0x${stat?.pzxid.toString(16)}`,
          ctime: new Date(stat?.ctime ?? 0).toISOString(),
          mtime: new Date(stat?.mtime ?? 0).toISOString(),
          version: 1,
          cversion: 1,
          aversion: 0,
          ephemeralOwner: '0x0',
          dataLength: 5,
          numChildren: 1,
          // In the order in which the server keeps them.
          acl: expect.toSatisfy(
            (acl: string[]) => acl.toSorted().join() === 'digest:vt cdrwa,world:anyone cdrwa',
          ),
        });
        const owned = await store.read('/vitess/global/keyspaces/a/b');
        expect(owned.words['ephemeralOwner']).toBe(`0x${BigInt.asUintN(64, client.sessionId).toString(16)}`);
      }));

    test('no data is told from empty data', () =>
      withNative(address, async (store) => {
        expect((await store.read('/vitess')).bytes).toBeNull();
        expect((await store.read('/vitess/global')).bytes).toEqual(bytes(''));
      }));

    test('what is absent is NoNode, what is no path InvalidPath', () =>
      withNative(address, async (store) => {
        expect(await errorOf(store.read('/nothing'))).toMatchObject({ code: 'NoNode', path: '/nothing' });
        expect(await errorOf(store.list('/nothing'))).toMatchObject({ code: 'NoNode' });
        expect(await walked(store, '/nothing')).toEqual([]);
        expect(await errorOf(store.read('vitess'))).toMatchObject({ code: 'InvalidPath' });
        const aborted = { signal: AbortSignal.abort() };
        expect(await errorOf(store.read('/vitess', aborted))).toMatchObject({ code: 'Interrupted' });
      }));

    test('a znode that these credentials may not read is named', async () => {
      await create('/closed', bytes('x'), [{ perms: 31, scheme: 'auth', id: '' }]);
      await withNative(address, async (store) => {
        expect(await errorOf(store.read('/closed'))).toMatchObject({ code: 'Unauthorized', path: '/closed' });
        expect(await errorOf(walked(store, '/'))).toMatchObject({ code: 'Unauthorized', path: '/closed' });
      });
      await client.delete('/closed', -1);
    });

    test('what the store would refuse to change and to delete is known from it, and nothing is changed', async () => {
      const shown = [
        { perms: 31, scheme: 'auth', id: '' },
        { perms: 1, scheme: 'world', id: 'anyone' },
      ];
      await create('/shown', bytes('x'), shown);
      await create('/shown/open', bytes('x'));
      const states = () =>
        Promise.all(
          ['/shown', '/shown/open'].map(async (path) => {
            const { data, stat } = await client.getData(path);
            return { data, stat };
          }),
        );
      const before = await states();
      await withNative(address, async (store) => {
        const told = async (path: string) => [
          (await store.refusal?.(path, 'update'))?.code,
          (await store.refusal?.(path, 'delete'))?.code,
        ];
        expect(await told('/shown')).toEqual(['Unauthorized', undefined]);
        expect(await told('/shown/open')).toEqual([undefined, 'Unauthorized']);
        expect(await told('/vitess/global/keyspaces/a-b')).toEqual([undefined, undefined]);
        expect(await told('/nothing')).toEqual([undefined, undefined]);
        expect(await errorOf(told('nothing'))).toMatchObject({ code: 'InvalidPath' });
      });
      expect(await states()).toEqual(before);
      await client.delete('/shown/open', -1);
      await client.delete('/shown', -1);
    });
  });
}

for (const version of ETCD_VERSIONS) {
  describe.runIf(available.etcd(version))(`etcd ${version} as it is`, () => {
    let etcd: EtcdCluster;
    let address: string;
    beforeAll(async () => {
      etcd = await startEtcd({ version });
      address = `etcd2://${etcd.servers.replaceAll('http://', '')}/vitess/global`;
      await withStore(address, async (store) => {
        await store.create('keyspaces/a/Keyspace', bytes('1'));
        await store.update('keyspaces/a/Keyspace', bytes('2'), null);
        for (let i = 0; i < 9_000; i += 100)
          await store.write(
            Array.from({ length: 100 }, (_, j) => ({
              type: 'create' as const,
              path: `cells/c${i % 500}/t${i + j}/Tablet`,
              bytes: bytes('x'),
            })),
          );
      });
      for (const key of [
        'other',
        '/vitess/global/',
        '/vitess/global/a//b',
        '/vitess/global-2/x',
        '/vitess/\\x41',
      ])
        await etcd.ctl('put', key, 'v');
      await etcd.ctl('put', '/leased', 'v', `--lease=${await leaseOf(etcd)}`);
    }, LIMIT_MS);
    afterAll(() => etcd?.stop());

    test('keys look like directories, and none is hidden', () =>
      withNative(address, async (store) => {
        expect(store.root).toBe('/vitess/global');
        expect(await store.list('/vitess/global')).toEqual([
          { name: '', path: '/vitess/global/', node: true },
          { name: 'a', path: '/vitess/global/a', node: false },
          { name: 'cells', path: '/vitess/global/cells', node: false },
          { name: 'keyspaces', path: '/vitess/global/keyspaces', node: false },
        ]);
        expect((await store.list('/')).map(({ name }) => name)).toEqual(['leased', 'vitess']);
        expect((await store.list('')).map(({ name }) => name)).toEqual(['', 'other']);
        expect((await store.list('/vitess')).map(({ name }) => name)).toEqual([
          '\\x5cx41',
          'global',
          'global-2',
        ]);
        expect((await store.list('/vitess/global/cells/c0')).length).toBe(1_800);
        expect(await store.list('/nothing')).toEqual([]);
      }));

    test('a walk gives every key below, in byte order, of a directory or of everything', () =>
      withNative(address, async (store) => {
        const below = paths(await walked(store, '/vitess/global'));
        expect(below).toHaveLength(9_003);
        expect(below).toEqual([...below].sort());
        expect(below).not.toContain('/vitess/global-2/x');
        expect(paths(await walked(store, ''))).toHaveLength(9_003 + 4);
      }));

    test('a key has its revisions and its lease', () =>
      withNative(address, async (store) => {
        const { bytes: held, words } = await store.read('/vitess/global/keyspaces/a/Keyspace');
        expect(held).toEqual(bytes('2'));
        expect(words).toEqual({ create_revision: '2', mod_revision: '3', version: '2', lease: '0' });
        expect((await store.read('/leased')).words['lease']).toMatch(/^[1-9]\d*$/);
        expect((await store.read('/vitess/\\x5cx41')).path).toBe('/vitess/\\x5cx41');
        expect(await errorOf(store.read('/vitess/\\x41'))).toMatchObject({ code: 'NoNode' });
        expect(await errorOf(store.read(''))).toMatchObject({ code: 'NoNode' });
      }));
  });
}

async function leaseOf(etcd: EtcdCluster): Promise<string> {
  const said = await etcd.ctl('lease', 'grant', '600');
  return /lease ([0-9a-f]+) granted/.exec(said)?.[1] ?? '';
}

for (const version of CONSUL_VERSIONS) {
  describe.runIf(available.consul(version))(`Consul ${version} as it is`, () => {
    let consul: ConsulCluster;
    let address: string;
    beforeAll(async () => {
      consul = await startConsul({ version });
      address = `consul://${consul.servers}/vitess/global`;
      const curl = new Curl(`http://${consul.servers}`);
      for (const key of [
        'vitess/',
        'vitess/global/a/Keyspace',
        'vitess/global/a',
        'vitess/global-2/x',
        'other',
      ])
        await curl.put(key, key.endsWith('/') ? '' : 'v');
      const session = await curl.session({ TTL: '600s' });
      await curl.put(`vitess/global/Lock?acquire=${session}&flags=${LOCK_FLAGS}`, 'held');
    }, LIMIT_MS);
    afterAll(() => consul?.stop());

    test('keys look like directories, and none is hidden', () =>
      withNative(address, async (store) => {
        expect(store.root).toBe('vitess/global');
        expect(await store.list('vitess/global')).toEqual([
          { name: 'Lock', path: 'vitess/global/Lock', node: true },
          { name: 'a', path: 'vitess/global/a', node: true },
        ]);
        expect(await store.list('vitess')).toMatchObject([
          { name: '' },
          { name: 'global' },
          { name: 'global-2' },
        ]);
        expect((await store.list('')).map(({ name }) => name)).toEqual(['other', 'vitess']);
        expect(paths(await walked(store, ''))).toEqual([
          'other',
          'vitess/',
          'vitess/global-2/x',
          'vitess/global/Lock',
          'vitess/global/a',
          'vitess/global/a/Keyspace',
        ]);
        expect(paths(await walked(store, 'vitess/global/a'))).toEqual(['vitess/global/a/Keyspace']);
      }));

    test('a key has its indexes, flags and session', () =>
      withNative(address, async (store) => {
        const { words } = await store.read('vitess/global/Lock');
        expect(words).toEqual({
          CreateIndex: expect.any(Number),
          ModifyIndex: expect.any(Number),
          LockIndex: 1,
          Flags: LOCK_FLAGS,
          Session: expect.stringMatching(/^[0-9a-f-]{36}$/),
        });
        expect((await store.read('vitess/')).bytes).toEqual(bytes(''));
        expect(await errorOf(store.read('vitess/global'))).toMatchObject({ code: 'NoNode' });
        expect(await errorOf(store.read(''))).toMatchObject({ code: 'NoNode' });
      }));
  });
}

test.each(['memory:', 'file:./none.topo'])('%s has no native view, and says so', async (address) => {
  const opening = storesFor(SETTINGS, 'read').openNative(parseAddress(address), 'global');
  expect(await errorOf(opening)).toMatchObject({
    code: 'Unsupported',
    message: expect.stringMatching(/canonical tree is all there is/),
  });
});
