import { keyspaceIn } from '../../legacy/json-text.js';
import type { CallOptions, ScanPage, StoredRecord } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { compareBytewise, isBelow } from '../../topo/paths.js';
import { type Readers, type ScanItem, scanPages } from '../../znodes/scan.js';
import { settle } from '../../znodes/store.js';
import type { Found } from '../../znodes/walk.js';
import { about } from './about.js';
import { beside, plainItem } from './beside.js';
import { find } from './file.js';
import type { LegacyStore } from './legacy-store.js';
import { type Around, aroundCell, readMade } from './made.js';
import { ownOf, type RecordPlace } from './own.js';
import { ELECTION } from './places.js';
import { type Made, valueOfMade } from './read.js';
import { isPlain, movedSegments, plainNative, sourcesOf } from './sources.js';
import { unnamedCells } from './unnamed-cells.js';
import { findShared, SHARED, unreadableShared } from './vschemas.js';
import { walkFrom } from './walk-from.js';

/**
 * All records below a canonical path. What lies in the order of its paths is read as it is delivered: the tablets of a cell, and what was added
 * later. The rest, a few records a shard, is read first and put into order.
 */
export function scan(
  legacy: LegacyStore,
  prefix: string,
  options: CallOptions | undefined,
): AsyncGenerator<ScanPage, undefined> {
  return scanPages(legacy.store, prefix, options, (readers) => items(legacy, prefix, readers, options));
}

async function* items(
  legacy: LegacyStore,
  prefix: string,
  readers: Readers,
  options: CallOptions | undefined,
): AsyncGenerator<readonly ScanItem[], undefined> {
  await legacy.global?.bringUpToDate(options);
  const scan: Scan = { legacy, readers, options, about: prefix, named: new Set() };
  if (prefix === '') yield* everything(scan);
  else yield* section(scan, prefix);
}

/** One scan under way. */
interface Scan {
  readonly legacy: LegacyStore;
  readonly readers: Readers;
  readonly options: CallOptions | undefined;
  /** Canonical path that errors name. */
  readonly about: string;
  /** What is no record and was named: some tops are walked for two sections. */
  readonly named: Set<string>;
}

/** All below the root: what was moved at its place among what lies as the canonical tree has it. */
async function* everything(scan: Scan): AsyncGenerator<readonly ScanItem[], undefined> {
  const { legacy, options } = scan;
  const { store } = legacy;
  const listed = store.read(scan.about, options, (client, request) =>
    client.getChildren(store.root, request),
  );
  const names = (await settle(listed, ErrorCode.NoNode))?.children ?? [];
  const top = await store.readZnode('', options, scan.about);
  if ((top?.data?.byteLength ?? 0) > 0) yield [beside(legacy, 'left', '', 'data in a directory')];
  const moved = movedSegments(legacy, names);
  const ahead = names.filter((name) => isPlain(legacy, name) && !isElection(legacy, name));
  ahead.sort(compareBytewise);
  const takePlain = async function* (limit: string | undefined) {
    const end = ahead.findIndex((name) => limit !== undefined && compareBytewise(name, limit) > 0);
    const some = ahead.splice(0, end < 0 ? ahead.length : end);
    if (some.length > 0) yield* plainItems(scan, new Set(some));
  };
  for (const path of moved.sort(compareBytewise)) {
    yield* takePlain(path);
    const own = await inScan(scan, find(legacy, path, options));
    if (own !== undefined) yield [{ path, ...own }];
    yield* takePlain(`${path}/`);
    yield* section(scan, path);
  }
  yield* takePlain(undefined);
  yield await inScan(scan, unnamedCells(legacy, options));
}

/** What `work` gives; its errors are those of the scan. */
function inScan<T>({ about: path }: Scan, work: Promise<T>): Promise<T> {
  return about(path, work);
}

function isElection({ places }: LegacyStore, name: string): boolean {
  return places.cell === undefined && name === ELECTION;
}

async function* plainItems(
  scan: Scan,
  names: ReadonlySet<string>,
): AsyncGenerator<readonly ScanItem[], undefined> {
  const { legacy, about, readers, options } = scan;
  for await (const group of walkFrom(legacy.store, { top: '', names, about, readers }, options))
    yield await itemsOf(scan, group, {});
}

