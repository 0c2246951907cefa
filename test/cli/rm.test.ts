import { describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { cli, cliJson } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';
import { writing } from './writing-topology.js';

const on = writing();
const rm = (...words: string[]) => cli(['rm', on.from, ...words]);
const paths = async (scope = 'global') => [...(await contents(on.at(scope))).keys()];

describe('rm', () => {
  test('deletes records, and puts them back by what it printed', async () => {
    const before = await on.everything();
    const { code, out, err } = await rm('metadata/owner', '/custom/dashboard.bin', 'metadata/owner', '--yes');
    expect(err).toBe('');
    expect(out).toMatch(
      /^delete global:metadata\/owner\ndelete global:custom\/dashboard\.bin\nto put it back/,
    );
    expect(out).toMatch(/done 2 records\n$/);
    expect(code).toBe(0);
    expect(await paths()).not.toContain('metadata/owner');
    const line = out.split('\n').find((each) => each.startsWith('{')) ?? '';
    expect((await cli(['undo', on.from, await on.work.file(line)])).code).toBe(0);
    expect(await on.everything()).toEqual(before);
  });

  test('shows what would go, and deletes nothing without --yes, which the environment cannot say', async () => {
    const before = await on.everything();
    const env = { TOPO2TOPO_YES: 'true', TOPO2TOPO_FORCE: 'true', TOPO2TOPO_RECURSIVE: 'true' };
    const { code, out, err } = await cli(['rm', on.from, 'metadata/owner'], env);
    expect(out).toBe('delete global:metadata/owner\n');
    expect(err).toMatch(/1 record would be deleted.*\n.*add --yes\n/);
    expect(code).toBe(4);
    expect(await rm('metadata/owner', '--dry-run')).toMatchObject({
      code: 0,
      out: 'delete global:metadata/owner\ndry run: nothing is written\n',
    });
    expect(await on.everything()).toEqual(before);
  });

  test('takes patterns, and places as other commands print them', async () => {
    const before = await on.everything();
    const shown = await rm('/keyspaces/*/VSchema', 'metadata/[^o]wner', 'metadata/o?ner', '--dry-run');
    expect(shown).toMatchObject({ code: 3, err: expect.stringMatching(/nothing matches.*\[\^o\]wner/) });
    const lines = (await rm('/keyspaces/*/VSchema', 'metadata/o?ner', '--dry-run')).out;
    expect(lines.match(/^delete .*$/gm)).toEqual(
      [
        'metadata/owner',
        ...['orders', 'customer', 'commerce'].map((name) => `keyspaces/${name}/VSchema`),
      ].map((path) => `delete global:${path}`),
    );
    expect((await rm('keyspaces/*', '--dry-run')).err).toMatch(/this is a directory/);
    expect((await rm('keyspaces/comm*', '-r', '--dry-run')).out).toMatch(/delete 3 records/);
    expect((await rm('zone1:SrvVSchema', '--dry-run')).out).toMatch(/^delete zone1:SrvVSchema$/m);
    expect((await rm('zone1:SrvVSchema', 'metadata/owner')).err).toMatch(/paths are in zone1 and global/);
    expect((await rm('zone1:SrvVSchema', '--cell', 'zone2')).err).toMatch(/give the scope once/);
    expect((await rm('metadata/[')).err).toMatch(/is not a pattern/);
    expect(await on.everything()).toEqual(before);
  });

  test('is one document for programs', async () => {
    const args = ['rm', on.from, 'keyspaces/commerce', '-r'];
    expect(await cliJson([...args, '--dry-run'])).toMatchObject({
      command: 'rm',
      written: false,
      changes: ['shards/0/Shard', 'VSchema', 'Keyspace'].map((path) => ({
        path: `keyspaces/commerce/${path}`,
      })),
      reasons: expect.arrayContaining([
        {
          scope: 'global',
          path: 'keyspaces/commerce/Keyspace',
          needs: 'force',
          reason: expect.stringMatching(/tablets/),
        },
      ]),
    });
    expect(await cliJson(['rm', on.from, 'metadata/owner', '--yes'])).toMatchObject({
      written: true,
      reasons: [],
    });
  });

  test('-r takes what is below, counts it by kind, and deletes shards before their keyspace', async () => {
    const { code, out } = await rm('keyspaces/orders', 'metadata', '-r', '--yes', '--force');
    expect(out).toMatch(/^delete 7 records\n {2}Metadata: 1\n {4}global:metadata\/owner\n/);
    expect(out).toMatch(/ {2}Shard: 4\n/);
    expect(out).toMatch(/ {2}Keyspace: 1\n/);
    expect(out).toMatch(/still has tablets: .* and \d+ more \(needs --yes --force\): 1\n/);
    expect(code).toBe(0);
    expect((await paths()).filter((path) => /^keyspaces\/orders|^metadata/.test(path))).toEqual([]);
    expect(await paths()).toContain('keyspaces/customer/Keyspace');
  });

  test('takes an address by flags, and several paths with it', async () => {
    const flags = [
      '--topo-implementation',
      'memory',
      '--topo-global-server-address',
      on.server,
      '--topo-global-root',
      '/vitess/global',
    ];
    const known = await cli(['ls', ...flags, 'metadata']);
    if (known.code !== 0) throw new Error(known.err);
    expect((await cli(['rm', 'metadata/owner', 'custom/dashboard.bin', ...flags, '--yes'])).code).toBe(0);
    expect(await cli(['rm', on.from, 'metadata/owner', ...flags, '--yes'])).toMatchObject({ code: 2 });
  });

  test('leaves a record alone that moved after it was shown', async () => {
    const { code, err } = await withStore(on.from, async (store) => {
      let change: Promise<unknown> | undefined;
      const onOut = () => {
        change ??= store.update('metadata/owner', Buffer.from('moved'), null);
      };
      const result = await cli(['rm', on.from, 'metadata/owner', '--yes', '--force'], {}, { onOut });
      await change;
      return result;
    });
    expect(err).toContain('BadVersion');
    expect(code).toBe(3);
    expect(await paths()).toContain('metadata/owner');
  });
});

const FORCED: readonly (readonly [what: string, path: string, cell: string | undefined, reason: RegExp])[] = [
  [
    'the primary of a shard',
    'tablets/zone1-0000000100/Tablet',
    'zone1',
    /the primary that its shard names: commerce\/0/,
  ],
  [
    'a shard with tablets',
    'keyspaces/customer/shards/-80/Shard',
    undefined,
    /still has tablets: zone1-0000000200, .*/,
  ],
  [
    'a keyspace with shards',
    'keyspaces/customer/Keyspace',
    undefined,
    /still has shards: -80, 80-[\s\S]*still has tablets/,
  ],
  ['SrvKeyspace', 'keyspaces/customer/SrvKeyspace', 'zone2', /stop serving the keyspace at once/],
  ['SrvVSchema', 'SrvVSchema', 'zone1', /lose all routing at once/],
  [
    'ShardReplication',
    'keyspaces/customer/shards/-80/ShardReplication',
    'zone1',
    /take a missing list for an empty one/,
  ],
  ['a CellInfo', 'cells/zone1/CellInfo', undefined, /topo2topo cell remove/],
  ['a VSchema', 'keyspaces/customer/VSchema', undefined, /without vindexes and tables/],
  ['routing rules', 'RoutingRules', undefined, /queries go where they went before/],
  ['shard routing rules', 'ShardRoutingRules', undefined, /queries go where they went before/],
  ['keyspace routing rules', 'routing_rules/keyspace/Rules', undefined, /queries go where they went before/],
  ['mirror rules', 'MirrorRules', undefined, /mirroring ends/],
  ['a mounted cluster', 'ExternalClusters/vitess/archive', undefined, /do not find it any more/],
];

describe('what a running cluster reads needs --force beside --yes', () => {
  test.each(FORCED)('%s', async (_, path, cell, reason) => {
    const words = cell === undefined ? [path] : [path, '--cell', cell];
    const before = await on.everything();
    for (const [more, missing] of [
      [[], '--yes --force'],
      [['--yes'], '--force'],
      [['--force'], '--yes'],
    ] as const) {
      const { code, out, err } = await rm(...words, ...more);
      expect(out).toMatch(reason);
      expect(out).toContain('(needs --yes --force)');
      expect(err).toMatch(new RegExp(`1 record would be deleted.*\\n.*add ${missing}\\n`));
      expect(code).toBe(4);
    }
    expect(await on.everything()).toEqual(before);
    expect((await rm(...words, '--yes', '--force')).code).toBe(0);
    expect(await paths(cell)).not.toContain(path);
  });

  test('a replica, an alias and metadata need --yes alone, and say why', async () => {
    expect(await rm('tablets/zone2-0000000101/Tablet', '--cell', 'zone2', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/finds its own record gone ends itself \(needs --yes\)/),
    });
    expect((await rm('cells_aliases/region1/CellsAlias', '--yes')).code).toBe(0);
    expect((await rm('metadata/owner', '--yes')).code).toBe(0);
  });

  test('a keyspace that goes with its shards, and has no tablets, needs --yes alone', async () => {
    await withStore(on.from, async (store) => {
      await store.create('keyspaces/old/Keyspace', new Uint8Array());
      await store.create(
        'keyspaces/old/shards/0/Shard',
        encode('topodata.Shard', { is_primary_serving: true }),
      );
    });
    expect((await rm('keyspaces/old/Keyspace', '--yes')).out).toMatch(
      /still has shards: 0 \(needs --yes --force\)/,
    );
    expect((await rm('keyspaces/old', '-r', '--yes')).code).toBe(0);
    expect((await paths()).filter((path) => path.startsWith('keyspaces/old'))).toEqual([]);
  });

  test('what cannot be seen counts as being there', async () => {
    await withStore(on.at('zone2'), (store) =>
      store.create('tablets/zone2-0000000999/Tablet', Uint8Array.from([0xff])),
    );
    await withStore(on.from, (store) => store.create('keyspaces/old/Keyspace', new Uint8Array()));
    expect((await rm('keyspaces/old/Keyspace', '--yes')).out).toMatch(
      /whether it still has tablets cannot be told: tablets\/zone2-0000000999\/Tablet does not decode \(needs --yes --force\)/,
    );
    expect((await rm('tablets/zone2-0000000999/Tablet', '--cell', 'zone2', '--yes')).out).toMatch(
      /cannot be told: the record does not decode \(needs --yes --force\)/,
    );
  });
});

