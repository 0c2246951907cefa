import { setMaxListeners } from 'node:events';
import { type StoreAddress, serversOf, storeName } from '../topo/address.js';
import type { ConnectSettings } from '../topo/backend.js';
import type { CallLimits } from '../topo/call-options.js';
import { type CallContext, interrupted } from '../topo/calls.js';
import type { CancelSignal } from '../topo/cancellation.js';
import type { TopologyError } from '../topo/errors.js';
import { callFailed, type Failures } from '../topo/member-failures.js';
import { type Ask, Members } from '../topo/members.js';
import { OpenCalls } from '../topo/open-calls.js';
import { sleep } from '../topo/sleep.js';
import type { HttpFailure } from './failure.js';

/** One server. */
export interface HttpMember {
  /** `host:port`. */
  readonly endpoint: string;
  /** Whether it is spoken to with TLS. */
  readonly secure: boolean;
  /** Idempotent. Calls in flight are their callers' to cancel first. */
  close(): void;
}

/** What a client needs beside its address and settings. */
export interface HttpClientOptions<M> {
  readonly failures: Failures<HttpFailure>;
  /** @param server as the address names it */
  readonly make: (server: string) => M;
}

/** The servers of one store that is spoken to by HTTP, as one: see {@link Members}. */
export class HttpClient<M extends HttpMember> {
  readonly context: CallContext;
  /** Fires when the connection is closed. */
  readonly closed: AbortSignal;
  readonly #failures: Failures<HttpFailure>;
  readonly #members: Members<M, HttpFailure>;
  readonly #closing = new AbortController();
  readonly #calls = new OpenCalls();
  readonly #closers = new Set<() => Promise<void>>();

  constructor(address: StoreAddress, settings: ConnectSettings, { failures, make }: HttpClientOptions<M>) {
    const { clock, requestTimeoutMs: defaultTimeoutMs, random } = settings;
    this.context = { store: storeName(address), clock, defaultTimeoutMs };
    this.closed = this.#closing.signal;
    // One listener for each watch is no leak.
    setMaxListeners(0, this.closed);
    this.#failures = failures;
    const { servers } = serversOf(address);
    this.#members = new Members({ context: this.context, failures, servers, random, make });
  }

  get members(): readonly M[] {
    return this.#members.all;
  }

  /** Does what may be done twice, a read above all. Fails with a TopologyError about `path`. */
  read<T>(path: string, options: CallLimits | undefined, ask: Ask<M, T>): Promise<T> {
    return this.#members.call(this.#calls, { kind: 'read', path }, options, ask);
  }

  /** Sends a write. Fails with a TopologyError about `path`; none but OutcomeUnknown leaves a doubt. */
  write<T>(path: string | undefined, options: CallLimits | undefined, ask: Ask<M, T>): Promise<T> {
    return this.#members.call(this.#calls, { kind: 'write', path }, options, ask);
  }

  /**
   * Sends a request that the server may keep until something changes: see {@link Members.keep}. Fails as `ask` does.
   *
   * @param waitMs for how long it may be kept
   */
  poll<T>(waitMs: number, signal: CancelSignal, ask: Ask<M, T>): Promise<T> {
    const { clock, defaultTimeoutMs } = this.context;
    return this.#members.keep(signal, (member, kept) => {
      const connectBy = clock.now() + defaultTimeoutMs;
      return ask(member, { connectBy, answerBy: connectBy + waitMs, signal: kept });
    });
  }

  /** The TopologyError of whatever a read failed with. */
  readFailed(error: unknown, path?: string): TopologyError {
    return callFailed(this.#failures, this.context, error, { path, kind: 'read' });
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
  promote(member: M): void {
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
