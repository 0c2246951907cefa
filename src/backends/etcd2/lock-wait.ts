import type { CallLimits } from '../../topo/call-options.js';
import { raceCall, timeLeft } from '../../topo/calls.js';
import { Cancellation, type CancelSignal, firstOf } from '../../topo/cancellation.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../../topo/errors.js';
import { alreadyLocked } from '../../topo/held-lock.js';
import type { LockRequest } from '../../topo/locks.js';
import type { EtcdClient } from './client.js';
import { Place, type QueueKey, RELEASE_MS } from './place.js';
import { watch } from './watch.js';

/** Milliseconds for which a wait that was cut short stays to leave the queue before it goes on with that unseen. */
const MOMENT_MS = 250;

/** One call for a lock, from its beginning to its end. */
export interface Wanted {
  readonly client: EtcdClient;
  readonly request: LockRequest;
  /** Its signal fires at the end of the connection, too. */
  readonly call: CallLimits & { readonly signal: CancelSignal };
  /** The latest failure to reach the servers, unless they have answered since. */
  failure: TopologyError | undefined;
}

/** Takes a place at the end of the queue; undefined: whether it was taken is not known, it is given back. */
export async function queueUp(wanted: Wanted): Promise<Place | undefined> {
  const { client, request, call } = wanted;
  const { dir, contents, ttlMs = client.lockTtlMs } = request;
  const abandoned = new Cancellation();
  let taking: Promise<Place> | undefined;
  const onEnd = () => {
    abandoned.abort();
    if (taking !== undefined) giveBack(client, taking);
  };
  try {
    return await raceCall(client.context, call, { kind: 'read', path: dir, onEnd }, () => {
      taking = Place.take(client, dir, { contents, ttlMs }, abandoned);
      return taking;
    });
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.OutcomeUnknown, ErrorCode.LockLost)) throw error;
    if (request.wait) return undefined;
    // Without its lease the key cannot come, or stay: what is left is that nobody answered.
    throw isTopologyError(error.cause) ? error.cause : error;
  }
}

/** Waits until nobody is before; false: the place was lost. Whatever else ends the wait, the place is given back. */
export async function waitForTurn(wanted: Wanted, place: Place): Promise<boolean> {
  const { client, call, request } = wanted;
  let failure: unknown;
  try {
    if (await becomesFirst(wanted, place)) return true;
  } catch (error) {
    failure = error;
  }
  await leave(client, place);
  timeLeft(client.context, call, request.dir);
  if (place.loss === undefined) throw failure;
  const { cause } = place.loss;
  if (cause !== undefined && !isPassing(cause)) throw cause;
  return false;
}

async function becomesFirst(wanted: Wanted, place: Place): Promise<boolean> {
  const { client, call, request } = wanted;
  if (place.ahead === undefined) return !place.gone.aborted;
  const limits = { signal: firstOf(place.gone, call.signal), deadline: call.deadline };
  for (let round = 0; !place.gone.aborted; round++) {
    try {
      const before = await place.before(limits);
      wanted.failure = undefined;
      if (before === undefined) return !place.gone.aborted;
      if (!request.wait) throw alreadyLocked(client.context, request.dir);
      await untilChanged(client, before, limits);
      round = 0;
    } catch (error) {
      await pauseAfter(wanted, error, round);
    }
  }
  return false;
}

async function untilChanged(
  client: EtcdClient,
  { path, revision }: QueueKey,
  limits: CallLimits,
): Promise<void> {
  for await (const { value } of watch(client, path, limits)) if (value?.version.token !== revision) return;
}

/** Gives a place back, for moments while the caller waits, then unseen. */
async function leave(client: EtcdClient, place: Place): Promise<void> {
  let cancel = () => {};
  const moment = new Promise<void>((resolve) => {
    cancel = client.context.clock.schedule(MOMENT_MS, resolve);
  });
  await Promise.race([giveBack(client, Promise.resolve(place)), moment]);
  cancel();
}

/** What cannot be given back goes away when its lease is over. */
function giveBack(client: EtcdClient, taking: Promise<Place>): Promise<unknown> {
  const release = async () => {
    const place = await taking;
    await place.release({ deadline: client.context.clock.now() + RELEASE_MS });
  };
  return client.locks.track(release().catch(() => {}));
}

/** Waits before another try after what will pass; throws what ends the wait for the lock. */
export async function pauseAfter(wanted: Wanted, error: unknown, round: number): Promise<void> {
  const { client, request, call } = wanted;
  if (!request.wait || !isPassing(error)) throw error;
  if (isTopologyError(error, ErrorCode.Unavailable)) wanted.failure = error;
  timeLeft(client.context, call, request.dir);
  await client.pause(round, call.signal);
  timeLeft(client.context, call, request.dir);
}

/** Whether the same may go well a moment later. */
function isPassing(error: unknown): boolean {
  return isTopologyError(error) && error.retryable;
}
