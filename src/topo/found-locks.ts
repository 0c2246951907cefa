import pLimit from 'p-limit';
import type { Connection, StoredRecord } from './connection.js';
import { ErrorCode, isTopologyError, TopologyError } from './errors.js';
import { classify } from './kinds.js';
import { type LockContents, parseLockContents } from './lock-contents.js';
import { ELECTIONS, type LockEntry, NAMED_LOCKS } from './locks.js';
import { parentPath } from './paths.js';

/** What is locked. */
export interface LockPlace {
  readonly type: 'keyspace' | 'shard' | 'tablet' | 'name' | 'election' | 'directory';
  /** `<keyspace>`, `<keyspace>/<shard>`, the alias, the name, or the directory. */
  readonly name: string;
  /** Relative to the root. */
  readonly dir: string;
}

/** A lock or an election that somebody holds or waits for. */
export interface FoundLock extends LockPlace {
  /** In order, where the store knows it. */
  readonly entries: readonly FoundEntry[];
  /**
   * An empty directory for entries was left behind, as ZooKeeper can have it. Nobody holds the lock, and Vitess's try-lock
   * takes it for held.
   */
  readonly leftOver: boolean;
}

export interface FoundEntry extends LockEntry {
  /** What the entry says, where it is written as Vitess writes it. */
  readonly said: LockContents | undefined;
  /** Belongs to no session or lease: it stays, and locks, until somebody deletes it. */
  readonly orphan: boolean;
}

/**
 * Every lock and election at and below a path of one store: one scan finds where they are, then each is asked for. NoNode
 * where there is nothing at all: a name that is misspelt is not to look like one that is free.
 */
export async function findLocks(store: Connection, below: string, signal: AbortSignal): Promise<FoundLock[]> {
  const search = new LockSearch();
  let isThere = onlyWhileLocked(below);
  for await (const page of store.scan(below, { signal }))
    for (const record of page.records) {
      isThere = true;
      search.add(record);
    }
  if (!isThere)
    throw new TopologyError(ErrorCode.NoNode, 'there is nothing below this path', {
      path: below,
      store: store.store,
      hint: below === '' ? 'check the server and the root' : 'topo2topo ls shows what is there',
    });
  return search.find(store, signal);
}

/** Finds locks and elections among records that somebody else reads. */
export class LockSearch {
  readonly #dirs = new Set<string>();
  readonly #lockable = new Set<string>();

  /** Takes note of a record of the store, whatever it is. */
  add(record: StoredRecord): void {
    for (const dir of lockedBy(record)) this.#dirs.add(dir);
    const { kind } = classify('global', record.path, record.ephemeral);
    if (kind === 'Keyspace' || kind === 'Shard') this.#lockable.add(parentPath(record.path));
    if (kind === 'KeyspaceRoutingRules') this.#lockable.add(parentPath(parentPath(record.path)));
  }

  /** The locks and elections that the records point to, asked for one by one. */
  async find(store: Connection, signal: AbortSignal): Promise<FoundLock[]> {
    const dirs = new Set(this.#dirs);
    if (store.capabilities.emptyDirectories) {
      const limit = pLimit(READS_AT_ONCE);
      await limit.map(this.#lockable, async (dir) => {
        if (!dirs.has(dir) && (await isLeftOver(store, dir, signal))) dirs.add(dir);
      });
    }
    const found = [];
    for (const dir of [...dirs].sort()) {
      const lock = await readLock(store, dir, signal);
      if (lock.entries.length > 0 || lock.leftOver) found.push(lock);
    }
    return found;
  }
}

/** Whether a path exists only while somebody locks or leads there. */
function onlyWhileLocked(path: string): boolean {
  const [first] = path.split('/');
  return first === ELECTIONS || first === NAMED_LOCKS.split('/')[0];
}

