import { expect, test } from 'vitest';
import type { StoreAddress } from '../../src/topo/address.js';
import { readCellInfo } from '../../src/topo/codec.js';
import type { Connection, StoredRecord } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { Topology } from '../../src/topo/topology.js';
import { withConfiguredCells } from '../../src/topo/wrappers/configured.js';
import { withReadOnly } from '../../src/topo/wrappers/read-only.js';
import { create, first, utf8 } from '../conformance/tools.js';
import { openMemory } from './wrappers-tools.js';

const address = (cell: string): StoreAddress => ({
  implementation: 'zookeeper',
  server: `${cell}:2181`,
  root: `/zk/${cell}/vt`,
});
const cells = (...names: string[]) => new Map(names.map((name) => [name, address(name)]));
const info = (cell: string) => `cells/${cell}/CellInfo`;

const byPath = async (connection: Connection, prefix = ''): Promise<StoredRecord[]> => {
  const found: StoredRecord[] = [];
  for await (const page of connection.scan(prefix)) found.push(...page.records);
  return found;
};
const paths = async (connection: Connection, prefix?: string) =>
  (await byPath(connection, prefix)).map(({ path }) => path);

test('configured cells have a CellInfo each, in every way to read', async () => {
  const inner = await openMemory();
  const connection = withConfiguredCells(inner, cells('sfo', 'nyc'));
  expect(await connection.listDir('')).toEqual(['cells']);
  expect(await connection.listDir('cells')).toEqual(['nyc', 'sfo']);
  expect(await connection.listDirFull('cells/nyc')).toEqual([
    { name: 'CellInfo', type: 'file', ephemeral: false },
  ]);
  await expect(connection.listDir('cells/lon')).rejects.toMatchObject({ code: ErrorCode.NoNode });
  expect(readCellInfo((await connection.get(info('nyc'))).bytes)).toEqual({
    serverAddress: 'nyc:2181',
    root: '/zk/nyc/vt',
  });
  expect(await paths(connection)).toEqual([info('nyc'), info('sfo')]);

  for (const path of ['a', 'cells/nyc/CellInfn', 'cells/p', 'z']) await inner.create(path, utf8('1'));
  const all = ['a', 'cells/nyc/CellInfn', info('nyc'), 'cells/p', info('sfo'), 'z'];
  expect(await paths(connection)).toEqual(all);
  expect(await paths(connection, 'cells/nyc')).toEqual(['cells/nyc/CellInfn', info('nyc')]);
  expect(await connection.listDir('')).toEqual(['a', 'cells', 'z']);

  const watched: string[] = [];
  for await (const event of connection.watchRecursive('')) {
    if (event.type === 'synced') break;
    watched.push(event.path);
  }
  expect(watched.sort()).toEqual([...all].sort());
  expect((await first(connection.watch(info('sfo')))).value).toEqual(await connection.get(info('sfo')));
  expect((await first(connection.watch(info('lon')))).value).toBeUndefined();
});

test('a record of the store’s own counts, is written as ever, and its end shows the configured one again', async () => {
  const inner = await openMemory();
  const connection = withConfiguredCells(inner, cells('nyc'));
  const version = await inner.create(info('nyc'), utf8('own'));
  expect((await connection.get(info('nyc'))).version).toEqual(version);
  expect((await byPath(connection)).map((record) => record.version)).toEqual([version]);
  expect(await connection.listDirFull('cells')).toEqual([
    { name: 'nyc', type: 'directory', ephemeral: false },
  ]);
  const events = connection.watch(info('nyc'))[Symbol.asyncIterator]();
  expect((await events.next()).value.value.bytes).toEqual(utf8('own'));
  const updated = await connection.update(info('nyc'), utf8('new'), version);
  await connection.write([{ type: 'delete', path: info('nyc'), version: updated }]);
  let shown: StoredRecord;
  do shown = (await events.next()).value.value;
  while (Buffer.from(shown.bytes).equals(utf8('new')));
  expect(readCellInfo(shown.bytes).root).toBe('/zk/nyc/vt');
  await events.return?.();
});

test('what is configured cannot be written', async () => {
  const inner = await openMemory();
  const connection = withConfiguredCells(inner, cells('nyc'));
  const { version } = await connection.get(info('nyc'));
  await expect(connection.create(info('nyc'), utf8(''))).rejects.toMatchObject({
    code: ErrorCode.NodeExists,
  });
  for (const write of [
    connection.update(info('nyc'), utf8(''), version),
    connection.update(info('nyc'), utf8(''), null),
    connection.delete(info('nyc'), null),
  ])
    await expect(write).rejects.toMatchObject({
      code: ErrorCode.Unsupported,
      message: expect.stringContaining('in the client configuration'),
    });
  const batch = connection.write([create('other'), { type: 'delete', path: info('nyc'), version }]);
  await expect(batch).rejects.toMatchObject({ code: ErrorCode.Unsupported, index: 1, path: info('nyc') });
  expect(await paths(inner)).toEqual([]);
  await connection.create(info('lon'), utf8('another cell'));
  await expect(
    withConfiguredCells(withReadOnly(inner), cells('nyc')).create(info('nyc'), utf8('')),
  ).rejects.toMatchObject({ code: ErrorCode.ReadOnly });
});

test('a topology finds its configured cells, and says to each where its global store and the others are', async () => {
  const global = address('global');
  const opened: unknown[] = [];
  const stores = {
    open: async (...call: unknown[]) => {
      opened.push(call);
      return openMemory();
    },
    openNative: () => Promise.reject(new Error('not asked for')),
    health: async () => undefined,
    cellAddress: async () => undefined,
  };
  const configured = cells('nyc', 'sfo');
  const topology = await Topology.open({ global, configured, stores, cells: cells('lon', 'sfo') });
  expect(await topology.cells()).toEqual([
    { name: 'nyc', address: address('nyc'), source: 'config' },
    { name: 'sfo', address: address('sfo'), source: 'given' },
  ]);
  expect(await topology.locate('par')).toBeUndefined();
  expect(await topology.addressWithoutCellInfo('nyc')).toMatchObject({ source: 'config' });
  await topology.cell({ name: 'nyc', address: address('nyc') });
  expect(opened).toEqual([
    [global, 'global', undefined, cells('nyc', 'sfo')],
    [address('nyc'), 'nyc', global, cells('nyc', 'sfo')],
  ]);
  await topology.close();
});
