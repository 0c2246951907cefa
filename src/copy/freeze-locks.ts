import pLimit from 'p-limit';
import type { Clock, Random } from '../topo/clock.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import type { Lock } from '../topo/locks.js';
import { parentPath } from '../topo/paths.js';
import { checkNamedLocks, holderOf, lockOrder, shardsIn } from './freeze-order.js';
import { sleep } from './pace.js';

/** How all locks of a topology are taken. */
export interface LockAllOptions extends CallOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What every lock says: see {@link makeLockContents}. */
  readonly contents: string;
  /** Milliseconds for which it is tried again, with nothing held in between. */
  readonly timeoutMs: number;
  /** When that time is over, in milliseconds since the epoch. */
  readonly until: number;
  /** Told of each try that met somebody else's lock, and what it was. */
  readonly onMiss?: ((tries: number, holder: string) => void) | undefined;
}

/** Locks asked for at the same time. */
const AT_ONCE = 16;
/** Milliseconds between two tries: a half of it at least, the rest by chance. */
const PAUSE_MS = 400;

/** All locks of a topology, held. */
export class AllLocks {
  readonly locks: readonly Lock[];
  /** When the first of them was taken, in milliseconds since the epoch. */
  readonly since: number;
  /** Tries that it took. */
  readonly tries: number;
  /** Fires when one of them is lost; its reason is the LockLost of that. */
  readonly lost: AbortSignal;

  constructor(locks: readonly Lock[], since: number, tries: number) {
    this.locks = locks;
    this.since = since;
    this.tries = tries;
    this.lost = AbortSignal.any(locks.map(({ lost }) => lost));
  }

  /** Directories in which the entries of these locks, and of those who wait for them, are. */
  get queues(): ReadonlySet<string> {
    return new Set(this.locks.map(({ entry }) => parentPath(entry)));
  }

  /** Asks the store for every one of them: LockLost unless all are held. */
  async check(options: CallOptions): Promise<void> {
    const limit = pLimit(AT_ONCE);
    await Promise.all(this.locks.map((lock) => limit(() => lock.check(options))));
  }

  /** Gives all back; what could not be given back, and why. Never throws, and takes no signal. */
  giveBack(): Promise<readonly NotGivenBack[]> {
    return giveBack(this.locks);
  }
}

/** A lock that was not given back: lost, or the store could not be told, where it ends by itself. */
export interface NotGivenBack {
  readonly dir: string;
  readonly error: unknown;
}

/**
 * Locks every keyspace and shard, and the routing rules, or nothing: a lock that somebody else has gives all back, and then they are
 * tried again. It never waits for one while it holds another. Guard when somebody else's are in the way until the time is over, and at
 * once for a named lock, which a workflow holds while it switches traffic.
 */
export async function lockAll(store: Connection, options: LockAllOptions): Promise<AllLocks> {
  const { clock, random, timeoutMs, until, onMiss } = options;
  const call = { signal: options.signal, deadline: Math.min(until, options.deadline ?? until) };
  let met: { readonly miss: Miss; readonly holder: string } | undefined;
  // Where the time is over before a store has answered, what was in the way until then is what there is to say.
  const inTime = (error: unknown): never => {
    const isOver = isTopologyError(error, ErrorCode.Timeout) && clock.now() >= until;
    if (!isOver) throw error;
    throw met === undefined
      ? tookTooLong(timeoutMs, error)
      : notToBeHad(store, met.miss, met.holder, tries, timeoutMs);
  };
  let tries = 1;
  for (; ; tries++) {
    await checkNamedLocks(store, call).catch(inTime);
    const since = clock.now();
    const order = lockOrder(await shardsIn(store, call).catch(inTime));
    const taken = await takeAll(store, order, options.contents, call);
    let miss = taken.miss;
    if (miss === undefined)
      try {
        // A switch of traffic, or a new shard, may have begun before the locks were held.
        await checkNamedLocks(store, call);
        const now = lockOrder(await shardsIn(store, call));
        const added = now.find((dir) => !order.includes(dir));
        if (added === undefined && now.length === order.length)
          return new AllLocks(taken.locks, since, tries);
        miss = { dir: added ?? 'keyspaces', error: undefined };
      } catch (error) {
        const left = await giveBack(taken.locks);
        if (left.length === 0) inTime(error);
        throw withLeft(error, left);
      }
    const left = await giveBack(taken.locks);
    if (!isHeld(miss.error)) {
      if (left.length === 0) inTime(miss.error);
      throw withLeft(miss.error, left);
    }
    // One that stays would be taken for somebody else's at the next try.
    if (left[0] !== undefined) throw withLeft(left[0].error, left);
    const known = met?.miss.dir === miss.dir ? met.holder : `${miss.dir}, by somebody`;
    const holder = (await holderOf(store, miss.dir, call)) ?? known;
    met = { miss, holder };
    onMiss?.(tries, holder);
    const pause = (PAUSE_MS * (1 + random())) / 2;
    if (clock.now() + pause >= until) throw notToBeHad(store, miss, holder, tries, timeoutMs);
    await sleep(clock, pause, options.signal);
  }
}

