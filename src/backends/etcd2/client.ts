import { setMaxListeners } from 'node:events';
import type { IWatchCreateRequest, IWatchResponse } from 'etcd3';
import { type StoreAddress, serversOf, storeName } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import {
  type CallContext,
  interrupted,
  outcomeUnknown,
  raceCall,
  timedOut,
  timeLeft,
} from '../../topo/calls.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { type Failed, meaningOf, noMember, RpcFailure, toTopologyError } from './error.js';
import type { Calls } from './grpc.js';
import { Keys } from './keys.js';
import { type KvCall, type Limits, Member } from './member.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

/**
 * The servers of one store, as one: finds a member that answers.
 *
 * Reads go to another member, or to the same again, until the call's deadline. Writes are sent once: they go to
 * another member only when it is certain that the request never left, or was refused in passing.
 */
export class EtcdClient {
  readonly context: CallContext;
  readonly keys: Keys;
  /** Fires when the connection is closed. */
  readonly closed: AbortSignal;
  /** The first one is asked first; one that failed goes to the end. */
  readonly #members: Member[];
  readonly #closing = new AbortController();
  readonly #running = new Set<AbortController>();

  constructor(address: StoreAddress, settings: ConnectSettings) {
    const store = storeName(address);
    this.context = { store, clock: settings.clock, defaultTimeoutMs: settings.requestTimeoutMs };
    this.keys = new Keys(store, address.root);
    this.closed = this.#closing.signal;
    // One listener for each watch is no leak.
    setMaxListeners(0, this.closed);
    const servers = [...new Set(serversOf(address).servers)];
    this.#members = shuffled(servers, settings.random).map((server) => new Member(server, settings));
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Sends a read. Fails with a TopologyError about `path`. */
  read<M extends KvCall>(
    method: M,
    request: Calls[M]['request'],
    path: string,
    options?: CallOptions,
  ): Promise<Calls[M]['answer']> {
    return this.#call(method, request, { kind: 'read', path }, options);
  }

  /** Sends a write. Fails with a TopologyError about `path`; none but OutcomeUnknown leaves a doubt. */
  write<M extends KvCall>(
    method: M,
    request: Calls[M]['request'],
    path: string | undefined,
    options?: CallOptions,
  ): Promise<Calls[M]['answer']> {
    return this.#call(method, request, { kind: 'write', path }, options);
  }

  /** Opens a watch with the member that answered last. See {@link Member.watch}. */
  async watch(
    request: IWatchCreateRequest,
    signal: AbortSignal,
    onMessage: (message: IWatchResponse) => boolean,
  ): Promise<void> {
    const until = Date.now() + this.context.defaultTimeoutMs;
    const member = this.#members[0];
    if (member === undefined) return;
    try {
      await member.watch(request, { connectBy: until, answerBy: until, signal }, onMessage);
    } catch (error) {
      this.#demote(member);
      throw error;
    }
  }

  /** Waits before another attempt, longer with each round; ends early when the signal fires. */
  pause(round: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.context.clock.schedule(pauseMs(round), end);
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
    });
  }

  /** Puts a member that answered before the others. */
  promote(member: Member): void {
    this.#members.sort((a, b) => Number(b === member) - Number(a === member));
  }

  /** Puts a member that failed behind the others. */
  #demote(member: Member): void {
    if (this.#members[0] !== member) return;
    this.#members.shift();
    this.#members.push(member);
  }

  /** Cancels what runs and closes all sockets. Idempotent. */
  close(): void {
    if (this.closed.aborted) return;
    this.#closing.abort(interrupted(this.context));
    for (const stop of this.#running) stop.abort(this.closed.reason);
    for (const member of this.#members) member.close();
  }

  async #call<M extends KvCall>(
    method: M,
    request: Calls[M]['request'],
    about: Failed,
    options: CallOptions | undefined,
  ): Promise<Calls[M]['answer']> {
    const { context } = this;
    if (this.closed.aborted) throw interrupted(context, about.path, this.closed.reason);
    const stop = new AbortController();
    const attempt = { sent: false };
    this.#running.add(stop);
    try {
      // Raced as a read, because a write that is not sent yet fails as one: `sent` tells them apart.
      const race = { kind: 'read', path: about.path, onEnd: () => stop.abort() } as const;
      return await raceCall(context, options, race, () => {
        const until = Date.now() + timeLeft(context, options, about.path);
        return this.#attempts(method, request, about, until, stop.signal, attempt);
      });
    } catch (error) {
      const over = isTopologyError(error, ErrorCode.Interrupted, ErrorCode.Timeout);
      if (over && about.kind === 'write' && attempt.sent) throw outcomeUnknown(context, about.path, error);
      throw error;
    } finally {
      this.#running.delete(stop);
    }
  }

  async #attempts<M extends KvCall>(
    method: M,
    request: Calls[M]['request'],
    about: Failed,
    until: number,
    signal: AbortSignal,
    attempt: { sent: boolean },
  ): Promise<Calls[M]['answer']> {
    for (let round = 0; ; round++) {
      const failures: RpcFailure[] = [];
      const members = [...this.#members];
      for (const [i, member] of members.entries()) {
        const limits = this.#limits(about, until, members.length - i, signal, attempt);
        try {
          return await member.call(method, request, limits);
        } catch (error) {
          if (signal.aborted) throw interrupted(this.context, about.path, signal.reason);
          const failure = this.#judge(error, about, attempt);
          this.#demote(member);
          failures.push(failure);
        }
      }
      const telling = failures.find(({ sent }) => sent) ?? failures.at(-1);
      if (Date.now() >= until) throw timedOut(this.context, about.path, telling);
      if (failures.every(({ sent }) => !sent)) throw noMember(this.context, failures, about.path);
      // Rather than wait for the deadline in vain: only here it is known what the call kept failing with.
      if (Date.now() + pauseMs(round) >= until) throw timedOut(this.context, about.path, telling);
      await this.pause(round, signal);
    }
  }

  /** A failure after which another member may be asked; throws what it is otherwise. */
  #judge(error: unknown, about: Failed, attempt: { sent: boolean }): RpcFailure {
    if (error instanceof RpcFailure) {
      const { refused, passing } = meaningOf(error);
      if (refused) attempt.sent = false;
      if (passing && (refused || about.kind === 'read')) return error;
    }
    throw toTopologyError(this.context, error, about);
  }

  /** The member's share of the time: an equal part for each that is left to ask. A write that was sent takes all. */
  #limits(
    about: Failed,
    until: number,
    left: number,
    signal: AbortSignal,
    attempt: { sent: boolean },
  ): Limits {
    const share = Date.now() + Math.max(0, until - Date.now()) / left;
    return {
      connectBy: share,
      answerBy: about.kind === 'read' ? share : until,
      signal,
      onSend: () => {
        attempt.sent = true;
      },
    };
  }
}

function pauseMs(round: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** round);
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const rest = [...items];
  const order: T[] = [];
  while (rest.length > 0) order.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return order;
}
