import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decode, encode } from '../../src/topo/codec.js';
import { CLASSES } from '../../src/verify/classes.js';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';
import { CopiedPair } from './copied-pair.js';

/** The example of each class, by the table of the page. */
const examples = new Map(
  readFileSync(join(import.meta.dirname, '../../docs/verify.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, name]) => CLASSES.some((each) => name === `\`${each}\``))
    .map(([, name = '', , example = '']) => [name.replaceAll('`', ''), example]),
);

let pair: CopiedPair;
beforeEach(async () => {
  pair = await CopiedPair.make();
});
afterEach(() => pair.remove());

type Json = ReturnType<typeof decode>['json'];

/** Changes a record of the destination. */
async function edit(
  scope: string,
  path: string,
  message: string,
  change: (json: Json) => Json,
): Promise<void> {
  const bytes = (await contents(pair.places.destination(scope))).get(path) ?? Buffer.alloc(0);
  await pair.put('destination', scope, path, encode(message, change(decode(message, bytes).json)));
}

/** Class of each record and field that differs or is as expected, by its name on the page. */
async function found(...more: string[]): Promise<Record<string, string>> {
  const { differences, notes } = JSON.parse((await pair.verify('--output', 'json', ...more)).out);
  const named = differences.flatMap(
    (each: { rule?: string; class: string; fields: { path: string; class: string }[] }) => [
      ...(each.rule === undefined ? [] : [[each.rule, each.class]]),
      ...each.fields.map((field) => [field.path.replace(/\[.*$/, ''), field.class]),
    ],
  );
  const noted = notes.map((note: { path: string; class: string }) => [note.path.split('/')[0], note.class]);
  return Object.fromEntries([...named, ...noted]);
}

const TABLET = 'tablets/zone1-0000000100/Tablet';

test('every class has an example', () => {
  expect([...examples.keys()].sort()).toEqual([...CLASSES].sort());
  for (const [name, example] of examples) if (name !== 'equal') expect(example, name).not.toBe('');
});

test('the examples of classes are of these classes', async () => {
  await edit('global', 'cells_aliases/region1/CellsAlias', 'topodata.CellsAlias', (json) => ({
    cells: [json['cells'] ?? []].flat().reverse(),
  }));
  await edit('zone1', 'keyspaces/commerce/SrvKeyspace', 'topodata.SrvKeyspace', (json) => ({
    ...json,
    throttler_config: { enabled: true },
  }));
  await edit('zone1', 'SrvVSchema', 'vschema.SrvVSchema', (json) => ({
    ...json,
    mirror_rules: { rules: [{ from_table: 'a.b', to_table: 'c.d', percent: 1 }] },
  }));
  await edit('zone1', TABLET, 'topodata.Tablet', (json) => ({ ...json, tags: { rack: 'r1' } }));
  await edit('global', 'keyspaces/commerce/Keyspace', 'topodata.Keyspace', (json) => ({
    ...json,
    sidecar_db_name: 'other',
  }));
  await pair.drop('destination', 'global', 'metadata/owner');
  await edit('global', 'keyspaces/commerce/shards/0/Shard', 'topodata.Shard', (json) => ({
    ...json,
    primary_alias: { cell: 'zone1', uid: 999 },
  }));
  await edit('zone1', 'tablets/zone1-0000000102/Tablet', 'topodata.Tablet', (json) => ({
    ...json,
    hostname: '',
  }));
  await edit(
    'zone1',
    'keyspaces/commerce/shards/0/ShardReplication',
    'topodata.ShardReplication',
    (json) => ({
      nodes: [json['nodes'] ?? []].flat().slice(1),
    }),
  );
  const classes = await found();
  const expected = {
    cells_aliases: 'benign',
    cells: 'expected',
    'srv_keyspace.throttler_config': 'stale',
    'srv_vschema.mirror_rules.rules': 'stale',
    'tablet.tags': 'repairable',
    'keyspace.sidecar_db_name': 'repairable',
    'metadata.missing': 'repairable',
    'shard.primary_alias': 'dangerous',
    'tablet.hostname': 'dangerous',
    'shard_replication.nodes': 'dangerous',
  };
  expect(classes).toEqual(expected);
  const words = { cells: 'CellInfo', 'metadata.missing': 'missing `metadata/owner`' };
  for (const [name, each] of Object.entries(expected)) {
    const word = { ...words }[name] ?? name.replace(/\.rules$/, '');
    expect(examples.get(each), name).toContain(word);
  }
});

test('what a restarted tablet writes on the new store has advanced', async () => {
  const before = `file:${pair.at('before.topo')}`;
  await cli(['copy', pair.places.source('global'), before, '--allow-locks']);
  await edit('zone1', TABLET, 'topodata.Tablet', (json) => ({
    ...json,
    hostname: 'another.example.com',
    port_map: { vt: 1, grpc: 2 },
  }));
  const { cells: _, ...classes } = await found('--authority', 'to', '--baseline', before);
  expect(classes).toEqual({ 'tablet.hostname': 'advanced', 'tablet.port_map': 'advanced' });
  for (const name of Object.keys(classes)) expect(examples.get('advanced')).toContain(name);
});
