import { interrupted, raceCall, timeLeft } from '../topo/calls.js';
import { Cancellation } from '../topo/cancellation.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { alreadyLocked } from '../topo/held-lock.js';
import type { Lock, LockRequest } from '../topo/locks.js';
import type { Queue } from './lock-create.js';
import { Entry } from './lock-entry.js';
import { hold } from './lock-hold.js';
import { findQueue, forsakeQueue } from './lock-queue.js';
import type { LockSession } from './lock-session.js';
import { type Wanted, waitForTurn } from './lock-wait.js';
import { allowChildren } from './parents.js';
import type { Store } from './store.js';

/** Milliseconds that an entry which is not wanted any more may take to go, before it is left to its session's end. */
const CLEAN_UP_MS = 10_000;

/**
 * Vitess's recipe: an ephemeral sequential znode in the directory of the lock holds it when its name is the lowest, and
 * watches the one just before it until then.
 */
export async function acquire(
  store: Store,
  request: LockRequest,
  options: CallOptions | undefined,
): Promise<Lock> {
  const { context } = store;
  const { dir } = request;
  timeLeft(context, options, dir);
  const ended = new Cancellation();
  const { closed, ending } = store;
  // Unless the caller sets a limit, a wait has none.
  const call = {
    signal: options?.signal === undefined ? ending : AbortSignal.any([closed, options.signal]),
    deadline: options?.deadline ?? Number.POSITIVE_INFINITY,
  };
  const limits = { signal: ended, deadline: options?.deadline };
  const wanted: Wanted = { store, request, limits, failure: undefined };
  const work = obtain(wanted);
  store.locks.watch(work);
  try {
    return await raceCall(context, call, { kind: 'read', path: dir, onEnd: () => ended.abort() }, work);
  } catch (error) {
    // It may have succeeded in the same moment.
    store.locks.watch(work.then((lock) => (ended.aborted ? lock.unlock() : undefined)));
    throw isTopologyError(error, ErrorCode.Timeout) ? (wanted.failure ?? error) : error;
  }
}

/** Queues, anew as often as the entry or its session is lost, until the lock is held. Leaves nothing behind when it fails. */
async function obtain(wanted: Wanted): Promise<Lock> {
  const { store, request } = wanted;
  try {
    return await queueUp(wanted);
  } catch (error) {
    const deadline = store.context.clock.now() + CLEAN_UP_MS;
    await forsakeQueue(store, request, { deadline });
    throw error;
  }
}

async function queueUp(wanted: Wanted): Promise<Lock> {
  const { store, request, limits } = wanted;
  for (let again = false; !limits.signal.aborted; again = true) {
    try {
      const lock = await attempt(wanted, again);
      if (lock !== undefined) return lock;
    } catch (error) {
      if (!request.wait || !isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) throw error;
      if (isTopologyError(error, ErrorCode.Unavailable)) wanted.failure = error;
      await store.pauseBeforeRetry(limits.signal);
    }
  }
  throw interrupted(store.context, request.dir);
}

/** Undefined when another attempt is to be made: the queue, the session or the entry went away. */
async function attempt(wanted: Wanted, again: boolean): Promise<Lock | undefined> {
  const { store, request, limits } = wanted;
  const queue = await findQueue(store, request, again, limits);
  if (limits.signal.aborted) return undefined;
  const session = await store.attempt({ kind: 'read', path: request.dir }, () =>
    store.locks.use(request.ttlMs),
  );
  wanted.failure = undefined;
  const entry = await enter(wanted, session, queue);
  if (entry === undefined) return undefined;
  store.sessions.delivered([session.client]);
  let turn: Awaited<ReturnType<typeof waitForTurn>> = 'out';
  try {
    turn = await waitForTurn(wanted, entry);
  } finally {
    if (turn !== 'first' || limits.signal.aborted) {
      const deadline = store.context.clock.now() + CLEAN_UP_MS;
      await entry.giveBack({ deadline }).catch(() => {});
    }
  }
  if (turn === 'behind') throw alreadyLocked(store.context, request.dir);
  if (turn === 'out' || limits.signal.aborted) return undefined;
  return hold(store, request.dir, entry);
}

/** Makes an entry; undefined when it is not to be had this time. */
async function enter(wanted: Wanted, session: LockSession, queue: Queue): Promise<Entry | undefined> {
  const { store, request, limits } = wanted;
  if (limits.signal.aborted) {
    session.leave();
    return undefined;
  }
  try {
    return await Entry.make(store, session, queue, request.contents);
  } catch (error) {
    if (session.over || isTopologyError(error, ErrorCode.NoNode)) return undefined;
    if (!isTopologyError(error, ErrorCode.Unauthorized)) throw error;
    const znode = store.znode(queue.path);
    for (const refused of [`${znode}/0`, znode])
      if (await allowChildren(store, refused, limits)) return undefined;
    throw error;
  }
}
