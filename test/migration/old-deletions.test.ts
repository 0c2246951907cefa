import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { writeClientConfig } from '../legacy/plant.js';
import { available, startZooKeeper } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';
import { keepReader } from '../zookeeper/keep-reader.js';

/** More than a transaction of ZooKeeper takes. */
const SHARDS = 600;

describe.runIf(available.zookeeper('3.8'))('a keyspace that goes from a retired zookeeper', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let folder: string;
  let to: string;
  beforeAll(async () => {
    zookeeper = await startZooKeeper({ version: '3.8' });
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    const { servers } = zookeeper;
    to = `zookeeper:${await writeClientConfig(folder, { config: { global: servers, nyc: servers } })}`;
  }, 60_000);
  afterAll(async () => {
    await zookeeper?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  keepReader(() => zookeeper.servers);

  const from = (scope: string) => `zk2://${zookeeper.servers}/today/${scope}`;
  const below = (path: string) => cli(['zk', '-server', zookeeper.servers, 'ls', path]);
  const json = async (line: readonly string[]) => (await cliJson(line)) as { readonly written: number };

  /** What the source has, beside `main`: keyspaces with many shards. */
  async function plant(...large: string[]): Promise<void> {
    const { servers: server_address } = zookeeper;
    await withStore(from('global'), async (store) => {
      const records = [
        ['cells/nyc/CellInfo', encode('topodata.CellInfo', { server_address, root: '/today/nyc' })],
        ...['main', ...large].map((name) => [`keyspaces/${name}/Keyspace`, Buffer.alloc(0)] as const),
        ...large.map((name) => [`keyspaces/${name}/VSchema`, Buffer.alloc(0)] as const),
        ['keyspaces/main/shards/0/Shard', Buffer.alloc(0)],
      ] as const;
      for (const [path, bytes] of records) await store.update(path, bytes, null);
      for (const name of large)
        for (let at = 0; at < SHARDS; at += 100)
          await store.write(
            Array.from({ length: 100 }, (_, i) => ({
              ...{ type: 'create', path: `keyspaces/${name}/shards/s${at + i}/Shard` },
              bytes: Buffer.alloc(0),
            })),
          );
    });
    await withStore(from('nyc'), (store) => store.update('SrvVSchema', Buffer.alloc(0), null));
  }

  const flags = ['--delete', '--max-delete', '2000', '--allow-shrunk'];

  test('is deleted by a copy after all its shards, and nothing is where an operation keeps one of them', async () => {
    await plant('gone', 'busy');
    expect((await json(['copy', from('global'), to])).written).toBeGreaterThan(2 * SHARDS);
    await withStore(from('global'), async (store) => {
      for await (const { records } of store.scan('keyspaces'))
        for (const { path, version } of records)
          if (!path.startsWith('keyspaces/main/')) await store.delete(path, version);
    });

    const action = '/zk/global/vt/keyspaces/busy/shards/s599/action/0000000000';
    await cli(['zk', '-server', zookeeper.servers, 'touch', action]);
    const stopped = await cli(['copy', from('global'), to, ...flags]);
    expect(stopped.code).toBe(4);
    expect(stopped.err).toMatch(
      /does not delete: .*busy\/shards\/s599\/Shard \(\S+s599\/locks\/0000000000 is below it and stays\)/,
    );
    expect((await below('/zk/global/vt/keyspaces')).out.trim().split('\n')).toEqual(['busy', 'gone', 'main']);

    await cli(['zk', '-server', zookeeper.servers, 'rm', action]);
    await json(['copy', from('global'), to, ...flags, '--verify']);
    expect((await below('/zk/global/vt/keyspaces')).out.trim()).toBe('main');
    expect((await json(['copy', from('global'), to, ...flags])).written).toBe(0);
  }, 60_000);
});
