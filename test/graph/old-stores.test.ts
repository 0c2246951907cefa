import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { addressFromTriple } from '../../src/topo/address.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import type { ServingGraph } from '../../src/topo/serving-graph.js';
import { clearEtcd, clearZookeeper, plantEtcd, plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import { ODD } from '../legacy/samples/odd.js';
import { WHOLE_ZOOKEEPER, wholeEtcd } from '../legacy/samples/whole.js';
import { available, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { SETTINGS } from '../support/topologies.js';
import { keepReader } from '../zookeeper/keep-reader.js';

const runs = available.zookeeper('3.8') && available.etcd('3.3');
const SHARD = { name: '-80', master_cell: 'nyc', key_range: { end: 'gA==' } };

describe.runIf(runs)('the serving graph of the retired formats', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let etcds: Awaited<ReturnType<typeof startEtcd>>[];
  let folder: string;
  beforeAll(async () => {
    const etcd = () => startEtcd({ version: '3.3', flags: ['--enable-v2'] });
    [zookeeper, etcds, folder] = await Promise.all([
      startZooKeeper({ version: '3.8' }),
      Promise.all([etcd(), etcd(), etcd()]),
      mkdtemp(join(tmpdir(), 'topo2topo-')),
    ]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([zookeeper, ...(etcds ?? [])].map((server) => server?.stop()));
    await rm(folder, { recursive: true, force: true });
  });
  keepReader(() => zookeeper.servers);

  const endpoints = () => etcds.map(({ endpoints: [endpoint = ''] }) => endpoint);
  const open = (implementation: string, server: string, root: string, scope: string) =>
    storesFor(SETTINGS, 'write').open(addressFromTriple(implementation, server, root), scope);

  /** Plants the whole sample; gives the address of the topology, and the store of a cell. */
  const STORES = {
    zookeeper: async () => {
      await clearZookeeper(zookeeper.servers);
      const planted = await plantZookeeper(WHOLE_ZOOKEEPER, zookeeper.servers);
      await planted.leave();
      const address = `zookeeper:${await writeClientConfig(folder, planted)}`;
      return {
        address,
        cell: (name: string) => open('zookeeper', zookeeper.servers, `/zk/${name}/vt`, name),
      };
    },
    etcd: async () => {
      const [global = '', nyc = '', sfo = ''] = endpoints();
      const whole = wholeEtcd({ nyc, sfo });
      for (const [endpoint, sample] of [
        [global, whole.global],
        [nyc, whole.nyc],
        [sfo, whole.sfo],
      ] as const) {
        await clearEtcd(endpoint);
        await plantEtcd(sample, endpoint);
      }
      const address = `etcd://${global}`;
      return { address, cell: (name: string) => open('etcd', name === 'nyc' ? nyc : sfo, '/vt', name) };
    },
  } as const;

  describe.each(['zookeeper', 'etcd'] as const)('%s', (implementation) => {
    let address: string;
    let cell: (name: string) => Promise<Connection>;
    beforeEach(async () => {
      ({ address, cell } = await STORES[implementation]());
    });

    async function withCell(
      work: (serving: ServingGraph, store: Connection) => Promise<void>,
    ): Promise<void> {
      const store = await cell('nyc');
      try {
        if (store.serving === undefined) throw new Error('it has no serving graph');
        await work(store.serving, store);
      } finally {
        await store.close();
      }
    }

    test('is read as the JSON that Vitess wrote', () =>
      withCell(async (serving) => {
        expect(await serving.list('ns')).toEqual(['main', 'old', 'user']);
        expect(await serving.list('ns/user')).toEqual(['-80', '80-']);
        expect(await serving.list('ns/user/-80')).toEqual(['master', 'rdonly']);
        expect(await serving.list('ns/nobody')).toEqual([]);
        const shard = await serving.read('ns/user/-80');
        if (shard === undefined) throw new Error('the shard is not read');
        expect(decode('topodata.SrvShard', shard.bytes).json).toEqual(SHARD);
        const points = await serving.read('ns/user/-80/rdonly');
        expect(decode('topodata.EndPoints', points?.bytes ?? Buffer.alloc(0)).json).toEqual({
          entries: [{ uid: 111, host: 'localhost', port_map: { grpc: 1112, mysql: 1113, vt: 1111 } }],
        });
        expect(await serving.read('ns/user/-80/replica')).toBeUndefined();
      }));

    test('is whole: a rebuild changes nothing, and names lead to tablets where there are any', async () => {
      const { code, out, err } = await cli(['graph', 'check', address]);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out.split('\n').slice(1)).toEqual([
        'leads nowhere nyc:main.0.rdonly: cell nyc has no EndPoints of it',
        'leads nowhere sfo:main.0.rdonly: cell sfo has no EndPoints of it',
        'leads nowhere nyc:user.-80.replica: cell nyc has no EndPoints of it',
        'leads nowhere nyc:user.80-.rdonly: cell nyc has no EndPoints of it',
        'leads nowhere sfo:user.80-.replica: cell sfo has no EndPoints of it',
        'leads nowhere sfo:user.-80.rdonly: cell sfo has no EndPoints of it',
        'leads nowhere sfo:user.80-.rdonly: cell sfo has no EndPoints of it',
        'of 18 names of the serving graph 11 lead to tablets',
        '22 records as a rebuild would make them',
        '',
      ]);
      expect((await cli(['graph', 'rebuild', address])).out).toContain('nothing to write');
    });

    test('what the form has no place for is refused before anything is written, or shown', async () => {
      const input = JSON.stringify({ rules: [{ from_table: 'a', to_tables: ['main.a'] }] });
      const put = await cli(['put', address, 'RoutingRules', '--json', '--yes', '--force'], {}, { input });
      expect(put).toMatchObject({ code: 0 });
      const path = 'keyspaces/main/SrvKeyspace';
      expect(await cli(['rm', address, path, '--cell', 'nyc', '--yes', '--force'])).toMatchObject({
        code: 0,
      });
      for (const more of [['--dry-run'], []]) {
        const line = ['graph', 'rebuild', address, '--keyspaces', '--vschema', '--target-version', '4'];
        expect(await cli([...line, ...more]), more.join(' ')).toMatchObject({
          ...{ code: 2, out: '' },
          err: expect.stringMatching(/no place for routing_rules.*\[Unsupported\]/),
        });
      }
      expect(await cli(['cat', address, path, '--cell', 'nyc'])).toMatchObject({ code: 3 });
      const vschema = JSON.stringify({ tables: { t: { pinned: 'gA==' } }, multi_tenant_spec: {} });
      const line = ['vtctl', address, 'ApplyVSchema', '-vschema', vschema];
      for (const more of [['-dry-run'], []])
        expect(await cli([...line, ...more, 'main']), more.join(' ')).toMatchObject({
          code: 2,
          err: expect.stringMatching(/no place for .*\[Unsupported\]/),
        });
    });

    test('is rebuilt: what is stale is written, what is of no use goes, and only that', async () => {
      await withCell(async (serving, store) => {
        const tablet = await store.get('tablets/nyc-0000000111/Tablet');
        const { json } = decode('topodata.Tablet', tablet.bytes);
        const moved = encode('topodata.Tablet', { ...json, type: 'REPLICA', hostname: 'elsewhere' });
        await store.update('tablets/nyc-0000000111/Tablet', moved, tablet.version);
        const left = await serving.read('ns/main/0');
        await serving.put('ns/main/gone', left?.bytes ?? Buffer.alloc(0), null);
        await serving.put('ns/main/gone/master', encode('topodata.EndPoints', {}), null);
      });
      const dry = await cli(['graph', 'rebuild', address, '--shards', '--dry-run']);
      expect(dry.out.split('\n').filter((line) => /^(create|update|delete) /.test(line))).toEqual([
        'delete nyc:ns/main/gone/master',
        'delete nyc:ns/main/gone',
        'create nyc:ns/user/-80/replica',
        'delete nyc:ns/user/-80/rdonly',
      ]);
      const refused = await cli(['graph', 'rebuild', address, '--shards']);
      expect(refused).toMatchObject({
        code: 4,
        err: expect.stringMatching(/1 record .*would be deleted.*\n.*--yes/),
      });
      expect((await cli(['graph', 'rebuild', address, '--shards', '--yes'])).out).toContain(
        'wrote 4 records',
      );
      expect((await cli(['graph', 'rebuild', address, '--shards', '--yes'])).out).toContain(
        'nothing to write',
      );
      expect((await cli(['graph', 'check', address])).out).not.toContain('user.-80.replica: cell nyc');
      await withCell(async (serving) => {
        expect(await serving.list('ns/main')).toEqual(['0']);
        expect(await serving.list('ns/user/-80')).toEqual(['master', 'replica']);
      });
    });
  });

  test('what leads astray is told before a migration, and after it', async () => {
    await clearZookeeper(zookeeper.servers);
    const planted = await plantZookeeper(ODD, zookeeper.servers);
    const address = `zookeeper:${await writeClientConfig(folder, planted)}`;
    await planted.leave();
    const { code, out } = await cli(['graph', 'check', address]);
    expect(code).toBe(1);
    // One cell serves a shard that there is no more, and a rebuild would take it away.
    expect(out).toContain('leads nowhere sfo:user.-80.master: there is no such shard\n');
    expect(out).toContain('stale sfo:ns/user/-80\n');
    // EndPoints are of generation 1, which is only read.
    const refused = await cli(['graph', 'rebuild', address, '--shards', '--yes']);
    expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/ns\/lookup\/0.*\[Unsupported\]/) });

    const to = `zk2://${zookeeper.servers}/vitess/global`;
    const line = ['copy', address, to, '--to-cell-root', '/vitess/{cell}', '--allow-extra'];
    const losses = ['--accept-loss', 'state,parent,tablet-type'];
    const stopped = await cli([...line, ...losses, '--allow-locks']);
    expect(stopped).toMatchObject({
      code: 4,
      err: expect.stringMatching(/user\/shards\/10-20.*of sfo names/),
    });
    const copied = await cli([...line, ...losses, '--allow-locks', '--serving', 'user/10-20=no']);
    expect([copied.code, copied.err]).toEqual([0, '']);
    expect(copied.out).toContain('the tablets nyc-0000000300, sfo-0000000300 have one number');
    const after = await cli(['graph', 'check', to, '--resolve']);
    expect(after.out).toContain('leads nowhere sfo:user.-80.primary: there is no such shard\n');
    expect(after.out).toContain('leads astray nyc:lookup.0.rdonly: nyc-0000000999 has no Tablet record\n');
    expect(await cli(['graph', 'rebuild', to, '--shards'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/only the retired formats.*SrvShard and EndPoints/),
    });
    await clearZookeeper(zookeeper.servers, '/vitess');
  });
});
