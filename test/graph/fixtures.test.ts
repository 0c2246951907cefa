import { describe, expect, test } from 'vitest';
import { rebuildSrvKeyspace } from '../../src/graph/srv-keyspace.js';
import { rebuildSrvVSchema } from '../../src/graph/srv-vschema.js';
import { parseTarget } from '../../src/graph/target.js';
import { diffRecords } from '../../src/topo/diff.js';
import { FIXTURES, type FixtureRecord, fixtures } from '../support/fixtures.js';

/** Directories directly below one of the global store. */
function directories(records: readonly FixtureRecord[], dir: string): string[] {
  const below = records.filter(({ scope, path }) => scope === 'global' && path.startsWith(`${dir}/`));
  return [...new Set(below.map(({ path }) => path.slice(dir.length + 1).split('/')[0] ?? ''))];
}

for (const name of FIXTURES) {
  const found = fixtures(name);
  describe.runIf(found !== undefined)(name, () => {
    const records = found ?? [];
    const target = parseTarget(name.replace(/^vitess-(v\d+)-.*/, '$1'));
    const value = (scope: string, path: string) =>
      records.find((record) => record.scope === scope && record.path === path)?.value;
    const cells = directories(records, 'cells');
    const keyspaces = directories(records, 'keyspaces');
    const rebuilt = (keyspace: string) => {
      const dir = `keyspaces/${keyspace}`;
      const shards = directories(records, `${dir}/shards`).map((shard) => ({
        name: shard,
        bytes: value('global', `${dir}/shards/${shard}/Shard`) ?? new Uint8Array(),
      }));
      const current = new Map<string, Uint8Array>();
      for (const cell of cells) {
        const bytes = value(cell, `${dir}/SrvKeyspace`);
        if (bytes !== undefined) current.set(cell, bytes);
      }
      const record = value('global', `${dir}/Keyspace`) ?? new Uint8Array();
      return rebuildSrvKeyspace({ keyspace: record, shards, cells, current, allowPartial: false }, target);
    };

    test.each(keyspaces.filter((keyspace) => keyspace !== 'orders'))(
      'SrvKeyspace of %s is what Vitess wrote',
      (keyspace) => {
        const made = rebuilt(keyspace);
        expect([...made.keys()]).toEqual(cells);
        for (const [cell, bytes] of made) {
          const written = value(cell, `keyspaces/${keyspace}/SrvKeyspace`);
          expect(written, `${cell}/${keyspace}`).toBeDefined();
          expect(diffRecords('topodata.SrvKeyspace', written ?? bytes, bytes)).toEqual([]);
        }
      },
    );

    test('SrvKeyspace of orders is refused: the query service of a shard is disabled', () => {
      expect(() => rebuilt('orders')).toThrow(
        expect.objectContaining({
          code: 'Guard',
          message: expect.stringContaining("can't rebuild serving keyspace while a migration is on going"),
        }),
      );
    });

    test('SrvVSchema is what Vitess wrote, in every cell', () => {
      const made = rebuildSrvVSchema(
        {
          vschemas: new Map(
            keyspaces.map((keyspace) => [keyspace, value('global', `keyspaces/${keyspace}/VSchema`)]),
          ),
          routingRules: value('global', 'RoutingRules'),
          shardRoutingRules: value('global', 'ShardRoutingRules'),
          keyspaceRoutingRules: value('global', 'routing_rules/keyspace/Rules'),
          mirrorRules: value('global', 'MirrorRules'),
        },
        target,
      );
      for (const cell of cells) {
        const written = value(cell, 'SrvVSchema');
        expect(written).toBeDefined();
        expect(diffRecords('vschema.SrvVSchema', written ?? made, made)).toEqual([]);
      }
    });
  });
}