interface Miss {
  readonly dir: string;
  /** Undefined: the directory is new. */
  readonly error: unknown;
}

/** Takes locks in their order, several at a time, until one is not to be had. Those that were taken are the caller's to give back. */
async function takeAll(
  store: Connection,
  order: readonly string[],
  contents: string,
  call: CallOptions,
): Promise<{ readonly locks: readonly Lock[]; readonly miss: Miss | undefined }> {
  const limit = pLimit(AT_ONCE);
  const locks: Lock[] = [];
  const misses: Miss[] = [];
  const take = async (dir: string) => {
    if (misses.length > 0) return;
    try {
      locks.push(await store.tryLock(dir, contents, call));
    } catch (error) {
      // Nobody can lock a directory that is not there; whoever makes it is found by what moved.
      if (!isTopologyError(error, ErrorCode.NoNode)) misses.push({ dir, error });
    }
  };
  await Promise.all(order.map((dir) => limit(() => take(dir))));
  return { locks, miss: misses.find(({ error }) => !isHeld(error)) ?? misses[0] };
}

function isHeld(error: unknown): boolean {
  return error === undefined || isTopologyError(error, ErrorCode.NodeExists);
}

async function giveBack(locks: readonly Lock[]): Promise<readonly NotGivenBack[]> {
  const limit = pLimit(AT_ONCE);
  const given = await Promise.all(
    locks.map((lock) =>
      limit(() =>
        lock.unlock().then(
          () => undefined,
          (error: unknown) => ({ dir: lock.dir, error }),
        ),
      ),
    ),
  );
  return given.filter((each) => each !== undefined);
}

/** The same error, naming what was not given back. */
export function withLeft(error: unknown, left: readonly NotGivenBack[]): unknown {
  const kept = left.filter(({ error: why }) => !isTopologyError(why, ErrorCode.LockLost));
  if (kept.length === 0 || !isTopologyError(error)) return error;
  const dirs = kept.map(({ dir }) => dir).join(', ');
  return error.withHint(
    `${error.hint === undefined ? '' : `${error.hint}; `}these locks could not be given back, and end by themselves: ${dirs} (topo2topo locks list)`,
  );
}

/** A freeze whose time was over before it was done. Timeout. */
export function tookTooLong(timeoutMs: number, cause?: unknown): TopologyError {
  return new TopologyError(
    ErrorCode.Timeout,
    `the freeze was not done within ${timeoutMs / 1000} s, and gave everything back`,
    {
      hint: 'nothing is certified; copy again, so that less is left to be done under the locks, or give a longer --freeze-timeout',
      retryable: false,
      cause,
    },
  );
}

function notToBeHad(
  store: Connection,
  { dir, error }: Miss,
  holder: string,
  tries: number,
  timeoutMs: number,
): TopologyError {
  return new TopologyError(
    ErrorCode.Guard,
    `the locks of the source were not to be had together in ${timeoutMs / 1000} s and ${tries} tries; the last held by others was ${holder}`,
    {
      path: dir,
      store: store.store,
      hint: 'nothing is locked any more: wait until that is done (topo2topo locks list), then freeze again',
      cause: error,
    },
  );
}
