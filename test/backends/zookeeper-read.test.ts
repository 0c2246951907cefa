import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backend } from '../../src/backends/zookeeper/index.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { findLocks } from '../../src/topo/found-locks.js';
import { classify } from '../../src/topo/kinds.js';
import type { Loss } from '../../src/topo/told.js';
import { clearZookeeper, plantZookeeper } from '../legacy/plant.js';
import { FIRST } from '../legacy/samples/first.js';
import { nodesOf, type Sample } from '../legacy/samples/sample.js';
import { SECOND_ZOOKEEPER } from '../legacy/samples/second.js';
import { WHOLE_ZOOKEEPER } from '../legacy/samples/whole.js';
import { readZnodes } from '../legacy/znodes.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { type LegacyNode, legacyFixture } from '../support/fixtures.js';
import { SETTINGS } from '../support/topologies.js';
import { keepReader } from '../zookeeper/keep-reader.js';
import { OPEN } from '../zookeeper/support.js';
import { legacyAddress, openLegacy, scanned, withClient } from './zookeeper-tools.js';

describe.runIf(available.zookeeper('3.8'))('a legacy zookeeper store, as it is read', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8' });
  }, 120_000);
  afterAll(() => cluster?.stop());
  keepReader(() => cluster.servers);
  afterEach(() => clearZookeeper(cluster.servers));

  const trees: readonly (readonly [string, readonly LegacyNode[] | undefined])[] = [
    ['of both generations', nodesOf(FIRST)],
    ['of generation 2', nodesOf(SECOND_ZOOKEEPER)],
    ['that is whole', nodesOf(WHOLE_ZOOKEEPER)],
    ['of objects of generation 1', legacyFixture('legacy-gen1-objects')],
    ['of replication paths', legacyFixture('legacy-gen1-replication-paths')],
  ];
  for (const [name, znodes] of trees) {
    test.runIf(znodes !== undefined)(`a tree ${name}: every record, and all that is told`, async () => {
      const planted = await plantZookeeper(sampleOf(znodes ?? []), cluster.servers);
      const tree = readZnodes(znodes ?? []);
      const cells = [...new Set((znodes ?? []).map(({ path }) => path.split('/')[2] ?? ''))];
      const found = await Promise.all(cells.map((cell) => readScope(cluster.servers, cell)));
      const all = found.flatMap(({ records }) => records);
      expect(Object.fromEntries(all)).toEqual(
        Object.fromEntries(
          tree.bytes.map(({ scope, path, bytes }) => [
            `${scope}:${path}`,
            Buffer.from(bytes).toString('hex'),
          ]),
        ),
      );
      expect(found.flatMap(({ losses }) => losses).sort()).toEqual(tree.losses.map(lossLine).sort());
      const queued = /^a lock$|^an entry of an election$/;
      const left = tree.left.filter(({ why }) => !queued.test(why)).map(({ native }) => native);
      const nested = (znodes ?? []).map(({ path }) => path).filter((path) => NESTED.test(path));
      expect(found.flatMap(({ named }) => named).sort()).toEqual(
        [...left, ...tree.derived.map(({ path }) => path), ...nested].sort(),
      );
      await planted.leave();
    });
  }

  test('what is in no form comes with its bytes and the reason, and hides nothing else', async () => {
    await plantZookeeper(
      {
        '/zk/global/vt/keyspaces': 'data where none belongs',
        '/zk/global/vt/keyspaces/ks': null,
        '/zk/global/vt/keyspaces/ks/vschema': { sharded: true },
        '/zk/global/vt/keyspaces/ks/shards/0': 'junk',
        '/zk/global/vt/vschema': 'junk',
        '/zk/nyc/vt/tablets/0000000001': { Uid: 'one' },
        '/zk/nyc/vt/ns/ks': null,
      },
      cluster.servers,
    );
    const [global, nyc] = await openBoth(cluster.servers);
    const shown = async (connection: Connection) =>
      (await scanned(connection)).records.map(({ path, bytes, told }) => [
        path,
        told?.unreadable === undefined ? 'read' : Buffer.from(bytes).toString(),
        told?.unreadable?.path,
      ]);
    expect(await shown(global)).toEqual([
      ['keyspaces/ks/Keyspace', 'read', undefined],
      ['keyspaces/ks/VSchema', 'read', undefined],
      ['keyspaces/ks/shards/0/Shard', 'junk', 'keyspaces/ks/shards/0/Shard'],
      ['vschema', 'junk', 'vschema'],
    ]);
    expect(await shown(nyc)).toEqual([
      ['tablets/nyc-0000000001/Tablet', '{\n  "Uid": "one"\n}', 'tablets/nyc-0000000001/Tablet'],
    ]);
    const { told } = await global.get('keyspaces/ks/shards/0/Shard');
    expect(told?.unreadable).toMatchObject({ code: ErrorCode.Corrupt, store: global.store });
    expect((await scanned(global)).beside).toMatchObject([{ is: 'left', native: '/zk/global/vt/keyspaces' }]);
    await Promise.all([global.close(), nyc.close()]);
  });

  test('what waits in the queue of a tablet is an operation, in the list of locks and for a copy', async () => {
    const tablet = '/zk/nyc/vt/tablets/0000000001';
    await plantZookeeper({ [`${tablet}/action`]: null, [tablet]: {} }, cluster.servers);
    const data = Buffer.from('{"Action": "Ping", "State": "Queued"}');
    await withClient(cluster.servers, (client) =>
      client.create({ path: `${tablet}/action/0000000001`, data, acl: OPEN }),
    );
    const nyc = await openLegacy(cluster.servers, 'nyc');
    const path = 'tablets/nyc-0000000001/locks/0000000001';
    const { records, beside } = await scanned(nyc);
    expect(beside).toEqual([]);
    expect(records).toMatchObject([{ path: 'tablets/nyc-0000000001/Tablet' }, { path, ephemeral: true }]);
    expect(await nyc.get(path)).toMatchObject({ ephemeral: true });
    expect(classify('cell', path, true)).toMatchObject({ kind: 'Lock', copied: false });
    const survey = await findLocks(nyc, '', new AbortController().signal);
    expect(survey).toMatchObject([
      {
        type: 'tablet',
        name: 'nyc-0000000001',
        entries: [{ path, orphan: false, said: { action: 'Ping' } }],
      },
    ]);
    await nyc.close();

    const folder = await mkdtemp(join(tmpdir(), 'orders-'));
    const config = join(folder, 'zk_client.json');
    await writeFile(config, JSON.stringify({ global: cluster.servers, nyc: cluster.servers }));
    const to = [`zk2://${cluster.servers}/orders/global`, '--to-cell-root', '/orders/{cell}'];
    const copy = (...flags: string[]) => cli(['copy', `zookeeper:${config}`, ...to, '--dry-run', ...flags]);
    const stopped = await copy();
    expect(stopped.err).toContain(path);
    expect(stopped.err).toContain('--allow-locks');
    expect((await copy('--allow-locks')).err).not.toContain(path);
    await rm(folder, { recursive: true });
  });

  test('a VSchema in both homes is one, unless they differ', async () => {
    const vschema = { sharded: true, vindexes: { hash: { type: 'hash' } } };
    await plantZookeeper(
      {
        '/zk/global/vt/keyspaces/a/vschema': vschema,
        '/zk/global/vt/keyspaces/b/vschema': vschema,
        '/zk/global/vt/vschema': {
          Keyspaces: {
            a: { Sharded: true, Vindexes: { hash: { Type: 'hash' } } },
            b: { Sharded: false },
            c: { Sharded: false },
          },
        },
      },
      cluster.servers,
    );
    const global = await openLegacy(cluster.servers, 'global');
    expect((await global.get('keyspaces/a/VSchema')).told).toBeUndefined();
    const differing = await global.get('keyspaces/b/VSchema');
    expect(differing.told?.unreadable).toMatchObject({
      code: ErrorCode.Guard,
      path: 'keyspaces/b/VSchema',
      message: expect.stringContaining('sharded'),
    });
    // What nobody can read is given as it is.
    expect(JSON.parse(String(differing.bytes))).toEqual(vschema);
    expect(await global.listDir('keyspaces')).toEqual(['a', 'b', 'c']);
    expect(await global.listDir('keyspaces/c')).toEqual(['VSchema']);
    for (const keyspace of ['a', 'c']) {
      const { version } = await global.get(`keyspaces/${keyspace}/VSchema`);
      await expect(
        global.update(`keyspaces/${keyspace}/VSchema`, Buffer.of(), version),
      ).rejects.toMatchObject({
        code: ErrorCode.Unsupported,
        message: expect.stringContaining('/zk/global/vt/vschema'),
      });
    }
    await global.close();
  });

  test('the numbers of types of 2015 are told by the serving graph, or asked for', async () => {
    const tablet = (uid: number, type: number) => ({ alias: { cell: 'nyc', uid }, type });
    const tablets = {
      '/zk/nyc/vt/tablets/0000000001': tablet(1, 3),
      '/zk/nyc/vt/tablets/0000000002': tablet(2, 0),
    };
    await plantZookeeper(tablets, cluster.servers);
    const path = 'tablets/nyc-0000000001/Tablet';
    const typeBy = async (settings: Partial<ConnectSettings>) => {
      const nyc = await openLegacy(cluster.servers, 'nyc', settings);
      const { bytes, told } = await nyc.get(path);
      expect((await nyc.get('tablets/nyc-0000000002/Tablet')).told).toBeUndefined();
      await nyc.close();
      return told?.unreadable ?? decode('topodata.Tablet', bytes).json['type'];
    };
    const written = async (uid: number) => {
      const nyc = await openLegacy(cluster.servers, 'nyc');
      const bytes = encode('topodata.Tablet', { type: 'REPLICA' });
      await nyc.create(`tablets/nyc-000000000${uid}/Tablet`, bytes).finally(() => nyc.close());
      return withClient(cluster.servers, async (client) =>
        (await client.getData(`/zk/nyc/vt/tablets/000000000${uid}`)).data?.toString(),
      );
    };
    expect(await typeBy({})).toMatchObject({ code: ErrorCode.Guard, path });
    await expect(written(3)).rejects.toMatchObject({ code: ErrorCode.Guard });
    expect(await typeBy({ typeNumbers: 'current' })).toBe('RDONLY');
    expect(await typeBy({ typeNumbers: 'first' })).toBe('REPLICA');
    const served = (served_type: number) => ({ served_type, shard_references: [{ name: '0' }] });
    await plantZookeeper(
      { '/zk/nyc/vt/ns/ks': { partitions: [served(2), served(3), served(4)] } },
      cluster.servers,
    );
    expect(await typeBy({})).toBe('REPLICA');
    expect(await written(4)).toBe('{\n  "type": 3\n}');
  });

  test('the tablets of a cell are streamed, listed by their numbers, and found by them', async () => {
    const tablets = Object.fromEntries(
      Array.from({ length: 200 }, (_, uid) => [
        `/zk/nyc/vt/tablets/${String(uid).padStart(10, '0')}`,
        { alias: { cell: 'nyc', uid } },
      ]),
    );
    await plantZookeeper(tablets, cluster.servers);
    const nyc = await openLegacy(cluster.servers, 'nyc');
    const { records } = await scanned(nyc);
    const aliases = records.map(({ path }) => path.split('/')[1]);
    expect(aliases).toEqual(Object.keys(tablets).map((path) => `nyc-${path.slice(-10)}`));
    expect(await nyc.listDir('tablets')).toEqual(aliases);
    expect(await nyc.listDir('tablets/nyc-0000000007')).toEqual(['Tablet']);
    await expect(nyc.get('tablets/sfo-0000000007/Tablet')).rejects.toMatchObject({ code: ErrorCode.NoNode });
    await nyc.close();
  });

  test('other roots are refused, the native view and the servers are those of ZooKeeper', async () => {
    const address = legacyAddress(cluster.servers, 'nyc');
    await expect(backend.connect({ ...address, root: '/vitess/global' }, SETTINGS)).rejects.toMatchObject({
      code: ErrorCode.InvalidAddress,
    });
    await plantZookeeper({ '/zk/nyc/vt/tablets/0000000001': {} }, cluster.servers);
    const native = await backend.openNative?.(address, SETTINGS);
    expect(await native?.list('/zk/nyc/vt')).toMatchObject([{ path: '/zk/nyc/vt/tablets' }]);
    await native?.close();
    expect(await backend.health?.(address, SETTINGS)).toMatchObject({ hasLeader: true });
  });
});

