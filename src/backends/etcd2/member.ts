import type { IWatchCreateRequest, IWatchResponse } from 'etcd3';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CancelSignal } from '../../topo/cancellation.js';
import type { Limits } from '../../topo/members.js';
import { RpcFailure, Status } from './error.js';
import { type Calls, Channels, dialled, isConnected, SERVICES, type Service } from './grpc.js';
import { hasUnary, hasWatch, unaryClient } from './stubs.js';

export type StoreCall = Exclude<keyof Calls, 'authenticate'>;

/** What etcd says to a token that is over. */
const REFUSES_TOKEN = /invalid auth token|revision of auth store is old|revision in header is old/;
/** What it says to a request without one, and to a watch. */
const WANTS_TOKEN = /user name is empty|permission denied/;

/**
 * Tokens that are got for one call at most. One may be over before it is used: some are of one state of the users, and whoever changes those
 * gives many commands, one after the other.
 */
const MOST_TOKENS = 10;

type Auth = NonNullable<ConnectSettings['etcdAuth']>;

/** One server of an etcd cluster. */
export class Member {
  /** `host:port`. */
  readonly endpoint: string;
  readonly secure: boolean;
  readonly #channels: Channels;
  readonly #auth: Auth | undefined;
  readonly #life = new AbortController();
  #token: Promise<string | undefined> | undefined;

