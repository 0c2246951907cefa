import { setMaxListeners } from 'node:events';
import type { IWatchCreateRequest, IWatchResponse } from 'etcd3';
import { type StoreAddress, serversOf, storeName } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CallLimits } from '../../topo/call-options.js';
import { type CallContext, interrupted } from '../../topo/calls.js';
import { type CancelSignal, firstOf } from '../../topo/cancellation.js';
import type { TopologyError } from '../../topo/errors.js';
import { HeldLocks } from '../../topo/held-locks.js';
import type { Failed } from '../../topo/member-failures.js';
import { Members } from '../../topo/members.js';
import { OpenCalls } from '../../topo/open-calls.js';
import { FAILURES, type RpcFailure, toTopologyError } from './error.js';
import type { Calls } from './grpc.js';
import { Keys } from './keys.js';
import { Member, type StoreCall } from './member.js';

/** Vitess's `--topo-etcd-lease-ttl`, where nobody sets it. */
const LOCK_TTL_MS = 30_000;

/** The servers of one store, as one: see {@link Members}. */
export class EtcdClient {
  readonly context: CallContext;
  readonly keys: Keys;
  /** Milliseconds for which a lock outlives its holder, where its taker does not say. */
  readonly lockTtlMs: number;
  /** What is still to be given back when the connection ends. */
  readonly locks: HeldLocks;
  /** Fires when the connection is closed. */
  readonly closed: AbortSignal;
  /** The same, for those who listen for a moment. */
  readonly ending: CancelSignal;
  /** Whether it was given a login. */
  readonly hasLogin: boolean;
  readonly #members: Members<Member, RpcFailure>;
  readonly #ending = new AbortController();
  readonly #calls = new OpenCalls();
  /** Of {@link settle}. */
  readonly #settling = new OpenCalls();

  constructor(address: StoreAddress, settings: ConnectSettings) {
    const store = storeName(address);
    this.context = { store, clock: settings.clock, defaultTimeoutMs: settings.requestTimeoutMs };
    this.keys = new Keys(store, address.root);
    this.lockTtlMs = settings.lockTtlMs ?? LOCK_TTL_MS;
    this.hasLogin = settings.etcdAuth !== undefined;
    this.locks = new HeldLocks(this.context);
    this.closed = this.#ending.signal;
    // One listener for each watch is no leak.
    setMaxListeners(0, this.closed);
    this.ending = firstOf(this.closed);
    this.#members = new Members({
      context: this.context,
      failures: FAILURES,
      servers: serversOf(address).servers,
      random: settings.random,
      make: (server) => new Member(server, settings),
      // gRPC measures deadlines with the machine's clock.
      now: Date.now,
    });
  }

  get members(): readonly Member[] {
    return this.#members.all;
  }

  /** Sends a read, or what may be done twice. Fails with a TopologyError about `path`. */
  read<M extends StoreCall>(
    method: M,
    request: Calls[M]['request'],
    path: string,
    options?: CallLimits,
  ): Promise<Calls[M]['answer']> {
    return this.#call(this.#calls, method, request, { kind: 'read', path }, options);
  }

  /** The same, for what takes locks and gives them back: it goes on after {@link end}. */
  settle<M extends StoreCall>(
    method: M,
    request: Calls[M]['request'],
    path: string,
    options: CallLimits,
  ): Promise<Calls[M]['answer']> {
    return this.#call(this.#settling, method, request, { kind: 'read', path }, options);
  }

  /** Sends a write. Fails with a TopologyError about `path`; none but OutcomeUnknown leaves a doubt. */
  write<M extends StoreCall>(
    method: M,
    request: Calls[M]['request'],
    path: string | undefined,
    options?: CallLimits,
  ): Promise<Calls[M]['answer']> {
    return this.#call(this.#calls, method, request, { kind: 'write', path }, options);
  }

  /** Opens a watch with the member that answered last. See {@link Member.watch}. */
  watch(
    request: IWatchCreateRequest,
    signal: AbortSignal,
    onMessage: (message: IWatchResponse) => boolean,
  ): Promise<void> {
    const until = Date.now() + this.context.defaultTimeoutMs;
    const limits = { connectBy: until, answerBy: until, signal };
    return this.#members.once(signal, (member) => member.watch(request, limits, onMessage));
  }

  /** Whether etcd asks who it is that reads and writes: known once a call was answered. */
  async isLoggedIn(): Promise<boolean> {
    return (await Promise.all(this.members.map((member) => member.isLoggedIn()))).includes(true);
  }

  readFailed(error: unknown, path: string): TopologyError {
    return toTopologyError(this.context, error, { path, kind: 'read' });
  }

  /** See {@link Members.pause}. */
  pause(round: number, signal: CancelSignal): Promise<void> {
    return this.#members.pause(round, signal);
  }

  /** Puts a member that answered before the others. */
  promote(member: Member): void {
    this.#members.promote(member);
  }

  /** Cancels what runs, but for {@link settle}, and takes no new calls. Idempotent. */
  end(): void {
    if (this.closed.aborted) return;
    this.#ending.abort(interrupted(this.context));
    this.#calls.end(this.closed.reason);
  }

  /** Cancels everything and closes all sockets. Idempotent. */
  close(): void {
    this.end();
    this.#settling.end(this.closed.reason);
    for (const member of this.members) member.close();
  }

  #call<M extends StoreCall>(
    calls: OpenCalls,
    method: M,
    request: Calls[M]['request'],
    about: Failed,
    options: CallLimits | undefined,
  ): Promise<Calls[M]['answer']> {
    return this.#members.call(calls, about, options, (member, limits) =>
      member.call(method, request, limits),
    );
  }
}
