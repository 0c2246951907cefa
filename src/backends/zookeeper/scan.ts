import type { CallOptions, ScanPage, StoredRecord } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { compareBytewise, isBelow } from '../../topo/paths.js';
import { type Readers, type ScanItem, scanPages } from '../../znodes/scan.js';
import { settle } from '../../znodes/store.js';
import type { Found } from '../../znodes/walk.js';
import { beside, plainItem } from './beside.js';
import type { LegacyStore } from './legacy-store.js';
import { type Around, readMade } from './made.js';
import { ownOf, type RecordPlace } from './own.js';
import { type Made, valueOfMade } from './read.js';
import { firstSegments, isPlain, plainNative, sourcesOf } from './sources.js';
import { findShared, SHARED } from './vschemas.js';
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
  const scan: Scan = { legacy, readers, options, named: new Set() };
  if (prefix !== '') {
    yield* section(scan, prefix, (path) => isBelow(path, prefix));
    return;
  }
  const { store } = legacy;
  const listed = store.read('', options, (client, request) => client.getChildren(store.root, request));
  const names = (await settle(listed, ErrorCode.NoNode))?.children ?? [];
  const top = await store.readZnode('', options);
  if ((top?.data?.byteLength ?? 0) > 0) yield [beside(legacy, 'left', '', 'data in a directory')];
  for (const name of firstSegments(legacy, names))
    yield* section(scan, name, (path) => path === name || isBelow(path, name));
}

/** One scan under way. */
interface Scan {
  readonly legacy: LegacyStore;
  readonly readers: Readers;
  readonly options: CallOptions | undefined;
  /** What is no record and was named: some tops are walked for two sections. */
  readonly named: Set<string>;
}

/** What is below a canonical path, and may be at it. */
async function* section(
  scan: Scan,
  path: string,
  isWanted: (path: string) => boolean,
): AsyncGenerator<readonly ScanItem[], undefined> {
  const { legacy } = scan;
  const wanted = (item: ScanItem) => ('native' in item ? isNew(scan, item.native) : isWanted(item.path));
  if (isPlain(legacy, path) || (legacy.places.cell !== undefined && /^tablets(\/|$)/.test(path))) {
    const tops = isPlain(legacy, path) ? [plainNative(legacy, path)] : sourcesOf(legacy, path);
    for (const top of tops)
      for await (const group of walkFrom(legacy.store, top, scan.options, scan.readers))
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
    shards: first === 'keyspaces' ? await legacy.global?.shards({ keyspace, shard }, options) : undefined,
  };
  const own = new Set<string>();
  for (const top of sourcesOf(legacy, path)) {
    for await (const group of walkFrom(legacy.store, top, options, scan.readers)) {
      for (const { path: native } of group) own.add(native);
      yield await itemsOf(scan, group, around);
    }
  }
  yield await withoutOwn(scan, around, own);
}

/** Records that have no znode of their own, and what the shared node has beside records. */
async function withoutOwn(
  scan: Scan,
  { shared, shards }: Around,
  own: ReadonlySet<string>,
): Promise<ScanItem[]> {
  const { legacy } = scan;
  const { places } = legacy;
  const found: ScanItem[] = [];
  const add = async (native: string) => {
    const place = places.place(native);
    if (own.has(native) || place.is !== 'record') return;
    found.push(...(await madeItems(scan, place, undefined, { shared, shards })));
  };
  for (const keyspace of shared?.vschemas.keys() ?? []) await add(`keyspaces/${keyspace}/vschema`);
  for (const { keyspace, shard } of shards?.values() ?? []) await add(`replication/${keyspace}/${shard}`);
  const { losses = [] } = shared?.told ?? {};
  if (losses.length > 0) found.push(beside(legacy, 'lost', SHARED, 'the VSchemas of all keyspaces', losses));
  const broken = shared === undefined ? undefined : unreadableShared(shared);
  if (broken !== undefined) found.push(recordOf(legacy, SHARED, broken));
  return found;
}

/** The shared node as a record, where it cannot be read: so that nothing is hidden. */
export function unreadableShared({ own, unreadable }: NonNullable<Around['shared']>): Made | undefined {
  if (unreadable === undefined) return undefined;
  const told = { losses: [], derived: [], notes: [], unreadable };
  return { ...own, told, of: [SHARED] };
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
  return [beside(legacy, 'lost', legacy.places.native(place.path), why, losses)];
}

function recordOf(legacy: LegacyStore, path: string, made: Made): StoredRecord {
  const value = valueOfMade(legacy, made);
  if (value === undefined) throw new TypeError('a record has bytes');
  return { path, ...value };
}
