import type { CallContext } from '../../topo/calls.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { HeldLock, UNWATCHED_MS } from '../../topo/held-lock.js';
import type { Lock } from '../../topo/locks.js';
import type { ConsulClient } from './client.js';
import { denied } from './error.js';
import type { KvOp, KvQuery } from './member.js';
import type { Session } from './session.js';
import { type Condition, find, isDenied } from './transaction.js';
import { readRecord } from './watch.js';

/** Where a lock is: what it locks, and the record that stands for it, both relative to the root. */
export interface Place {
  readonly dir: string;
  readonly entry: string;
}

/** For each lock the operation that fails a transaction when the lock is not held. */
const fences = new WeakMap<Lock, KvOp>();

/** The condition that a lock is held. LockLost when that is known already not to be so. */
export function fenceOf({ store }: Pick<CallContext, 'store'>, lock: Lock): Condition {
  const op = fences.get(lock);
  const details = { path: lock.dir, store };
  if (op === undefined) {
    const message = 'a write can depend only on a lock that a connection to this store gave';
    throw new TopologyError(ErrorCode.Unsupported, message, details);
  }
  const message = 'the lock is lost: Consul says that it is not held';
  const refused = () => new TopologyError(ErrorCode.LockLost, message, details);
  if (lock.lost.aborted) throw refused();
  return { op, refused };
}

/** The lock whose key a session holds. It is lost with the session, or when the key is not the session's any more. */
export function hold(client: ConsulClient, place: Place, session: Session): Lock {
  const { dir, entry } = place;
  const held = condition(client, entry, session);
  const left = new AbortController();
  const lock = new HeldLock(client.context, place, {
    holds: async (options) => (await find(client, entry, options, dir))?.session === session.id,
    release: (options) => release(client, place, session, options),
    stop: () => {
      session.stop();
      left.abort('the lock was lost or given back');
    },
  });
  fences.set(lock, held);
  session.onOver = (why) => lock.lose(why);
  if (session.over) lock.lose('its session ended');
  void follow(client, entry, session, left.signal, (why) => lock.lose(why));
  return lock;
}

function condition(client: ConsulClient, entry: string, session: Session): KvOp {
  return { Verb: 'check-session', Key: client.keys.key(entry), Session: session.id };
}

/** Calls `lose` when the key is not the session's any more. While no server answers, the session's time decides. */
async function follow(
  client: ConsulClient,
  entry: string,
  session: Session,
  signal: AbortSignal,
  lose: (why: string) => void,
): Promise<void> {
  let after: KvQuery['after'];
  await client.sleep(UNWATCHED_MS, signal);
  for (let round = 0; !signal.aborted; round++) {
    try {
      const { items, index } = await readRecord(client, entry, after, signal);
      const [pair] = items;
      if (pair?.session !== session.id)
        return lose(pair === undefined ? 'its key was deleted' : 'its key was released, or taken over');
      after = { index, waitMs: client.pollMs };
      round = 0;
    } catch {
      after = undefined;
      await client.pause(round, signal);
    }
  }
}

/** Deletes the key if it is the session's, then ends the session. */
async function release(
  client: ConsulClient,
  { dir, entry }: Place,
  session: Session,
  options: CallOptions,
): Promise<boolean> {
  if (client.closed.aborted) return false;
  const ops: KvOp[] = [condition(client, entry, session), { Verb: 'delete', Key: client.keys.key(entry) }];
  let mayBeDone = false;
  for (let round = 0; ; round++) {
    try {
      const { errors } = await client.write(dir, options, (member, limits) => member.txn(ops, limits));
      if (errors.some(({ what }) => isDenied(what))) throw denied(client.context, dir);
      await session.destroy(options);
      return errors.length === 0 || mayBeDone;
    } catch (error) {
      // A request that is over time fails at once, and so does the next.
      if (!isTopologyError(error, ErrorCode.OutcomeUnknown, ErrorCode.Unavailable)) throw error;
      if (error.code === ErrorCode.Unavailable && !error.retryable) throw error;
      mayBeDone ||= error.code === ErrorCode.OutcomeUnknown;
      await client.pause(round, client.closed);
    }
  }
}
