import {
  type OperationOptions,
  type SessionCredentials,
  type Watcher,
  ZkCode,
  ZooKeeperError,
} from './client.js';
import { connectionLoss, serverError } from './errors.js';
import { Fifo } from './fifo.js';
import { NEW_SESSION } from './handshake.js';
import { knock } from './knock.js';
import { type Limited, Limits } from './limits.js';
import type { NativeAddon, NativeCalls, NativeHandle, NativeWatch } from './native-addon.js';
import type { FullSettings } from './settings.js';

/** Codes with which the addon answers calls that were in flight when a connection or a session ended. */
const INTERRUPTED = new Set<number>([
  ZkCode.ConnectionLoss,
  ZkCode.OperationTimeout,
  ZkCode.SessionExpired,
  -9 /* invalid state */,
  -116 /* closing */,
]);
/** Code of the event `close` when credentials were refused. */
const AUTH_FAILED_STATE = -113;
/** The addon takes an answer that needs more than 10 reads of the socket for the end of the session, unless told. */
const RESPONSE_COUNTER_LIMIT = 1_000_000_000;
/** Pause before a new handle when the last could not even begin: no name resolved. */
const REOPEN_MS = 1_000;

const SESSION_EVENT = -1;
const WATCH_SIGNALS = {
  1: 'created',
  2: 'deleted',
  3: 'dataChanged',
  4: 'childrenChanged',
} as const;

/** Given to the addon's callback: the code and, when it is 0, what makes the result. */
export type Done<T> = (code: ZkCode, make: () => T) => void;

/** One call of the addon. */
export interface NativeRequest<T> {
  readonly name: string;
  readonly path: string;
  readonly options?: OperationOptions | undefined;
  start(native: NativeCalls, done: Done<T>): number;
}

interface Pending extends Limited {
  settled: boolean;
  /** Given to the addon, of which nobody can tell what it has sent. */
  sent: boolean;
  start(native: NativeCalls): number;
  fail(code: ZkCode, why: string, cause?: unknown): void;
}

/**
 * Sessions of the addon one after another: a handle that has expired is good for nothing, so a new one is made. Calls
 * are given to the addon only while it is connected, because what it queues can neither be taken back nor be told from
 * what it has sent.
 */
export class NativeSession {
  readonly #addon: NativeAddon;
  readonly #settings: FullSettings;
  readonly #waiting = new Fifo<Pending>();
  readonly #inFlight = new Set<Pending>();
  readonly #watchers = new Set<() => void>();
  readonly #limits: Limits<Pending>;
  #handle: NativeHandle | undefined;
  #reopen: NodeJS.Timeout | undefined;
  #connected = false;
  #over: { readonly code: ZkCode; readonly why: string } | undefined;
  #credentials: SessionCredentials = NEW_SESSION;
  #onFirst: ((failure: ZooKeeperError | undefined) => void) | undefined;

  private constructor(addon: NativeAddon, settings: FullSettings) {
    this.#addon = addon;
    this.#settings = settings;
    this.#limits = new Limits(
      () => [...this.#waiting, ...this.#inFlight],
      (calls) => {
        for (const call of calls) {
          if (call.sent) call.fail(ZkCode.OperationTimeout, 'no answer in time');
          else call.fail(ZkCode.ConnectionLoss, 'no connection in time');
        }
        this.#waiting.keep((call) => !call.settled);
      },
      (calls, signal) => {
        for (const call of calls) call.fail(ZkCode.Aborted, 'aborted by the caller', signal.reason);
        this.#waiting.keep((call) => !call.settled);
      },
    );
  }

  /** Connects. Rejects with ConnectionLoss or AuthFailed. */
  static async start(addon: NativeAddon, settings: FullSettings): Promise<NativeSession> {
    const deadline = performance.now() + settings.connectTimeoutMs;
    // The addon itself would try for ever without a word.
    await knock(settings.servers, settings.connectTimeoutMs);
    const session = new NativeSession(addon, settings);
    const failure = await new Promise<ZooKeeperError | undefined>((resolve) => {
      session.#onFirst = resolve;
      const names = settings.servers.map(({ text }) => text).join(', ');
      const why = `no ZooKeeper server could be reached: no answer from ${names} within ${settings.connectTimeoutMs} ms`;
      const timer = setTimeout(() => resolve(connectionLoss(why)), deadline - performance.now());
      session.#onFirst = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      session.#open();
    });
    session.#onFirst = undefined;
    if (failure === undefined) return session;
    session.close();
    throw failure;
  }

  /** Whether a request would be given to the addon at once. */
  get isConnected(): boolean {
    return this.#connected;
  }

  /** What proves the present session to a server. */
  get credentials(): SessionCredentials {
    return this.#credentials;
  }

  /** Time-out of the session as the server granted it, in milliseconds. */
  get timeoutMs(): number {
    return this.#handle?.native.timeout ?? this.#settings.sessionTimeoutMs;
  }

