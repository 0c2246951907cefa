import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { within } from '../conformance/tools.js';
import { clearZookeeper, plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { keepReader } from '../zookeeper/keep-reader.js';
import { legacyAddress, openLegacy, scanned } from './zookeeper-tools.js';

const GRAPH = 'keyspaces/ks/shards/0/ShardReplication';
const link = (Cell: string, Uid: number) => ({
  TabletAlias: { Cell, Uid },
  Parent: { Cell: 'nyc', Uid: 1 },
});

describe.runIf(available.zookeeper('3.8'))('links that name tablets of other cells', () => {
  let cluster: Cluster;
  const planted = {
    // Of a shard that was written again since: its record tells of no link.
    '/zk/global/vt/keyspaces/ks/shards/0': { key_range: { start: 'gA==' } },
    '/zk/global/vt/keyspaces/ks/shards/1': { key_range: { end: 'gA==' } },
    '/zk/nyc/vt/replication/ks/1': { nodes: [{ tablet_alias: { cell: 'nyc', uid: 9 } }] },
    '/zk/sfo/vt/replication/ks/0': { ReplicationLinks: [link('sfo', 2), link('lon', 3)] },
    '/zk/sfo/vt/replication/ks/1': { nodes: [{ tablet_alias: { cell: 'sfo', uid: 8 } }] },
  };
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8' });
    const { leave } = await plantZookeeper(planted, cluster.servers);
    await leave();
  }, 120_000);
  afterAll(() => cluster?.stop());
  keepReader(() => cluster.servers);

  const open = (cell: string, elsewhere: Readonly<Record<string, string>> = {}) => {
    const names = ['nyc', 'sfo', 'lon', ...Object.keys(elsewhere)];
    const cells = new Map(
      names.map((name) => [name, legacyAddress(elsewhere[name] ?? cluster.servers, name)]),
    );
    return openLegacy(cluster.servers, cell, { cells, connectTimeoutMs: 1_000 });
  };
  const uids = (bytes: Uint8Array) => JSON.stringify(decode('topodata.ShardReplication', bytes).json);
  const shown = async (store: Connection) =>
    (await scanned(store, 'keyspaces')).records.map(({ path, bytes }) => [path, uids(bytes)]);

  test('each is in the record of its own cell, which need not have one of the shard', async () => {
    const [nyc, sfo, lon] = await Promise.all([open('nyc'), open('sfo'), open('lon')]);
    const only = (cell: string, uid: number) =>
      `{"nodes":[{"tablet_alias":{"cell":"${cell}","uid":${uid}}}]}`;
    const other = GRAPH.replace('/0/', '/1/');
    expect(await shown(nyc)).toEqual([
      [GRAPH, only('nyc', 1)],
      [other, only('nyc', 9)],
    ]);
    expect(await shown(sfo)).toEqual([
      [GRAPH, only('sfo', 2)],
      [other, only('sfo', 8)],
    ]);
    expect(await shown(lon)).toEqual([[GRAPH, only('lon', 3)]]);
    expect(uids((await lon.get(GRAPH)).bytes)).toBe(only('lon', 3));
    const { version } = await nyc.get(GRAPH);
    await expect(nyc.update(GRAPH, Buffer.of(), version)).rejects.toMatchObject({
      code: ErrorCode.Unsupported,
      message: expect.stringContaining('/zk/sfo/vt/replication/ks/0'),
    });
    const own = await nyc.get(other);
    await nyc.update(other, own.bytes, own.version);
    await Promise.all([nyc.close(), sfo.close(), lon.close()]);
  });

  test('a cell that they name and the client configuration lacks stops a copy, as one that a shard names', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    const { servers } = cluster;
    const config = { global: servers, nyc: servers, sfo: servers };
    const from = `zookeeper:${await writeClientConfig(folder, { config })}`;
    const to = `zk2://${servers}/links/global`;
    const line = ['plan', from, to, '--to-cell-root', '/links/{cell}', '--target-version', '11'];
    const accepted = [...line, '--accept-loss', 'parent'];
    const stopped = await cli(accepted);
    expect(stopped.code).toBe(4);
    expect(stopped.err).toMatch(/lacks cells that shards or their replication graphs name/);
    expect(stopped.err).toContain(`nyc:${GRAPH}`);
    expect(stopped.err).toMatch(/\(lon\)/);
    expect(await cli([...accepted, '--allow-empty-cells'])).toMatchObject({ code: 0 });
    await rm(folder, { recursive: true });
  });

  test('the tree of a cell that the client configuration does not name is named, once', async () => {
    const { leave } = await plantZookeeper({ '/zk/old/vt/tablets/0000000001': {} }, cluster.servers);
    await leave();
    const cells = new Map(['nyc', 'sfo'].map((cell) => [cell, legacyAddress(cluster.servers, cell)]));
    const global = legacyAddress(cluster.servers, 'global');
    const left = async (scope: string, settings: Parameters<typeof openLegacy>[2]) => {
      const store = await openLegacy(cluster.servers, scope, settings);
      const { beside } = await scanned(store);
      await store.close();
      return beside.filter(({ is }) => is === 'left');
    };
    const named = [
      {
        ...{ is: 'left', native: '/zk/old/vt', losses: [] },
        why: 'a cell that the client configuration does not name',
      },
    ];
    expect(await left('global', { cells })).toEqual(named);
    expect(await left('nyc', { cells, global })).toEqual([]);
    expect(await left('global', {})).toEqual([]);
    await clearZookeeper(cluster.servers, '/zk/old');
  });

  test('are followed', async () => {
    const nyc = await open('nyc');
    const watches = [nyc.watch(GRAPH), nyc.watchRecursive('')].map((each) => each[Symbol.asyncIterator]());
    const { leave } = await plantZookeeper(
      { '/zk/sfo/vt/replication/ks/0': { ReplicationLinks: [link('sfo', 2), link('nyc', 7)] } },
      cluster.servers,
    );
    await leave();
    for (const events of watches) {
      let text = '';
      while (!text.includes('"uid":7')) {
        const { value } = await within(20_000, 'an event', events.next());
        if (value?.type === 'record' && value.path === GRAPH) text = uids(value.value?.bytes ?? Buffer.of());
      }
      await events.return?.();
    }
    await nyc.close();
  });

  test('a record of generation 1 is not made without those of a cell that cannot be reached', async () => {
    let attempts = 0;
    const silent = createServer(() => attempts++);
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const nyc = await open('nyc', { par: `127.0.0.1:${(silent.address() as AddressInfo).port}` });
    const { records } = await scanned(nyc, 'keyspaces');
    expect(records.map(({ told }) => told)).toMatchObject([
      { unreadable: { path: GRAPH, message: expect.stringContaining('cell par') } },
      { notes: [{ text: expect.stringContaining('cell par') }] },
    ]);
    const before = attempts;
    expect((await nyc.get(GRAPH)).told?.unreadable).toMatchObject({
      store: expect.stringContaining('/par/'),
    });
    expect([before > 0, attempts]).toEqual([true, before]);
    await nyc.close();
    silent.close();
  });
});
