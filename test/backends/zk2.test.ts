import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchBytes, type Connection, type WriteOp } from '../../src/topo/connection.js';
import { CreateMode, type ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { openZk2, plant } from './zk2-subject.js';

const FILE = [{ perms: 19, scheme: 'world', id: 'anyone' }];
const DIRECTORY = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const utf8 = (text: string) => Buffer.from(text);
const NONE = Buffer.alloc(0);

describe.runIf(available.zookeeper('3.8'))('zk2 lays a topology out as Vitess does', () => {
  let cluster: Cluster;
  let raw: ZooKeeperClient;
  let root: string;
  let connection: Connection;
  let places = 0;

  beforeAll(async () => {
    cluster = await startZooKeeper({
      version: '3.8',
      config: { 'znode.container.checkIntervalMs': '600000' },
    });
    raw = await connectOwnClient({ servers: [cluster.servers] });
  });
  afterAll(async () => {
    await raw?.close();
    await cluster?.stop();
  });

  /** A connection to a place of the test's own. */
  const begin = async (): Promise<Connection> => {
    places += 1;
    root = `/vitess/place${places}`;
    connection = await openZk2(cluster.servers, root);
    return connection;
  };
  const node = async (path: string) => {
    const { data } = await raw.getData(`${root}/${path}`);
    const { acl } = await raw.getAcl(`${root}/${path}`);
    return { data: data?.toString() ?? null, acl };
  };
  const exists = async (path: string) => (await raw.exists(`${root}/${path}`)).stat !== undefined;
  const scanned = async () => {
    const paths: string[] = [];
    for await (const { records } of connection.scan('')) paths.push(...records.map(({ path }) => path));
    return paths;
  };

  test('a file has data and the ACL of a file, a directory has null data and is open to all', async () => {
    await begin();
    await connection.create('cells/zone1/CellInfo', utf8('info'));
    await connection.write([{ type: 'create', path: 'keyspaces/a/Keyspace', bytes: utf8('keyspace') }]);
    await connection.update('SrvVSchema', utf8('schema'), null);
    expect(await node('cells/zone1/CellInfo')).toEqual({ data: 'info', acl: FILE });
    expect(await node('keyspaces/a/Keyspace')).toEqual({ data: 'keyspace', acl: FILE });
    expect(await node('SrvVSchema')).toEqual({ data: 'schema', acl: FILE });
    for (const path of ['cells', 'cells/zone1', 'keyspaces', 'keyspaces/a'])
      expect(await node(path)).toEqual({ data: null, acl: DIRECTORY });
    root = '/vitess';
    expect(await node(`place${places}`)).toEqual({ data: null, acl: DIRECTORY });
    await connection.close();
  });

  test('a record of zero bytes is stored as empty data, never as null', async () => {
    await begin();
    await connection.create('keyspaces/a/Keyspace', NONE);
    await connection.write([{ type: 'create', path: 'metadata/x', bytes: NONE }]);
    const version = await connection.create('metadata/y', utf8('y'));
    await connection.update('metadata/y', NONE, version);
    for (const path of ['keyspaces/a/Keyspace', 'metadata/x', 'metadata/y'])
      expect(await node(path)).toEqual({ data: '', acl: FILE });
    await connection.close();
  });

  test('null data without children is a record of zero bytes where the tree has a record, else an empty directory', async () => {
    await begin();
    await plant(raw, `${root}/keyspaces/a/Keyspace`, null);
    await plant(raw, `${root}/keyspaces/b`, null);
    await plant(raw, `${root}/metadata/key`, null);
    expect((await connection.get('keyspaces/a/Keyspace')).bytes).toHaveLength(0);
    expect(await scanned()).toEqual(['keyspaces/a/Keyspace']);
    expect(await connection.listDir('keyspaces/b')).toEqual([]);
    await expect(connection.listDir('keyspaces/a/Keyspace')).rejects.toMatchObject({ code: 'NoNode' });
    await expect(connection.get('metadata/key')).rejects.toMatchObject({ code: 'NoNode' });
    expect(await connection.listDirFull('keyspaces')).toEqual([
      { name: 'a', type: 'directory', ephemeral: false },
      { name: 'b', type: 'directory', ephemeral: false },
    ]);
    await connection.close();
  });

  test('empty data with children is a directory, without children a record of zero bytes', async () => {
    await begin();
    await plant(raw, `${root}/keyspaces`, NONE);
    expect((await connection.get('keyspaces')).bytes).toHaveLength(0);
    await plant(raw, `${root}/keyspaces/a`, NONE);
    await connection.position();
    await expect(connection.get('keyspaces')).rejects.toMatchObject({ code: 'NoNode' });
    await connection.create('keyspaces/a/Keyspace', utf8('x'));
    expect(await scanned()).toEqual(['keyspaces/a/Keyspace']);
    await connection.delete('keyspaces/a/Keyspace', null);
    expect(await connection.listDir('')).toEqual([]);
    await connection.close();
  });

  test('a record above another keeps its data, gets the ACL of a directory, and goes only when it is deleted', async () => {
    await begin();
    const version = await connection.create('a', utf8('parent'));
    await connection.create('a/b', utf8('child'));
    expect(await node('a')).toEqual({ data: 'parent', acl: DIRECTORY });
    expect((await connection.get('a')).version).toEqual(version);
    await connection.delete('a', version);
    expect(await node('a')).toEqual({ data: null, acl: DIRECTORY });
    await connection.create('a', utf8('again'));
    await connection.delete('a/b', null);
    expect(await scanned()).toEqual(['a']);
    await connection.delete('a', null);
    expect(await exists('a')).toBe(false);
    await connection.close();
  });

  test('a record of zero bytes refuses records below it, and a record with some refuses zero bytes', async () => {
    await begin();
    await connection.create('a', NONE);
    await expect(connection.create('a/b', utf8('x'))).rejects.toMatchObject({ code: 'Unsupported' });
    await expect(connection.write([{ type: 'create', path: 'a/b', bytes: utf8('x') }])).rejects.toMatchObject(
      { code: 'Unsupported' },
    );
    await connection.create('d/e', utf8('x'));
    await expect(connection.create('d', NONE)).rejects.toMatchObject({ code: 'NodeExists' });
    const version = await connection.create('d', utf8('x'));
    await expect(connection.update('d', NONE, version)).rejects.toMatchObject({ code: 'NotEmpty' });
    await expect(connection.update('d', NONE, null)).rejects.toMatchObject({ code: 'NotEmpty' });
    expect(await scanned()).toEqual(['a', 'd', 'd/e']);
    await connection.close();
  });

  test('a directory closed by an ACL of somebody else is Unauthorized, and stays as it is', async () => {
    await begin();
    await plant(raw, `${root}/closed`, null);
    await raw.setAcl(`${root}/closed`, [{ perms: 1, scheme: 'world', id: 'anyone' }], -1);
    await expect(connection.create('closed/a', utf8('x'))).rejects.toMatchObject({ code: 'Unauthorized' });
    const batch = [{ type: 'create', path: 'closed/a', bytes: utf8('x') }] as const;
    await expect(connection.write(batch)).rejects.toMatchObject({
      code: 'Unauthorized',
      path: 'closed/a',
      index: 0,
    });
    await connection.close();
  });

  test('after a deletion empty parents go, up to the root, which stays', async () => {
    await begin();
    await connection.create('a/b/c', utf8('x'));
    await connection.delete('a/b/c', null);
    expect(await exists('a')).toBe(false);
    expect((await raw.exists(root)).stat?.numChildren).toBe(0);
    await connection.write([{ type: 'create', path: 'a/b/c', bytes: utf8('x') }]);
    await connection.write([{ type: 'delete', path: 'a/b/c', version: null }]);
    expect(await exists('a')).toBe(false);
    expect((await raw.exists(root)).stat?.numChildren).toBe(0);
    await connection.close();
  });

  test('directories that do not fit into the transaction of a batch are made before it', {
    timeout: 120_000,
  }, async () => {
    const patient = { deadline: Date.now() + 60_000 };
    await begin();
    const below = Array.from({ length: 9 }, () => 'x'.repeat(95)).join('/');
    const paths = Array.from({ length: 250 }, (_, i) => `${String(i).padStart(3, '0')}/${below}`);
    const versions = await connection.write(
      paths.map((path) => ({ type: 'create', path, bytes: utf8('x') })),
      patient,
    );
    expect(await scanned()).toEqual(paths);
    await connection.write(
      paths.map((path, i) => ({ type: 'delete', path, version: versions[i] ?? null })),
      patient,
    );
    expect(await connection.listDir('')).toEqual([]);
    await connection.close();
  });

  test('a batch as large as is allowed is written, with the longest root and paths, and one large value', async () => {
    const longRoot = `/${'r'.repeat(199)}`;
    const store = await openZk2(cluster.servers, longRoot);
    const { batch, maxPathBytes } = store.capabilities;
    const path = (i: number) => String(i).padStart(maxPathBytes - longRoot.length - 1, '0');
    const numbers = Array.from({ length: batch.maxOps - 1 }, (_, i) => i);
    /** With one more, whose value makes the batch as large as it may be. */
    const filled = (others: readonly WriteOp[], more: (bytes: Uint8Array) => WriteOp): WriteOp[] => {
      const rest = batch.maxBytes - batchBytes([...others, more(NONE)]);
      return [...others, more(Buffer.alloc(rest, 1))];
    };
    const last = path(batch.maxOps);
    const creates = numbers.map((i): WriteOp => ({ type: 'create', path: path(i), bytes: NONE }));
    const made = await store.write(filled(creates, (bytes) => ({ type: 'create', path: last, bytes })));
    const version = made.at(-1);
    if (version === undefined) throw new Error('a create gives a version');
    // Each is sent as two requests.
    const deletes = numbers.map(
      (i): WriteOp => ({ type: 'delete', path: path(i), version: made[i] ?? null }),
    );
    const ops = filled(deletes, (bytes) => ({ type: 'update', path: last, bytes, version }));
    expect(batchBytes(ops)).toBe(batch.maxBytes);
    await store.write(ops);
    expect(await store.listDir('')).toEqual([last]);
    await store.close();
  });

  test('an empty directory of somebody else is left alone, and can be filled', async () => {
    await begin();
    await plant(raw, `${root}/mine/left`, null);
    await connection.create('mine/a', utf8('x'));
    await connection.delete('mine/a', null);
    expect(await exists('mine/left')).toBe(true);
    await connection.create('mine/left/b', utf8('x'));
    expect(await scanned()).toEqual(['mine/left/b']);
    await connection.close();
  });

  test('a container is not owned by a session', async () => {
    await begin();
    await plant(raw, `${root}/d/container`, utf8('x'), CreateMode.Container);
    await plant(raw, `${root}/d/owned`, utf8('x'), CreateMode.Ephemeral);
    await connection.position();
    expect(await connection.listDirFull('d')).toEqual([
      { name: 'container', type: 'file', ephemeral: false },
      { name: 'owned', type: 'file', ephemeral: true },
    ]);
    await connection.close();
  });

  test('a record below an ephemeral one is Unsupported', async () => {
    await begin();
    await plant(raw, `${root}/owned`, utf8('x'), CreateMode.Ephemeral);
    await expect(connection.create('owned/a', utf8('x'))).rejects.toMatchObject({ code: 'Unsupported' });
    await connection.close();
  });

  test('places whose names begin alike are apart: zone1 and zone10', async () => {
    const [one, ten] = await Promise.all(
      ['/prefix/zone1', '/prefix/zone10'].map((place) => openZk2(cluster.servers, place)),
    );
    await one?.create('tablets/a/Tablet', utf8('one'));
    await ten?.create('tablets/b/Tablet', utf8('ten'));
    await one?.delete('tablets/a/Tablet', null);
    expect(await one?.listDir('')).toEqual([]);
    expect(await ten?.listDir('tablets')).toEqual(['b']);
    await Promise.all([one?.close(), ten?.close()]);
  });
});
