import type { CallOptions, Value } from '../../topo/connection.js';
import type { Version } from '../../topo/version.js';
import { changed, noRecord, recordExists } from './error.js';
import { breakLock, isLockVersion } from './lock.js';
import type { Part } from './part.js';
import type { Tree } from './tree.js';
import { makeVersion, readVersion, sameVersion } from './version.js';

export function get(part: Part, path: string, options?: CallOptions): Promise<Value> {
  return part.read(path, options, (tree) => {
    const entry = tree.get(path);
    if (entry === undefined) throw noRecord(part.store, path);
    return part.value(entry);
  });
}

export function create(part: Part, path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
  return put(part, path, bytes, options, (tree) => requireAbsent(part.store, tree, path));
}

export function update(
  part: Part,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options?: CallOptions,
): Promise<Version> {
  return put(part, path, bytes, options, (tree) => {
    if (version !== null) requireState(part.store, tree, path, version);
  });
}

export async function remove(
  part: Part,
  path: string,
  version: Version | null,
  options?: CallOptions,
): Promise<void> {
  if (version !== null && isLockVersion(version)) return breakLock(part, path, version, options);
  await part.write(path, options, (tree) => {
    requireState(part.store, tree, path, version);
    return [{ path, bytes: undefined }];
  });
}

/** NodeExists when there is a record. */
export function requireAbsent(store: string, tree: Tree, path: string): void {
  if (tree.get(path) !== undefined) throw recordExists(store, path);
}

/** NoNode when there is no record; BadVersion when it is in another state than the version names (null: any state). */
export function requireState(store: string, tree: Tree, path: string, version: Version | null): void {
  const wanted = version === null ? null : readVersion(store, version, path);
  const entry = tree.get(path);
  if (entry === undefined) throw noRecord(store, path);
  if (wanted !== null && !sameVersion(entry, wanted)) throw changed(store, path);
}

async function put(
  part: Part,
  path: string,
  bytes: Uint8Array,
  options: CallOptions | undefined,
  check: (tree: Tree) => void,
): Promise<Version> {
  // The caller may use its buffer again before the write has its turn.
  const own = new Uint8Array(bytes);
  const entries = await part.write(path, options, (tree) => {
    check(tree);
    return [{ path, bytes: own }];
  });
  return makeVersion(part.store, entryOf(entries, path));
}

function entryOf<T>(entries: ReadonlyMap<string, T>, path: string): T {
  const entry = entries.get(path);
  if (entry === undefined) throw new Error(`a write gave no entry for ${path}`);
  return entry;
}
