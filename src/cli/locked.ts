import { hostname } from 'node:os';
import { systemClock } from '../topo/clock.js';
import type { Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { readLock } from '../topo/found-locks.js';
import { makeLockContents } from '../topo/lock-contents.js';
import type { Lock } from '../topo/locks.js';
import type { Topology } from '../topo/topology.js';
import type { Io } from './io.js';
import { entryText } from './locks-text.js';

/** How long Vitess waits for a lock (`--lock-timeout`). */
const LOCK_WAIT_MS = 45_000;

/** A directory of the global store, and what its lock says of who holds it. */
export interface LockWish {
  readonly dir: string;
  /** As Vitess names it. */
  readonly action: string;
}

/** How long to wait for a lock. */
export interface LockWait {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds for each lock. Default: as long as Vitess waits. */
  readonly waitMs?: number | undefined;
}

/** What work under locks has of them. */
export interface Held {
  /** Fires when a lock is lost, or the caller's does. */
  readonly signal: AbortSignal | undefined;
  /** Asks the store: LockLost unless all are held. */
  check(): Promise<void>;
}

/**
 * Runs `work` while directories are locked as Vitess locks them, one after the other. NoNode for a directory that is not there;
 * Timeout when somebody else holds a lock for long; LockLost.
 */
export async function whileLocked<T>(
  topology: Topology,
  wishes: readonly LockWish[],
  io: Io,
  { signal, waitMs = LOCK_WAIT_MS }: LockWait,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const [wish, ...rest] = wishes;
  if (wish === undefined) return work({ signal, check: async () => {} });
  const lock = await take(topology, wish, io, { signal, waitMs });
  try {
    const either = AbortSignal.any(signal ? [signal, lock.lost] : [lock.lost]);
    return await whileLocked(topology, rest, io, { signal: either, waitMs }, (inner) =>
      work({
        signal: inner.signal,
        async check() {
          await lock.check({ signal });
          await inner.check();
        },
      }),
    );
  } finally {
    await lock.unlock();
  }
}

async function take(
  { global }: Topology,
  { dir, action }: LockWish,
  io: Io,
  { signal, waitMs }: { readonly signal: AbortSignal | undefined; readonly waitMs: number },
): Promise<Lock> {
  const now = systemClock.now();
  const contents = makeLockContents({ action, host: hostname(), user: io.env['USER'], now });
  try {
    return await global.lock(dir, contents, { signal, deadline: now + waitMs });
  } catch (error) {
    throw await notToBeHad(error, global, dir, signal);
  }
}

/** Who holds the lock of a directory, in a line for messages; undefined: nobody. */
export async function holderOf(
  store: Connection,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const found = await readLock(store, dir, signal);
  const [first] = found.entries;
  return first === undefined ? undefined : entryText(found, first, systemClock.now());
}

/** The error of a lock that somebody else has, saying who; any other error as it is. */
export async function notToBeHad(
  error: unknown,
  store: Connection,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (!isTopologyError(error, ErrorCode.NodeExists, ErrorCode.Timeout)) return error;
  const by = await holderOf(store, dir, signal).catch(() => undefined);
  return new TopologyError(error.code, `the lock of ${dir} was not to be had`, {
    path: dir,
    store: store.store,
    hint: by === undefined ? 'it is free by now: try again' : `it is held by ${by}`,
    cause: error,
  });
}
