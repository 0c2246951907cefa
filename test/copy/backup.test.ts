import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { expired } from '../../src/copy/backup/files.js';
import { makeBackup } from '../../src/copy/backup/make.js';
import { checkBackup } from '../../src/copy/backup/record.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import type { CallOptions, Connection, ScanPage, WriteOp } from '../../src/topo/connection.js';
import { Topology } from '../../src/topo/topology.js';
import type { Version } from '../../src/topo/version.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { contents, SETTINGS, withStore } from '../support/topologies.js';
import { type Places, placesInMemory, plantSample } from './followers.js';

let folder: string;
let places: Places;
const opened: Topology[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  places = placesInMemory();
  await plantSample(places);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((topology) => topology.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Does something whenever a scan of everything is at its end. */
class AfterScans extends DelegatingConnection {
  readonly #after: () => Promise<void>;

  constructor(inner: Connection, after: () => Promise<void>) {
    super(inner);
    this.#after = after;
  }

  override async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    yield* super.scan(prefix, options);
    await this.#after();
  }
}

/** Writes something else than it is told. */
class Liar extends DelegatingConnection {
  override write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]> {
    const lie = (op: WriteOp) => ({ ...op, ...('bytes' in op ? { bytes: Buffer.from('lie') } : {}) });
    return super.write(
      ops.map((op) => (op.path === 'metadata/owner' ? lie(op) : op)),
      options,
    );
  }
}

async function open(
  address: string,
  access: 'read' | 'write',
  wrap: (store: Connection, scope: string) => Connection = (store) => store,
): Promise<Topology> {
  const stores = storesFor(SETTINGS, access);
  const topology = await Topology.open({
    global: parseAddress(address),
    stores: { ...stores, open: async (at, scope) => wrap(await stores.open(at, scope), scope) },
  });
  opened.push(topology);
  return topology;
}

const file = () => `file:${join(folder, 'a.topo')}`;
const put = (path: string, text: string) =>
  withStore(places.source('global'), (store) => store.update(path, Buffer.from(text), null));

/** Makes a backup of a source in which something happens after each of its global store's first scans. */
async function backUp(happens: readonly (() => Promise<unknown>)[] | (() => Promise<unknown>)) {
  let scans = 0;
  const after = async () => {
    await (typeof happens === 'function' ? happens : happens[scans])?.();
    scans += 1;
  };
  const source = await open(places.source('global'), 'read', (store, scope) =>
    scope === 'global' ? new AfterScans(store, after) : store,
  );
  const destination = await open(file(), 'write');
  return makeBackup({ source, destination, clock: systemClock, concurrency: 4, tool: 'test' });
}

test('a source that changes while it is read is read again, until the backup is equal to it', async () => {
  const { record } = await backUp([
    () => put('metadata/owner', 'first'),
    () => put('metadata/new', 'second'),
    () => put('metadata/owner', 'third'),
    () => withStore(places.source('global'), (store) => store.delete('custom/dashboard.bin', null)),
  ]);
  expect(record.changedMeanwhile).toBe(0);
  const held = await contents(file());
  expect(held.get('metadata/owner')?.toString()).toBe('third');
  expect(held.get('metadata/new')?.toString()).toBe('second');
  expect(held.has('custom/dashboard.bin')).toBe(false);
  await expect(checkBackup(await open(file(), 'read'), {})).resolves.toEqual(record);
});

test('a source that never stands still is backed up, and what changed once more is counted', async () => {
  let changes = 0;
  const { record } = await backUp(() => put('metadata/owner', String(changes++)));
  expect(record.changedMeanwhile).toBe(1);
  const [first, last] = record.scopes.find(({ scope }) => scope === 'global')?.positions ?? [];
  expect(BigInt(last ?? 0)).toBeGreaterThan(BigInt(first ?? 0));
  await expect(checkBackup(await open(file(), 'read'), {})).resolves.toEqual(record);
});

test('a backup that differs from a source that stood still is none', async () => {
  const source = await open(places.source('global'), 'read');
  const destination = await open(file(), 'write', (store) => new Liar(store));
  const made = makeBackup({ source, destination, clock: systemClock, concurrency: 4, tool: 'test' });
  await expect(made).rejects.toMatchObject({
    code: 'Corrupt',
    message: expect.stringContaining('global:metadata/owner is different'),
  });
  await expect(checkBackup(await open(file(), 'read'), {})).rejects.toThrow(/is no backup/);
});

test.each([
  [{}, 5],
  [{ keep: 2 }, 2],
  [{ keepForMs: 25 }, 3],
  [{ keep: 2, keepForMs: 25 }, 3],
  [{ keep: 4, keepForMs: 25 }, 4],
  [{ keepForMs: 1 }, 1],
])('with %j so many of five stay: %i', (retention, number) => {
  const backups = [95, 85, 75, 65, 55].map((time) => ({ file: String(time), time }));
  expect(backups.length - expired(backups, retention, 100).length).toBe(number);
});
