import { type ChildProcess, fork } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AbortingSignal,
  type MultiRead,
  type OperationOptions,
  ZkCode,
  ZooKeeperError,
  type ZooKeeperSettings,
} from './client.js';
import { connectionLoss } from './errors.js';
import { type Limited, Limits } from './limits.js';
import {
  type FromReader,
  type ReaderSettings,
  type ReadResult,
  type ToReader,
  unpackResults,
} from './reader-messages.js';

/** From source, as tests run, the process needs what compiles it; what is published does not. */
const SUFFIX = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const MODULE = fileURLToPath(new URL(`./reader-child${SUFFIX}`, import.meta.url));
const EXEC_ARGV = SUFFIX === '.ts' ? ['--import', 'tsx'] : [];
/** Time for the process to end its sessions and itself. */
const EXIT_MS = 2_000;
/** All that the process has of this one's environment, which may hold secrets. */
const VARIABLES = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot'];

/** What a read of a {@link Reader} gives. */
export interface ReaderAnswer {
  /** The session that gave it: only within one session are reads in order. */
  readonly session: bigint;
  /** A node that is not there, or may not be read, is an error by itself; any other failure is one of the whole read. */
  readonly results: ReadResult[];
}

/** A session of the `zookeeper` package, in a process of its own. */
export interface Reader {
  /** Fires when the process has died; its reason is a ZooKeeperError. Not by {@link close}. */
  readonly gone: AbortSignal;
  /** Resolves when it is connected. Rejects with ConnectionLoss, AuthFailed, or Unsupported when the package cannot be loaded. */
  readonly opened: Promise<void>;
  /**
   * Reads in order, all after a sync where one is asked for. Never waits for a connection: ConnectionLoss when there is
   * none, or when the process dies. OperationTimeout, Aborted; other codes as the package has them.
   */
  read(
    reads: readonly MultiRead[],
    options: OperationOptions & { readonly timeoutMs: number; readonly sync: boolean },
  ): Promise<ReaderAnswer>;
  /** Resolves when its session has ended; with the last reader the process has, too. Idempotent, never rejects. */
  close(): Promise<void>;
}

/** Begins a session with the package; undefined where it is not installed. */
export function openReader(settings: ZooKeeperSettings): Reader | undefined {
  if (!isInstalled()) return undefined;
  running ??= start();
  return running.open(settings);
}

function start(): ReaderProcess {
  const started = new ReaderProcess(() => {
    if (running === started) running = undefined;
  });
  return started;
}

/** The one of this process: a child for each store would cost its memory and its start as often. */
let running: ReaderProcess | undefined;

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('zookeeper');
    return true;
  } catch {
    return false;
  }
}

interface Pending extends Limited {
  /** The reader that asked. */
  readonly of: object;
  settled: boolean;
  finish(answer: ReaderAnswer): void;
  fail(error: ZooKeeperError): void;
}

/** One session of the process, which stores of the same servers and credentials share. */
interface Shared {
  readonly key: string;
  readonly number: number;
  readonly opened: Promise<void>;
  readonly onOpened: (failure: ZooKeeperError | undefined) => void;
  users: number;
}

