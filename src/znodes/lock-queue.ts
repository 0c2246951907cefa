import type { CallLimits } from '../topo/call-options.js';
import { ErrorCode } from '../topo/errors.js';
import { alreadyLocked, nothingToLock } from '../topo/held-lock.js';
import type { LockEntry, LockRequest } from '../topo/locks.js';
import { compareBytewise, joinPath, parentPath } from '../topo/paths.js';
import type { Stat, ZooKeeperClient } from '../zookeeper/client.js';
import type { Queue } from './lock-create.js';
import { ensureDirectory, removeLeftEmpty } from './parents.js';
import { type Store, settle } from './store.js';
import { makeVersion } from './version.js';
import { isOwned, type Znode } from './znode.js';

/** Name of an entry: what ZooKeeper appends to nothing. Negative when it has counted beyond 2^31. */
const ENTRY_NAME = /^-?\d{10}$/;
/** Entries that are read together. */
const READS_AT_A_TIME = 64;

/**
 * The queue of a lock; that of a name or an election is made when it is missing. NoNode: the directory to be locked does not exist. NodeExists: it is
 * locked, and there is to be no waiting. `again`: what was found before turned out to be old.
 */
export async function findQueue(
  store: Store,
  request: LockRequest,
  again: boolean,
  limits: CallLimits,
): Promise<Queue> {
  const { dir, purpose } = request;
  const path = store.layout.queue(dir, purpose);
  if (again) await bringUpToDate(store, dir, limits);
  if (!request.wait) await requireFree(store, dir, path, limits);
  const [directory, queue] = await Promise.all([
    purpose === 'directory' ? store.readZnode(dir, limits) : undefined,
    statOf(store, dir, path, limits),
  ]);
  if (purpose !== 'directory') {
    if (queue === undefined) await ensureDirectory(store, store.znode(path), dir, limits);
    return { dir, path, keep: '', missing: false };
  }
  // What comes with a record may be missing, and the record is in the directory all the same.
  const isRecord = store.layout.companions(dir).length > 0;
  if (directory === undefined || !(isRecord || store.isDirectory(dir, directory))) {
    if (!again) return findQueue(store, request, true, limits);
    throw nothingToLock(store.context, dir);
  }
  const others = directory.stat.numChildren - (queue === undefined ? 0 : 1);
  // What was empty before is to be so after; what becomes empty meanwhile goes, as it would without the lock.
  return { dir, path, keep: others > 0 || isBytes(directory) ? '' : dir, missing: queue === undefined };
}

/**
 * Removes a queue that is empty, and what that leaves empty above it: to Vitess's processes an empty one means that
 * somebody holds the lock. Never fails. `client`: the session over which the queue may have been made or used last.
 */
export async function removeEmptyQueue(
  store: Store,
  client: ZooKeeperClient,
  queue: Queue,
  options: CallLimits,
): Promise<void> {
  const znode = store.znode(queue.path);
  if (store.layout.stays(queue.path)) return;
  try {
    const { data, stat } = await client.getData(znode, store.request(options));
    if (stat.numChildren > 0 || (data?.byteLength ?? 0) > 0) return;
    store.directories.delete(znode);
    await client.delete(znode, stat.version, store.request(options));
  } catch {
    // Somebody else has removed it, or uses it.
    return;
  }
  await removeAbove(store, client, queue, options);
}

/** What the end of a queue leaves empty above it. Never fails. */
export function removeAbove(
  store: Store,
  client: ZooKeeperClient,
  { path, keep }: Queue,
  options: CallLimits,
): Promise<void> {
  return removeLeftEmpty(store, parentPath(path), options, { client, keep });
}

/** {@link removeEmptyQueue} for a call that ended without an entry: it may have made the queue, the last thing it did. */
export function forsakeQueue(store: Store, request: LockRequest, options: CallLimits): Promise<void> {
  const { dir, purpose } = request;
  const keep = purpose === 'directory' ? dir : '';
  const queue = { dir, path: store.layout.queue(dir, purpose), keep, missing: false };
  return removeEmptyQueue(store, store.sessions.primary, queue, options);
}

/** Not its data: that of a queue which does not exist would be an error, which costs more than a lock that is free. */
async function statOf(
  store: Store,
  dir: string,
  path: string,
  limits: CallLimits,
): Promise<Stat | undefined> {
  const asked = store.read(dir, limits, (client, request) => client.exists(store.znode(path), request));
  return (await asked).stat;
}

/** NodeExists when anybody is in the queue. Asks the leader first: nobody is turned away by a lock that is no more. */
async function requireFree(store: Store, dir: string, path: string, limits: CallLimits): Promise<void> {
  await bringUpToDate(store, dir, limits);
  const names = await namesIn(store, dir, path, limits);
  if (names.some((name) => ENTRY_NAME.test(name))) throw alreadyLocked(store.context, dir);
}

async function bringUpToDate(store: Store, dir: string, limits: CallLimits): Promise<void> {
  await store.read(dir, limits, (client, request) => client.sync('/', request));
}

async function namesIn(store: Store, dir: string, path: string, limits: CallLimits): Promise<string[]> {
  const listed = store.read(dir, limits, (client, request) => client.getChildren(store.znode(path), request));
  const names = (await settle(listed, ErrorCode.NoNode))?.children ?? [];
  return names.sort(compareBytewise);
}

/** The entries in a queue: see {@link Layout.queue}. */
export async function entriesIn(
  store: Store,
  dir: string,
  queue: string,
  options: CallLimits,
): Promise<LockEntry[]> {
  const names = await namesIn(store, dir, queue, options);
  const entries: LockEntry[] = [];
  for (let at = 0; at < names.length; at += READS_AT_A_TIME) {
    const paths = names.slice(at, at + READS_AT_A_TIME).map((name) => joinPath(queue, name));
    const znodes = await Promise.all(paths.map((path) => store.readZnode(path, options, dir)));
    for (const [index, path] of paths.entries()) {
      const znode = znodes[index];
      if (znode === undefined || !isEntry(znode)) continue;
      entries.push(describe(store, path, znode, entries.length === 0));
    }
  }
  return entries;
}

/** Nothing that locks has children: what has is a directory of the topology, of a keyspace that is called `locks`. */
export function isEntry({ stat }: Znode): boolean {
  return stat.numChildren === 0;
}

function describe(store: Store, path: string, { data, stat }: Znode, holds: boolean): LockEntry {
  return {
    path: store.layout.shown(path),
    version: makeVersion(store.context.store, stat),
    contents: Buffer.from(data ?? []).toString(),
    holds,
    owner: isOwned(stat) ? `0x${BigInt.asUintN(64, stat.ephemeralOwner).toString(16)}` : undefined,
    since: stat.ctime,
    ttlLeftMs: undefined,
  };
}

function isBytes({ data }: Znode): boolean {
  return data !== null && data.byteLength > 0;
}
