import type { CallOptions, SyncedEvent, WatchEvent } from '../../topo/connection.js';
import { baseName, isBelow, joinPath, parentPath } from '../../topo/paths.js';
import { type EventQueue, watchEvents } from '../../topo/queue.js';
import type { Store } from '../../znodes/store.js';
import {
  endWithConnection,
  watch as watchNative,
  watchRecursive as watchNatives,
} from '../../znodes/watch.js';
import type { LegacyStore } from './legacy-store.js';
import { LOCKS, Places } from './places.js';
import { scan } from './scan.js';
import { isPlain, plainNative } from './sources.js';
import { findShared, SHARED } from './vschemas.js';
import { Reader } from './watch-reader.js';

/** Follows one record: all that it is made of tells when it is to be read again. */
export function watch(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): AsyncIterable<WatchEvent> {
  const { store, places } = legacy;
  return watchEvents(store.context, options, path, async (queue: EventQueue<WatchEvent | SyncedEvent>) => {
    const reader = new Reader(legacy, queue, endWithConnection(store, queue, path).signal);
    const again = () => reader.mark([path]);
    const native = places.found(path);
    const place = native === undefined ? undefined : places.place(native);
    const kind = place?.is === 'record' ? place.kind : undefined;
    const natives = [native, places.entry(path), kind === 'VSchema' || path === SHARED ? SHARED : undefined];
    for (const each of new Set(natives))
      if (each !== undefined) void reader.listen(watchNative(store, each, reader.call), again);
    if (kind === 'ShardReplication') {
      await listenAbove(reader, legacy, path.replace(/\/[^/]+$/, ''), again);
      listenBeside(reader, legacy, parentPath(native ?? ''), again);
    }
    again();
    await reader.run();
  }) as AsyncIterable<WatchEvent>;
}

/** Follows all records below a directory. */
export function watchRecursive(
  legacy: LegacyStore,
  prefix: string,
  options: CallOptions | undefined,
): AsyncIterable<WatchEvent | SyncedEvent> {
  const { store, places } = legacy;
  return watchEvents(store.context, options, prefix, async (queue: EventQueue<WatchEvent | SyncedEvent>) => {
    const reader = new Reader(legacy, queue, endWithConnection(store, queue, prefix).signal);
    const mark = (paths: readonly string[]) => reader.mark(paths.filter((path) => isBelow(path, prefix)));
    const top = prefix !== '' && isPlain(legacy, prefix) ? plainNative(legacy, prefix) : '';
    await reader.listen(watchNatives(store, top, reader.call), (native) => {
      if (native === SHARED && places.cell === undefined) void markVSchemas(legacy, reader, mark);
      else mark(recordsOf(places, native));
    });
    if (prefix === '' || prefix.split('/')[0] === 'keyspaces') {
      await listenAbove(reader, legacy, 'keyspaces', (native) => mark(replicationOf(native)));
      listenBeside(reader, legacy, 'replication', (native) => mark(recordsOf(places, native)));
    }
    await reader.insist(async () => {
      for await (const { records } of scan(legacy, prefix, reader.call))
        for (const { path, ...value } of records) reader.deliver({ type: 'record', path, value });
      await reader.readDue();
    });
    reader.queue.push({ type: 'synced' });
    await reader.run();
  });
}

/** Listens to what is below a directory of the global store, where this is the store of a cell. */
async function listenAbove(
  reader: Reader,
  { global }: LegacyStore,
  top: string,
  onChange: (native: string) => void,
): Promise<void> {
  if (global === undefined) return;
  const above = await reader.insist(() => global.open());
  if (above !== undefined) await reader.listen(watchNatives(above, top, reader.call), onChange);
}

/** Listens to what is below a directory of the other cells' stores, from when each can be reached: a watch of this one does not wait for them. */
function listenBeside(
  reader: Reader,
  { others }: LegacyStore,
  top: string,
  onChange: (native: string) => void,
): void {
  const listen = async (open: () => Promise<Store>) => {
    const store = await reader.insist(open);
    if (store !== undefined) await reader.listen(watchNatives(store, top, reader.call), onChange);
  };
  // Why one cannot be read is told with the records that may lack its links.
  for (const open of others?.stores ?? []) void listen(open).catch(() => {});
}

/** The node of all VSchemas has changed: any VSchema may have, and whether it can be read. */
async function markVSchemas(
  legacy: LegacyStore,
  reader: Reader,
  mark: (paths: readonly string[]) => void,
): Promise<void> {
  const pathOf = (keyspace: string) => `keyspaces/${keyspace}/VSchema`;
  try {
    const shared = await reader.insist(() => findShared(legacy, reader.call));
    const own = reader.delivered.filter((path) => /^keyspaces\/[^/]+\/VSchema$/.test(path));
    mark([SHARED, ...own, ...[...(shared?.vschemas.keys() ?? [])].map(pathOf)]);
  } catch (error) {
    reader.queue.fail(error);
  }
}

/** Canonical paths of what a znode is a record of. */
function recordsOf(places: Places, native: string): string[] {
  const place = places.place(native);
  switch (place.is) {
    case 'record':
    case 'raw':
    case 'election':
      return [place.path];
    case 'lock':
      return [joinPath(place.of, LOCKS, baseName(native))];
    default:
      return [];
  }
}

/** Path of the ShardReplication that a znode of the global store has a part in. */
function replicationOf(native: string): string[] {
  const place = Places.global.place(native);
  const isPart = place.is === 'replication-path' || (place.is === 'record' && place.kind === 'Shard');
  return isPart ? [`keyspaces/${place.keyspace}/shards/${place.shard}/ShardReplication`] : [];
}
