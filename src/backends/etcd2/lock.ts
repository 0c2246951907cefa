import { setMaxListeners } from 'node:events';
import type { CallLimits } from '../../topo/call-options.js';
import { timeLeft } from '../../topo/calls.js';
import { Cancellation, type CancelSignal } from '../../topo/cancellation.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { alreadyLocked, HeldLock, nothingToLock } from '../../topo/held-lock.js';
import type { Lock, LockEntry, LockRequest } from '../../topo/locks.js';
import type { EtcdClient } from './client.js';
import { isLeased } from './file.js';
import { pauseAfter, queueUp, type Wanted, waitForTurn } from './lock-wait.js';
import { type Place, queueOf, timeToLive } from './place.js';
import { makeVersion } from './version.js';

/** The places behind the locks, for {@link placeOf}. */
const places = new WeakMap<Lock, Place>();

/** What the store knows of a lock; undefined: it was not taken here, or is known to be held no more. */
export function placeOf(lock: Lock): Place | undefined {
  const place = places.get(lock);
  return place?.stopped ? undefined : place;
}

/** Locks as Vitess does: goes to the end of the queue and waits until nobody is before. */
export function acquire(
  client: EtcdClient,
  request: LockRequest,
  options: CallOptions | undefined,
): Promise<Lock> {
  return client.locks.track(wait(client, request, options));
}

/** Who is in the queue of a lock, the holder first. */
export async function lockQueue(client: EtcdClient, dir: string, options: CallOptions): Promise<LockEntry[]> {
  const queue = queueOf(dir);
  const request = { ...client.keys.below(queue), sort_target: 'Mod', sort_order: 'Ascend' } as const;
  const { kvs } = await client.read('range', request, dir, options);
  return Promise.all(
    kvs.map(async (kv, i) => ({
      path: client.keys.path(kv.key),
      version: makeVersion(client.context.store, kv.mod_revision),
      contents: kv.value.toString(),
      holds: i === 0,
      owner: isLeased(kv) ? kv.lease : undefined,
      since: undefined,
      ttlLeftMs: isLeased(kv) ? ((await timeToLive(client, kv.lease, dir, options)) ?? 0) : undefined,
    })),
  );
}

async function wait(
  client: EtcdClient,
  request: LockRequest,
  options: CallOptions | undefined,
): Promise<Lock> {
  const over = new Cancellation();
  const sources: readonly CancelSignal[] =
    options?.signal === undefined ? [client.ending] : [client.ending, options.signal];
  const end = () => over.abort(sources.find((source) => source.aborted)?.reason);
  for (const source of sources) {
    // Many calls share one signal; Node would take that for a leak.
    if (source instanceof AbortSignal) setMaxListeners(0, source);
    source.addEventListener('abort', end);
    if (source.aborted) end();
  }
  const call = { signal: over, deadline: options?.deadline };
  const wanted: Wanted = { client, request, call, failure: undefined };
  try {
    return await takeLock(wanted);
  } catch (error) {
    throw isTopologyError(error, ErrorCode.Timeout) ? (wanted.failure ?? error) : error;
  } finally {
    for (const source of sources) source.removeEventListener('abort', end);
  }
}

async function takeLock(wanted: Wanted): Promise<Lock> {
  const { client, request, call } = wanted;
  const { dir } = request;
  let checked = false;
  for (let round = 0; ; round++) {
    try {
      if (!checked) await checkFree(wanted);
      checked = true;
      const place = await queueUp(wanted);
      wanted.failure = undefined;
      if (place !== undefined && (await waitForTurn(wanted, place))) return hold(client, dir, place);
      timeLeft(client.context, call, dir);
    } catch (error) {
      await pauseAfter(wanted, error, round);
    }
  }
}

/** NoNode when there is nothing to lock, and, for those who do not wait, NodeExists when somebody is in the queue. */
async function checkFree({ client, request, call }: Wanted): Promise<void> {
  const { dir, purpose, wait } = request;
  if (purpose === 'directory' && !(await hasKeys(client, dir, dir, call)))
    throw nothingToLock(client.context, dir);
  if (!wait && (await hasKeys(client, queueOf(dir), dir, call))) throw alreadyLocked(client.context, dir);
}

async function hasKeys(client: EtcdClient, prefix: string, dir: string, call: CallLimits): Promise<boolean> {
  const request = { ...client.keys.below(prefix), keys_only: true, limit: 1 };
  return (await client.read('range', request, dir, call)).kvs.length > 0;
}

function hold(client: EtcdClient, dir: string, place: Place): Lock {
  const lock = new HeldLock(
    client.context,
    { dir, entry: place.path },
    {
      holds: (options) => place.holds(options),
      release: (options) => client.locks.track(place.release(options)),
      stop: () => {
        place.stop();
        client.locks.remove(lock);
      },
    },
  );
  const onGone = () => lock.lose(place.loss?.why ?? '', place.loss?.cause);
  place.gone.addEventListener('abort', onGone);
  if (place.gone.aborted) onGone();
  places.set(lock, place);
  client.locks.add(lock);
  return lock;
}
