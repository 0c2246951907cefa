import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, makeFolder, removeFolder, startZooKeeper } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { type FixtureRecord, fixtures } from '../support/fixtures.js';
import { PRODUCTS, type Server } from '../support/products.js';
import { type Layout, plant, withStore } from '../support/topologies.js';

const LIMIT_MS = 180_000;

/** A store of some kind with a topology written by Vitess in it. */
interface Rig {
  /** Address of the global store. */
  readonly global: string;
  /** Undefined: the cells have no addresses of their own. */
  readonly layout?: Layout;
  stop(): Promise<void>;
}

interface Place {
  readonly name: string;
  readonly runs: boolean;
  start(records: readonly FixtureRecord[]): Promise<Rig>;
}

async function rig(implementation: string, server: Server, records: readonly FixtureRecord[]): Promise<Rig> {
  const at = (scope: string) =>
    `${implementation}://${server.servers.replaceAll('http://', '')}/looking/${scope}`;
  // Roots that look nested: none may see into another.
  const layout = { global: at('zone'), zone1: at('zone1'), zone2: at('zone10') };
  await plant(records, layout);
  return { global: layout.global, layout, stop: () => server.stop() };
}

const inMemory = (records: readonly FixtureRecord[]) =>
  rig('memory', { servers: `zookeeper:${randomUUID()}`, stop: async () => {} }, records);

const NEWER = {
  name: 'ZooKeeper 3.9',
  implementation: 'zk2',
  available: available.zookeeper('3.9'),
  start: () => startZooKeeper({ version: '3.9' }),
};

const PLACES: readonly Place[] = [
  ...[...PRODUCTS, NEWER].map(({ name, implementation, available: runs, start }) => ({
    name,
    runs,
    start: async (records: readonly FixtureRecord[]) => rig(implementation, await start(), records),
  })),
  {
    name: 'a file',
    runs: true,
    async start(records) {
      const folder = await makeFolder();
      const global = `file:${join(folder, 'looking.topo')}`;
      await cliJson(['copy', (await inMemory(records)).global, global]);
      return { global, stop: () => removeFolder(folder) };
    },
  },
  { name: 'memory', runs: true, start: inMemory },
];

const SHARD =
  'primary_alias:{cell:"zone1" uid:105} primary_term_start_time:{seconds:1774600105 nanoseconds:105} key_range:{end:"\\x80"} tablet_controls:{tablet_type:PRIMARY denied_tables:"t001" denied_tables:"t002" frozen:true allow_reads:true} tablet_controls:{tablet_type:REPLICA cells:"zone1" denied_tables:"t001" allow_reads:true} is_primary_serving:true vtorc_state:{disable_emergency_reparent:true}';

