import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Loss } from '../../src/topo/told.js';
import { FIRST } from '../legacy/samples/first.js';
import { nodesOf } from '../legacy/samples/sample.js';
import { SECOND_ZOOKEEPER } from '../legacy/samples/second.js';
import { readZnodes } from '../legacy/znodes.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { type LegacyNode, legacyFixture } from '../support/fixtures.js';
import { openLegacy, plantTree, scanned } from './zookeeper-tools.js';

describe.runIf(available.zookeeper('3.8'))('a legacy zookeeper store, as it is read', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8' });
  }, 120_000);
  afterAll(() => cluster?.stop());

  const trees: readonly (readonly [string, readonly LegacyNode[] | undefined])[] = [
    ['of both generations', nodesOf(FIRST)],
    ['of generation 2', nodesOf(SECOND_ZOOKEEPER)],
    ['of objects of generation 1', legacyFixture('legacy-gen1-objects')],
    ['of replication paths', legacyFixture('legacy-gen1-replication-paths')],
  ];
  for (const [name, znodes] of trees) {
    test.runIf(znodes !== undefined)(`a tree ${name}: every record, and all that is told`, async () => {
      await plantTree(cluster.servers, znodes ?? []);
      const tree = readZnodes(znodes ?? []);
      const cells = [...new Set((znodes ?? []).map(({ path }) => path.split('/')[2] ?? ''))];
      const found = await Promise.all(cells.map((cell) => readScope(cluster.servers, cell)));
      const all = found.flatMap(({ records }) => records);
      expect(Object.fromEntries(all)).toEqual(
        Object.fromEntries(
          tree.bytes.map(({ scope, path, bytes }) => [
            `${scope}:${path}`,
            Buffer.from(bytes).toString('hex'),
          ]),
        ),
      );
      expect(found.flatMap(({ losses }) => losses).sort()).toEqual(tree.losses.map(lossLine).sort());
      const queued = /^a lock$|^an entry of an election$/;
      const left = tree.left.filter(({ why }) => !queued.test(why)).map(({ native }) => native);
      const nested = (znodes ?? []).map(({ path }) => path).filter((path) => NESTED.test(path));
      expect(found.flatMap(({ named }) => named).sort()).toEqual(
        [...left, ...tree.derived.map(({ path }) => path), ...nested].sort(),
      );
    });
  }
});

/** A node of the replication graph below a shard. */
const NESTED = /^\/zk\/global\/vt\/keyspaces\/[^/]+\/shards\/[^/]+\/\w+-\d{10}/;

function lossLine({ kind, path, field, value }: Loss): string {
  return `${kind} ${path} ${field} ${JSON.stringify(value)}`;
}

async function readScope(servers: string, cell: string) {
  const connection = await openLegacy(servers, cell);
  const { records, beside } = await scanned(connection);
  const paths = records.map(({ path }) => path);
  expect(paths).toEqual([...paths].sort());
  for (const record of records) {
    const { path, ...value } = record;
    expect(await connection.get(path)).toEqual(value);
  }
  await connection.close();
  const kept = records.filter(({ path, ephemeral }) => !ephemeral && !/\/locks\/|^elections\//.test(path));
  return {
    records: kept.map(({ path, bytes }) => [`${cell}:${path}`, Buffer.from(bytes).toString('hex')] as const),
    losses: [
      ...records.flatMap(({ told }) => told?.losses ?? []),
      ...beside.flatMap(({ losses }) => losses),
    ].map(lossLine),
    named: beside.map(({ native }) => native),
  };
}
