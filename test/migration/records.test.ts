import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { available, type EtcdCluster, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { nativeClientBuilt } from '../support/native.js';
import { contents, withStore } from '../support/topologies.js';

const runs = available.zookeeper('3.8') && available.etcd('3.4');

describe.runIf(runs)('records that are not everyday', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let etcd: EtcdCluster;
  beforeAll(async () => {
    [zookeeper, etcd] = await Promise.all([
      startZooKeeper({ version: '3.8' }),
      startEtcd({ version: '3.4' }),
    ]);
  });
  afterAll(() => Promise.all([zookeeper?.stop(), etcd?.stop()]));

  /** Makes a topology of one cell with these records, copies it by way of etcd and back, and compares. */
  async function thereAndBack(global: Record<string, Uint8Array>, ...flags: string[]): Promise<void> {
    const id = randomUUID();
    const at = (scheme: 'zk2' | 'etcd2', part: string) =>
      `${scheme}://${scheme === 'zk2' ? zookeeper.servers : etcd.servers}/${id}/${part}`;
    const cellInfo = encode('topodata.CellInfo', { server_address: zookeeper.servers, root: `/${id}/zone1` });
    await withStore(at('zk2', 'global'), async (store) => {
      await store.create('cells/zone1/CellInfo', cellInfo);
      for (const [path, bytes] of Object.entries(global)) await store.create(path, bytes);
    });
    await withStore(at('zk2', 'zone1'), (store) => store.create('SrvVSchema', new Uint8Array()));
    const there = [
      'copy',
      at('zk2', 'global'),
      at('etcd2', 'global'),
      '--to-cell-root',
      `/${id}/{cell}`,
      '--verify',
      ...flags,
    ];
    expect(await cli(there)).toMatchObject({ code: 0 });
    const back = [
      'copy',
      at('etcd2', 'global'),
      at('zk2', 'back'),
      '--to-cell-root',
      `/${id}/back-{cell}`,
      '--verify',
      ...flags,
    ];
    expect(await cli(back)).toMatchObject({ code: 0 });
    const found = await contents(at('zk2', 'back'));
    const differing = Object.entries(global).filter(
      ([path, bytes]) => found.get(path)?.equals(bytes) !== true,
    );
    expect(differing.map(([path]) => path)).toEqual([]);
  }

  test('of zero bytes, of every byte, and with odd names', () =>
    thereAndBack({
      'keyspaces/empty/Keyspace': new Uint8Array(),
      'metadata/empty': new Uint8Array(),
      'metadata/bytes': Uint8Array.from({ length: 256 }, (_, i) => i),
      'metadata/a b%2F#?&=+é漢': Buffer.from('odd'),
      'keyspaces/locks/Keyspace': new Uint8Array(),
      'keyspaces/elections/shards/-/Shard': encode('topodata.Shard', { key_range: {} }),
    }));

  test('of a megabyte, which is more than a transaction takes, several at once', () => {
    const large = (byte: number) => new Uint8Array(1_000_000).fill(byte);
    return thereAndBack({ 'metadata/a': large(1), 'metadata/b': large(2), 'metadata/c': large(3) });
  });

  test('a record that has others below it', () =>
    thereAndBack({ 'custom/a': Buffer.from('file'), 'custom/a/b': Buffer.from('below') }));

  test.runIf(nativeClientBuilt())(
    'all of them through the package zookeeper, which has no transactions',
    () =>
      thereAndBack(
        {
          'metadata/x': Buffer.from('x'),
          'metadata/large': new Uint8Array(900_000),
          'keyspaces/empty/Keyspace': new Uint8Array(),
        },
        '--zk-client',
        'native',
      ),
  );
});
