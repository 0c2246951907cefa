import { beforeEach, describe, expect, test } from 'vitest';
import { entriesIn } from '../../src/looking/entries.js';
import { candidates, matchingRecords } from '../../src/looking/matches.js';
import { selectedRecords } from '../../src/looking/records.js';
import { readTree, type TreeNode } from '../../src/looking/tree.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import type { Kind } from '../../src/topo/kinds.js';
import { Metrics, withRecording } from '../../src/topo/wrappers/recording.js';
import { openMemory } from '../topo/wrappers-tools.js';

const TABLETS = 300;
const SHARD = 'keyspaces/commerce/shards/0/ShardReplication';

/** What was asked of a store with more tablets than are asked for one by one. */
let metrics: Metrics;
let store: Connection;
beforeEach(async () => {
  const plain = await openMemory();
  await plain.create(SHARD, Buffer.alloc(40));
  await plain.create('SrvVSchema', Buffer.alloc(10));
  for (let uid = 0; uid < TABLETS; uid++) await plain.create(tablet(uid), Buffer.alloc(uid));
  metrics = new Metrics();
  store = withRecording(plain, { clock: systemClock, metrics });
});

const tablet = (uid: number) => `tablets/zone1-${String(uid).padStart(10, '0')}/Tablet`;
const bytesRead = () => metrics.of('get').bytesRead + metrics.of('scan').bytesRead;
const requests = () => [...metrics.all().values()].reduce((sum, { calls }) => sum + calls, 0);

async function all<T>(found: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of found) items.push(item);
  return items;
}

describe('a wide directory', () => {
  test('at the depth at which a tree is cut costs one listing, and no value is read', async () => {
    const tree = await readTree(store, '', 2, {});
    expect(tree?.children.get('tablets')?.children.size).toBe(TABLETS);
    expect(tree?.children.get('SrvVSchema')).toMatchObject({ isRecord: true, isCut: false });
    expect(tree?.children.get('keyspaces')?.children.get('commerce')).toMatchObject({ isCut: true });
    expect(bytesRead()).toBe(0);
    expect(requests()).toBeLessThan(10);
  });

  test('that a tree goes into is read as a whole', async () => {
    const cut = await readTree(store, '', 3, {});
    expect(metrics.of('scan').calls).toBe(1);
    expect(requests()).toBeLessThan(10);
    const whole = await readTree(store, 'tablets', Number.POSITIVE_INFINITY, {});
    expect(plain(cut?.children.get('tablets'))).toEqual(plain(whole));
  });

  test('is listed in detail by one scan', async () => {
    const entries = await entriesIn(store, 'tablets', {});
    expect(entries).toHaveLength(TABLETS);
    expect(entries[7]).toEqual({ name: 'zone1-0000000007', type: 'directory', ephemeral: false });
    expect(requests()).toBe(2);
  });

  test('is matched by one listing where a few names are meant', async () => {
    const found = await all(matchingRecords(store, 'tablets/zone1-000000001?/Tablet', {}));
    expect(found.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, i) => tablet(10 + i)));
    expect(metrics.of('scan').calls).toBe(0);
    expect(metrics.of('get').calls).toBe(10);
  });

  test('is matched by one scan where many are', async () => {
    const found = await all(matchingRecords(store, 'tablets/*/Tablet', {}));
    expect(found.map(({ path }) => path)).toEqual(Array.from({ length: TABLETS }, (_, i) => tablet(i)));
    expect(metrics.of('scan').calls).toBe(1);
    expect(metrics.of('get').calls).toBe(0);
  });

  test('is looked into by one scan when a pattern goes on below it', async () => {
    expect(await candidates(store, 'tablets/*/T*', {})).toEqual(
      Array.from({ length: TABLETS }, (_, i) => tablet(i)),
    );
    expect(requests()).toBe(2);
    expect(await candidates(store, '*/*/X*', {})).toEqual([]);
  });

  test('is not read for records of other kinds', async () => {
    const kinds = new Set<Kind>(['ShardReplication', 'SrvVSchema', 'Keyspace']);
    const found = await all(selectedRecords({ scope: 'zone1', store }, { path: '', kinds }, {}));
    expect(found.map(({ path }) => path)).toEqual(['SrvVSchema', SHARD]);
    expect(bytesRead()).toBe(50);
  });
});

/** A tree without what tells how it was read. */
function plain(node: TreeNode | undefined): unknown {
  return node && [node.isRecord, [...node.children].map(([name, child]) => [name, plain(child)])];
}
