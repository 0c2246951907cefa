import { systemClock } from '../../topo/clock.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import {
  checkLockable,
  type FoundEntry,
  type FoundLock,
  findLocks,
  readLock,
} from '../../topo/found-locks.js';
import { makeLockContents } from '../../topo/lock-contents.js';
import { GLOBAL } from '../../topo/topology.js';
import { type Command, switchFlags } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, usage } from '../flags.js';
import { type Io, json } from '../io.js';
import { entryText, locksJson, locksText } from '../locks-text.js';
import { lookAt, storeOf } from '../looking.js';
import { LOCK_FLAGS, LOCK_WORDS, lockPlace } from './locks-place.js';

export const locksBreakCommand: Command = {
  command: 'break [address] [path]',
  describe:
    'delete what holds a lock, or with --left-over all empty lock directories; without --yes: only show it',
  words: LOCK_WORDS,
  flags: [
    ...LOCK_FLAGS,
    ...switchFlags('left-over'),
    ...switchFlags('yes', 'even-if-alive').map((spec) => ({ ...spec, spoken: true as const })),
  ],
  examples: [
    ['$0 locks break consul://c1:8500/vitess/global commerce/0 --yes', 'an orphan, for instance'],
    [
      '$0 locks break zk2://zk1:2181/vitess/global --left-over --yes',
      'what a killed freeze left in ZooKeeper',
    ],
  ],
  run: (flags, io, signal) =>
    lookAt(
      flags,
      io,
      signal,
      async ({ topology, scope = GLOBAL, word }) => {
        const store = await storeOf(topology, scope, signal);
        if (flags['left-over'] === true) return breakLeftOver(flags, io, { store, scope, word }, signal);
        const { dir } = lockPlace(flags, word);
        const lock = await readLock(store, dir, signal);
        await checkLockable(store, lock, signal);
        const now = systemClock.now();
        const text = flags['output'] !== 'json';
        const targets = targetsOf(lock, flags['even-if-alive'] === true);
        const count = targets.length + (lock.leftOver ? 1 : 0);
        if (text && count > 0) io.out(locksText(io, [lock], now));
        if (count > 0) checkAsked(flags, store, count, lock.dir);
        checkAlive(flags, store, lock, targets);
        const broken = [];
        for (const entry of targets) {
          const gone = await breakEntry(store, entry, signal);
          broken.push({ path: entry.path, gone });
          if (text) io.out(`${gone ? 'gone by itself' : 'broken'} ${entryText(lock, entry, now)}`);
        }
        if (lock.leftOver) {
          await clearLeftOver(store, dir, signal);
          if (text) io.out(clearedText(dir));
        }
        if (!text) {
          const [was] = locksJson([lock], now);
          io.out(json({ command: 'locks break', scope, store: store.store, lock: was, broken }));
        } else if (count === 0) io.out(`nobody holds the lock of ${dir}`);
        return Exit.Ok;
      },
      flags['yes'] === true ? 'write' : 'read',
    ),
};

/** Orphans, and who holds the lock unless there are orphans to delete and it is to be left alone. */
function targetsOf({ entries }: FoundLock, evenIfAlive: boolean): FoundEntry[] {
  const orphans = entries.filter(({ orphan }) => orphan);
  if (orphans.length > 0 && !evenIfAlive) return orphans;
  return entries.filter(({ holds, orphan }) => holds || orphan);
}

/** Removes every empty directory for locks, at once: a freeze that was killed leaves one for each keyspace and shard. */
async function breakLeftOver(
  flags: Flags,
  io: Io,
  { store, scope, word }: { readonly store: Connection; readonly scope: string; readonly word: string },
  signal: AbortSignal,
): Promise<Exit> {
  const of = ['name', 'even-if-alive'].find((name) => flags[name] !== undefined);
  if (word !== '' || of !== undefined)
    throw usage(
      `--left-over goes with no ${of === undefined ? 'path' : `--${of}`}`,
      'it removes empty directories, wherever they are; locks that are held, and orphans, are broken one by one',
    );
  const found = (await findLocks(store, '', signal)).filter(({ leftOver }) => leftOver);
  const text = flags['output'] !== 'json';
  const now = systemClock.now();
  if (text) io.out(found.length === 0 ? 'no empty directory was left behind' : locksText(io, found, now));
  if (found.length > 0) checkAsked(flags, store, found.length);
  for (const { dir } of found) {
    await clearLeftOver(store, dir, signal);
    if (text) io.out(clearedText(dir));
  }
  if (!text) {
    const locks = locksJson(found, now);
    io.out(json({ command: 'locks break', scope, store: store.store, locks }));
  }
  return Exit.Ok;
}

function clearedText(dir: string): string {
  return `removed the empty directory ${dir}/locks`;
}

/** Guard: not asked to do it. */
function checkAsked(flags: Flags, { store }: Connection, number: number, path?: string): void {
  if (flags['yes'] === true) return;
  const would = `${number > 1 ? `${number} entries` : '1 entry'} would be deleted`;
  throw new TopologyError(ErrorCode.Guard, would, { path, store, hint: 'to break the lock, add --yes' });
}

/** Guard: somebody is alive behind the lock. */
function checkAlive(flags: Flags, store: Connection, lock: FoundLock, targets: readonly FoundEntry[]): void {
  const of = { path: lock.dir, store: store.store };
  if (flags['even-if-alive'] === true || targets.every(({ orphan }) => orphan)) return;
  throw new TopologyError(ErrorCode.Guard, 'the lock belongs to a session or lease that is alive', {
    ...of,
    hint: 'stop its holder: the lock then ends with its time to live; or take it from a holder that works on with --even-if-alive',
  });
}

/** Who gives a lock back takes the directory away that this leaves empty. */
async function clearLeftOver(store: Connection, dir: string, signal: AbortSignal): Promise<void> {
  const now = systemClock.now();
  const contents = makeLockContents({ action: 'topo2topo locks break', now });
  const lock = await store.lock(dir, contents, { signal, deadline: now + CLEAR_MS });
  await lock.unlock();
}

const CLEAR_MS = 10_000;

/** Deletes an entry in the state that was seen, and no other. True when it was gone already. */
async function breakEntry(store: Connection, entry: FoundEntry, signal: AbortSignal): Promise<boolean> {
  try {
    await store.delete(entry.path, entry.version, { signal });
    return false;
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return true;
    if (!isTopologyError(error, ErrorCode.BadVersion)) throw error;
    throw new TopologyError(
      ErrorCode.BadVersion,
      'the lock changed while it was looked at: nothing is broken',
      {
        path: entry.path,
        store: store.store,
        hint: 'look again with topo2topo locks list',
        cause: error,
      },
    );
  }
}