  request<T>(what: NativeRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { name, path, options } = what;
      const signal = options?.signal;
      const timeoutMs = options?.timeoutMs ?? this.#settings.requestTimeoutMs;
      const settle = (): boolean => {
        this.#inFlight.delete(call);
        if (call.settled) return false;
        call.settled = true;
        if (signal !== undefined) this.#limits.release(signal);
        return true;
      };
      const call: Pending = {
        deadline: performance.now() + timeoutMs,
        signal,
        settled: false,
        sent: false,
        fail: (code, why, cause) => {
          const message = `${name} ${path}: ${why}`;
          if (settle()) reject(new ZooKeeperError(code, message, { path, sent: call.sent, cause }));
        },
        start: (native) =>
          what.start(native, (code, make) => {
            if (INTERRUPTED.has(code)) call.fail(ZkCode.ConnectionLoss, 'the connection broke');
            else if (settle()) code === 0 ? resolve(make()) : reject(serverError(name, code, path));
          }),
      };
      if (this.#over !== undefined) call.fail(this.#over.code, this.#over.why);
      else if (signal?.aborted) call.fail(ZkCode.Aborted, 'aborted by the caller', signal.reason);
      else if (!(timeoutMs > 0)) call.fail(ZkCode.OperationTimeout, 'no time was left to send it');
      if (call.settled) return;
      this.#limits.add(call);
      if (this.#connected) this.#hand(call);
      else this.#waiting.push(call);
    });
  }

  /**
   * A callback for the addon that tells `watcher` once: of an event, or `lost` when the connection ends before. `armed`
   * is to be called when the server has taken the watch.
   */
  watch(watcher: Watcher): { readonly callback: NativeWatch; armed(): void } {
    let told = false;
    const tell = (signal: Parameters<Watcher>[0]): void => {
      if (told) return;
      told = true;
      this.#watchers.delete(lost);
      queueMicrotask(() => watcher(signal));
    };
    const lost = (): void => tell('lost');
    return {
      callback: (type) => {
        if (type === SESSION_EVENT) return;
        tell(type === 1 || type === 2 || type === 3 || type === 4 ? WATCH_SIGNALS[type] : 'lost');
      },
      armed: () => {
        if (!told) this.#watchers.add(lost);
      },
    };
  }

  close(): void {
    this.#end(ZkCode.Closed, 'the client was closed');
    this.#handle?.close();
  }

  #end(code: ZkCode, why: string): void {
    this.#over ??= { code, why };
    this.#connected = false;
    clearTimeout(this.#reopen);
    for (const call of [...this.#waiting.drain(), ...this.#inFlight]) call.fail(code, why);
    this.#limits.stop();
    this.#lose();
  }

  #lose(): void {
    for (const lost of [...this.#watchers]) lost();
  }

  #hand(call: Pending): void {
    const native = this.#handle?.native;
    if (native === undefined || call.settled) return;
    this.#inFlight.add(call);
    const code = call.start(native);
    call.sent = code === 0;
    if (code === 0) return;
    if (INTERRUPTED.has(code)) call.fail(ZkCode.ConnectionLoss, 'the session is ending');
    else call.fail(code, serverError('the addon refused it', code).message);
  }

  #open(): void {
    const handle = new this.#addon({});
    let accepted = 0;
    this.#handle = handle;
    const ifPresent =
      <T extends unknown[]>(listener: (...args: T) => void) =>
      (...args: T): void => {
        if (this.#handle === handle && this.#over === undefined) listener(...args);
      };
    handle.on(
      'connect',
      ifPresent(() => this.#onConnect(handle)),
    );
    handle.on(
      'connecting',
      ifPresent(() => this.#onLoss()),
    );
    handle.on(
      'close',
      ifPresent((_: unknown, code: number) => this.#onClose(code)),
    );
    const begun = handle.native.init({
      connect: this.#settings.servers.map(({ text }) => text).join(','),
      timeout: this.#settings.sessionTimeoutMs,
      response_counter_limit: RESPONSE_COUNTER_LIMIT,
    });
    if (begun instanceof Error) {
      this.#reopen = setTimeout(() => this.#open(), REOPEN_MS);
      return;
    }
    for (const { scheme, auth } of this.#settings.auth) {
      handle.native.add_auth(scheme, auth, (code) => {
        if (code === ZkCode.AuthFailed) ifPresent(() => this.#onClose(AUTH_FAILED_STATE))();
        else if (code === 0 && ++accepted === this.#settings.auth.length) this.#onFirst?.(undefined);
      });
    }
  }

  #onConnect(handle: NativeHandle): void {
    this.#connected = true;
    const { client_id, client_password } = handle.native;
    const id = BigInt.asIntN(64, BigInt(`0x${client_id}`));
    this.#credentials = { id, password: Buffer.from(client_password, 'hex') };
    if (this.#settings.auth.length === 0) this.#onFirst?.(undefined);
    for (const call of this.#waiting.drain()) this.#hand(call);
  }

  #onLoss(): void {
    this.#connected = false;
    this.#lose();
  }

  #onClose(code: number): void {
    this.#onLoss();
    if (code === AUTH_FAILED_STATE) {
      const why = 'the server refused the credentials given for it';
      this.#end(ZkCode.AuthFailed, why);
      this.#onFirst?.(new ZooKeeperError(ZkCode.AuthFailed, why));
    } else {
      // Not from inside the addon's own event: the old handle is still being taken apart.
      this.#reopen = setTimeout(() => this.#open(), 0);
    }
  }
}
