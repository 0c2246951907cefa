import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerAddress } from './address.js';
import { Call } from './call.js';
import {
  type OperationOptions,
  type SessionCredentials,
  type Watcher,
  ZkCode,
  ZooKeeperError,
  type ZooKeeperSettings,
} from './client.js';
import { Connection } from './connection.js';
import { connectionLoss, isHopeless } from './errors.js';
import { Fifo } from './fifo.js';
import { NEW_SESSION } from './handshake.js';
import { Life } from './life.js';
import { Limits } from './limits.js';
import type { WatchKind } from './persistent.js';
import type { Operation } from './protocol.js';
import { encodeRequest, requestBytes } from './requests.js';
import { type FullSettings, fillIn } from './settings.js';
import { Watches } from './watches.js';

/** Pauses between rounds over all servers, doubled from the first to the last. */
const FIRST_PAUSE_MS = 20;
const LAST_PAUSE_MS = 1_000;
/**
 * Rounds over all servers that fit into the time there is. More than one, for one server as well: a ZooKeeper that is
 * starting sometimes takes a connection and never answers on it, while the next one works.
 */
const ROUNDS = 3;
/** Least time one server gets to answer a connect. */
const LEAST_ATTEMPT_MS = 250;
/** How long `close` waits for the server to confirm the end of the session. */
const CLOSE_LIMIT_MS = 2_000;

/** A one-shot watch that a read is to set. */
export interface RequestedWatch {
  readonly kind: WatchKind;
  readonly watcher: Watcher;
  /** The server is not asked for it, because a persistent watch tells the same. */
  readonly covered: boolean;
}

/** One request, and what becomes of its answer. */
export interface Request<Q, A, T> {
  readonly operation: Operation<Q, A>;
  /** Sent instead to a server without `operation`; its request has the same form. */
  readonly fallback?: Operation<Q, A>;
  readonly request: Q;
  readonly path?: string | undefined;
  readonly options?: OperationOptions | undefined;
  /** Watch that an answer sets, and that NoNode sets too where `absent` is given. */
  readonly watch?: RequestedWatch | undefined;
  /** Makes the result of a good answer; what it throws is the failure of the call. */
  finish(answer: A, zxid: bigint): T;
  /** Makes the result of NoNode, where that is no failure. */
  absent?(zxid: bigint): T;
}

/**
 * A session with an ensemble, over one connection at a time. When the connection ends it moves to another server, and
 * when the session has expired it begins a new one. Requests made meanwhile wait.
 */
export class Session {
  readonly maxRequestBytes: number;
  readonly watches = new Watches();
  readonly #settings: FullSettings;
  /** The one to try next comes first. */
  readonly #servers: ServerAddress[];
  readonly #waiting = new Fifo<Call>();
  readonly #limits: Limits<Call>;
  readonly #ending = new AbortController();
  readonly #expiry = new AbortController();
  /** Where the session is not renewed. */
  readonly #life: Life | undefined;
  /** Servers that turned out to be older than 3.6. An upgraded one is taken for old until the client ends. */
  readonly #legacy = new Set<ServerAddress>();
  #connection: Connection | undefined;
  /** The latest connection that became ready. */
  #served: Connection | undefined;
  #connected = false;
  #credentials: SessionCredentials;
  #lastZxid = 0n;
  #timeoutMs: number;
  /** Why the session takes no more requests. */
  #over: { readonly code: ZkCode; readonly why: string } | undefined;
  #lastFailure = 'not connected yet';
  #closing: Promise<void> | undefined;

  private constructor(settings: FullSettings) {
    this.#settings = settings;
    this.#servers = [...settings.servers];
    this.#timeoutMs = settings.sessionTimeoutMs;
    this.#credentials = settings.session ?? NEW_SESSION;
    this.#life = settings.renewSession
      ? undefined
      : new Life(() => this.#expire('its time-out has passed since the last sign of life'));
    this.maxRequestBytes = settings.maxRequestBytes;
    this.#limits = new Limits(
      () => this.#pending(),
      (calls) => this.#overdue(calls),
      (calls, signal) => {
        for (const call of calls) call.fail(ZkCode.Aborted, 'aborted by the caller', signal.reason);
        this.#forgetSettled();
      },
    );
  }

  /** Connects. Rejects with ConnectionLoss, AuthFailed, BadArguments or, where it is not renewed, SessionExpired. */
  static async start(settings: ZooKeeperSettings): Promise<Session> {
    const session = new Session(fillIn(settings));
    await session.#begin();
    return session;
  }

