import { waiting } from '../../http/waiting.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { alreadyLocked, nothingToLock, waitEnded } from '../../topo/held-lock.js';
import { ELECTIONS, type Lock, type LockEntry, type LockRequest } from '../../topo/locks.js';
import { isBelow, joinPath } from '../../topo/paths.js';
import type { Pair } from './answers.js';
import type { ConsulClient } from './client.js';
import { denied } from './error.js';
import { isEphemeral, LOCK_FLAGS } from './file.js';
import { hold, type Place } from './hold.js';
import { plainHead } from './keys.js';
import type { KvOp, KvQuery } from './member.js';
import { Session } from './session.js';
import { find, isDenied, proveReadable } from './transaction.js';
import { makeVersion } from './version.js';
import { readRecord } from './watch.js';

/** Name of the key that locks a directory. */
export const LOCK = 'Lock';
/** Milliseconds between attempts to get a lock whose holder died a moment ago: Consul tells nobody when the delay ends. */
const DELAYED_MS = 250;

export function acquire(
  client: ConsulClient,
  request: LockRequest,
  options: CallOptions | undefined,
): Promise<Lock> {
  return waiting(client, request.dir, options, (signal) => new Contender(client, request, signal).run());
}

/** What is in the place of the lock: one that is held, or left over, or no lock at all. Those who wait leave no trace in Consul. */
export async function lockQueue(
  client: ConsulClient,
  dir: string,
  options: CallOptions,
): Promise<LockEntry[]> {
  const path = entryOf(dir, isBelow(dir, ELECTIONS) ? 'election' : 'directory');
  const pair = await find(client, path, options, dir);
  if (pair === undefined) return [];
  const entry = {
    path,
    version: makeVersion(client.context.store, pair.modifyIndex),
    contents: pair.value.toString(),
    // An orphan locks out those who do not wait, and a record that is no lock everybody.
    holds: true,
    owner: pair.session === '' ? undefined : pair.session,
    since: undefined,
    ttlLeftMs: undefined,
  };
  return [entry];
}

/** The record that stands for a lock. */
function entryOf(dir: string, purpose: LockRequest['purpose']): string {
  return purpose === 'election' ? dir : joinPath(dir, LOCK);
}

/** What one look at the lock, or one attempt to get it, came to. */
type Outcome =
  | { readonly held: Session }
  /** Try again: at once, after the index, or after some milliseconds. */
  | { readonly after?: KvQuery['after']; readonly pauseMs?: number };

/** One that wants a lock. */
class Contender {
  readonly #client: ConsulClient;
  readonly #request: LockRequest;
  readonly #place: Place;
  readonly #signal: AbortSignal;
  #session: Session | undefined;

  /** @param signal fires with the error of a wait that is over */
  constructor(client: ConsulClient, request: LockRequest, signal: AbortSignal) {
    const { dir, purpose } = request;
    this.#client = client;
    this.#request = request;
    this.#place = { dir, entry: entryOf(dir, purpose) };
    this.#signal = signal;
  }

