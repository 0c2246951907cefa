import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { HeldLock } from '../topo/held-lock.js';
import type { Lock } from '../topo/locks.js';
import type { MultiOp } from '../zookeeper/client.js';
import type { Entry } from './lock-entry.js';
import type { Holding } from './lock-session.js';
import type { Store } from './store.js';

/** Entries of the locks that are held in this process. */
const ENTRIES = new WeakMap<Lock, Entry>();

/** The lock that an entry which is first stands for. */
export function hold(store: Store, dir: string, entry: Entry): Lock {
  const holding: Holding = {
    abandon: (why, deadline) => {
      lock.lose(why);
      return entry.giveBack({ deadline }, true);
    },
  };
  const onGone = () => lock.lose(String(entry.gone.reason));
  const lock: HeldLock = new HeldLock(
    store.context,
    { dir: store.layout.shown(dir), entry: store.layout.shown(entry.path) },
    {
      holds: (options) => entry.holds(options),
      release: async (options) => {
        const released = entry.giveBack(options, true);
        store.locks.watch(released);
        return lock.isLost ? released.catch(() => false) : released;
      },
      stop: () => {
        entry.gone.removeEventListener('abort', onGone);
        store.locks.held.delete(holding);
        ENTRIES.delete(lock);
      },
    },
  );
  store.locks.held.add(holding);
  ENTRIES.set(lock, entry);
  entry.gone.addEventListener('abort', onGone);
  if (entry.gone.aborted) onGone();
  return lock;
}

/** What makes a transaction depend on a lock: it is sent over the session that owns the entry, with this check in it. */
export interface Fence {
  readonly lock: Lock;
  readonly entry: Entry;
  readonly check: MultiOp;
}

/** LockLost for a lock that is not held, or was not taken by this backend. Unavailable, Timeout …: nothing was written yet. */
export async function fenceOf(lock: Lock, options: CallOptions): Promise<Fence> {
  const entry = ENTRIES.get(lock);
  if (entry === undefined || !(await entry.mark(options))) {
    await lock.check(options);
    throw fenceBroken(lock);
  }
  return { lock, entry, check: { type: 'check', path: entry.znode, version: entry.version } };
}

/** The error of a write whose fence the servers refused. */
export function fenceBroken(lock: Lock, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.LockLost, 'the lock that the write depends on is not held', {
    path: lock.dir,
    store: lock.store,
    hint: 'nothing was written; look at what was done under the lock, then run the command again',
    cause,
  });
}