describe('bad input deletes nothing', () => {
  test.each([
    ['a path at which there is nothing', ['metadata/none'], 3, /nothing at this path.*NoNode/],
    [
      'one of several at which there is nothing',
      ['metadata/owner', 'metadata/none'],
      3,
      /nothing at this path/,
    ],
    ['a pattern that means nothing', ['metadata/x*'], 3, /nothing matches.*\n.*metadata has owner/],
    ['a directory', ['metadata'], 2, /this is a directory.*\n.*add -r/],
    ['the root', ['/', '-r'], 2, /the root of a store is not deleted/],
    ['no path', [], 2, /no path is given/],
    ['an empty path', [''], 2, /no path is given/],
    ['a second address', ['memory://x/y'], 2, /is no path/],
    ['an entry of a lock', ['keyspaces/commerce/locks/1'], 4, /entry of a lock.*\n.*locks break/],
    [
      'a lock below a directory',
      ['keyspaces/commerce', '-r'],
      4,
      /entry of a lock.*keyspaces\/commerce\/locks\/1/,
    ],
    ['an entry of an election', ['elections/vtctld/1'], 4, /entry of an election/],
    ['a record of this tool', ['topo2topo', '-r'], 4, /record of this tool/],
    ['a path that is none', ['metadata/../owner'], 2, /invalid path/],
    ['an unknown cell', ['SrvVSchema', '--cell', 'zone9'], 2, /no cell zone9/],
    ['a switch with a value', ['metadata', '--recursive=maybe'], 2, /--recursive is true or false/],
  ])('%s', async (_, words, code, message) => {
    await withStore(on.from, async (store) => {
      await store.create('keyspaces/commerce/locks/1', Uint8Array.from([1]));
      await store.create('elections/vtctld/1', Uint8Array.from([1]));
      await store.create('topo2topo/epoch', Uint8Array.from([1]));
    });
    const before = await on.everything();
    const result = await rm(...words, '--yes', '--force');
    expect(result).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
    expect(await on.everything()).toEqual(before);
  });
});
