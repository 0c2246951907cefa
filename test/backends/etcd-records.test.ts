import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { toKey } from '../../src/legacy/etcd-paths.js';
import { OLD_MESSAGES } from '../../src/legacy/places.js';
import { readOld } from '../../src/legacy/read.js';
import { fromZnode } from '../../src/legacy/zookeeper-paths.js';
import { decode, encode } from '../../src/topo/codec.js';
import { messageType } from '../../src/topo/codec-schema.js';
import type { Connection, StoredRecord } from '../../src/topo/connection.js';
import { classify } from '../../src/topo/kinds.js';
import { parentPath } from '../../src/topo/paths.js';
import type { Beside } from '../../src/topo/told.js';
import { heldPart } from '../legacy/held.js';
import { nodesOf, type Sample } from '../legacy/samples/sample.js';
import { SECOND_ETCD } from '../legacy/samples/second.js';
import { etcdNodes, readNodes } from '../legacy/znodes.js';
import { available, type EtcdCluster, startEtcd } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { LEGACY_FIXTURES, legacyFixture } from '../support/fixtures.js';
import { arbitraryRecord } from '../topo/arbitrary-record.js';
import { connect, V2 } from './etcd-support.js';
import { errorOf } from './etcd2-support.js';

const text = (value: string) => Buffer.from(value);
const keyspace = (json: object = {}) => encode('topodata.Keyspace', json as never);

const BRACE = '{'.charCodeAt(0);