  async run(): Promise<Lock> {
    try {
      return hold(this.#client, this.#place, await this.#contend());
    } catch (error) {
      const { context } = this.#client;
      // Goes on unseen. What was sent and not answered loses its session, and with it the key.
      const deadline = context.clock.now() + this.#client.lockTtlMs;
      void this.#session?.destroy({ deadline });
      throw error;
    }
  }

  async #contend(): Promise<Session> {
    const signal = this.#signal;
    let after: KvQuery['after'];
    let failure: unknown;
    let exists = this.#request.purpose !== 'directory';
    let isFree = false;
    for (let round = 0; ; round++) {
      try {
        if (!exists) isFree = !(await this.#mustExist()).includes(this.#key);
        exists = true;
        const outcome = await this.#attempt(after, isFree);
        isFree = false;
        if (signal.aborted) throw signal.reason;
        if ('held' in outcome) return outcome.held;
        after = outcome.after;
        if (outcome.pauseMs !== undefined) await this.#client.sleep(outcome.pauseMs, signal);
        failure = undefined;
        round = 0;
      } catch (error) {
        if (signal.aborted)
          throw waitEnded(this.#client.context, this.#place.dir, this.#signal.reason, failure);
        failure = this.#passing(error);
        after = undefined;
        await this.#client.pause(round, signal);
      }
    }
  }

  /** `isFree`: there was no such key a moment ago, and it need not be looked for. */
  async #attempt(after: KvQuery['after'], isFree: boolean): Promise<Outcome> {
    const client = this.#client;
    const { dir, entry } = this.#place;
    const found = isFree ? undefined : await readRecord(client, entry, after, this.#signal, dir);
    const pair = found?.items[0];
    if (found !== undefined && pair !== undefined) {
      if (pair.session !== '' && pair.session === this.#session?.id) return { held: this.#session };
      if (!isEphemeral(pair)) throw this.#noLock();
      if (!this.#request.wait) throw alreadyLocked(client.context, dir);
      if (pair.session !== '') return { after: { index: found.index, waitMs: client.pollMs } };
    }
    const session = await this.#openSession();
    const ops = this.#taking(pair, session);
    const answer = await client.write(dir, { signal: this.#signal }, (member, limits) =>
      member.txn(ops, limits),
    );
    if (answer.errors.length === 0) return { held: session };
    if (answer.errors.some(({ what }) => isDenied(what))) throw denied(client.context, dir);
    if (answer.errors.some(({ what }) => /invalid session/.test(what))) {
      session.stop();
      return {};
    }
    if (!this.#request.wait) throw alreadyLocked(client.context, dir);
    const delayed = answer.errors.some(({ what }) => /lock delay/.test(what));
    return delayed ? { pauseMs: DELAYED_MS } : {};
  }

  /** Consul's `lock` takes what is free, whatever it is: the state that was seen must still be there. */
  #taking(pair: Pair | undefined, session: Session): KvOp[] {
    const Key = this.#key;
    const state: KvOp =
      pair === undefined
        ? { Verb: 'check-not-exists', Key }
        : { Verb: 'check-index', Key, Index: pair.modifyIndex };
    const Value = Buffer.from(this.#request.contents).toString('base64');
    return [state, { Verb: 'lock', Key, Value, Flags: LOCK_FLAGS, Session: session.id }];
  }

  async #openSession(): Promise<Session> {
    if (this.#session !== undefined && !this.#session.over) return this.#session;
    const client = this.#client;
    const ttlMs = this.#request.ttlMs ?? client.lockTtlMs;
    this.#session = await Session.open(client, this.#place.dir, ttlMs, this.#signal);
    return this.#session;
  }

  /** The keys of the directory. NoNode when there are none. */
  async #mustExist(): Promise<readonly string[]> {
    const client = this.#client;
    const { dir } = this.#place;
    const prefix = client.keys.below(dir);
    const key = plainHead(prefix);
    const separator = key === prefix ? '/' : undefined;
    const options = { signal: this.#signal };
    const { items } = await client.read(dir, options, (member, limits) =>
      member.keys({ key, separator }, limits),
    );
    if (items.some((found) => found !== prefix && found.startsWith(prefix))) return items;
    await proveReadable(client, [client.keys.nobody(dir)], dir, options);
    throw nothingToLock(client.context, dir);
  }

  get #key(): string {
    return this.#client.keys.key(this.#place.entry);
  }

  /** A failure that the wait outlasts; throws any other. */
  #passing(error: unknown): unknown {
    const failed = this.#client.readFailed(error, this.#place.dir);
    // The next look tells what became of it.
    if (failed.code === ErrorCode.OutcomeUnknown) return failed;
    if (this.#request.wait && failed.retryable) return failed;
    throw failed;
  }

  #noLock(): TopologyError {
    const { dir, entry } = this.#place;
    const { store } = this.#client.context;
    return new TopologyError(ErrorCode.NodeExists, `${entry}, in the place of the lock, is no lock`, {
      path: dir,
      store,
      hint: 'Vitess would overwrite it: look at it, and move or delete it',
    });
  }
}
