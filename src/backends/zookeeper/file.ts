import type { CallOptions, Value } from '../../topo/connection.js';
import { noRecord } from '../../topo/refusals.js';
import { about } from './about.js';
import { entryValue, isEntry } from './beside.js';
import { generationOf } from './generation.js';
import type { LegacyStore } from './legacy-store.js';
import { type Around, aroundCell, readMade } from './made.js';
import { ownOf, type RecordPlace } from './own.js';
import { type Made, rawValue, valueOfMade } from './read.js';
import { findShared, SHARED, unreadableShared } from './vschemas.js';

export async function get(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<Value> {
  const value = await about(path, find(legacy, path, options));
  if (value === undefined) throw noRecord(legacy.store.context, path);
  return value;
}

/** A record; undefined: there is none. */
export async function find(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<Value | undefined> {
  const { store, places } = legacy;
  const entry = places.entry(path);
  const znode = entry === undefined ? undefined : await store.readZnode(entry, options);
  if (entry !== undefined && znode !== undefined) {
    const found = { ...znode, path: entry };
    if (isEntry(legacy, found)) return entryValue(legacy, found);
  }
  const native = places.found(path);
  const place = native === undefined ? undefined : places.place(native);
  if (native === undefined || place?.is === 'record' || path === SHARED) {
    const made = await findMade(legacy, path, options);
    return made && valueOfMade(legacy, made);
  }
  const plain = await store.readZnode(native, options);
  return plain !== undefined && store.layout.isRecord(native, plain) ? rawValue(legacy, plain) : undefined;
}

/** A record that is kept in JSON, or is made of several znodes. */
export async function findMade(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<Made | undefined> {
  const { store, places } = legacy;
  if (path === SHARED && places.cell === undefined) {
    const shared = await findShared(legacy, options);
    return shared && unreadableShared(shared);
  }
  const native = places.found(path);
  const place = native === undefined ? undefined : places.place(native);
  if (native === undefined || place?.is !== 'record') return undefined;
  const own = await store.readZnode(native, options);
  const isOwn = own !== undefined && store.layout.isRecord(native, own);
  return readMade(
    legacy,
    place,
    isOwn ? ownOf(own) : undefined,
    await aroundOf(legacy, place, own?.data, options),
    options,
  );
}

/** What a record is made of beside its own znode. */
async function aroundOf(
  legacy: LegacyStore,
  place: RecordPlace,
  data: Uint8Array | null | undefined,
  options: CallOptions | undefined,
): Promise<Around> {
  const { global } = legacy;
  if (place.kind === 'VSchema') return { shared: await findShared(legacy, options) };
  const { keyspace } = place;
  if (place.kind === 'ShardReplication') return aroundCell(legacy, { keyspace, shard: place.shard }, options);
  const isFirst = place.kind === 'SrvKeyspace' && generationOf(place, data ?? new Uint8Array()) === 1;
  return isFirst ? { shards: await global?.shards({ keyspace }, options) } : {};
}