/** Command lines without the address, and what they print; a pattern where versions and positions are in it. */
const TABLE: readonly [line: string, prints: string | RegExp, code?: number][] = [
  ['ls keyspaces', 'commerce\ncustomer\ncustomer_20260327\norders\n'],
  ['ls /keyspaces/orders/shards', '-40\n-80\n40-80\n80-\n'],
  ['ls zone2:', 'SrvVSchema\nkeyspaces\ntablets\n'],
  ['ls keyspaces/commerce/Keyspace', 'keyspaces/commerce/Keyspace\n'],
  ['ls -l keyspaces/commerce', /^-- {2}560 +\S+ Keyspace\n-- 1194 +\S+ VSchema\nd- {4}- +- shards\/\n$/],
  ['ls -ld keyspaces', 'd- - - keyspaces/\n'],
  ['ls -l keyspaces/customer/Keyspace', /^-- 18 \S+ keyspaces\/customer\/Keyspace\n$/],
  [
    'ls -d zone1:tablets/zone1-000000010[1-5]',
    'tablets/zone1-0000000101\ntablets/zone1-0000000103\ntablets/zone1-0000000105\n',
  ],
  ['ls -d keyspaces/*/Keyspace/*', /^$/, 3],
  ['ls -d keyspaces/c*/VSchema', /^(keyspaces\/c\w+\/VSchema\n){3}$/],
  [
    'ls keyspaces/cust*/shards',
    'keyspaces/customer/shards:\n-80\n80-\n\nkeyspaces/customer_20260327/shards:\n-80\n80-\n',
  ],
  ['ls keyspaces/orders/shards/-[48]0/Shard', /^(keyspaces\/orders\/shards\/-[48]0\/Shard\n){2}$/],
  [
    'ls -R keyspaces/commerce',
    'keyspaces/commerce:\nKeyspace\nVSchema\nshards\n\nkeyspaces/commerce/shards:\n0\n\nkeyspaces/commerce/shards/0:\nShard\n',
  ],
  [
    'ls -lR keyspaces/commerce/shards',
    /^keyspaces\/commerce\/shards:\nd- - - 0\/\n\nkeyspaces\/commerce\/shards\/0:\n-- 23 \S+ Shard\n$/,
  ],
  ['cat metadata/migration_owner', 'dba-team@example.com'],
  ['cat --decode-proto keyspaces/customer/shards/-80/Shard', `${SHARD}\n`],
  ['cat -decode_proto metadata/migration_owner', 'dba-team@example.com\n'],
  [
    'cat -decode_proto -long /keyspaces/customer*/shards/80-/Shard',
    /^path=\/keyspaces\/customer\/shards\/80-\/Shard version=\d+\nprimary_alias:.*\npath=\/keyspaces\/customer_20260327\/shards\/80-\/Shard version=\d+\nkey_range:\{start:"\\x80"\} is_primary_serving:true\n$/,
  ],
  [
    'cat --decode-proto --unknown-fields zone1:tablets/zone1-0000000101/Tablet',
    /^alias:\{cell:"zone1" uid:101\} .* 9999:"from-the-future"\n$/,
  ],
  [
    'cat -decode_proto_json keyspaces/customer*/Keyspace',
    '[{"durability_policy":"none","sidecar_db_name":"_vt_custom"},{"base_keyspace":"customer","durability_policy":"none","keyspace_type":"SNAPSHOT","sidecar_db_name":"_vt","snapshot_time":{"seconds":"1774596400"}}]\n',
  ],
  [
    'cat -decode_proto_json -long /keyspaces/customer/Keyspace',
    /^\[\{"__path":"\/keyspaces\/customer\/Keyspace","__version":"\d+","durability_policy":"none",/,
  ],
  [
    'cat --data-as-json keyspaces/customer/Keyspace',
    '{\n  "durability_policy": "none",\n  "sidecar_db_name": "_vt_custom"\n}\n',
  ],
  [
    'cat --topology-cell keyspaces/customer/shards/-80/Shard',
    /^\{\n {2}"name": "Shard",\n {2}"path": "\/global\/keyspaces\/customer\/shards\/-80\/Shard",\n {2}"data": "primary_alias:.*",\n {2}"children": \[\],\n {2}"version": "\d+"\n\}\n$/,
  ],
  [
    'cat --topology-cell /',
    '{\n  "name": "",\n  "path": "/",\n  "data": "",\n  "children": [\n    "global",\n    "zone1",\n    "zone2"\n  ],\n  "version": "0"\n}\n',
  ],
  ['cat keyspaces/comerce/Keyspace', /^$/, 3],
  ['cat keyspaces/*/Keyspce', /^$/, 3],
  [
    'tree zone1:keyspaces/commerce',
    /^zone1 \S+\n├── SrvKeyspace\n└── shards\n {4}└── 0\n {8}└── ShardReplication\n$/,
  ],
  [
    'tree --depth 1 keyspaces/orders',
    /^global \S+\n├── Keyspace\n├── VSchema\n└── shards …\nzone1 \S+\n├── SrvKeyspace\n└── shards …\nzone2 \S+\n├── SrvKeyspace\n└── shards …\n$/,
  ],
  [
    'tree --depth 2 global:',
    /^global \S+\n├── ExternalClusters\n│ {3}└── vitess …\n├── MirrorRules\n├── RoutingRules\n/,
  ],
  [
    'find --kind CellInfo,SrvVSchema',
    'global:cells/zone1/CellInfo\nglobal:cells/zone2/CellInfo\nzone1:SrvVSchema\nzone2:SrvVSchema\n',
  ],
  [
    'find --path keyspaces/**/80-/* --cell zone1',
    'zone1:keyspaces/customer/shards/80-/ShardReplication\nzone1:keyspaces/orders/shards/80-/ShardReplication\n',
  ],
  ['find zone2:tablets --name *', /^(zone2:tablets\/zone2-0000000\d{3}\/Tablet\n){12}$/],
  ['find keyspaces/commerce/Keyspace', 'global:keyspaces/commerce/Keyspace\n'],
  ['find --larger 5000', 'zone1:SrvVSchema\nzone2:SrvVSchema\n'],
  ['find --empty', ''],
  [
    'find --type directory global:keyspaces/commerce',
    /^global:keyspaces\/commerce\nglobal:.*\/shards\nglobal:.*\/shards\/0\n$/,
  ],
  [
    'find --kind CellsAlias --output jsonl',
    /^\{"scope":"global","path":"cells_aliases\/region1\/CellsAlias","kind":"CellsAlias","size":14,"version":"[^"]+","ephemeral":false\}\n$/,
  ],
  [
    'grep ^zone1-0000000105$ --kind Shard,ShardReplication',
    'global:keyspaces/customer/shards/-80/Shard: primary_alias: zone1-0000000105\nzone1:keyspaces/customer/shards/-80/ShardReplication: nodes[zone1-0000000105].tablet_alias: zone1-0000000105\n',
  ],
  ['grep from-the-future', 'zone1:tablets/zone1-0000000101/Tablet: #9999: bytes "from-the-future"\n'],
  ['grep -i TEAM@EXAMPLE', 'global:metadata/migration_owner: line 1: dba-team@example.com\n'],
  ['grep -il SNAPSHOT --kind Keyspace', 'global:keyspaces/customer_20260327/Keyspace\n'],
  ['grep -c t00 global:keyspaces/customer/shards', 'global:keyspaces/customer/shards/-80/Shard: 3\n'],
  ['grep no-such-thing', '', 1],
  [
    'stat keyspaces/customer/shards/-80/Shard',
    /^global:keyspaces\/customer\/shards\/-80\/Shard\n {2}kind {7}Shard, topodata.Shard\n {2}size {7}71 bytes\n {2}version {4}\S+\n {2}decodes {4}yes\n {2}ephemeral {2}no\n\S+ at position \d+\n$/,
  ],
  [
    'stat zone1:tablets',
    /^zone1:tablets\n {2}directory {2}12 names in it\n {2}ephemeral {2}no\n\S+ at position \d+\n$/,
  ],
  ['stat nothing', /^$/, 3],
];

const records = fixtures('vitess-v24-small');

for (const product of PLACES) {
  describe.runIf(product.runs && records !== undefined)(`looking at ${product.name}`, () => {
    let place: Rig;
    beforeAll(async () => {
      place = await product.start(records ?? []);
    }, LIMIT_MS);
    afterAll(() => place?.stop());

    /** A command line without the address, its words held apart by spaces. */
    const run = (line: string) => {
      const [command = '', ...words] = line.split(' ');
      return cli([command, place.global, ...words, '--timeout', '20']);
    };

    test('a cell whose given address leads nowhere is not said to need one', async () => {
      const root = place.global.startsWith('consul') ? 'a' : '/a';
      const nowhere = `ls --cell zone1 --cell-address zone1=127.0.0.1:1,${root} --timeout 1`;
      const [command = '', ...words] = nowhere.split(' ');
      const { code, err } = await cli([command, place.global, ...words]);
      expect([2, 3]).toContain(code);
      expect(err).toMatch(/cell zone1.*\n.*its address is the one that --cell-address gives/);
      expect(err).not.toContain('give it with');
    });

    test.each(TABLE)(
      '%s',
      async (line, prints, code = 0) => {
        const { stdout, err, code: exit } = await run(line);
        expect({ exit, err: exit === 3 ? '' : err }).toEqual({ exit: code, err: '' });
        if (typeof prints === 'string') expect(stdout.toString()).toBe(prints);
        else expect(stdout.toString()).toMatch(prints);
      },
      LIMIT_MS,
    );

    test('cat gives a pipe the stored bytes, of several records one after the other', async () => {
      const of = (pattern: RegExp) =>
        Buffer.concat(
          (records ?? [])
            .filter(({ scope, path }) => scope === 'global' && pattern.test(path))
            .map(({ value }) => value),
        );
      expect((await run('cat custom/blob.bin')).stdout).toEqual(of(/^custom\/blob.bin$/));
      expect((await run('cat keyspaces/*/VSchema')).stdout).toEqual(of(/^keyspaces\/[^/]+\/VSchema$/));
    });

    test('cat prints as JSON what Vitess itself makes of every record', async () => {
      for (const pattern of ['*/*/*', '*', 'keyspaces/*/shards/*/Shard', 'keyspaces/*/VSchema']) {
        const shown = (await cliJson(['cat', place.global, pattern])) as { path: string; json?: unknown }[];
        for (const { path, json } of shown) {
          if (path.startsWith('cells/')) continue;
          const found = records?.find((record) => record.scope === 'global' && record.path === path);
          expect(json ?? null, path).toEqual(found?.json);
        }
      }
    });

    test('what is not there is named, with what there is', async () => {
      expect((await run('cat keyspaces/comerce/Keyspace')).err).toMatch(
        /there is no comerce in keyspaces: keyspaces has commerce, customer, customer_20260327, orders/,
      );
      expect((await run('cat keyspaces/commerce')).err).toMatch(
        /is a directory.*\n.*Keyspace, VSchema, shards/,
      );
      expect((await run('ls keyspaces/x*')).err).toMatch(
        /nothing matches.*keyspaces\/x\*.*\n.*has commerce, /,
      );
      expect((await run('tree RoutingRules')).err).toMatch(/is a record/);
      expect((await run('ls RoutingRules/x')).err).toMatch(/RoutingRules is a record/);
    });

    test('what a session or lease owns is marked, and found', async () => {
      const { layout } = place;
      if (layout === undefined) return;
      await withStore(layout['global'] ?? '', async (store) => {
        const lock = await store.lock('keyspaces/commerce', 'a test looks at it');
        try {
          const found = await run('find --ephemeral');
          expect(found.stdout.toString()).toMatch(/^global:keyspaces\/commerce\/(locks\/\S+|Lock)\n$/);
          expect((await run('ls -l keyspaces/commerce')).out).toMatch(/^([d-]e) .*\b(locks\/|Lock)$/m);
          expect((await run('find --kind Lock')).stdout).toEqual(found.stdout);
          expect((await run('grep looks --kind Lock')).out).toMatch(/line 1: a test looks at it\n$/);
        } finally {
          await lock.unlock();
        }
      });
    });
  });
}