describe.runIf(available.etcd('3.3'))('records of a retired etcd store', () => {
  let etcd: EtcdCluster;
  const v2 = new V2(() => etcd.endpoints[0] ?? '');
  const open: Connection[] = [];
  let places = 0;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.3', flags: ['--enable-v2'] });
  }, 60_000);
  afterAll(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await etcd.stop();
  });

  /** A place of its own, with these keys in it, which are written as below `/vt`. */
  const planted = async (
    keys: Sample = {},
    settings: Parameters<typeof connect>[2] = {},
  ): Promise<{ connection: Connection; root: string }> => {
    places += 1;
    const root = `/records/${places}`;
    for (const { path, value } of nodesOf(keys))
      await v2.put(path.replace('/vt', root), (value ?? '').toString());
    const connection = await connect(etcd.servers, root, settings);
    open.push(connection);
    return { connection, root };
  };

  const scanned = async (connection: Connection, prefix = '') => {
    const records: StoredRecord[] = [];
    const beside: Beside[] = [];
    for await (const page of connection.scan(prefix)) {
      records.push(...page.records);
      beside.push(...(page.beside ?? []));
    }
    return { records, beside };
  };

  const shown = (scope: string, records: readonly StoredRecord[]) =>
    Object.fromEntries(
      records.map(({ path, bytes }) => {
        const { message } = classify(scope === 'global' ? 'global' : 'cell', path, false);
        const value = message === null ? Buffer.from(bytes).toString() : decode(message, bytes).json;
        return [`${scope}:${path}`, value];
      }),
    );

  /** Paths of all records, by listings alone. */
  const walked = async (connection: Connection, dir = ''): Promise<string[]> => {
    const entries = await connection.listDirFull(dir);
    expect(entries.map(({ name }) => name)).toEqual(await connection.listDir(dir));
    const below = entries.map(({ name, type }) => {
      const path = dir === '' ? name : `${dir}/${name}`;
      return type === 'file' ? [path] : walked(connection, path);
    });
    return (await Promise.all(below)).flat().sort();
  };

  test('a topology of generation 2 is read whole, however it is asked for', async () => {
    const expected = readNodes([
      ...etcdNodes(undefined, nodesOf(SECOND_ETCD.global)),
      ...etcdNodes('nyc', nodesOf(SECOND_ETCD.nyc)),
    ]);
    const found: object[] = [];
    for (const [scope, keys] of Object.entries(SECOND_ETCD)) {
      const { connection, root } = await planted(keys, { scope });
      const { records, beside } = await scanned(connection);
      found.push(shown(scope, records));
      expect(records.map(({ told }) => told)).toEqual(records.map(() => undefined));
      expect(beside).toEqual(
        scope === 'global'
          ? []
          : [
              { is: 'derived', native: `${root}/ns/user/-80/_Data`, why: 'SrvShard' },
              { is: 'derived', native: `${root}/ns/user/-80/master/_Data`, why: 'EndPoints' },
            ].map((each) => ({ ...each, losses: [], keyspace: 'user' })),
      );
      for (const { path, bytes, version } of records) {
        const value = await connection.get(path);
        expect([value.bytes, value.version.equals(version)]).toEqual([bytes, true]);
        expect((await scanned(connection, parentPath(path))).records).toContainEqual(
          expect.objectContaining({ path, bytes }),
        );
      }
      expect(await walked(connection)).toEqual(records.map(({ path }) => path).sort());
    }
    expect(Object.assign({}, ...found)).toEqual(expected.records);
  });

  test.runIf(legacyFixture('legacy-gen1-objects') !== undefined)(
    'records of generation 1 are read with all that is told of them',
    async () => {
      const located = LEGACY_FIXTURES.flatMap((name) => legacyFixture(name) ?? []).flatMap(
        ({ path, value }) => {
          const { cell, place } = fromZnode(path) ?? {};
          // In the other system keyspaces had no data at first, and this is what somebody left there.
          const isForeign = place?.is === 'record' && place.kind === 'Keyspace' && value?.at(0) !== BRACE;
          return place?.is === 'record' && value !== null && value.byteLength > 0 && !isForeign
            ? [{ cell, place, value }]
            : [];
        },
      );
      expect(located.length).toBeGreaterThan(8);
      for (const scope of new Set(located.map(({ cell }) => cell))) {
        const own = located.filter(({ cell }) => cell === scope);
        const { connection } = await planted(
          Object.fromEntries(
            own.map(({ place, value }) => [toKey({ cell: scope, path: place.path }), value.toString()]),
          ),
          { scope: scope ?? 'global' },
        );
        for (const { place, value } of own) {
          const { bytes, losses, derived, notes } = readOld(place, value, { numbering: 'current' });
          const outcome = await connection.get(place.path).catch((error: { code: string }) => error.code);
          if (bytes === undefined) expect(outcome).toBe('NoNode');
          else {
            const silent = losses.length + derived.length + notes.length === 0;
            expect(outcome).toMatchObject({
              bytes: Buffer.from(bytes),
              ...(silent ? {} : { told: { losses, derived, notes } }),
            });
          }
        }
      }
    },
  );

  test('what is no record is beside them, and named', async () => {
    const { connection, root } = await planted(
      {
        '/vt/tablets/nyc-0000000001/_Data': { alias: { cell: 'nyc', uid: 1 }, type: 'idle' },
        '/vt/tablets/nobody': 'x',
        '/vt/SrvVSchema': 'x',
        '/vt/cells/nyc': 'localhost:1',
        '/vt/other/file': 'kept',
      },
      { scope: 'nyc' },
    );
    const { records, beside } = await scanned(connection);
    expect(records.map(({ path }) => path)).toEqual(['other/file']);
    expect(beside).toEqual(
      expect.arrayContaining([
        { is: 'left', native: `${root}/tablets/nobody`, why: 'not the name of a tablet', losses: [] },
        expect.objectContaining({ is: 'left', native: `${root}/SrvVSchema` }),
        expect.objectContaining({ is: 'left', native: `${root}/cells/nyc` }),
        {
          is: 'lost',
          native: `${root}/tablets/nyc-0000000001/_Data`,
          why: 'a record without counterpart today',
          losses: [expect.objectContaining({ kind: 'tablet-type', value: 'idle' })],
        },
      ]),
    );
    expect(beside).toHaveLength(4);
    expect(await errorOf(connection.get('tablets/nyc-0000000001/Tablet'))).toMatchObject({ code: 'NoNode' });
  });

  test('a record in neither form comes with its bytes and the reason, hinders no other, and can be replaced', async () => {
    const { connection } = await planted({
      '/vt/keyspaces/a/_Data': {},
      '/vt/keyspaces/a/0/_Data': '{"key_range": 5',
      '/vt/keyspaces/b/_Data': 'left by somebody',
      '/vt/cells/nyc': 'two words',
    });
    const { records } = await scanned(connection);
    expect(records.map(({ path, bytes, told }) => [path, String(bytes), told?.unreadable?.code])).toEqual([
      ['cells/nyc/CellInfo', 'two words', 'Corrupt'],
      ['keyspaces/a/Keyspace', '', undefined],
      ['keyspaces/a/shards/0/Shard', '{"key_range": 5', 'Corrupt'],
      ['keyspaces/b/Keyspace', 'left by somebody', 'Corrupt'],
    ]);
    const path = 'keyspaces/a/shards/0/Shard';
    const { version, told } = await connection.get(path);
    expect(told?.unreadable?.path).toBe(path);
    await connection.update(path, encode('topodata.Shard', { cells: ['nyc'] }), version);
    const mended = await connection.get(path);
    expect([mended.told, decode('topodata.Shard', mended.bytes).json]).toEqual([
      undefined,
      { cells: ['nyc'] },
    ]);
  });

  test('what is in no place of the serving graph, or of a tablet, is left behind by its name', async () => {
    const { connection, root } = await planted(
      { '/vt/ns/ks/0/junk/_Data': 'a', '/vt/ns/ks/0/master/_Data': {}, '/vt/tablets/junk/_Data': 'b' },
      { scope: 'nyc' },
    );
    const { records, beside } = await scanned(connection);
    expect(records).toEqual([]);
    expect(beside.map(({ is, native, why }) => [is, native, why]).sort()).toEqual([
      ['derived', `${root}/ns/ks/0/master/_Data`, 'EndPoints'],
      ['left', `${root}/ns/ks/0/junk/_Data`, 'not a type of tablet'],
      ['left', `${root}/tablets/junk/_Data`, 'not the name of a tablet'],
    ]);
    expect(await connection.serving?.list('ns/ks/0')).toEqual(['master']);
  });

  test('VSchemas in the file of all keyspaces, in their own, and in both', async () => {
    const one = { sharded: true };
    const { connection, root } = await planted({
      '/vt/vschema': {
        Keyspaces: { both: { Sharded: true }, differs: { Sharded: true }, old: { Sharded: true } },
        Odd: 1,
      },
      '/vt/keyspaces/both/_VSchema': one,
      '/vt/keyspaces/differs/_VSchema': {},
      '/vt/keyspaces/own/_VSchema': one,
      '/vt/workflows/1/Workflow': 'w',
    });
    const { records, beside } = await scanned(connection);
    expect(beside).toEqual([
      {
        ...{ is: 'lost', native: `${root}/vschema`, why: 'the VSchemas of all keyspaces' },
        losses: [{ kind: 'unknown-field', path: 'vschema', field: 'Odd', value: 1 }],
      },
    ]);
    expect(records.map(({ path, bytes, told }) => [path, String(bytes), told?.unreadable?.code])).toEqual([
      ['keyspaces/both/VSchema', '\b\u0001', undefined],
      ['keyspaces/differs/VSchema', '{}', 'Guard'],
      ['keyspaces/old/VSchema', '\b\u0001', undefined],
      ['keyspaces/own/VSchema', '\b\u0001', undefined],
      ['workflows/1/Workflow', 'w', undefined],
    ]);
    expect(await connection.listDir('keyspaces')).toEqual(['both', 'differs', 'old', 'own']);
    expect(await connection.listDir('keyspaces/old')).toEqual(['VSchema']);
    const bytes = encode('vschema.Keyspace', {});
    const { version } = await connection.get('keyspaces/old/VSchema');
    for (const work of [
      () => connection.update('keyspaces/old/VSchema', bytes, null),
      () => connection.update('keyspaces/both/VSchema', bytes, version),
      () => connection.delete('keyspaces/old/VSchema', version),
    ])
      expect(await errorOf(work())).toMatchObject({ code: 'Unsupported' });
    const creating = connection.create('keyspaces/old/VSchema', bytes);
    expect(await errorOf(creating)).toMatchObject({ code: 'NodeExists' });
    // The version has a part of each file.
    await v2.put(`${root}/vschema`, '{"Keyspaces": {"old": {}}}');
    expect((await connection.get('keyspaces/old/VSchema')).version.equals(version)).toBe(false);
    await v2.put(`${root}/vschema`, 'nonsense');
    const left = (await scanned(connection)).records;
    expect(left.map(({ path, told }) => [path, told?.unreadable?.code])).toEqual([
      ['keyspaces/both/VSchema', undefined],
      ['keyspaces/differs/VSchema', undefined],
      ['keyspaces/own/VSchema', undefined],
      ['vschema', 'Corrupt'],
      ['workflows/1/Workflow', undefined],
    ]);
  });

  test('numbers of types are told by the store, as given, or by nobody', async () => {
    const tablet = (uid: number, type: number) => ({ alias: { cell: 'nyc', uid }, keyspace: 'ks', type });
    const keys = {
      '/vt/tablets/nyc-0000000001/_Data': tablet(1, 2),
      '/vt/tablets/nyc-0000000002/_Data': tablet(2, 3),
    };
    const types = async (more: Sample, settings: Parameters<typeof connect>[2] = {}) => {
      const { connection } = await planted({ ...keys, ...more }, { scope: 'nyc', ...settings });
      const { records } = await scanned(connection, 'tablets');
      for (const { text, once } of records.flatMap(({ told }) => told?.notes ?? []))
        expect([text, once]).toEqual([expect.stringContaining('2.0.0-alpha1 to alpha4, since'), true]);
      return records.map(
        ({ bytes, told }) => told?.unreadable?.code ?? decode('topodata.Tablet', bytes).json['type'],
      );
    };
    const served = (type: number) => ({
      '/vt/ns/ks/_Data': { partitions: [{ served_type: type, shard_references: [{ name: '0' }] }] },
    });
    expect(await types(served(1))).toEqual(['REPLICA', 'RDONLY']);
    expect(await types(served(4))).toEqual(['PRIMARY', 'REPLICA']);
    expect(await types({ '/vt/tablets/nyc-0000000003/_Data': tablet(3, 10) })).toEqual([
      'PRIMARY',
      'REPLICA',
      'DRAINED',
    ]);
    expect(await types({})).toEqual(['Guard', 'Guard']);
    expect(await types({}, { typeNumbers: 'first' })).toEqual(['PRIMARY', 'REPLICA']);
    const replica = encode('topodata.Tablet', { alias: { cell: 'nyc', uid: 9 }, type: 'REPLICA' });
    const path = 'tablets/nyc-0000000009/Tablet';
    const doubtful = await planted(keys, { scope: 'nyc' });
    expect(await errorOf(doubtful.connection.create(path, replica))).toMatchObject({ code: 'Guard', path });
    for (const [more, type] of [
      [{}, 2],
      [{ ...keys, ...served(4) }, 3],
    ] as const) {
      const { connection, root } = await planted(more, { scope: 'nyc' });
      await connection.create(path, replica);
      expect(JSON.parse((await v2.get(`${root}/tablets/nyc-0000000009/_Data`)) ?? '')).toMatchObject({
        type,
      });
    }
  });

  test('a keyspace is made whole, in the words of its time, and deleted whole', async () => {
    const { connection, root } = await planted();
    const path = 'keyspaces/ks/Keyspace';
    await connection.create(path, keyspace({ sharding_column_name: 'id', sharding_column_type: 'UINT64' }));
    expect(JSON.parse((await v2.get(`${root}/keyspaces/ks/_Data`)) ?? '')).toEqual({
      sharding_column_name: 'id',
      sharding_column_type: 1,
    });
    expect(await v2.get(`${root}/keyspaces/ks/_Lock`)).toBe('open');
    expect(await connection.listDir('keyspaces/ks')).toEqual(['Keyspace']);
    expect(await errorOf(connection.create(path, keyspace()))).toMatchObject({ code: 'NodeExists' });
    await connection.delete(path, null);
    expect(await v2.ask('GET', `${root}/keyspaces`)).toMatchObject({ errorCode: 100 });
  });

  test('in a store whose locks are made with each use no file of a lock is made', async () => {
    const shard = encode('topodata.Shard', {});
    for (const [lock, made] of [
      [{}, undefined],
      [{ '/vt/keyspaces/a/_Lock': '' }, 'open'],
    ] as const) {
      const { connection, root } = await planted({ '/vt/keyspaces/a/_Data': {}, ...lock });
      await connection.create('keyspaces/a/shards/0/Shard', shard);
      await connection.create('keyspaces/b/Keyspace', keyspace());
      expect(await v2.get(`${root}/keyspaces/a/0/_Lock`)).toBe(made);
      expect(await v2.get(`${root}/keyspaces/b/_Lock`)).toBe(made);
    }
  });

  test('what the form has no place for is refused whole, unless its loss is accepted', async () => {
    const { connection, root } = await planted();
    const path = 'keyspaces/ks/Keyspace';
    const bytes = keyspace({ durability_policy: 'semi_sync' });
    const error = await errorOf(connection.create(path, bytes));
    expect(error).toMatchObject({
      ...{ code: 'Unsupported', path, store: connection.store },
      losses: [{ kind: 'newer-field', path, field: 'durability_policy', value: 'semi_sync' }],
    });
    expect(await v2.ask('GET', root)).toMatchObject({ errorCode: 100 });
    const cell = encode('topodata.CellInfo', { server_address: 'h:1', root: '/elsewhere' });
    expect(await errorOf(connection.create('cells/nyc/CellInfo', cell))).toMatchObject({
      losses: [{ field: 'root', value: '/elsewhere' }],
    });
    const lossy = await connect(etcd.servers, root, { acceptedLosses: new Set(['newer-field']) });
    open.push(lossy);
    await lossy.create(path, bytes);
    expect((await lossy.get(path)).bytes).toHaveLength(0);
    const { form } = connection.capabilities;
    expect(form?.hold(path, bytes)).toMatchObject({
      bytes: Buffer.alloc(0),
      losses: [{ field: 'durability_policy' }],
    });
    expect(form?.hold('cells/nyc/CellInfo', cell)).toMatchObject({ losses: [{ field: 'root' }] });
  });

  test('records of every kind come back equal field by field, as the form says beforehand', async () => {
    const paths = {
      global: {
        Keyspace: 'keyspaces/k/Keyspace',
        Shard: 'keyspaces/k/shards/0/Shard',
        VSchema: 'keyspaces/k/VSchema',
      },
      nyc: {
        Tablet: 'tablets/nyc-0000000001/Tablet',
        ShardReplication: 'keyspaces/k/shards/0/ShardReplication',
        SrvKeyspace: 'keyspaces/k/SrvKeyspace',
        SrvVSchema: 'SrvVSchema',
      },
    } as const;
    for (const [scope, kinds] of Object.entries(paths)) {
      const { connection } = await planted({}, { scope, typeNumbers: 'current' });
      for (const [kind, path] of Object.entries(kinds)) {
        const message = OLD_MESSAGES[kind as keyof typeof OLD_MESSAGES];
        const type = messageType(message);
        const records = arbitraryRecord(type).map((json) => heldPart(type, json).held);
        await fc.assert(
          fc.asyncProperty(records, async (json) => {
            const bytes = encode(message, json);
            await connection.update(path, bytes, null);
            const back = await connection.get(path);
            expect(decode(message, back.bytes)).toEqual(decode(message, bytes));
            const told = connection.capabilities.form?.hold(path, bytes).bytes ?? text('none');
            expect(Buffer.compare(told, back.bytes)).toBe(0);
          }),
          { numRuns: 12 },
        );
      }
    }
  });

  test('the serving graph of a cell is read and written beside the records', async () => {
    const { connection, root } = await planted(SECOND_ETCD.nyc, { scope: 'nyc' });
    const { serving } = connection;
    if (serving === undefined) throw new Error('no serving graph');
    expect(await serving.list('ns')).toEqual(['user']);
    expect(await serving.list('ns/user')).toEqual(['-80']);
    expect(await serving.list('ns/user/-80')).toEqual(['master']);
    expect(await serving.list('ns/none')).toEqual([]);
    const path = 'ns/user/-80/master';
    const points = await serving.read(path);
    expect(decode('topodata.EndPoints', points?.bytes ?? text('none')).json).toEqual({
      entries: [{ uid: 110, host: 'localhost', port_map: { vt: 1101 } }],
    });
    const bytes = encode('topodata.EndPoints', { entries: [{ uid: 1, host: 'h' }] });
    const replica = 'ns/user/-80/replica';
    expect(await serving.read(replica)).toBeUndefined();
    const made = await serving.put(replica, bytes, null);
    expect(JSON.parse((await v2.get(`${root}/${replica}/_Data`)) ?? '')).toEqual({
      entries: [{ uid: 1, host: 'h' }],
    });
    expect(await errorOf(serving.put(replica, bytes, null))).toMatchObject({
      code: 'NodeExists',
      path: replica,
    });
    const next = await serving.put(replica, bytes, made);
    expect(await errorOf(serving.remove(replica, made))).toMatchObject({ code: 'BadVersion' });
    await serving.remove(replica, next);
    expect(await serving.list('ns/user/-80')).toEqual(['master']);
    expect(await errorOf(serving.read('ns/user'))).toMatchObject({ code: 'InvalidPath' });
    expect((await planted()).connection.serving).toBeUndefined();
  });

  test('what etcd would not give back, or would hide, is refused before it is written', async () => {
    const { connection, root } = await planted();
    for (const bytes of [[0x80], [0xff, 0xfe], [0xc3]]) {
      const error = await errorOf(connection.create('metadata/key', Uint8Array.from(bytes)));
      expect(error).toMatchObject({ code: 'Unsupported', path: 'metadata/key', store: connection.store });
    }
    for (const path of ['_hidden', 'a/_b/c', 'vschema', 'election/x', 'keyspaces/ks/_Data'])
      expect(await errorOf(connection.create(path, text('x')))).toMatchObject({ code: 'InvalidPath', path });
    expect(await v2.ask('GET', root)).toMatchObject({ errorCode: 100 });
  });

  test('a cell in the root of the global store, unless a flag says that it is elsewhere', async () => {
    const plan = async (...flags: string[]) => {
      const { code, out, err } = await cli([
        ...['plan', `etcd://${etcd.servers}`, 'memory://etcd:one-root/global', '--to-cell-root', '/{cell}'],
        ...['--target-version', '11', '--allow-empty-cells', '--output', 'json', ...flags],
      ]);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      return JSON.parse(out).scopes;
    };
    const tablet = { alias: { cell: 'nyc', uid: 1 }, hostname: 'localhost' };
    for (const [key, value] of Object.entries({
      '/vt/cells/nyc': etcd.servers,
      '/vt/keyspaces/ks/_Data': '{}',
      '/vt/tablets/nyc-0000000001/_Data': JSON.stringify(tablet),
    }))
      await v2.put(key, value);
    const writes = [{ kind: 'CellInfo' }, { kind: 'Keyspace' }];
    const cell = { scope: 'nyc', writes: [{ path: 'tablets/nyc-0000000001/Tablet' }], left: [] };
    expect(await plan()).toMatchObject([{ scope: 'global', writes, left: [] }, cell]);
    await v2.put('/vt-nyc/tablets/nyc-0000000001/_Data', JSON.stringify(tablet));
    expect(await plan('--from-cell', `nyc=${etcd.servers},/vt-nyc`)).toMatchObject([
      { scope: 'global', writes, left: [{ native: '/vt/tablets' }] },
      cell,
    ]);
  });
});
