import { vschemaOf } from '../../legacy/shared-vschemas.js';
import type { OldValue } from '../../legacy/transcoder.js';
import type { CallOptions, StoredRecord, Value } from '../../topo/connection.js';
import type { Node } from './answers.js';
import { isRecordPlace, type RecordPlace, SHARED_VSCHEMAS } from './layout.js';
import { isHeld } from './lock-file.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';
import { readText } from './transcode.js';
import { makeVersion, type State } from './version.js';
import { findShared, type SharedFile, sharedIsRead } from './vschemas.js';

/** A file, or the files, that one record is read from. */
export type Found = OldValue & { readonly value: Value | undefined };

/** The record at a path of the canonical tree; undefined: there is none, or one without counterpart. */
export async function find(
  store: EtcdStore,
  path: string,
  options: CallOptions | undefined,
): Promise<Value | undefined> {
  const { layout } = store;
  const locked = layout.lockedBy(path);
  if (locked !== undefined) {
    const node = await readFile(store, layout.lock(locked), path, options);
    return node === undefined || !isHeld(layout, locked, node) ? undefined : lockValue(store, node);
  }
  const native = layout.find(path);
  if (native === undefined) return undefined;
  const place = layout.place(native);
  const own = await readFile(store, native, path, options);
  if (place.is === 'election') return own === undefined ? undefined : lockValue(store, own);
  if (!isRecordPlace(place)) return undefined;
  const shared = isVSchema(place) ? await findShared(store, path, options) : undefined;
  return (await recordOf(store, place, own, shared, options))?.value;
}

/** A record from its file; undefined: there is no record. Without value: one that has no counterpart. */
export async function recordOf(
  store: EtcdStore,
  place: RecordPlace,
  own: Node | undefined,
  shared: SharedFile | undefined,
  options: CallOptions | undefined,
): Promise<Found | undefined> {
  const alone = own?.value === undefined ? undefined : await readText(store, place, own.value, options);
  if (!isVSchema(place)) return alone && found(store, alone, { own: own?.modifiedIndex }, own);
  const raw = Buffer.from(own?.value ?? '');
  const read = vschemaOf(place, alone && { raw, read: alone }, shared, store.context.store);
  const part = shared?.vschemas.has(place.keyspace ?? '') ? shared.node.modifiedIndex : undefined;
  return read && found(store, read, { own: own?.modifiedIndex, shared: part }, own);
}

/** An entry that locks, or leads. */
export function lockValue({ context }: EtcdStore, node: Node): Value {
  return {
    bytes: Buffer.from(node.value ?? ''),
    version: makeVersion(context.store, { own: node.modifiedIndex }),
    ephemeral: true,
  };
}

export function isVSchema(place: RecordPlace): place is RecordPlace & { readonly is: 'record' } {
  return place.is === 'record' && place.kind === 'VSchema';
}

/** The shared file, where it cannot be read: named as a record, so that nobody misses what is in it. */
export function unreadableShared(store: EtcdStore, shared: SharedFile): StoredRecord | undefined {
  if (shared.told.unreadable === undefined) return undefined;
  const version = makeVersion(store.context.store, { own: shared.node.modifiedIndex });
  return { path: SHARED_VSCHEMAS, bytes: shared.raw, version, ephemeral: false, told: shared.told };
}

function found(store: EtcdStore, read: OldValue, state: State, own: Node | undefined): Found {
  const { bytes, told } = read;
  if (bytes === undefined) return { ...read, value: undefined };
  const version = makeVersion(store.context.store, state);
  const value = { bytes, version, ephemeral: own?.ttl !== undefined, told };
  if (state.shared === undefined) return { ...read, value };
  const why = sharedIsRead(store);
  return { ...read, value: { ...value, fixed: why, stays: why } };
}
