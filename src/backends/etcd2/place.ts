import type { IRangeResponse } from 'etcd3';
import type { CallLimits } from '../../topo/call-options.js';
import { interrupted } from '../../topo/calls.js';
import { Cancellation, type CancelSignal } from '../../topo/cancellation.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { UNWATCHED_MS } from '../../topo/held-lock.js';
import { keepAlive } from '../../topo/keep-alive.js';
import { joinPath } from '../../topo/paths.js';
import type { EtcdClient } from './client.js';
import { recordExists } from './error.js';
import { absent } from './file.js';
import { watch } from './watch.js';

/** The state of a key in a queue. Written again, it goes to the end. */
export interface QueueKey {
  readonly path: string;
  readonly revision: string;
}

/** What a place is made of. */
interface Parts extends QueueKey {
  readonly key: Buffer;
  /** Id of the lease, in decimal. It may have 63 bits, more than a number holds. */
  readonly lease: string;
  /** What was before it when it was taken. */
  readonly ahead: QueueKey | undefined;
  readonly ttlMs: number;
  /** Clock time at which the lease was asked for. */
  readonly since: number;
}

/** Why a place was lost, in a few words, and the error where it was one. */
interface Loss {
  readonly why: string;
  readonly cause: unknown;
}

/** Directory of a lock's queue: Vitess's `<directory>/locks/<lease id>`. The key that was written first holds the lock. */
export function queueOf(dir: string): string {
  return joinPath(dir, 'locks');
}

/**
 * A place in the queue of a lock: a key that goes away with a lease of its own, which is kept alive until {@link stop}.
 */
export class Place implements QueueKey {
  readonly path: string;
  readonly revision: string;
  readonly key: Buffer;
  /** The key that was just before this one when it was taken; undefined: there was none, it holds the lock. */
  readonly ahead: QueueKey | undefined;
  readonly #client: EtcdClient;
  readonly #lease: string;
  readonly #dir: string;
  readonly #life = new Cancellation();
  readonly #gone = new Cancellation();
  #loss: Loss | undefined;
  readonly #stopKeepAlive: () => void;
  readonly #cancelFollowing: () => void;

