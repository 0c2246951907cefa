import { isFreeLock } from '../../legacy/etcd-paths.js';
import type { CallOptions } from '../../topo/connection.js';
import { ELECTIONS, type LockRequest } from '../../topo/locks.js';
import { isBelow } from '../../topo/paths.js';
import type { Node } from './answers.js';
import { removeDirectories } from './empty.js';
import { changed, noRecord } from './error.js';
import { type Layout, lockEntry } from './layout.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';

/** What the file of a lock is given back to, where it stays. */
const FREE = '';

/** The file through which a directory is locked, or an election led. */
export interface LockPlace {
  /** Of the canonical tree. */
  readonly dir: string;
  /** Path of the record that stands for it. */
  readonly entry: string;
  readonly native: string;
  readonly purpose: LockRequest['purpose'];
}

export function lockPlace(layout: Layout, dir: string, purpose?: LockRequest['purpose']): LockPlace {
  const isElection = purpose === undefined ? isBelow(dir, ELECTIONS) : purpose === 'election';
  if (isElection) return { dir, entry: dir, native: layout.record(dir), purpose: 'election' };
  return { dir, entry: lockEntry(dir), native: layout.lock(dir), purpose: purpose ?? 'directory' };
}

/** Whether somebody holds the lock of a directory whose file is this. Where it is made and deleted with each use, any value is one that holds. */
export function isHeld(layout: Layout, dir: string, { value = '' }: Node): boolean {
  return !(mayStay(layout, dir) && isFreeLock(value));
}

/** Whether the file of the directory's lock may be there though nobody holds it. */
export function mayStay({ cell }: Layout, dir: string): boolean {
  return cell === undefined && /^keyspaces\/[^/]+(\/shards\/[^/]+)?$/.test(dir);
}

/**
 * Whether a lock that somebody holds has a file that stays: one that was there before it was taken. Vitess of 2016 and 2017 made it with each
 * use, and gave it a time to live.
 */
function stays(layout: Layout, dir: string, { ttl, createdIndex, modifiedIndex }: Node): boolean {
  return ttl === undefined && createdIndex !== modifiedIndex && mayStay(layout, dir);
}

/** Gives a lock back that is in the state of an index: false when it is in another. */
export async function freeLock(
  store: EtcdStore,
  { native, dir }: Pick<LockPlace, 'native' | 'dir'>,
  { prevIndex, fixed }: { readonly prevIndex: number; readonly fixed: boolean },
  options: CallOptions,
): Promise<boolean> {
  const answer = fixed
    ? await store.put(native, FREE, { prevIndex }, dir, options)
    : await store.remove(native, { prevIndex }, dir, options);
  if (answer.refused !== undefined) return false;
  if (!fixed) await removeDirectories(store, native, dir, options).catch(() => {});
  return true;
}

/** Breaks a lock, whoever holds it. NoNode when nobody does, BadVersion when it is in another state. */
export async function breakLock(
  store: EtcdStore,
  path: string,
  place: LockPlace,
  condition: { readonly prevIndex?: number },
  options: CallOptions,
): Promise<void> {
  const { layout, context } = store;
  const node = await readFile(store, place.native, path, options);
  if (node === undefined || !isHeld(layout, place.dir, node)) throw noRecord(context, path);
  const { prevIndex = node.modifiedIndex } = condition;
  const fixed = place.purpose !== 'election' && stays(layout, place.dir, node);
  if (!(await freeLock(store, place, { prevIndex, fixed }, options))) throw changed(context, path);
}
