import { describe, expect, test } from 'vitest';
import { decode } from '../../src/topo/codec.js';
import type { SyncedEvent, WatchEvent } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { within } from '../conformance/tools.js';
import { plantZookeeper } from '../legacy/plant.js';
import { available } from '../servers/index.js';
import { nativeClientBuilt } from '../support/native.js';
import { RivalProcess } from './zk2-rivals.js';
import { endSession } from './zk2-session-end.js';
import { scanned, useLegacy } from './zookeeper-tools.js';

const SHARD = { '/zk/global/vt/keyspaces/ks/shards/0': { MasterAlias: { Cell: 'nyc', Uid: 1 } } };
const GRAPH = 'keyspaces/ks/shards/0/ShardReplication';

describe.runIf(available.zookeeper('3.8'))('a legacy zookeeper store, as others use it', () => {
  const legacy = useLegacy();

  /** Waits for an event that says it. */
  async function told<T extends WatchEvent | SyncedEvent>(
    events: AsyncIterator<T>,
    says: (event: T) => boolean,
  ): Promise<T> {
    for (;;) {
      const { done, value } = await within(20_000, 'an event', events.next());
      if (done === true) throw new Error('the watch ended');
      if (says(value)) return value;
    }
  }
  const uids = (event: WatchEvent | SyncedEvent) => {
    if (event.type !== 'record' || event.value === undefined) return [];
    const { nodes } = decode('topodata.ShardReplication', event.value.bytes).json;
    return JSON.stringify(nodes).match(/(?<="uid":)\d+/g) ?? [];
  };

  test('a record that is made of several znodes is followed in all of them', async () => {
    await plantZookeeper(SHARD, legacy.servers);
    const one = legacy.nyc.watch(GRAPH)[Symbol.asyncIterator]();
    const all = legacy.nyc.watchRecursive('')[Symbol.asyncIterator]();
    await told(one, (event) => uids(event).join() === '1');
    await told(all, (event) => event.type === 'synced');
    await plantZookeeper(
      { '/zk/global/vt/keyspaces/ks/shards/0/nyc-0000000001/nyc-0000000002': null },
      legacy.servers,
    );
    for (const events of [one, all]) await told(events, (event) => uids(event).join() === '1,2');
    await plantZookeeper(
      { '/zk/nyc/vt/replication/ks/0': { nodes: [{ tablet_alias: { cell: 'nyc', uid: 3 } }] } },
      legacy.servers,
    );
    for (const events of [one, all]) await told(events, (event) => uids(event).join() === '1,2,3');
    await Promise.all([one.return?.(), all.return?.()]);
  });

  test('the VSchemas in one node are followed by keyspace, and locks come and go', async () => {
    const all = legacy.global.watchRecursive('keyspaces')[Symbol.asyncIterator]();
    await told(all, (event) => event.type === 'synced');
    const vschemas = (...keyspaces: string[]) => ({
      '/zk/global/vt/vschema': { Keyspaces: Object.fromEntries(keyspaces.map((each) => [each, {}])) },
    });
    const isAt = (path: string, exists: boolean) => (event: WatchEvent | SyncedEvent) =>
      event.type === 'record' && event.path === path && (event.value !== undefined) === exists;
    await plantZookeeper(vschemas('a', 'b'), legacy.servers);
    await told(all, isAt('keyspaces/a/VSchema', true));
    await plantZookeeper(vschemas('b'), legacy.servers);
    await told(all, isAt('keyspaces/a/VSchema', false));
    await legacy.global.create('keyspaces/ks/Keyspace', Buffer.of());
    await told(all, isAt('keyspaces/ks/Keyspace', true));
    const lock = await legacy.global.lock('keyspaces/ks', 'why');
    expect(await told(all, isAt(lock.entry, true))).toMatchObject({ value: { ephemeral: true } });
    await lock.unlock();
    await told(all, isAt(lock.entry, false));
    await all.return?.();
  });

  test('a lock is an entry of action, and its result one of actionlog', async () => {
    await legacy.global.create('keyspaces/ks/Keyspace', Buffer.of());
    const contents = '{\n  "Action": "why",\n  "Status": "Running"\n}';
    const lock = await legacy.global.lock('keyspaces/ks', contents);
    expect(lock).toMatchObject({ dir: 'keyspaces/ks', entry: 'keyspaces/ks/locks/0000000000' });
    const action = '/zk/global/vt/keyspaces/ks/action/0000000000';
    expect((await legacy.client.getData(action)).data?.toString()).toBe(contents);
    expect(await legacy.global.lockQueue('keyspaces/ks')).toMatchObject([
      { path: lock.entry, holds: true, contents },
    ]);
    expect((await scanned(legacy.global)).records).toMatchObject([
      { path: 'keyspaces/ks/Keyspace' },
      { path: lock.entry, ephemeral: true },
    ]);
    expect(await legacy.global.listDir('keyspaces/ks')).toEqual(['Keyspace', 'locks']);
    await legacy.global.write([{ type: 'create', path: 'keyspaces/ks/shards/0/Shard', bytes: Buffer.of() }], {
      fence: lock,
    });
    await lock.unlock();
    const result = await legacy.client.getData('/zk/global/vt/keyspaces/ks/actionlog/0000000000');
    expect(result.data?.toString()).toBe(contents.replace('Running', 'Done'));
    expect((await legacy.client.getChildren('/zk/global/vt/keyspaces/ks')).children.sort()).toEqual([
      ...['action', 'actionlog', 'shards'],
    ]);
    expect((await scanned(legacy.global)).beside).toMatchObject([
      { is: 'left', why: 'the result of a lock’s holder' },
    ]);

    await legacy.nyc.create('tablets/nyc-0000000001/Tablet', Buffer.of());
    await expect(legacy.nyc.lock('tablets/nyc-0000000001', 'x')).rejects.toMatchObject({
      code: ErrorCode.Unsupported,
      path: 'tablets/nyc-0000000001',
    });
    await expect(legacy.global.tryLock('keyspaces/none', 'x')).rejects.toMatchObject({
      code: ErrorCode.NoNode,
      path: 'keyspaces/none',
    });
  });

  test('a shard that came without action is locked, and gets what it lacks', async () => {
    await plantZookeeper(SHARD, legacy.servers);
    await (await legacy.global.lock('keyspaces/ks/shards/0', 'why')).unlock();
    const znode = '/zk/global/vt/keyspaces/ks/shards/0';
    expect((await legacy.client.getChildren(znode)).children.sort()).toEqual(['action', 'actionlog']);
    expect((await legacy.client.getData(`${znode}/actionlog/0000000000`)).data?.toString()).toBe('why');
  });

  test('a lock whose session ends is lost, and the next one is taken over a new session', async () => {
    await legacy.global.create('keyspaces/ks/Keyspace', Buffer.of());
    const lock = await legacy.global.lock('keyspaces/ks', 'why');
    const [held] = await legacy.global.lockQueue('keyspaces/ks');
    await endSession(legacy.servers, BigInt(held?.owner ?? 0));
    const lost = new Promise((resolve) => lock.lost.addEventListener('abort', resolve));
    if (!lock.lost.aborted) await within(20_000, 'the loss', lost);
    await (await legacy.global.lock('keyspaces/ks', 'again')).unlock();
    expect((await legacy.client.getChildren('/zk/global/vt/keyspaces/ks/actionlog')).children).toHaveLength(
      1,
    );
  });

  test.runIf(nativeClientBuilt())('whoever locks by the old recipe is kept out, and keeps out', async () => {
    const rivals = new RivalProcess(() => legacy.servers);
    try {
      await legacy.global.create('keyspaces/ks/shards/0/Shard', Buffer.of());
      const action = '/zk/global/vt/keyspaces/ks/shards/0/action';
      const dir = 'keyspaces/ks/shards/0';
      const lock = await legacy.global.lock(dir, 'ours');
      const rival = await rivals.stand(action, action, 'theirs');
      expect([await rival.holds(), await rival.holder()]).toEqual([false, 'ours']);
      await lock.unlock();
      expect(await rival.holds()).toBe(true);
      await expect(legacy.global.tryLock(dir, 'ours')).rejects.toMatchObject({ code: ErrorCode.NodeExists });
      const waiting = legacy.global.lock(dir, 'ours');
      await rival.release();
      await (await within(20_000, 'the lock', waiting)).unlock();

      const leading = await legacy.global.campaign('vtctld', 'ours');
      const election = '/zk/global/vt/election/vtctld';
      const candidate = await rivals.stand(election, election, 'theirs');
      expect(await candidate.holder()).toBe('ours');
      await leading.unlock();
      expect([await candidate.holds(), await legacy.global.leader('vtctld')]).toEqual([true, 'theirs']);
      expect((await scanned(legacy.global, 'elections')).records).toMatchObject([{ ephemeral: true }]);
      await candidate.release();
    } finally {
      rivals.stop();
    }
  });
});