/** A node of the replication graph below a shard. */
const NESTED = /^\/zk\/global\/vt\/keyspaces\/[^/]+\/shards\/[^/]+\/\w+-\d{10}/;

function lossLine({ kind, path, field, value }: Loss): string {
  return `${kind} ${path} ${field} ${JSON.stringify(value)}`;
}

async function readScope(servers: string, cell: string, settings: Partial<ConnectSettings> = {}) {
  const connection = await openLegacy(servers, cell, settings);
  const { records, beside } = await scanned(connection);
  const paths = records.map(({ path }) => path);
  expect(paths).toEqual([...paths].sort());
  for (const record of records) {
    const { path, ...value } = record;
    expect(await connection.get(path)).toEqual(value);
  }
  await connection.close();
  const kept = records.filter(({ path, ephemeral }) => !ephemeral && !/\/locks\/|^elections\//.test(path));
  return {
    records: kept.map(({ path, bytes }) => [`${cell}:${path}`, Buffer.from(bytes).toString('hex')] as const),
    losses: [
      ...records.flatMap(({ told }) => told?.losses ?? []),
      ...beside.flatMap(({ losses }) => losses),
    ].map(lossLine),
    named: beside.map(({ native }) => native),
  };
}

function sampleOf(znodes: readonly LegacyNode[]): Sample {
  return Object.fromEntries(znodes.map(({ path, value }) => [path, value?.toString() ?? null]));
}

function openBoth(servers: string): Promise<[Connection, Connection]> {
  return Promise.all([openLegacy(servers, 'global'), openLegacy(servers, 'nyc')]);
}
