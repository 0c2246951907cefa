import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/topo/codec.js';
import { classify } from '../../src/topo/kinds.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { type Planted, plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import { WHOLE_RECORDS, WHOLE_ZOOKEEPER } from '../legacy/samples/whole.js';
import { available, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';
import { keepReader } from '../zookeeper/keep-reader.js';

const runs = available.zookeeper('3.4') && available.etcd('3.4');
const CELLS = ['nyc', 'sfo'] as const;
/** What the guide copies: the serving graph is made anew. */
const COPIED = ['-do-keyspaces', '-do-shards', '-do-shard-replications', '-do-tablets'];

describe.runIf(runs)('the migration of Vitess’s guide, command by command', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let etcd: Awaited<ReturnType<typeof startEtcd>>;
  let folder: string;
  let planted: Planted;
  let file: string;
  beforeAll(async () => {
    [zookeeper, etcd, folder] = await Promise.all([
      startZooKeeper({ version: '3.4' }),
      startEtcd({ version: '3.4' }),
      mkdtemp(join(tmpdir(), 'topo2topo-')),
    ]);
    planted = await plantZookeeper(WHOLE_ZOOKEEPER, zookeeper.servers);
    file = await writeClientConfig(folder, planted);
  });
  afterAll(async () => {
    await planted?.leave();
    await Promise.all([zookeeper?.stop(), etcd?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });
  keepReader(() => zookeeper.servers);

  /** Runs a command line, which has to succeed. */
  async function run(...line: string[]): Promise<string> {
    const { code, out, err } = await cli(line, { ZK_CLIENT_CONFIG: file });
    expect({ line, code, err }).toEqual({ line, code: 0, err: expect.not.stringContaining('error') });
    return out;
  }

  /** Every znode of the old tree and of others, with what changes when it is written. */
  async function znodes(top: string): Promise<Map<string, string>> {
    const client = await connectOwnClient({ servers: zookeeper.servers.split(',') });
    const found = new Map<string, string>();
    const visit = async (path: string): Promise<void> => {
      const { data, stat } = await client.getData(path);
      found.set(path, `${stat.mzxid} ${data?.toString('hex') ?? 'none'}`);
      for (const name of (await client.getChildren(path)).children) await visit(`${path}/${name}`);
    };
    await visit(top).finally(() => client.close());
    return found;
  }

  /** What the guide has one do, but for what is done once. */
  async function migrate(implementation: string, server: string): Promise<string> {
    const topology = [
      ...['-topo_implementation', implementation, '-topo_global_server_address', server],
      ...['-topo_global_root', '/vitess/global'],
    ];
    const to = ['-to_implementation', implementation, '-to_server', server, '-to_root', '/vitess/global'];
    const copied = await run('-from_implementation', 'zookeeper', ...to, ...COPIED);
    await run('vtctl', ...topology, 'RebuildKeyspaceGraph', 'main', 'old', 'user');
    await run('vtctl', ...topology, 'RebuildVSchemaGraph');
    await run('-from_implementation', 'zookeeper', ...to, ...COPIED, '-compare');
    return copied;
  }

  /** The records that the guide copies, and those that it rebuilds, as JSON by `scope:path`. */
  async function records(address: (scope: string) => string): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const scope of ['global', ...CELLS])
      for (const [path, bytes] of await contents(address(scope))) {
        const { message } = classify(scope === 'global' ? 'global' : 'cell', path, false);
        if (message !== null) found[`${scope}:${path}`] = decode(message, bytes).json;
      }
    return found;
  }

  const isCopied = (path: string) => /\/(Keyspace|VSchema|Shard|ShardReplication|Tablet)$/.test(path);
  const served = ['PRIMARY', 'REPLICA', 'RDONLY'];
  const range = (name: string) => (name === '-80' ? { end: 'gA==' } : { start: 'gA==' });

  /** Checks what came of it, by hand. */
  function check(found: Record<string, unknown>): void {
    const copied = Object.entries(WHOLE_RECORDS).filter(([path]) => isCopied(path));
    for (const [path, json] of copied) {
      const isShard = path.endsWith('/Shard');
      // The one thing that nobody fills in: whether the shards serve, which their served types say.
      expect([path, found[path]]).toEqual([
        path,
        isShard && typeof json === 'object' ? { ...json, is_primary_serving: true } : json,
      ]);
    }
    for (const cell of CELLS) {
      const graph = (...shards: object[]) =>
        served.map((served_type) => ({ served_type, shard_references: shards }));
      expect(found[`${cell}:keyspaces/main/SrvKeyspace`]).toEqual({ partitions: graph({ name: '0' }) });
      expect(found[`${cell}:keyspaces/user/SrvKeyspace`]).toEqual({
        partitions: graph(...['-80', '80-'].map((name) => ({ name, key_range: range(name) }))),
      });
      expect(found[`${cell}:SrvVSchema`]).toMatchObject({
        keyspaces: { main: WHOLE_RECORDS['global:keyspaces/main/VSchema'], old: {} },
      });
    }
  }

  test('to zk2 on the same servers, twice', async () => {
    const { servers } = zookeeper;
    const before = await znodes('/zk');
    for (const place of ['global', ...CELLS])
      await run('zk', '-server', servers, 'touch', '-p', `/vitess/${place}`);
    const topology = ['-topo_implementation', 'zk2', '-topo_global_server_address', servers];
    for (const cell of CELLS)
      await run(
        ...['vtctl', ...topology, '-topo_global_root', '/vitess/global', 'AddCellInfo'],
        ...['-server_address', servers, '-root', `/vitess/${cell}`, cell],
      );
    await migrate('zk2', servers);
    check(await records((scope) => `zk2://${servers}/vitess/${scope}`));
    const first = await znodes('/vitess');
    expect(await migrate('zk2', servers)).toContain('wrote 0 records');
    expect(await znodes('/vitess')).toEqual(first);
    expect(await znodes('/zk')).toEqual(before);
  }, 60_000);

  test('to etcd2, twice', async () => {
    const server = etcd.endpoints.join(',');
    for (const cell of CELLS)
      await run(
        ...['vtctl', '-topo_implementation', 'etcd2', '-topo_global_server_address', server],
        ...['-topo_global_root', '/vitess/global', 'AddCellInfo'],
        ...['-server_address', server, '-root', `/vitess/${cell}`, cell],
      );
    await migrate('etcd2', server);
    check(await records((scope) => `etcd2://${server}/vitess/${scope}`));
    const revision = () => etcd.ctl('get', '--prefix', '/vitess', '-w', 'fields');
    const mods = async () =>
      [...(await revision()).matchAll(/"ModRevision" : (\d+)/g)].map(([, number]) => number);
    const first = await mods();
    expect(await migrate('etcd2', server)).toContain('wrote 0 records');
    expect(await mods()).toEqual(first);
  }, 60_000);
});