/** What is below a canonical path. */
async function* section(scan: Scan, path: string): AsyncGenerator<readonly ScanItem[], undefined> {
  const { legacy, about, readers, options } = scan;
  const wanted = (item: ScanItem) => ('native' in item ? isNew(scan, item.native) : isBelow(item.path, path));
  if (isPlain(legacy, path) || (legacy.places.cell !== undefined && /^tablets(\/|$)/.test(path))) {
    const tops = isPlain(legacy, path) ? [plainNative(legacy, path)] : sourcesOf(legacy, path);
    for (const top of tops)
      for await (const group of walkFrom(legacy.store, { top, about, readers }, options))
        yield (await itemsOf(scan, group, {})).filter(wanted);
    return;
  }
  const found: ScanItem[] = [];
  for await (const group of collected(scan, path)) found.push(...group);
  const records = found.filter((item) => !('native' in item)) as StoredRecord[];
  const others = found.filter((item) => 'native' in item);
  const sorted = records.sort((a, b) => compareBytewise(a.path, b.path));
  yield [...sorted, ...others].filter(wanted);
}

function isNew({ named }: Scan, native: string): boolean {
  if (named.has(native)) return false;
  named.add(native);
  return true;
}

/** All below a canonical path in no order, with what is made of several znodes. */
async function* collected(scan: Scan, path: string): AsyncGenerator<readonly ScanItem[], undefined> {
  const { legacy, options } = scan;
  const [first, keyspace, , shard] = path.split('/');
  const ofKeyspaces = first === 'keyspaces' || first === SHARED;
  const around: Around = {
    shared: ofKeyspaces ? await findShared(legacy, options) : undefined,
    ...(first === 'keyspaces' ? await aroundCell(legacy, { keyspace, shard }, options) : {}),
  };
  const own = new Set<string>();
  for (const top of sourcesOf(legacy, path)) {
    for await (const group of walkFrom(
      legacy.store,
      { top, about: scan.about, readers: scan.readers },
      options,
    )) {
      for (const { path: native } of group) own.add(native);
      yield await itemsOf(scan, group, around);
    }
  }
  yield await withoutOwn(scan, around, own);
}

/** Records that have no znode of their own, and what the shared node has beside records. */
async function withoutOwn(scan: Scan, around: Around, own: ReadonlySet<string>): Promise<ScanItem[]> {
  const { legacy } = scan;
  const { places } = legacy;
  const { shared, shards } = around;
  const found: ScanItem[] = [];
  const add = async (native: string) => {
    const place = places.place(native);
    if (own.has(native) || place.is !== 'record') return;
    found.push(...(await madeItems(scan, place, undefined, around)));
  };
  for (const keyspace of shared?.vschemas.keys() ?? []) await add(`keyspaces/${keyspace}/vschema`);
  for (const { keyspace, shard } of shards?.values() ?? []) await add(`replication/${keyspace}/${shard}`);
  const { losses = [] } = shared?.told ?? {};
  if (losses.length > 0) found.push(beside(legacy, 'lost', SHARED, 'the VSchemas of all keyspaces', losses));
  const broken = shared === undefined ? undefined : unreadableShared(shared);
  if (broken !== undefined) found.push(recordOf(legacy, SHARED, broken));
  return found;
}

async function itemsOf(scan: Scan, group: readonly Found[], around: Around): Promise<ScanItem[]> {
  const { legacy } = scan;
  const items: ScanItem[] = [];
  for (const found of group) {
    const place = legacy.places.place(found.path);
    if (place.is === 'record' && legacy.store.layout.isRecord(found.path, found)) {
      items.push(...(await madeItems(scan, place, found, around)));
      continue;
    }
    const item = plainItem(legacy, found);
    if (item !== undefined) items.push(item);
  }
  return items;
}

async function madeItems(
  { legacy, options }: Scan,
  place: RecordPlace,
  found: Found | undefined,
  around: Around,
): Promise<ScanItem[]> {
  const made = await readMade(legacy, place, found && ownOf(found), around, options);
  if (made === undefined) return [];
  if (made.bytes !== undefined) return [recordOf(legacy, place.path, made)];
  const { losses = [] } = made.told ?? {};
  const why = `a tablet of type ${String(losses[0]?.value)}`;
  const keyspace = keyspaceIn(found?.data ?? new Uint8Array());
  return [{ ...beside(legacy, 'lost', legacy.places.native(place.path), why, losses), keyspace }];
}

function recordOf(legacy: LegacyStore, path: string, made: Made): StoredRecord {
  const value = valueOfMade(legacy, made);
  if (value === undefined) throw new TypeError('a record has bytes');
  return { path, ...value };
}
