import { checkJsonSize } from '../../legacy/transcoder.js';
import type { CallOptions, WriteOp, WriteOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { changed, noRecord, recordExists } from '../../topo/refusals.js';
import { Version } from '../../topo/version.js';
import { write as writeNative } from '../../znodes/batch.js';
import { create as createNative, remove as removeNative, update as updateNative } from '../../znodes/file.js';
import { capabilitiesOf } from '../../znodes/limits.js';
import { about } from './about.js';
import { findMade } from './file.js';
import { checkGeneration } from './generation.js';
import type { LegacyStore } from './legacy-store.js';
import type { RecordPlace } from './own.js';
import { isSeveral, madeOfSeveral } from './read.js';

export async function create(
  legacy: LegacyStore,
  path: string,
  bytes: Uint8Array,
  options: CallOptions | undefined,
): Promise<Version> {
  const [version] = await single(legacy, { type: 'create', path, bytes }, options);
  if (version === undefined) throw new TypeError('a creation has a version');
  return version;
}

export async function update(
  legacy: LegacyStore,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options: CallOptions | undefined,
): Promise<Version> {
  if (jsonPlace(legacy, path) === undefined) {
    const native = nativeOf(legacy, path);
    return about(path, updateNative(legacy.store, native, bytes, version, options));
  }
  for (;;) {
    const made = await about(path, findMade(legacy, path, options));
    try {
      if (made === undefined && version === null) return await create(legacy, path, bytes, options);
      const expected = version ?? Version.of(legacy.store.context.store, made?.token ?? '');
      const [written] = await single(legacy, { type: 'update', path, bytes, version: expected }, options);
      if (written !== undefined) return written;
    } catch (error) {
      // Somebody else was there in between, whom an unconditional write does not mind.
      const isOvertaken = isTopologyError(
        error,
        ErrorCode.BadVersion,
        ErrorCode.NoNode,
        ErrorCode.NodeExists,
      );
      if (version !== null || !isOvertaken) throw error;
    }
  }
}

export async function remove(
  legacy: LegacyStore,
  path: string,
  version: Version | null,
  options: CallOptions | undefined,
): Promise<void> {
  const { store, places } = legacy;
  const entry = places.entry(path);
  if (entry !== undefined && (await store.readZnode(entry, options)) !== undefined)
    return about(path, removeNative(store, entry, version, options));
  await single(legacy, { type: 'delete', path, version }, options);
}

/** A batch: what comes with records, and goes with them, is in the same transaction. */
export async function write(
  legacy: LegacyStore,
  ops: readonly WriteOp[],
  options: WriteOptions,
): Promise<(Version | undefined)[]> {
  const natives = await Promise.all(
    ops.map((op, index) =>
      nativeOp(legacy, op, options).catch((error: unknown) => {
        throw isTopologyError(error) ? error.at(index) : error;
      }),
    ),
  );
  try {
    return await writeNative(legacy.store, natives, options);
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    const at = natives.findIndex(({ path }) => path === error.path);
    const path = ops[error.index ?? at]?.path;
    throw path === undefined ? error : error.about(path);
  }
}

/** One operation by the method for it, which needs no transaction where nothing comes or goes with the record. */
async function single(
  legacy: LegacyStore,
  op: WriteOp,
  options: CallOptions | undefined,
): Promise<(Version | undefined)[]> {
  const { store } = legacy;
  const native = await nativeOp(legacy, op, options);
  const { path } = native;
  if (store.layout.companions(path).length > 0 && native.type !== 'update') {
    try {
      return await about(op.path, writeNative(store, [native], options ?? {}));
    } catch (error) {
      throw isTopologyError(error) ? error.at(undefined) : error;
    }
  }
  switch (native.type) {
    case 'create':
      return [await about(op.path, createNative(store, path, native.bytes, options))];
    case 'update':
      return [await about(op.path, updateNative(store, path, native.bytes, native.version, options))];
    case 'delete':
      await about(op.path, removeNative(store, path, native.version, options));
      return [undefined];
    default:
      throw new TypeError('a check alone is no write');
  }
}

/** An operation as it is done to a record's own znode. */
async function nativeOp(
  legacy: LegacyStore,
  op: WriteOp,
  options: CallOptions | undefined,
): Promise<WriteOp> {
  const native = nativeOf(legacy, op.path);
  const place = jsonPlace(legacy, op.path);
  if (place === undefined) return { ...op, path: native };
  await checkMade(legacy, op, place, options);
  if (!('bytes' in op)) return { ...op, path: native };
  const bytes = await legacy.transcoder.write(place, op.bytes, options);
  const { maxValueBytes } = capabilitiesOf(legacy.store);
  checkJsonSize(op.path, bytes, maxValueBytes, legacy.store.context.store);
  return { ...op, path: native, bytes };
}

/** Refuses what cannot be done to a record as it is made. New records of most kinds need not be looked for. */
async function checkMade(
  legacy: LegacyStore,
  op: WriteOp,
  place: RecordPlace,
  options: CallOptions | undefined,
): Promise<void> {
  const mayBeSeveral = place.kind === 'VSchema' || place.kind === 'ShardReplication';
  if (!mayBeSeveral && op.type !== 'update') return;
  const { path } = op;
  const { context } = legacy.store;
  const made = await findMade(legacy, path, options);
  if (made?.bytes === undefined) {
    if (op.type === 'create' || (op.type === 'check' && op.version === null)) return;
    throw noRecord(context, path);
  }
  if (op.type === 'create' || (op.type === 'check' && op.version === null)) {
    throw recordExists(context, path);
  }
  if (op.version !== null && op.version.token !== made.token) throw changed(context, path);
  if (isSeveral(made)) throw madeOfSeveral(legacy, path, made);
  if (op.type === 'update') await checkGeneration(legacy, place, legacy.places.native(path), options);
}

function nativeOf({ store, places }: LegacyStore, path: string): string {
  try {
    return places.native(path);
  } catch (error) {
    throw isTopologyError(error) ? error.inStore(store.context.store) : error;
  }
}

/** The place of a record that is kept in JSON; undefined: it is kept byte for byte. */
function jsonPlace(legacy: LegacyStore, path: string): RecordPlace | undefined {
  const place = legacy.places.place(nativeOf(legacy, path));
  return place.is === 'record' ? place : undefined;
}
