import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/topo/address.js';
import { encode } from '../../src/topo/codec.js';
import { makeLockContents } from '../../src/topo/lock-contents.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { correctRecords } from '../lint/planted.js';
import { available, startConsul, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { addressOn, PRODUCTS, type Product, type Server } from '../support/products.js';
import { withStore } from '../support/topologies.js';

const SHARD = 'keyspaces/commerce/shards/0';
const lockOf = (hours: number) =>
  makeLockContents({
    action: 'PlannedReparentShard',
    host: 'h7',
    user: 'vitess',
    now: Date.now() - hours * 3_600_000,
  });

/** A correct topology, each part in a root of its own; its serving graph made. */
async function plant(product: Product, server: Server): Promise<string> {
  for (const scope of ['global', 'zone1', 'zone2']) {
    await withStore(addressOn(product, server, scope), async (store) => {
      for (const { path, bytes, scope: of } of correctRecords(server.servers)) {
        if (of !== scope) continue;
        const cell = /^cells\/([^/]+)\//.exec(path)?.[1];
        if (cell === undefined) await store.create(path, bytes);
        else {
          const { server: servers, root } = parseAddress(addressOn(product, server, cell));
          await store.create(path, encode('topodata.CellInfo', { server_address: servers, root }));
        }
      }
    });
  }
  const address = addressOn(product, server, 'global');
  expect((await cli(['graph', 'rebuild', address])).code).toBe(0);
  return address;
}

const productOf = (implementation: string) => {
  const product = PRODUCTS.find((each) => each.implementation === implementation);
  if (product === undefined) throw new Error(`no ${implementation}`);
  return product;
};

/** Runs lint; its findings as `severity id path: what`. */
async function lint(address: string, ...more: string[]) {
  const { code, out } = await cli(['lint', address, ...more]);
  const found = out.split('\n').filter((line) => /^(error|warn|note) /.test(line));
  return { code, found, out };
}

/** A live lock of this process, taken long ago. */
async function heldLock(address: string) {
  await withStore(address, async (store) => {
    const lock = await store.lock(SHARD, lockOf(3));
    expect(await lint(address)).toMatchObject({
      code: 1,
      found: [
        expect.stringMatching(
          /^warn lock-stale global keyspaces\/commerce\/shards\/0: .* is held by vitess@h7 for PlannedReparentShard, since /,
        ),
      ],
    });
    expect(await lint(address, '--lock-age', '4h')).toMatchObject({ code: 0, found: [] });
    await lock.unlock();
  });
  expect(await lint(address)).toMatchObject({ code: 0, found: [] });
}

const ORPHAN = [
  expect.stringMatching(/^error lock-orphan global keyspaces\/commerce\/shards\/0: .* belongs to no session/),
];

/** The orphan that is there is found, and gone once the command is given that is told. */
async function orphan(address: string) {
  const { code, found, out } = await lint(address);
  expect({ code, found }).toEqual({ code: 1, found: ORPHAN });
  const command = /then topo2topo (locks break .*)$/m.exec(out)?.[1]?.split(' ') ?? [];
  expect((await cli([...command, '--yes'])).code).toBe(0);
  expect(await lint(address)).toMatchObject({ code: 0, found: [] });
}

describe.runIf(available.etcd('3.5'))('in etcd', () => {
  let etcd: Awaited<ReturnType<typeof startEtcd>>;
  let address: string;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.5' });
    address = await plant(productOf('etcd2'), etcd);
  });
  afterAll(() => etcd?.stop());

  test('a lock that is held for long', () => heldLock(address));

  test('a lock that no lease holds', async () => {
    await etcd.ctl('put', `/vitess/global/${SHARD}/locks/77`, lockOf(1));
    await orphan(address);
  });

  test('a cell that does not answer is told, the others are looked at', async () => {
    await withStore(address, async (store) => {
      const info = { server_address: '127.0.0.1:1', root: '/vitess/zone3' };
      await store.create('cells/zone3/CellInfo', encode('topodata.CellInfo', info));
      await store.create('custom/x', Buffer.from('x'));
    });
    const { code, found, out } = await lint(address, '--timeout', '2');
    expect(code).toBe(3);
    expect(found).toEqual([
      expect.stringMatching(
        /^error cell-unreachable global cells\/zone3\/CellInfo: cell zone3: .*\[Unavailable\]$/,
      ),
      expect.stringMatching(/^note unknown-file/),
    ]);
    expect(out).toContain('of 4 stores');
    expect(await lint(address, '--cells', 'zone1,zone2')).toMatchObject({ code: 0 });
    expect(await lint(address, '--timeout', '2', '--ignore', 'cell-unreachable')).toMatchObject({ code: 0 });
  });
});

describe.runIf(available.zookeeper('3.8'))('in ZooKeeper', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let address: string;
  beforeAll(async () => {
    zookeeper = await startZooKeeper({ version: '3.8' });
    address = await plant(productOf('zk2'), zookeeper);
  });
  afterAll(() => zookeeper?.stop());

  test('a lock that is held for long', () => heldLock(address));

  test('a directory that was left behind, and a lock that no session holds', async () => {
    const client = await connectOwnClient({ servers: [zookeeper.servers] });
    const acl = [{ perms: 31, scheme: 'world', id: 'anyone' }];
    const locks = `/vitess/global/${SHARD}/locks`;
    try {
      await client.create({ path: locks, data: null, acl });
      expect(await lint(address)).toMatchObject({
        code: 1,
        found: [expect.stringMatching(/^warn lock-left-over global keyspaces\/commerce\/shards\/0:/)],
      });
      await client.create({ path: `${locks}/0000000003`, data: Buffer.from(lockOf(1)), acl });
    } finally {
      await client.close();
    }
    await orphan(address);
  });
});

describe.runIf(available.consul('1.8'))('in Consul', () => {
  let consul: Awaited<ReturnType<typeof startConsul>>;
  let address: string;
  beforeAll(async () => {
    consul = await startConsul({ version: '1.8' });
    address = await plant(productOf('consul'), consul);
  });
  afterAll(() => consul?.stop());

  test('a lock that is held for long', () => heldLock(address));

  test('the key that a dead session left behind', async () => {
    const url = `${consul.apis[0]}/v1/kv/vitess/global/${SHARD}/Lock?flags=3304740253564472344`;
    const put = await fetch(url, { method: 'PUT', body: lockOf(1), signal: AbortSignal.timeout(20_000) });
    expect(await put.json()).toBe(true);
    await orphan(address);
  });
});
