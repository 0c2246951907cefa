import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OLD_MESSAGES, type OldKind } from '../../src/legacy/places.js';
import { decode, encode } from '../../src/topo/codec.js';
import { messageType } from '../../src/topo/codec-schema.js';
import type { StoredRecord } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { classify } from '../../src/topo/kinds.js';
import { NotHeld } from '../../src/topo/told.js';
import { must, scanPaths } from '../conformance/tools.js';
import { heldPart } from '../legacy/held.js';
import { clearZookeeper, plantZookeeper } from '../legacy/plant.js';
import { WHOLE_ZOOKEEPER } from '../legacy/samples/whole.js';
import { available } from '../servers/index.js';
import { arbitraryRecord } from '../topo/arbitrary-record.js';
import { openLegacy, scanned, useLegacy } from './zookeeper-tools.js';

describe.runIf(available.zookeeper('3.8'))('a legacy zookeeper store, as it is written', () => {
  const legacy = useLegacy();

  const names = async (znode: string) => (await legacy.client.getChildren(znode)).children.sort();
  const text = async (znode: string) => (await legacy.client.getData(znode)).data?.toString();

  const places: Readonly<Partial<Record<OldKind, (n: number) => string>>> = {
    Keyspace: (n) => `keyspaces/k${n}/Keyspace`,
    VSchema: (n) => `keyspaces/k${n}/VSchema`,
    Shard: (n) => `keyspaces/ks/shards/${n}/Shard`,
    Tablet: (n) => `tablets/nyc-${String(n).padStart(10, '0')}/Tablet`,
    ShardReplication: (n) => `keyspaces/ks/shards/${n}/ShardReplication`,
    SrvKeyspace: (n) => `keyspaces/k${n}/SrvKeyspace`,
    SrvVSchema: () => 'SrvVSchema',
  };
  for (const [kind, pathOf] of Object.entries(places) as [OldKind, (n: number) => string][]) {
    test(`${kind}: what is written comes back field by field`, async () => {
      const message = OLD_MESSAGES[kind];
      const type = messageType(message);
      const isGlobal = ['Keyspace', 'VSchema', 'Shard'].includes(kind);
      const connection = isGlobal ? legacy.global : legacy.nyc;
      let n = 0;
      await fc.assert(
        fc.asyncProperty(arbitraryRecord(type), async (json) => {
          const bytes = encode(message, heldPart(type, json).held);
          const path = pathOf(++n);
          const version = await connection.update(path, bytes, null);
          const found = await connection.get(path);
          expect(String(found.version)).toBe(String(version));
          expect(found.told?.losses ?? []).toEqual([]);
          expect(decode(message, found.bytes)).toEqual(decode(message, bytes));
          const held = connection.capabilities.form?.hold(path, bytes);
          expect(held).toEqual({ bytes: found.bytes, losses: [] });
        }),
        { numRuns: 12 },
      );
      const { records } = await scanned(connection);
      expect(records.map(({ path }) => path)).toContain(pathOf(n));
    });
  }

  test('what is too large as JSON is told before it is written, and refused', async () => {
    const { capabilities } = legacy.global;
    const entries = Array.from({ length: 20_000 }, (_, i) => [
      `table${i}`,
      { column_vindexes: [{ column: 'id', name: 'hash' }] },
    ]);
    const bytes = encode('vschema.Keyspace', { tables: Object.fromEntries(entries) });
    expect(bytes.byteLength).toBeLessThan(capabilities.maxValueBytes);
    const path = 'keyspaces/large/VSchema';
    const refused = { code: ErrorCode.TooLarge, path };
    expect(() => capabilities.form?.hold(path, bytes)).toThrow(expect.objectContaining(refused));
    await expect(legacy.global.create(path, bytes)).rejects.toMatchObject(refused);
  });

  test('what was created comes whole, in one transaction, and goes whole', async () => {
    const alias = encode('topodata.Tablet', { alias: { cell: 'nyc', uid: 7 } });
    const version = await legacy.nyc.create('tablets/nyc-0000000007/Tablet', alias);
    const znode = '/zk/nyc/vt/tablets/0000000007';
    expect(await text(znode)).toBe('{\n  "alias": {\n    "cell": "nyc",\n    "uid": 7\n  }\n}');
    expect(await names(znode)).toEqual(['action', 'actionlog']);
    const born = (await legacy.client.exists(znode)).stat?.czxid;
    expect((await legacy.client.exists(`${znode}/action`)).stat?.czxid).toBe(born);
    await legacy.nyc.delete('tablets/nyc-0000000007/Tablet', version);
    expect((await legacy.client.exists('/zk/nyc/vt/tablets')).stat).toBeUndefined();

    await legacy.global.write([
      { type: 'create', path: 'keyspaces/ks/Keyspace', bytes: Buffer.of() },
      { type: 'create', path: 'keyspaces/ks/shards/0/Shard', bytes: Buffer.of() },
      { type: 'create', path: 'notes', bytes: Buffer.from('kept') },
    ]);
    expect(await names('/zk/global/vt/keyspaces/ks')).toEqual(['action', 'actionlog', 'shards']);
    expect(await names('/zk/global/vt/keyspaces/ks/shards/0')).toEqual(['action', 'actionlog']);
    await expect(legacy.global.delete('keyspaces/ks/Keyspace', null)).rejects.toMatchObject({
      code: ErrorCode.NotEmpty,
      path: 'keyspaces/ks/Keyspace',
    });
    await legacy.global.delete('keyspaces/ks/shards/0/Shard', null);
    expect(await names('/zk/global/vt/keyspaces/ks')).toEqual(['action', 'actionlog', 'shards']);
    await legacy.global.create('keyspaces/ks/shards/1/Shard', Buffer.of());
    await legacy.global.write([
      { type: 'delete', path: 'keyspaces/ks/Keyspace', version: null },
      { type: 'delete', path: 'keyspaces/ks/shards/1/Shard', version: null },
    ]);
    expect(await scanPaths(legacy.global)).toEqual(['notes']);
    expect(await names('/zk/global/vt')).toEqual(['notes']);
  });

  test('a keyspace may be created after what is below it, and then comes whole', async () => {
    await legacy.global.create('keyspaces/ks/shards/0/Shard', Buffer.of());
    const bytes = encode('topodata.Keyspace', { sharding_column_name: 'id' });
    const version = await legacy.global.create('keyspaces/ks/Keyspace', bytes);
    expect(await legacy.global.get('keyspaces/ks/Keyspace')).toMatchObject({
      bytes: Buffer.from(bytes),
      version: { token: version.token },
    });
    expect(await names('/zk/global/vt/keyspaces/ks')).toEqual(['action', 'actionlog', 'shards']);
    await expect(legacy.global.create('keyspaces/ks/Keyspace', bytes)).rejects.toMatchObject({
      code: ErrorCode.NodeExists,
    });
  });

  test('an operation in progress keeps a record from going; what operations left goes with it', async () => {
    const shard = 'keyspaces/ks/shards/0/Shard';
    await legacy.global.create(shard, Buffer.of());
    await (await legacy.global.lock('keyspaces/ks/shards/0', 'first')).unlock();
    const lock = await legacy.global.lock('keyspaces/ks/shards/0', 'second');
    await expect(legacy.global.delete(shard, null)).rejects.toMatchObject({
      code: ErrorCode.NotEmpty,
      path: shard,
      message: expect.stringContaining('an operation is running'),
    });
    await lock.unlock();
    expect(await names('/zk/global/vt/keyspaces/ks/shards/0/actionlog')).toHaveLength(2);
    await legacy.global.delete(shard, null);
    expect((await legacy.client.exists('/zk/global/vt/keyspaces/ks/shards/0')).stat).toBeUndefined();
  });

  test('a value that the form has no place for is refused, or left out where that is accepted', async () => {
    const path = 'keyspaces/ks/Keyspace';
    const bytes = encode('topodata.Keyspace', { durability_policy: 'none' });
    const refused = await legacy.global.create(path, bytes).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NotHeld);
    expect(refused).toMatchObject({ losses: [{ kind: 'newer-field', field: 'durability_policy' }] });
    expect(await scanPaths(legacy.global)).toEqual([]);
    const acceptedLosses = new Set(['newer-field'] as const);
    const accepting = await openLegacy(legacy.servers, 'global', { acceptedLosses });
    await accepting.create(path, bytes);
    expect((await accepting.get(path)).bytes.byteLength).toBe(0);
    await accepting.close();
    await expect(legacy.nyc.create('tablets/sfo-0000000001/Tablet', Buffer.of())).rejects.toMatchObject({
      code: ErrorCode.InvalidPath,
      store: legacy.nyc.store,
    });
  });

  test('generation 1 is read and deleted, and never written over', async () => {
    await plantZookeeper(
      {
        '/zk/global/vt/keyspaces/ks/shards/0': { MasterAlias: { Cell: 'nyc', Uid: 1 } },
        '/zk/nyc/vt/replication/ks/0': { ReplicationLinks: [{ TabletAlias: { Cell: 'nyc', Uid: 2 } }] },
      },
      legacy.servers,
    );
    const shard = 'keyspaces/ks/shards/0/Shard';
    const { version } = await legacy.global.get(shard);
    for (const update of [
      legacy.global.update(shard, Buffer.of(), version),
      legacy.global.update(shard, Buffer.of(), null),
    ])
      await expect(update).rejects.toMatchObject({
        code: ErrorCode.Unsupported,
        message: expect.stringContaining('generation 1'),
      });
    const graph = 'keyspaces/ks/shards/0/ShardReplication';
    const made = await legacy.nyc.get(graph);
    expect(decode('topodata.ShardReplication', made.bytes).json['nodes']).toHaveLength(2);
    const several = {
      code: ErrorCode.Unsupported,
      message: expect.stringMatching(/replication\/ks\/0, \/zk\/global/),
    };
    await expect(legacy.nyc.update(graph, Buffer.of(), made.version)).rejects.toMatchObject(several);
    await expect(legacy.nyc.delete(graph, null)).rejects.toMatchObject(several);
    await expect(
      legacy.nyc.write([{ type: 'create', path: graph, bytes: Buffer.of() }]),
    ).rejects.toMatchObject({
      code: ErrorCode.NodeExists,
      index: 0,
      path: graph,
    });
    await legacy.global.delete(shard, version);
    await legacy.nyc.position();
    expect(
      decode('topodata.ShardReplication', (await legacy.nyc.get(graph)).bytes).json['nodes'],
    ).toHaveLength(1);
  });

  test('SrvShard and EndPoints are read and written beside the records', async () => {
    await plantZookeeper(WHOLE_ZOOKEEPER, legacy.servers).then(({ leave }) => leave());
    const { serving } = legacy.nyc;
    expect(legacy.global.serving).toBeUndefined();
    expect(await serving?.list('ns')).toEqual(['main', 'old', 'user']);
    expect(await serving?.list('ns/user')).toEqual(['-80', '80-']);
    const types = await serving?.list('ns/user/-80');
    expect(types).toContain('master');
    expect(types).not.toContain('action');
    const found = must(await serving?.read('ns/user/-80/master'));
    const { entries } = decode('topodata.EndPoints', found.bytes).json;
    expect(entries).toMatchObject([{ uid: 110, port_map: { vt: 1101 } }]);
    const bytes = encode('topodata.EndPoints', { entries: [{ uid: 9 }] });
    const version = must(await serving?.put('ns/user/-80/master', bytes, found.version));
    await expect(serving?.put('ns/user/-80/master', bytes, found.version)).rejects.toMatchObject({
      code: ErrorCode.BadVersion,
    });
    await serving?.remove('ns/user/-80/master', version);
    expect(await serving?.read('ns/user/-80/master')).toBeUndefined();
    await serving?.put('ns/user/-80/master', bytes, null);
    expect(await text('/zk/nyc/vt/ns/user/-80/master')).toBe(
      '{\n  "entries": [\n    {\n      "uid": 9\n    }\n  ]\n}',
    );
    await expect(serving?.read('tablets/nyc-0000000100/Tablet')).rejects.toMatchObject({
      code: ErrorCode.InvalidPath,
    });
  });

  test('a topology that is written record by record has the znodes of the one that it was read from', async () => {
    const { leave } = await plantZookeeper(WHOLE_ZOOKEEPER, legacy.servers);
    await leave();
    const scopes = await Promise.all(
      ['global', 'nyc', 'sfo'].map(async (cell) => {
        const connection = await openLegacy(legacy.servers, cell);
        const { records } = await scanned(connection);
        return { connection, records };
      }),
    );
    await clearZookeeper(legacy.servers);
    for (const { connection, records } of scopes) {
      await connection.write(records.map(({ path, bytes }) => ({ type: 'create', path, bytes })));
      expect(shown((await scanned(connection)).records)).toEqual(shown(records));
      await connection.close();
    }
    for (const [znode, value] of Object.entries(WHOLE_ZOOKEEPER)) {
      const { stat } = await legacy.client.exists(znode);
      const isDerived = /\/ns\/\w+\/[^/]+/.test(znode) && !/vschema/.test(znode);
      if (stat !== undefined || isDerived || /actionlog\/|action\/|election|\/pid$/.test(znode)) continue;
      expect(value, `${znode} is missing`).toBeNull();
    }
  });
});

/** Records by path, in JSON: maps come in another order. */
function shown(records: readonly StoredRecord[]): unknown[] {
  return records.map(({ path, bytes }) => {
    const messages = ['global', 'cell'].map(
      (scope) => classify(scope as 'global' | 'cell', path, false).message,
    );
    const message = messages.find((each) => each !== null);
    return [path, message === undefined ? bytes : decode(must(message), bytes).json];
  });
}
