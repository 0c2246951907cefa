import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { clearEtcd, clearZookeeper, plantEtcd, plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import type { Sample } from '../legacy/samples/sample.js';
import { WHOLE_ZOOKEEPER, wholeEtcd } from '../legacy/samples/whole.js';
import { available, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { keepReader } from '../zookeeper/keep-reader.js';
import { type Bench, bench, keptText } from './writing-topology.js';

const TABLET = 'nyc:tablets/nyc-0000000130/Tablet';
/** Of generation 2, with a field that no version of Vitess has. */
const STRANGE = {
  ...{ alias: { cell: 'nyc', uid: 130 }, hostname: 'localhost', keyspace: 'main', shard: '0', type: 2 },
  colour: 'blue',
};
/** In no form that is known, and a record of today by chance. */
const BY_CHANCE = Buffer.from(encode('topodata.Tablet', { hostname: 'localhost' })).toString();

const runs = available.zookeeper('3.8') && available.etcd('3.3');
describe.runIf(runs)('single records of a retired format', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let etcds: Awaited<ReturnType<typeof startEtcd>>[];
  let work: Bench;
  beforeAll(async () => {
    [zookeeper, etcds, work] = await Promise.all([
      startZooKeeper({ version: '3.8' }),
      Promise.all([1, 2].map(() => startEtcd({ version: '3.3', flags: ['--enable-v2'] }))),
      bench(),
    ]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([zookeeper, ...(etcds ?? [])].map((server) => server?.stop()));
    await work?.clear();
  });
  keepReader(() => zookeeper.servers);

  /** Plants a topology in which this is the tablet 130 of nyc; gives its address, and reads what is kept of the tablet. */
  const STORES = {
    zookeeper: async (tablet: Sample[string], more: Sample) => {
      await clearZookeeper(zookeeper.servers);
      const path = '/zk/nyc/vt/tablets/0000000130';
      const planted = await plantZookeeper(
        { ...WHOLE_ZOOKEEPER, ...more, [path]: tablet },
        zookeeper.servers,
      );
      await planted.leave();
      return { address: `zookeeper:${await writeClientConfig(work.folder, planted)}`, path };
    },
    etcd: async (tablet: Sample[string], more: Sample) => {
      const [ofGlobal = '', ofNyc = ''] = etcds.map(({ endpoints }) => endpoints[0] ?? '');
      await Promise.all([clearEtcd(ofGlobal), clearEtcd(ofNyc)]);
      const path = '/vt/tablets/nyc-0000000130/_Data';
      const { global, nyc } = wholeEtcd({ nyc: ofNyc, sfo: ofNyc });
      const { '/vt/cells/sfo': _, ...withoutSfo } = global;
      await plantEtcd({ ...withoutSfo, ...more }, ofGlobal);
      await plantEtcd({ ...nyc, [path]: tablet }, ofNyc);
      return { address: `etcd://${ofGlobal}`, path };
    },
  } as const;

  describe.each(['zookeeper', 'etcd'] as const)('%s', (implementation) => {
    let address: string;
    const plant = async (tablet: Sample[string], more: Sample = {}) => {
      const planted = await STORES[implementation](tablet, more);
      address = planted.address;
      return {
        kept: async () => (await cli(['cat', address, '--native', `nyc:${planted.path}`])).bytes.toString(),
      };
    };
    beforeEach(async () => {
      await rm(join(work.folder, 'zk_client.json'), { force: true });
    });

    test('what the form has no place for is refused before it is shown as a plan', async () => {
      const { kept } = await plant(STRANGE);
      const before = await kept();
      const shard = { is_primary_serving: true };
      const line = ['put', address, 'keyspaces/main/shards/0/Shard', '--json', '--yes', '--force'];
      for (const more of [[], ['--dry-run']])
        expect(await cli([...line, ...more], {}, { input: JSON.stringify(shard) })).toMatchObject({
          ...{ code: 2, out: '' },
          err: expect.stringMatching(
            /no place for is_primary_serving = true \(newer-field\).*\[Unsupported\]/,
          ),
        });
      const env = await work.editor(
        `grep -q term "$1" || sed -i 's/"shard"/"primary_term_start_time": {"seconds": 5}, "shard"/' "$1"`,
      );
      const edited = await cli(['edit', address, TABLET, '--yes', '--force'], env);
      await keptText(edited.err);
      expect(edited).toMatchObject({
        ...{ code: 2, out: '' },
        err: expect.stringMatching(/no place for primary_term_start_time = .*\[Unsupported\]/),
      });
      expect(await kept()).toBe(before);
    });

    test('what a record of today has no place for is told, and lost only with --force', async () => {
      const { kept } = await plant(STRANGE);
      const before = await kept();
      const told = await cli(['stat', address, TABLET]);
      expect(told.out).toMatch(/decodes +yes\n +no place +colour = "blue" \(unknown-field\)\n/);
      const shown = JSON.parse((await cli(['stat', address, TABLET, '--output', 'json'])).out);
      expect(shown.record).toMatchObject({ losses: [{ kind: 'unknown-field', field: 'colour' }], notes: [] });
      const env = await work.editor(`sed -i 's/"shard"/"tags": {"a": "b"}, "shard"/' "$1"`);
      const edited = await cli(['edit', address, TABLET, '--yes'], env);
      expect(edited).toMatchObject({
        code: 4,
        out: expect.stringMatching(/loses what records of today have no place for: colour = "blue"/),
      });
      expect(edited.err).toContain('--force');
      await keptText(edited.err);
      const removed = await cli(['rm', address, TABLET]);
      expect(removed).toMatchObject({
        code: 4,
        out: expect.stringMatching(/undo does not bring back .*: colour = "blue" \(unknown-field\)/),
      });
      expect(await kept()).toBe(before);
      expect((await cli(['edit', address, TABLET, '--yes', '--force'], env)).code).toBe(0);
      expect(JSON.parse(await kept())).toEqual({
        ...Object.fromEntries(Object.entries(STRANGE).filter(([name]) => name !== 'colour')),
        tags: { a: 'b' },
      });
    });

    test('what the store does not write over stops an edit and a copy before they write', async () => {
      const home = implementation === 'zookeeper' ? '/zk/global/vt/vschema' : '/vt/vschema';
      const { kept } = await plant(STRANGE, { [home]: { Keyspaces: { old: { Tables: { t: {} } } } } });
      const before = await kept();
      const path = 'keyspaces/old/VSchema';
      const put = await cli(['put', address, path, '--json', '--yes'], {}, { input: '{"sharded": true}' });
      const told = /with those of all keyspaces|is made of \/zk\/global\/vt\/vschema/;
      expect(put).toMatchObject({ code: 2, out: '', err: expect.stringMatching(told) });
      const env = await work.editor('echo edited >> "$1"');
      expect(await cli(['edit', address, path], env)).toMatchObject({
        ...{ code: 2, out: '', err: expect.stringContaining('[Unsupported]') },
      });

      const from = `memory://etcd:${randomUUID()}/new/global`;
      const roots = ['--to-cell-root', '/new/{cell}', '--accept-loss', 'unknown-field'];
      expect(await cli(['copy', address, from, ...roots])).toMatchObject({ code: 0 });
      const changed = { tables: { t: {}, u: {} } };
      const sharded = await cli(
        ['put', from, path, '--json', '--yes'],
        {},
        { input: JSON.stringify(changed) },
      );
      expect(sharded).toMatchObject({ code: 0 });
      const also = await work.editor(`sed -i 's/localhost/elsewhere/' "$1"`);
      expect((await cli(['edit', from, TABLET, '--yes'], also)).code).toBe(0);
      for (const command of ['plan', 'copy'])
        expect(await cli([command, from, address])).toMatchObject({
          code: 4,
          err: expect.stringMatching(/does not write over what it holds: global:keyspaces\/old\/VSchema/),
        });
      expect(await kept()).toBe(before);
    });

    test('what a copy cannot delete stops it before it writes', async () => {
      const home = implementation === 'zookeeper' ? '/zk/global/vt/vschema' : '/vt/vschema';
      await plant(STRANGE, { [home]: { Keyspaces: { old: { Tables: { t: {} } } } } });
      const from = `memory://etcd:${randomUUID()}/new/global`;
      const roots = ['--to-cell-root', '/new/{cell}', '--accept-loss', 'unknown-field'];
      expect(await cli(['copy', address, from, ...roots])).toMatchObject({ code: 0 });
      const deleting = [from, address, '--delete', '--max-delete', '9'];
      const gone = async (path: string) =>
        expect(await cli(['rm', from, path, '--yes', '--force'])).toMatchObject({ code: 0 });
      await gone('keyspaces/old/VSchema');
      for (const command of ['plan', 'copy'])
        expect(await cli([command, ...deleting])).toMatchObject({
          code: 4,
          err: expect.stringMatching(/the destination does not delete: global:keyspaces\/old\/VSchema/),
        });
      await plant(STRANGE);
      await gone('keyspaces/user/Keyspace');
      const above = await cli(['copy', ...deleting]);
      // In the retired etcd a keyspace is a file beside those of its shards.
      if (implementation === 'etcd') expect(above).toMatchObject({ code: 0 });
      else
        expect(above).toMatchObject({
          code: 4,
          err: expect.stringMatching(
            /does not delete: global:keyspaces\/user\/Keyspace \(keyspaces\/user\/\S+ is below it and stays\)/,
          ),
        });
      const shards = (await cli(['ls', address, 'keyspaces/user/shards'])).out.trim().split('\n');
      for (const path of ['VSchema', ...shards.map((shard) => `shards/${shard}/Shard`)])
        await gone(`keyspaces/user/${path}`);
      expect(await cli(['copy', ...deleting, '--allow-shrunk'])).toMatchObject({ code: 0 });
      expect((await cli(['ls', address, 'keyspaces'])).out).toBe('main\nold\n');
    });

    test('what changes several records changes none where the store does not take one of them', async () => {
      const { kept } = await plant(STRANGE);
      const before = await kept();
      const line = ['vtctl', address, 'CreateKeyspace', '-durability-policy=semi_sync', 'new'];
      const made = await cli(line);
      expect(made).toMatchObject({ code: 2, err: expect.stringMatching(/no place for durability_policy/) });
      if (implementation === 'zookeeper') {
        const [shard, tablet] = ['/zk/global/vt/keyspaces/main/shards/0', '/zk/nyc/vt/replication/main/0'];
        const links = { ReplicationLinks: [{ TabletAlias: { Cell: 'nyc', Uid: 130 } }] };
        await plant(STRANGE, { [shard]: { MasterAlias: { Cell: 'nyc', Uid: 100 } }, [tablet]: links });
        const removed = await cli(['vtctl', address, 'DeleteTablet', 'nyc-130']);
        expect(removed).toMatchObject({
          code: 2,
          err: expect.stringMatching(/ShardReplication.*\[Unsupported\]/),
        });
      }
      expect(await kept()).toBe(before);
      expect((await cli(['ls', address, 'keyspaces'])).out).toBe('main\nold\nuser\n');
    });

    test('a topology is built as by vtctl of the time, whole and without what it did not know', async () => {
      await plant(STRANGE);
      const native = async (path: string) =>
        JSON.parse((await cli(['cat', address, '--native', path])).bytes.toString() || '{}');
      const [keyspace, shard] =
        implementation === 'zookeeper'
          ? ['/zk/global/vt/keyspaces/new', '/zk/global/vt/keyspaces/new/shards/-80']
          : ['/vt/keyspaces/new/_Data', '/vt/keyspaces/new/-80/_Data'];
      const lines = [
        ['CreateKeyspace', 'new'],
        ['CreateShard', 'new/-80'],
        ['CreateShard', 'new/80-'],
        ...[
          ['nyc-900', 'master'],
          ['nyc-901', 'replica'],
        ].map((tablet) => [
          ...['InitTablet', '-hostname', 'h', '-port', '1', '-keyspace', 'new', '-shard', '-80'],
          ...tablet,
        ]),
        ['RebuildKeyspaceGraph', 'new'],
        ['CreateShard', 'new/40-c0'],
      ];
      for (const line of lines)
        expect(await cli(['vtctl', address, ...line]), line.join(' ')).toMatchObject({ code: 0 });
      expect(await native(keyspace)).toEqual({});
      expect(await native(shard)).toEqual({
        master_alias: { cell: 'nyc', uid: 900 },
        key_range: { end: 'gA==' },
        served_types: [{ tablet_type: 1 }, { tablet_type: 2 }, { tablet_type: 3 }],
        cells: ['nyc'],
      });
      if (implementation === 'zookeeper')
        expect((await cli(['ls', address, '--native', keyspace])).out).toBe(
          'action\nactionlog\nshards\nvschema\n',
        );
      expect(await native(shard.replace('-80', '40-c0'))).toEqual({
        key_range: { start: 'QA==', end: 'wA==' },
      });
      const graph = await cli(['cat', address, 'keyspaces/new/SrvKeyspace', '--cell', 'nyc']);
      expect(graph.bytes.toString('latin1').match(/-80|80-/g)).toHaveLength(6);
    });

    test('a keyspace is deleted with all that is in it, though its locks lie in its records', async () => {
      await plant(STRANGE);
      const lines = ['DeleteShard', 'DeleteKeyspace'].map((command) =>
        command === 'DeleteShard'
          ? [command, '-recursive', '-even_if_serving', 'main/0']
          : [command, '-recursive', 'main'],
      );
      for (const line of lines)
        expect(await cli(['vtctl', address, ...line]), line.join(' ')).toMatchObject({ code: 0 });
      expect((await cli(['ls', address, 'keyspaces'])).out).toBe('old\nuser\n');
    });

    test('what is in no known form is never taken for the record that its bytes look like', async () => {
      const { kept } = await plant(BY_CHANCE);
      const { bytes, err } = await cli(['cat', address, TABLET]);
      expect([bytes.toString(), err]).toEqual([BY_CHANCE, '']);
      const problem = expect.stringMatching(/^not a Tablet of either generation: it is not JSON$/);
      const json = JSON.parse((await cli(['cat', address, TABLET, '--output', 'json'])).out);
      expect(json).toMatchObject({ text: BY_CHANCE, problem });
      expect(json).not.toHaveProperty('json');
      expect(await cli(['cat', address, TABLET, '--decode-proto-json'])).toMatchObject({
        ...{ code: 3, err: expect.stringContaining('it is not JSON') },
      });
      expect((await cli(['stat', address, TABLET])).out).toMatch(/decodes +no: not a Tablet of either/);
      expect((await cli(['grep', address, 'localhost', TABLET])).err).toContain('not a Tablet of either');
      expect((await cli(['lint', address])).out).toMatch(
        /error undecodable nyc tablets\/nyc-0000000130\/Tablet/,
      );
      expect(await cli(['vtctl', address, 'GetTablet', 'nyc-130'])).toMatchObject({
        code: 3,
        err: expect.stringMatching(/not a Tablet of either generation.*\[Corrupt\]/),
      });
      const file = join(work.folder, 'tablet.json');
      await writeFile(file, JSON.stringify({ alias: { cell: 'nyc', uid: 130 }, type: 'REPLICA' }));
      const put = await cli(['put', address, TABLET, '--json', '--file', file, '--yes']);
      expect(put).toMatchObject({
        code: 4,
        out: expect.stringContaining('all of it, which is in no known form'),
      });
      expect(await kept()).toBe(BY_CHANCE);
    });
  });
});
