import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { property } from '../../src/graph/shards.js';
import { decode } from '../../src/topo/codec.js';
import { cli } from '../support/cli.js';
import { FIXTURES, type FixtureRecord, fixtures } from '../support/fixtures.js';
import { contents } from '../support/topologies.js';

/** Fields that no builder writes: what tablets, VTOrc and operators add afterwards, and terms, which begin now. */
const LATER = new Set([
  'primary_term_start_time',
  'tablet_start_time',
  'tablet_shutdown_time',
  'default_conn_collation',
  'throttler_config',
  'query_throttler_config',
  'vtorc_state',
  'source_shards',
  'tablet_controls',
  'shard_tablet_controls',
]);

function withoutLater(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLater);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !LATER.has(name));
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutLater(each)]));
}

const text = (json: unknown, name: string) => String(property(json, name) ?? '');
const flag = (name: string, value: string) => (value === '' || value === '0' ? [] : [`-${name}`, value]);

/** Command lines that make what a fixture holds, from its own records. */
function linesOf(records: readonly FixtureRecord[], server: string): string[][] {
  const of = (pattern: RegExp) =>
    records.flatMap((record) => {
      const [, ...names] = pattern.exec(record.path) ?? [];
      return names.length === 0 ? [] : [{ ...record, names }];
    });
  const rules = (path: string) => JSON.stringify(records.find((each) => each.path === path)?.json);
  const keyspaces = of(/^keyspaces\/([^/]+)\/Keyspace$/);
  // A snapshot is taken of a keyspace that is there.
  const isSnapshot = ({ json }: FixtureRecord) => text(json, 'keyspace_type') === 'SNAPSHOT';
  const lines = [
    ...['zone1', 'zone2'].map((cell) => [
      'AddCellInfo',
      '-server_address',
      server,
      '-root',
      `/vitess/${cell}`,
      cell,
    ]),
    ['AddCellsAlias', '-cells', 'zone1,zone2', 'region1'],
    ...keyspaces
      .filter((record) => !isSnapshot(record))
      .flatMap(({ json, names: [name = ''] }) => [
        [
          'CreateKeyspace',
          ...flag('durability-policy', text(json, 'durability_policy')),
          ...flag('sidecar-db-name', text(json, 'sidecar_db_name')),
          name,
        ],
      ]),
    ...keyspaces
      .filter(isSnapshot)
      .map(({ json, names: [name = ''] }) => [
        'CreateKeyspace',
        ...['-keyspace_type', 'SNAPSHOT', '-base_keyspace', text(json, 'base_keyspace')],
        '-snapshot_time',
        new Date(Number(property(property(json, 'snapshot_time'), 'seconds')) * 1000).toISOString(),
        name,
      ]),
    ...keyspaces.map(({ names: [name = ''] }) => [
      'ApplyVSchema',
      ...['-vschema', rules(`keyspaces/${name}/VSchema`), name],
    ]),
    // Those that serve were there first.
    ...of(/^keyspaces\/([^/]+)\/shards\/([^/]+)\/Shard$/)
      .toSorted((a, b) => serving(b) - serving(a))
      .map(({ names }) => ['CreateShard', names.join('/')]),
    ...of(/^tablets\/([^/]+)\/Tablet$/).map(({ json, names: [alias = ''] }) => initTablet(json, alias)),
    ['ApplyRoutingRules', '-rules', rules('RoutingRules')],
    ['ApplyShardRoutingRules', '-rules', rules('ShardRoutingRules')],
    ...keyspaces.map(({ names: [name = ''] }) => ['RebuildKeyspaceGraph', name]),
  ];
  return lines.map((line) => line.map(String));
}

const serving = ({ json }: FixtureRecord) => Number(property(json, 'is_primary_serving') === true);

function initTablet(json: unknown, alias: string): string[] {
  const ports = property(json, 'port_map');
  const tags = Object.entries({ ...(property(json, 'tags') as object | undefined) });
  return [
    'InitTablet',
    ...flag('hostname', text(json, 'hostname')),
    ...flag('port', text(ports, 'vt')),
    ...flag('grpc_port', text(ports, 'grpc')),
    ...flag('mysql_host', text(json, 'mysql_hostname')),
    ...flag('mysql_port', text(json, 'mysql_port')),
    ...flag('db_name_override', text(json, 'db_name_override')),
    ...flag('tags', tags.map(([name, value]) => `${name}:${value}`).join(',')),
    ...['-keyspace', text(json, 'keyspace'), '-shard', text(json, 'shard'), alias],
    text(json, 'type') || 'unknown',
  ];
}

/** What the builders do not make, or do not make whole: files of others, and rules without a command. */
const NOT_BUILT =
  /^(ExternalClusters|custom|metadata|workflows)\/|^MirrorRules$|^routing_rules\/|CellInfo$|^SrvVSchema$/;

for (const name of FIXTURES) {
  const records = fixtures(name);
  describe.runIf(records !== undefined)(`${name}, built by command lines of vtctl`, () => {
    test('is field by field what Vitess wrote', async () => {
      const server = `zookeeper:${randomUUID()}`;
      const address = (scope: string) => `memory://${server}/vitess/${scope}`;
      for (const line of linesOf(records ?? [], server)) {
        const { code, err } = await cli(['vtctl', address('global'), ...line]);
        expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
      }
      let compared = 0;
      for (const scope of ['global', 'zone1', 'zone2']) {
        const built = await contents(address(scope));
        const wanted = (records ?? []).filter((each) => each.scope === scope && !NOT_BUILT.test(each.path));
        for (const { path, kind, json } of wanted) {
          const bytes = built.get(path);
          expect(bytes, `${scope}:${path}`).toBeDefined();
          const made = decode(kind ?? '', bytes ?? Buffer.of());
          expect({ path, json: withoutLater(made.json) }).toEqual({ path, json: withoutLater(json) });
          compared += 1;
        }
        const extra = [...built.keys()].filter(
          (path) => !NOT_BUILT.test(path) && !wanted.some((each) => each.path === path),
        );
        expect(extra).toEqual([]);
      }
      expect(compared).toBeGreaterThan(50);
    });
  });
}
