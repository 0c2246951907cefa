import { isFreeLock } from '../../legacy/etcd-paths.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import type { Node } from './answers.js';
import { removeDirectories } from './empty.js';
import { listNative, readFile, readMany } from './read-many.js';
import type { EtcdStore } from './store.js';

/** Keyspaces that are looked at to see how a store has its locks. */
const NEIGHBOURS = 8;

/**
 * Makes what comes with a record, before it: what a crash leaves is then no record without its lock. The answer takes away again what was
 * made.
 */
export async function addCompanions(
  store: EtcdStore,
  path: string,
  options: CallOptions,
): Promise<() => Promise<void>> {
  const made: [native: string, index: number][] = [];
  for (const [native, value] of store.layout.companions(path)) {
    if (!(await locksStay(store, native, path, options))) continue;
    const { node } = await store.put(native, value, { prevExist: false }, path, options);
    if (node !== undefined) made.push([native, node.modifiedIndex]);
  }
  return async () => {
    for (const [native, prevIndex] of made) {
      await store.remove(native, { prevIndex }, path, options).catch(() => {});
      await removeDirectories(store, native, path, options).catch(() => {});
    }
  };
}

/** Takes away what came with a record, and the directories that it left empty. The record is gone whatever becomes of them. */
export async function clear(
  store: EtcdStore,
  { path, native }: { readonly path: string; readonly native: string },
  options: CallOptions,
): Promise<void> {
  try {
    for (const [companion] of store.layout.companions(path)) {
      const node = await readFile(store, companion, path, options);
      // Whoever holds it gives it back.
      if (node === undefined || !isFreeLock(node.value ?? '')) continue;
      await store.remove(companion, { prevIndex: node.modifiedIndex }, path, options);
    }
    await removeDirectories(store, native, path, options);
  } catch (error) {
    if (!isTopologyError(error)) throw error;
  }
}

/**
 * Whether the file of a lock stays when it is given back, by what is there already: that of a shard's keyspace, or of another keyspace. Where
 * Vitess of 2016 and 2017 made them they do not, and a file that is there would be taken for a lock that is held for ever.
 */
async function locksStay(
  store: EtcdStore,
  lock: string,
  about: string,
  options: CallOptions,
): Promise<boolean> {
  const [, keyspace = '', shard = ''] = /^keyspaces\/([^/]+)\/(?:([^/]+)\/)?_Lock$/.exec(lock) ?? [];
  const listed = shard === '' ? await listNative(store, 'keyspaces', about, options) : undefined;
  const others = (listed ?? []).map(({ key }) => store.layout.native(key));
  const neighbours = shard === '' ? others.slice(0, NEIGHBOURS) : [`keyspaces/${keyspace}`];
  const natives = neighbours.flatMap((directory) => [`${directory}/_Data`, `${directory}/_Lock`]);
  const files = await readMany(store, natives, about, options);
  for (let i = 0; i < files.length; i += 2) if (files[i] !== undefined) return isLasting(files[i + 1]);
  return true;
}

function isLasting(lock: Node | undefined): boolean {
  if (lock === undefined || lock.ttl !== undefined) return false;
  return isFreeLock(lock.value ?? '') || lock.createdIndex !== lock.modifiedIndex;
}