  private constructor(client: EtcdClient, dir: string, parts: Parts) {
    const { path, revision, key, ahead, lease, ttlMs, since } = parts;
    this.path = path;
    this.revision = revision;
    this.key = key;
    this.ahead = ahead;
    this.#client = client;
    this.#lease = lease;
    this.#dir = dir;
    this.#stopKeepAlive = keepAlive({
      context: client.context,
      ttlMs,
      since,
      renew: (options) => this.#renew(options),
      onOver: (why) => this.#lose(why),
    });
    this.#cancelFollowing = client.context.clock.schedule(UNWATCHED_MS, () => {
      this.#follow().catch((error: unknown) => this.#lose('its entry cannot be followed', error));
    });
  }

  /**
   * Goes to the end of a queue. The signal keeps what is not sent from being sent; nothing remains of a place that was
   * not taken. Fails with a TopologyError; OutcomeUnknown and LockLost: another try is worth while.
   */
  static async take(
    client: EtcdClient,
    dir: string,
    request: { readonly contents: string; readonly ttlMs: number },
    signal: CancelSignal,
  ): Promise<Place> {
    const { clock, defaultTimeoutMs } = client.context;
    const since = clock.now();
    const limit = { deadline: since + defaultTimeoutMs };
    // The signal does not cut this short: a lease whose id is lost could not be revoked, and only ends by itself.
    const wanted = { TTL: Math.ceil(request.ttlMs / 1_000) };
    const { ID: lease, TTL } = await client.settle('leaseGrant', wanted, dir, limit);
    try {
      if (signal.aborted) throw interrupted(client.context, dir, signal.reason);
      const path = joinPath(queueOf(dir), lease);
      const key = client.keys.key(path);
      const put = { key, value: Buffer.from(request.contents), lease };
      const look = { request_range: lastIn(client, dir) };
      const txn = { compare: [absent(key)], success: [look, { request_put: put }] };
      const answer = await client.write('txn', txn, dir, { ...limit, signal });
      if (!answer.succeeded) throw recordExists(client.context, path);
      const ahead = queueKey(client, answer.responses[0]?.response_range);
      const { revision } = answer.header;
      return new Place(client, dir, { path, revision, key, ahead, lease, ttlMs: Number(TTL) * 1_000, since });
    } catch (error) {
      // A put that is still on its way fails without its lease.
      const deadline = clock.now() + RELEASE_MS;
      client.locks.track(revoke(client, lease, dir, { deadline })).catch(() => {});
      throw error;
    }
  }

  /** Fires when the place is lost. */
  get gone(): CancelSignal {
    return this.#gone;
  }

  /** Why it was lost. */
  get loss(): Loss | undefined {
    return this.#loss;
  }

  /** The key that is just before this one now. */
  async before(options: CallLimits): Promise<QueueKey | undefined> {
    const max_mod_revision = String(BigInt(this.revision) - 1n);
    const request = { ...lastIn(this.#client, this.#dir), max_mod_revision };
    return queueKey(this.#client, await this.#client.read('range', request, this.#dir, options));
  }

  /** Whether key and lease are still there. */
  async holds(options: CallLimits): Promise<boolean> {
    if (!(await this.#hasKey(options))) return false;
    return (await timeToLive(this.#client, this.#lease, this.#dir, options)) !== undefined;
  }

  /** Leaves the queue, lease and all. False when the key was ours no more. */
  async release(options: CallLimits): Promise<boolean> {
    this.stop();
    const held = await this.#hasKey(options);
    await revoke(this.#client, this.#lease, this.#dir, options);
    return held;
  }

  /** Ends what keeps the place. */
  stop(): void {
    this.#life.abort();
    this.#stopKeepAlive();
    this.#cancelFollowing();
  }

  get stopped(): boolean {
    return this.#life.aborted;
  }

  async #hasKey(options: CallLimits): Promise<boolean> {
    const request = { key: this.key, keys_only: true };
    const { kvs } = await this.#client.settle('range', request, this.#dir, options);
    return kvs[0]?.mod_revision === this.revision;
  }

  async #renew(options: CallLimits): Promise<boolean> {
    const answer = await this.#client.read('leaseKeepAlive', { ID: this.#lease }, this.#dir, options);
    return answer.TTL !== '0';
  }

  async #follow(): Promise<void> {
    const left = new AbortController();
    this.#life.addEventListener('abort', () => left.abort());
    for await (const { value } of watch(this.#client, this.path, { signal: left.signal }))
      if (value?.version.token !== this.revision)
        return this.#lose(value === undefined ? 'its entry was deleted' : 'its entry was written over');
  }

  #lose(why: string, cause?: unknown): void {
    if (this.stopped) return;
    this.stop();
    this.#loss = { why, cause };
    this.#gone.abort();
  }
}

/** Milliseconds for which a place is tried to be given back. */
export const RELEASE_MS = 10_000;

/** Asks for the key at the end of a queue. */
function lastIn(client: EtcdClient, dir: string) {
  const sorted = { sort_target: 'Mod', sort_order: 'Descend' } as const;
  return { ...client.keys.below(queueOf(dir)), ...sorted, keys_only: true, limit: 1 };
}

function queueKey(
  { keys }: EtcdClient,
  found: Pick<IRangeResponse, 'kvs'> | undefined,
): QueueKey | undefined {
  const [kv] = found?.kvs ?? [];
  return kv && { path: keys.path(kv.key), revision: kv.mod_revision };
}

/** Revokes a lease, and with it deletes its keys; one that is over already counts as revoked. */
async function revoke(client: EtcdClient, ID: string, path: string, options: CallLimits): Promise<void> {
  try {
    await client.settle('leaseRevoke', { ID }, path, options);
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.LockLost)) throw error;
  }
}

/** Milliseconds that a lease has left; undefined: it is over. */
export async function timeToLive(
  client: EtcdClient,
  ID: string,
  path: string,
  options: CallLimits,
): Promise<number | undefined> {
  const { TTL } = await client.settle('leaseTimeToLive', { ID }, path, options);
  // In full seconds: one that lives has from 0 on.
  return TTL.startsWith('-') ? undefined : Number(TTL) * 1_000;
}