  /** What proves the present session to a server. */
  get credentials(): SessionCredentials {
    return this.#credentials;
  }

  /** Its time-out as a server granted it, in milliseconds. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** See {@link ZooKeeperClient.expired}. */
  get expired(): AbortSignal {
    return this.#expiry.signal;
  }

  /** Whether the server of the latest connection does not know the operation. */
  lacks(operation: { readonly code: number }): boolean {
    return this.#served?.lacks(operation) ?? false;
  }

  /** Sends one request. Rejects with a ZooKeeperError. */
  request<Q, A, T>(what: Request<Q, A, T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { operation, fallback, path, options, watch } = what;
      const signal = options?.signal;
      const timeoutMs = options?.timeoutMs ?? this.#settings.requestTimeoutMs;
      const remember = (): void => {
        if (watch === undefined || path === undefined) return;
        this.watches.add(watch.kind, path, watch.watcher, watch.covered);
      };
      const settle = (make: () => T): void => {
        remember();
        try {
          resolve(make());
        } catch (error) {
          reject(error);
        }
      };
      const { absent } = what;
      const now = performance.now();
      this.#life?.isOver(now);
      const call = new Call({
        operation,
        fallback,
        frame: encodeRequest(operation, what.request),
        path,
        deadline: now + timeoutMs,
        signal,
        accept: (answer: A, zxid) => settle(() => what.finish(answer, zxid)),
        absent: absent && ((zxid) => settle(() => absent(zxid))),
        reject,
        released: signal && (() => this.#limits.release(signal)),
      });
      if (this.#refuses(call, timeoutMs)) return;
      this.#waiting.push(call);
      this.#limits.add(call);
      this.#connection?.wake();
    });
  }

  /** Ends the session. Pending requests fail with Closed, watchers are told `lost`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends the client, and leaves the session to its time-out. */
  detach(): Promise<void> {
    this.#closing ??= this.#detach();
    return this.#closing;
  }

