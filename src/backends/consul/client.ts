import { setMaxListeners } from 'node:events';
import { type StoreAddress, serversOf, storeName } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import { type CallContext, interrupted } from '../../topo/calls.js';
import type { CancelSignal } from '../../topo/cancellation.js';
import type { CallOptions } from '../../topo/connection.js';
import type { TopologyError } from '../../topo/errors.js';
import { type Ask, Members } from '../../topo/members.js';
import { OpenCalls } from '../../topo/open-calls.js';
import { sleep } from '../../topo/sleep.js';
import { FAILURES, type HttpFailure, toTopologyError } from './error.js';
import { Keys } from './keys.js';
import { Member } from './member.js';

/** Milliseconds of one blocking query, unless the settings say otherwise, as in Vitess. */
const POLL_MS = 30_000;
/** Milliseconds that Consul takes for the shortest. */
const LOCK_DELAY_MS = 1;
const LOCK_TTL_MS = 10_000;

/** The servers of one store, as one: see {@link Members}. */
export class ConsulClient {
  readonly context: CallContext;
  readonly keys: Keys;
  /** Fires when the connection is closed. */
  readonly closed: AbortSignal;
  readonly pollMs: number;
  readonly lockTtlMs: number;
  readonly lockDelayMs: number;
  readonly random: ConnectSettings['random'];
  readonly #members: Members<Member, HttpFailure>;
  readonly #closing = new AbortController();
  readonly #calls = new OpenCalls();
  readonly #closers = new Set<() => Promise<void>>();

  constructor(address: StoreAddress, settings: ConnectSettings) {
    const store = storeName(address);
    this.context = { store, clock: settings.clock, defaultTimeoutMs: settings.requestTimeoutMs };
    this.keys = new Keys(store, address.root);
    this.closed = this.#closing.signal;
    this.pollMs = settings.watchPollMs ?? POLL_MS;
    this.lockTtlMs = settings.lockTtlMs ?? LOCK_TTL_MS;
    this.lockDelayMs = settings.lockDelayMs ?? LOCK_DELAY_MS;
    this.random = settings.random;
    // One listener for each watch is no leak.
    setMaxListeners(0, this.closed);
    this.#members = new Members({
      context: this.context,
      failures: FAILURES,
      servers: serversOf(address).servers,
      random: settings.random,
      make: (server) => new Member(server, settings),
    });
  }

  get members(): readonly Member[] {
    return this.#members.all;
  }

  /** Does what may be done twice, a read above all. Fails with a TopologyError about `path`. */
  read<T>(path: string, options: CallOptions | undefined, ask: Ask<Member, T>): Promise<T> {
    return this.#members.call(this.#calls, { kind: 'read', path }, options, ask);
  }

  /** Sends a write. Fails with a TopologyError about `path`; none but OutcomeUnknown leaves a doubt. */
  write<T>(path: string | undefined, options: CallOptions | undefined, ask: Ask<Member, T>): Promise<T> {
    return this.#members.call(this.#calls, { kind: 'write', path }, options, ask);
  }

  /**
   * Sends a blocking query to the member that answered last, once. Fails as `ask` does.
   *
   * @param waitMs for how long the server may keep it
   */
  poll<T>(waitMs: number, signal: AbortSignal, ask: Ask<Member, T>): Promise<T> {
    const { clock, defaultTimeoutMs } = this.context;
    // The server adds up to a sixteenth, so that clients do not come all at once.
    const connectBy = clock.now() + defaultTimeoutMs;
    const answerBy = connectBy + waitMs * (1 + 1 / 16);
    return this.#members.once(signal, (member) => ask(member, { connectBy, answerBy, signal }));
  }

  readFailed(error: unknown, path: string): TopologyError {
    return toTopologyError(this.context, error, { path, kind: 'read' });
  }

  /** See {@link Members.pause}. */
  pause(round: number, signal: CancelSignal): Promise<void> {
    return this.#members.pause(round, signal);
  }

  /** Waits; ends early when the signal fires. */
  sleep(ms: number, signal: CancelSignal): Promise<void> {
    return sleep(this.context.clock, ms, signal);
  }

  /** Puts a member that answered before the others. */
  promote(member: Member): void {
    this.#members.promote(member);
  }

  /** Has `work` done when the connection is closed, while it still answers, until the answer is called. */
  beforeClose(work: () => Promise<void>): () => void {
    this.#closers.add(work);
    return () => this.#closers.delete(work);
  }

  /** Cancels what runs and closes all sockets. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#closers].map((work) => work()));
    if (this.closed.aborted) return;
    this.#closing.abort(interrupted(this.context));
    this.#calls.end(this.closed.reason);
    for (const member of this.members) member.close();
  }
}
