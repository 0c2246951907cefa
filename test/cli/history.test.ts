import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { compactEtcd } from '../backends/etcd2-support.js';
import { available, type EtcdCluster, startEtcd } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';

const LIMIT_MS = 120_000;
const PATH = 'keyspaces/commerce/shards/0/Shard';
const shard = (uid: number) => encode('topodata.Shard', { primary_alias: { cell: 'zone1', uid } });

describe.runIf(available.etcd('3.5'))('history, of records in etcd', () => {
  let etcd: EtcdCluster;
  let address: string;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.5' });
    address = `etcd2://${etcd.servers.replaceAll('http://', '')}/vitess/global`;
    await withStore(address, async (store) => {
      await store.create(PATH, shard(100));
      await store.update(PATH, shard(101), null);
      await store.delete(PATH, null);
      await store.update(PATH, shard(102), null);
      await store.update(PATH, shard(102), null);
      await store.update('custom/note', Buffer.from('one'), null);
      await store.update('custom/note', Buffer.from('two'), null);
    });
  }, LIMIT_MS);
  afterAll(() => etcd?.stop());

  test('shows each state, and what changed', async () => {
    const { code, out, err } = await cli(['history', address, `/${PATH}`]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.replace(/(version|position) \d+/g, '$1 N')).toBe(
      [
        'changed version N, SIZE, at position N (now)',
        '    (no field differs)',
        'created version N, SIZE, at position N',
        'deleted at position N',
        'changed version N, SIZE, at position N',
        '    primary_alias: zone1-0000000100 → zone1-0000000101',
        'created version N, SIZE, at position N',
        'nothing before: the history is whole',
        '',
      ]
        .join('\n')
        .replaceAll('SIZE', `${shard(100).byteLength} B`),
    );
  });

  test('-n shows the newest, with what changed in the last of them', async () => {
    const { out } = await cli(['history', address, PATH, '-n', '2']);
    expect(out.match(/^\w+/gm)).toEqual(['changed', 'created', '2']);
    expect(out).toContain('2 states shown; there are older ones');
  });

  test('gives programs every state, its record, and why it ends', async () => {
    const said = await cliJson(['history', address, PATH]);
    expect(said).toMatchObject({
      command: 'history',
      kind: 'Shard',
      end: 'created',
      states: [
        { how: 'changed', differences: [] },
        { how: 'created' },
        { how: 'deleted' },
        {
          how: 'changed',
          record: Buffer.from(shard(101)).toString('base64'),
          differences: [{ path: 'primary_alias', before: 'zone1-0000000100', after: 'zone1-0000000101' }],
        },
        { how: 'created' },
      ],
    });
  });

  test('says that bytes of no known kind changed, and compares no fields', async () => {
    const { out } = await cli(['history', address, 'custom/note', '-n', '1']);
    expect(out).toContain('(bytes that are not compared field by field)');
  });

  test('is NoNode for what never was, and refuses to be without a path', async () => {
    expect(await cli(['history', address, 'custom/nothing'])).toMatchObject({ code: 3 });
    expect(await cli(['history', address])).toMatchObject({ code: 2, err: expect.stringMatching(/no path/) });
    expect(await cli(['history', address, PATH, '-n', '0'])).toMatchObject({ code: 2 });
  });

  test('tells that what was before is compacted away, and of a deletion too', async () => {
    await withStore(address, (store) => store.delete('custom/note', null));
    await compactEtcd(etcd);
    const { out } = await cli(['history', address, PATH]);
    expect(out).toMatch(
      /^written version \d+, \d+ B, at position \d+ \(now\)\nwhat was before is compacted away/,
    );
    const gone = await cli(['history', address, 'custom/note']);
    expect(gone).toMatchObject({ code: 3, err: expect.stringMatching(/compacted/) });
  });
});

test('history is refused by name where the store keeps none', async () => {
  const address = `memory://zookeeper:${randomUUID()}/vitess/global`;
  await withStore(address, (store) => store.create(PATH, shard(100)));
  const { code, err } = await cli(['history', address, PATH]);
  expect(code).toBe(2);
  expect(err).toMatch(/cannot tell what a record was before[\s\S]*etcd[\s\S]*backup/);
});