  async #detach(): Promise<void> {
    const why = 'the client has left its session';
    this.#end(ZkCode.Closed, why);
    this.#connection?.end(connectionLoss(why));
  }

  async #close(): Promise<void> {
    this.#end(ZkCode.Closed, 'the client was closed');
    await this.#connection?.closeSession(CLOSE_LIMIT_MS);
  }

  #refuses(call: Call, timeoutMs: number): boolean {
    if (this.#over !== undefined) call.fail(this.#over.code, this.#over.why);
    else if (call.signal?.aborted) call.fail(ZkCode.Aborted, 'aborted by the caller', call.signal.reason);
    else if (!(timeoutMs > 0)) call.fail(ZkCode.OperationTimeout, 'no time was left to send it');
    else if (requestBytes(call.frame) > this.maxRequestBytes) {
      const why = `a request of ${requestBytes(call.frame)} bytes; the server takes ${this.maxRequestBytes}`;
      call.fail(ZkCode.TooLarge, why);
    }
    return call.settled;
  }

  *#pending(): Generator<Call> {
    yield* this.#waiting;
    if (this.#connection !== undefined) yield* this.#connection.inFlight;
  }

  #overdue(calls: readonly Call[]): void {
    for (const call of calls) {
      if (call.sent) call.fail(ZkCode.OperationTimeout, 'no answer in time');
      else if (this.#connected) call.fail(ZkCode.OperationTimeout, 'could not be sent in time');
      else call.fail(ZkCode.ConnectionLoss, `no connection in time (${this.#lastFailure})`);
    }
    this.#forgetSettled();
  }

  #forgetSettled(): void {
    this.#waiting.keep((call) => !call.settled);
  }

  /** No request is taken from here on, pending ones fail. */
  #end(code: ZkCode, why: string): void {
    this.#over ??= { code, why };
    for (const call of this.#pending()) call.fail(code, why);
    this.#forgetSettled();
    this.#limits.stop();
    this.watches.lose();
    this.#life?.stop();
    this.#ending.abort();
  }

  #expire(why: string): void {
    this.#finish(ZkCode.SessionExpired, `the session has expired: ${why}`);
  }

  /** Ends the client for good, and says so where the session is not renewed. */
  #finish(code: ZkCode, why: string): void {
    if (this.#over !== undefined) return;
    this.#over = { code, why };
    if (this.#life !== undefined) this.#expiry.abort(new ZooKeeperError(code, why));
    this.#end(code, why);
    this.#connection?.end(connectionLoss(why));
  }

  async #begin(): Promise<void> {
    const limitMs = this.#settings.connectTimeoutMs;
    const deadline = performance.now() + limitMs;
    const share = this.#shareOf(limitMs);
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LAST_PAUSE_MS)) {
      const failures = await this.#round(() => Math.min(share, deadline - performance.now()));
      if (this.#over !== undefined) throw new ZooKeeperError(this.#over.code, this.#over.why);
      if (failures.length === 0) return;
      if (failures.every((each) => isHopeless(each.cause)) || performance.now() + pause >= deadline) {
        const message = `no ZooKeeper server could be reached: ${failures.map((each) => each.message).join('; ')}`;
        this.#end(ZkCode.ConnectionLoss, message);
        throw connectionLoss(message, failures[0]);
      }
      await sleep(pause);
    }
  }

  async #reconnect(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; this.#over === undefined; pause = Math.min(2 * pause, LAST_PAUSE_MS)) {
      const failures = await this.#round(() => this.#shareOf(this.#timeoutMs));
      if (failures.length === 0) return;
      this.#lastFailure = failures.map((each) => each.message).join('; ');
      await sleep(pause * (0.5 + this.#settings.random() / 2), undefined, {
        signal: this.#ending.signal,
      }).catch(() => {});
    }
  }

  #shareOf(totalMs: number): number {
    return Math.max(LEAST_ATTEMPT_MS, totalMs / this.#servers.length / ROUNDS);
  }

  /** Tries every server once, the one of the last attempt last. Without failures, one of them was reached. */
  async #round(limitMs: () => number): Promise<readonly ZooKeeperError[]> {
    const failures: ZooKeeperError[] = [];
    for (const server of [...this.#servers]) {
      this.#servers.push(...this.#servers.splice(this.#servers.indexOf(server), 1));
      let failure = await this.#attempt(server, limitMs());
      while (failure !== undefined && this.#learns(server, failure)) {
        failure = await this.#attempt(server, limitMs());
      }
      if (failure === undefined || this.#over !== undefined) return [];
      failures.push(connectionLoss(`${server.text}: ${failure.message}`, failure));
    }
    return failures;
  }

  /** Whether a failed attempt told something with which the next one may succeed. */
  #learns(server: ServerAddress, failure: ZooKeeperError): boolean {
    if (failure.code === ZkCode.SessionExpired && this.#credentials.id !== NEW_SESSION.id) {
      if (this.#life !== undefined) {
        this.#expire('a server says so');
        return false;
      }
      this.#credentials = NEW_SESSION;
      return true;
    }
    if (failure.code === ZkCode.Unimplemented && !this.#legacy.has(server)) {
      this.#legacy.add(server);
      return true;
    }
    return false;
  }

  async #attempt(server: ServerAddress, limitMs: number): Promise<ZooKeeperError | undefined> {
    const connection = new Connection({
      server,
      limitMs: Math.max(1, limitMs),
      sessionTimeoutMs: this.#settings.sessionTimeoutMs,
      credentials: this.#credentials,
      lastZxid: this.#lastZxid,
      auth: this.#settings.auth,
      legacy: this.#legacy.has(server),
      maxAnswerBytes: this.#settings.maxAnswerBytes,
      waiting: this.#waiting,
      security: this.#settings.security,
      life: this.#life,
      onNotification: (type, path, zxid) => this.watches.fire(type, path, zxid),
    });
    this.#connection = connection;
    const failure = await connection.ready.then(
      () => undefined,
      (reason: ZooKeeperError) => reason,
    );
    this.#credentials = connection.credentials;
    this.#lastZxid = connection.lastZxid;
    if (failure === undefined) this.#adopt(connection);
    if (failure?.code === ZkCode.AuthFailed) this.#finish(ZkCode.AuthFailed, failure.message);
    return failure;
  }

  #adopt(connection: Connection): void {
    this.#connected = true;
    this.#served = connection;
    this.#timeoutMs = connection.timeoutMs;
    void connection.ended.then((reason) => {
      this.#connected = false;
      this.#lastZxid = connection.lastZxid;
      this.#lastFailure = `${connection.server.text}: ${reason.message}`;
      this.watches.lose();
      void this.#reconnect();
    });
  }
}
