import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { HeldLock } from '../../topo/held-lock.js';
import { keepAlive } from '../../topo/keep-alive.js';
import type { Lock } from '../../topo/locks.js';
import type { Node } from './answers.js';
import { freeLock, type LockPlace } from './lock-file.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';
import { nextChange } from './watch.js';

/** How a lock was taken. */
export interface Taken {
  readonly node: Node;
  /** The file stays when the lock is given back. */
  readonly fixed: boolean;
  /** Of an election: the time to live, and the clock's time when it began at the earliest. */
  readonly ttl?: { readonly ms: number; readonly since: number } | undefined;
}

/** A lock whose file is as it was written: nobody else writes it while it is held. An election's is kept alive, which changes its index. */
export function hold(store: EtcdStore, place: LockPlace, taken: Taken): Lock {
  return new Holder(store, place, taken).lock;
}

class Holder {
  readonly lock: HeldLock;
  readonly #store: EtcdStore;
  readonly #place: LockPlace;
  readonly #taken: Taken;
  readonly #left = new AbortController();
  /** Of the state in which the file is ours. */
  #index: number;

  constructor(store: EtcdStore, place: LockPlace, taken: Taken) {
    this.#store = store;
    this.#place = place;
    this.#taken = taken;
    this.#index = taken.node.modifiedIndex;
    const stopRenewing = this.#renew();
    this.lock = new HeldLock(store.context, place, {
      holds: async (options) => (await this.#ours(options)) !== undefined,
      release: (options) => this.#release(options),
      stop: () => {
        stopRenewing();
        this.#left.abort();
        store.locks.remove(this.lock);
      },
    });
    store.locks.add(this.lock);
    void this.#follow();
  }

  /** The file while it is ours. What is kept alive keeps the index of its creation. */
  async #ours(options: CallOptions): Promise<Node | undefined> {
    const node = await readFile(this.#store, this.#place.native, this.#place.dir, options);
    if (node === undefined) return undefined;
    const { node: taken, ttl } = this.#taken;
    const same =
      ttl === undefined
        ? node.modifiedIndex === this.#index
        : node.createdIndex === taken.createdIndex && node.value === taken.value;
    return same ? node : undefined;
  }

  #renew(): () => void {
    const { ttl } = this.#taken;
    if (ttl === undefined) return () => {};
    const { context, layout } = this.#store;
    const key = layout.key(this.#place.native);
    return keepAlive({
      context,
      ttlMs: ttl.ms,
      since: ttl.since,
      onOver: (why) => this.lock.lose(why),
      renew: async (options) => {
        const seconds = ttlSeconds(ttl.ms);
        const { node } = await this.#store.write(this.#place.dir, options, (member, limits) =>
          member.refresh(key, { ttl: seconds, prevIndex: this.#index }, limits),
        );
        if (node !== undefined) {
          this.#index = node.modifiedIndex;
          return true;
        }
        // An answer that was lost may have been that to a renewal.
        const ours = await this.#ours(options);
        if (ours === undefined) return false;
        this.#index = ours.modifiedIndex;
        throw new Error('the renewal is to be made again');
      },
    });
  }

  /** Notices when the file is not ours any more. */
  async #follow(): Promise<void> {
    const { signal } = this.#left;
    let from = this.#index + 1;
    for (let round = 0; !signal.aborted; ) {
      try {
        const change = await nextChange(this.#store, [this.#place.native], from, signal);
        if (signal.aborted) return;
        if (change?.node !== undefined) from = change.node.modifiedIndex + 1;
        if ((await this.#ours({ signal })) === undefined) {
          this.lock.lose('its file was deleted, or written by somebody else');
          return;
        }
        if (change !== undefined && change.node === undefined) {
          // Forgotten by the server; what is there was looked at since.
          from = change.index + 1;
          await this.#store.pause(0, signal);
        }
        round = 0;
      } catch {
        await this.#store.pause(round++, signal);
      }
    }
  }

  async #release(options: CallOptions): Promise<boolean> {
    let mayBeDone = false;
    for (let round = 0; ; round++) {
      try {
        const ours = await this.#ours(options);
        if (ours === undefined) return mayBeDone;
        const state = { prevIndex: ours.modifiedIndex, fixed: this.#taken.fixed };
        if (await freeLock(this.#store, this.#place, state, options)) return true;
      } catch (error) {
        if (!isTopologyError(error, ErrorCode.OutcomeUnknown, ErrorCode.Unavailable)) throw error;
        if (error.code === ErrorCode.Unavailable && !error.retryable) throw error;
        mayBeDone ||= error.code === ErrorCode.OutcomeUnknown;
        await this.#store.pause(round, this.#store.closed);
      }
    }
  }
}

/** etcd counts in seconds. */
export function ttlSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