  /** @param server `host:port`, or with `http://` or `https://`; without, TLS is used where `tls` is given */
  constructor(server: string, { tls, etcdAuth }: Pick<ConnectSettings, 'tls' | 'etcdAuth'>) {
    this.endpoint = server.replace(/^https?:\/\//, '');
    this.secure = server.startsWith('https://') || (tls !== undefined && !server.startsWith('http://'));
    this.#channels = new Channels(this.endpoint, this.secure ? (tls ?? {}) : undefined);
    this.#auth = etcdAuth;
  }

  /** Sends one request, once. Rejects with {@link RpcFailure}. */
  call<M extends StoreCall>(
    method: M,
    request: Calls[M]['request'],
    limits: Limits,
  ): Promise<Calls[M]['answer']> {
    if (this.#auth === undefined) return this.#unary(method, request, undefined, limits);
    return this.#signedIn(method, request, limits);
  }

  async #signedIn<M extends StoreCall>(
    method: M,
    request: Calls[M]['request'],
    limits: Limits,
  ): Promise<Calls[M]['answer']> {
    for (let left = MOST_TOKENS; ; left--) {
      const token = this.#signIn(limits);
      try {
        return await this.#unary(method, request, await token, limits);
      } catch (error) {
        // etcd looks at the token before it looks at the request: this is no second sending.
        if (!(await this.#forget(token, error)) || left === 1) throw error;
      }
    }
  }

  /**
   * Opens a watch and gives its messages to `onMessage`, until that answers false, or the server ends the stream.
   * Rejects with {@link RpcFailure} when the stream breaks or the server gives a reason to cancel the watch, and with
   * what `onMessage` throws.
   */
  async watch(
    request: IWatchCreateRequest,
    limits: Limits,
    onMessage: (message: IWatchResponse) => boolean,
  ): Promise<void> {
    let begun = false;
    const onFirst = (message: IWatchResponse) => {
      begun = true;
      return onMessage(message);
    };
    for (let left = MOST_TOKENS; ; left--) {
      const token = this.#signIn(limits);
      try {
        return await this.#stream(request, await token, limits, onFirst);
      } catch (error) {
        if (!(await this.#forget(token, error)) || begun || left === 1) throw error;
      }
    }
  }

  /** Whether the server wanted the login that it was given: known once it has answered a call. */
  async isLoggedIn(): Promise<boolean> {
    return (await this.#token?.catch(() => undefined)) !== undefined;
  }

  /** Idempotent. Calls in flight are their callers' to cancel first. */
  close(): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    this.#channels.close();
  }

  async #stream(
    request: IWatchCreateRequest,
    token: string | undefined,
    limits: Limits,
    onMessage: (message: IWatchResponse) => boolean,
  ): Promise<void> {
    const { client, metadata } = await this.#dial('Watch', token, limits);
    if (!hasWatch(client)) throw new TypeError('etcd3 has no Watch.watch');
    this.#checkGoesOn(limits.signal);
    const stream = client.watch(metadata, {});
    const cancel = () => stream.cancel();
    limits.signal.addEventListener('abort', cancel);
    try {
      await new Promise<void>((resolve, reject) => {
        stream.on('error', (error) => reject(this.#failure(error, true)));
        stream.on('end', resolve);
        stream.on('data', (message) => {
          try {
            if (message.canceled && message.cancel_reason !== '') throw this.#canceled(message.cancel_reason);
            if (!onMessage(message)) resolve();
          } catch (error) {
            reject(error);
          }
        });
        stream.write({ create_request: request });
      });
    } finally {
      limits.signal.removeEventListener('abort', cancel);
      cancel();
    }
  }

  async #unary<M extends keyof Calls>(
    method: M,
    request: Calls[M]['request'],
    token: string | undefined,
    { signal, answerBy, connectBy, onSend }: Limits,
  ): Promise<Calls[M]['answer']> {
    const { client, metadata } = await this.#dial(SERVICES[method], token, { connectBy });
    const target = client.getChannel().getTarget();
    const stub = unaryClient(client, method);
    if (!hasUnary(stub, method)) throw new TypeError(`etcd3 has no ${SERVICES[method]}.${method}`);
    this.#checkGoesOn(signal);
    onSend?.();
    return new Promise((resolve, reject) => {
      const call = stub[method](request, metadata, { deadline: answerBy }, (...outcome) => {
        signal.removeEventListener('abort', cancel);
        if (outcome[0] === null) resolve(outcome[1]);
        // A call that was never given to a connection has the channel's name for a peer.
        else reject(this.#failure(outcome[0], call.getPeer() !== target));
      });
      const cancel = () => call.cancel();
      signal.addEventListener('abort', cancel);
    });
  }

  /** The client of a service, connected, and the metadata of a call. */
  async #dial(service: Service, token: string | undefined, { connectBy }: Pick<Limits, 'connectBy'>) {
    this.#checkGoesOn(this.#life.signal);
    const { client, metadata } = await this.#channels.client(service);
    const channel = client.getChannel();
    if (!isConnected(channel) && !(await dialled(channel, connectBy, this.#life.signal)))
      throw this.#unsent(Status.DeadlineExceeded, 'waiting for a connection');
    if (token === undefined) return { client, metadata };
    const own = metadata.clone();
    own.set('token', token);
    return { client, metadata: own };
  }

  /** To be called in the same step that sends: what was cancelled before must never leave. */
  #checkGoesOn(signal: CancelSignal): void {
    if (signal.aborted || this.#life.signal.aborted) throw this.#unsent(Status.Cancelled, 'cancelled');
  }

  /** The token that every request carries; undefined where etcd wants none. One for all calls, got at the first. */
  #signIn(limits: Limits): Promise<string | undefined> | undefined {
    if (this.#auth === undefined) return undefined;
    this.#token ??= this.#authenticate(this.#auth, limits).catch((error: unknown) => {
      this.#token = undefined;
      throw error;
    });
    return this.#token;
  }

  async #authenticate(auth: Auth, { connectBy, answerBy }: Limits): Promise<string | undefined> {
    const request = { name: auth.username, password: auth.password };
    // Other calls wait for this one, too: it ends with the connection, not with the call that began it.
    const limits = { connectBy, answerBy, signal: this.#life.signal };
    try {
      return (await this.#unary('authenticate', request, undefined, limits)).token;
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
      // As with etcd's own client, credentials are not amiss where none are wanted.
      if (/authentication is not enabled/.test(error.details)) return undefined;
      throw this.#unsent(error.status, error.details);
    }
  }

  /**
   * Whether etcd no longer takes the token that was sent, or by now wants one where it wanted none. Then the next call gets itself a new
   * one.
   */
  async #forget(sent: Promise<string | undefined> | undefined, error: unknown): Promise<boolean> {
    if (sent === undefined || !(error instanceof RpcFailure)) return false;
    const outdated = (await sent) === undefined ? WANTS_TOKEN : REFUSES_TOKEN;
    if (!outdated.test(error.details)) return false;
    if (this.#token === sent) this.#token = undefined;
    return true;
  }

  #failure(error: Error, sent: boolean): RpcFailure {
    const status = 'code' in error && typeof error.code === 'number' ? error.code : Status.Unknown;
    const details = 'details' in error && typeof error.details === 'string' ? error.details : error.message;
    return new RpcFailure({ status, details, endpoint: this.endpoint, sent });
  }

  #canceled(details: string): RpcFailure {
    return new RpcFailure({ status: Status.Unknown, details, endpoint: this.endpoint, sent: true });
  }

  /** Failure of a request that never left. */
  #unsent(status: number, details: string): RpcFailure {
    return new RpcFailure({ status, details, endpoint: this.endpoint, sent: false });
  }
}