class ReaderProcess {
  readonly #child: ChildProcess;
  readonly #onEnd: () => void;
  readonly #gone = new AbortController();
  readonly #shared = new Map<number, Shared>();
  readonly #calls = new Map<number, Pending>();
  readonly #limits: Limits<Pending>;
  #numbers = 0;
  #ended = false;
  /** Whether it has a session that is to be ended. */
  #hasSession = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    setMaxListeners(0, this.#gone.signal);
    this.#limits = new Limits<Pending>(
      () => this.#calls.values(),
      (calls) => {
        for (const call of calls)
          call.fail(
            new ZooKeeperError(ZkCode.OperationTimeout, 'no answer of the package in time', { sent: true }),
          );
      },
      (calls, signal) => {
        for (const call of calls) call.fail(aborted(signal));
      },
    );
    this.#child = fork(MODULE, [], {
      cwd: dirname(MODULE),
      execArgv: EXEC_ARGV,
      env: Object.fromEntries(
        VARIABLES.flatMap((name) => {
          const value = process.env[name];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      // The addon writes to its standard error when it aborts.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (message: FromReader) => this.#onMessage(message));
    for (const event of ['error', 'exit', 'disconnect']) this.#child.on(event, () => this.#die());
    // It never keeps this process from ending: whoever reads has a connection of his own.
    this.#child.unref();
    this.#child.channel?.unref();
  }

  open(settings: ZooKeeperSettings): Reader {
    const shared = this.#share({
      servers: settings.servers,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      connectTimeoutMs: settings.connectTimeoutMs,
      auth: settings.auth ?? [],
    });
    const owner = {};
    let closing: Promise<void> | undefined;
    return {
      gone: this.#gone.signal,
      opened: shared.opened,
      read: (reads, options) => {
        if (closing === undefined) return this.#read(shared.number, owner, reads, options);
        return Promise.reject(wasClosed());
      },
      close: () => {
        if (closing !== undefined) return closing;
        closing = this.#leave(shared);
        for (const call of [...this.#calls.values()]) if (call.of === owner) call.fail(wasClosed());
        return closing;
      },
    };
  }

  #share(settings: ReaderSettings): Shared {
    const key = JSON.stringify({ ...settings, servers: [...settings.servers].sort() });
    for (const shared of this.#shared.values()) {
      if (shared.key !== key) continue;
      shared.users += 1;
      return shared;
    }
    const number = this.#numbers++;
    let onOpened: Shared['onOpened'] = () => {};
    const opened = new Promise<void>((resolve, reject) => {
      onOpened = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    // Whoever waits for it hears of it.
    opened.catch(() => {});
    const shared: Shared = { key, number, opened, onOpened, users: 1 };
    this.#shared.set(number, shared);
    this.#send({ type: 'open', reader: number, settings });
    return shared;
  }

  async #leave(shared: Shared): Promise<void> {
    shared.users -= 1;
    if (shared.users > 0 || !this.#shared.delete(shared.number)) return;
    if (this.#shared.size > 0) this.#send({ type: 'close', reader: shared.number });
    else {
      this.#end();
      await this.#exit();
    }
  }

  /** Waits until the process has ended its sessions and itself; one that is stuck is killed. */
  async #exit(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.ref();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#hasSession ? EXIT_MS : 0);
    await exited.catch(() => {});
    clearTimeout(timer);
  }

  #read(
    reader: number,
    of: object,
    reads: readonly MultiRead[],
    { signal, timeoutMs, sync }: OperationOptions & { readonly timeoutMs: number; readonly sync: boolean },
  ): Promise<ReaderAnswer> {
    return new Promise((resolve, reject) => {
      const number = this.#numbers++;
      const settle = (): boolean => {
        if (call.settled) return false;
        call.settled = true;
        this.#calls.delete(number);
        if (signal !== undefined) this.#limits.release(signal);
        return true;
      };
      const call: Pending = {
        of,
        deadline: performance.now() + timeoutMs,
        signal,
        settled: false,
        finish: (answer) => {
          if (settle()) resolve(answer);
        },
        fail: (error) => {
          if (settle()) reject(error);
        },
      };
      if (signal?.aborted) {
        reject(aborted(signal));
        return;
      }
      if (this.#ended) {
        reject(connectionLoss('the process of the package has ended'));
        return;
      }
      this.#calls.set(number, call);
      this.#limits.add(call);
      // Whoever asks may hand in objects that hold a whole tree.
      const only = reads.map(({ type, path }) => ({ type, path }));
      this.#send({ type: 'read', reader, call: number, timeoutMs, sync, reads: only });
    });
  }

  #send(message: ToReader): void {
    if (this.#ended) return;
    // A failure: it has died, which is told by itself.
    this.#child.send(message, () => {});
  }

  #onMessage(message: FromReader): void {
    if (message.type === 'opened') {
      const { code, why } = message;
      this.#hasSession ||= code === 0;
      this.#shared.get(message.reader)?.onOpened(code === 0 ? undefined : new ZooKeeperError(code, why));
      return;
    }
    const call = this.#calls.get(message.call);
    if (message.type === 'answer')
      call?.finish({ session: message.session, results: unpackResults(message.results) });
    else call?.fail(new ZooKeeperError(message.code, message.why));
  }

  #die(): void {
    if (this.#ended) return;
    const failure = connectionLoss('the process of the zookeeper package has died');
    this.#end();
    this.#gone.abort(failure);
    for (const call of [...this.#calls.values()]) call.fail(failure);
    for (const { onOpened } of this.#shared.values()) onOpened(failure);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#limits.stop();
    if (this.#child.connected) this.#child.disconnect();
  }
}

function wasClosed(): ZooKeeperError {
  return new ZooKeeperError(ZkCode.Closed, 'the client was closed');
}

function aborted(signal: AbortingSignal): ZooKeeperError {
  return new ZooKeeperError(ZkCode.Aborted, 'aborted by the caller', { cause: signal.reason });
}