/** The lock of one directory; without entries when nobody has to do with it. */
export async function readLock(
  store: Connection,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<FoundLock> {
  const entries = await store.lockQueue(dir, { signal }).catch((error: unknown) => {
    if (isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  });
  const place = placeOf(dir);
  const counting = entries.filter((entry) => !isResigned(store, place, entry));
  const leftOver =
    entries.length === 0 && place.type !== 'election' && (await isLeftOver(store, dir, signal));
  return {
    ...place,
    leftOver,
    entries: counting.map((entry) => ({
      ...entry,
      said: place.type === 'election' ? undefined : parseLockContents(entry.contents),
      // What waits for a tablet is an order, and the tablet's process deletes it.
      orphan: entry.owner === undefined && place.type !== 'tablet',
    })),
  };
}

/**
 * Whether an entry is what a candidate left behind that leads no more. In Consul Vitess's leave their key when they stop: the next one takes it
 * over, and there are no try-locks of elections that it could stop.
 */
function isResigned(store: Connection, { type, dir }: LockPlace, { owner, path }: LockEntry): boolean {
  const { lockRecord, locksStay } = store.capabilities;
  const isTakenOver = lockRecord !== undefined && locksStay !== true;
  return type === 'election' && owner === undefined && path === dir && isTakenOver;
}

async function isLeftOver(store: Connection, dir: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { emptyDirectories, form } = store.capabilities;
  // In the retired formats every keyspace and shard has one, always.
  if (!emptyDirectories || form !== undefined) return false;
  try {
    return (await store.listDir(`${dir}/locks`, { signal })).length === 0;
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return false;
    throw error;
  }
}

const READS_AT_ONCE = 16;

/**
 * The directories whose lock or election a record may be an entry of. What is said to lock a directory that is none of the
 * product's is sorted out by its queue, which is then empty.
 */
function lockedBy({ path, ephemeral }: StoredRecord): string[] {
  const { kind } = classify('global', path, ephemeral);
  switch (kind) {
    case 'Lock':
      return lockDir(path);
    case 'Election':
      return electionDirs(path);
    // Any directory can be locked, not only those that Vitess locks.
    case 'Ephemeral':
      return lockDir(path);
    // A plain file called Lock, where Vitess locks, stops whoever locks in Consul.
    case 'Unknown':
      return classify('global', path, true).kind === 'Lock' ? lockDir(path) : [];
    default:
      return [];
  }
}

/** ZooKeeper and etcd: `<dir>/locks/<entry>`; Consul: `<dir>/Lock`; etcd of old: `<dir>/_Lock`. */
function lockDir(path: string): string[] {
  const dir = /^(.+)\/(?:locks\/[^/]+|_?Lock)$/.exec(path)?.[1];
  return dir === undefined ? [] : [dir];
}

/** Consul: `elections/<name>`; ZooKeeper: `elections/<name>/<number>`; etcd: `elections/<name>/locks/<lease>`. */
function electionDirs(path: string): string[] {
  const [, above] = /^(.+)\/locks\/[^/]+$/.exec(path) ?? [];
  if (above !== undefined) return [above];
  const [, numbered] = /^(.+)\/\d{10}$/.exec(path) ?? [];
  return numbered === undefined || numbered === ELECTIONS ? [path] : [numbered];
}

/** Refuses a directory that does not exist, where nobody holds a lock. NoNode. */
export async function checkLockable(store: Connection, lock: FoundLock, signal: AbortSignal): Promise<void> {
  const isFree = lock.entries.length === 0 && !lock.leftOver;
  if (isFree && !onlyWhileLocked(lock.dir)) await store.listDir(lock.dir, { signal });
}

/** What a directory is, by where it is. */
export function placeOf(dir: string): LockPlace {
  const [, shardOf, shard] = /^keyspaces\/([^/]+)\/shards\/([^/]+)$/.exec(dir) ?? [];
  if (shardOf !== undefined) return { type: 'shard', name: `${shardOf}/${shard}`, dir };
  const [, keyspace] = /^keyspaces\/([^/]+)$/.exec(dir) ?? [];
  if (keyspace !== undefined) return { type: 'keyspace', name: keyspace, dir };
  const [, alias] = /^tablets\/([^/]+)$/.exec(dir) ?? [];
  if (alias !== undefined) return { type: 'tablet', name: alias, dir };
  if (dir.startsWith(`${NAMED_LOCKS}/`))
    return { type: 'name', name: dir.slice(NAMED_LOCKS.length + 1), dir };
  if (dir.startsWith(`${ELECTIONS}/`))
    return { type: 'election', name: dir.slice(ELECTIONS.length + 1), dir };
  return { type: 'directory', name: dir, dir };
}
