import type { ConnectSettings } from '../../topo/backend.js';
import { type CallContext, interrupted, outcomeUnknown, raceCall } from '../../topo/calls.js';
import type { CallOptions, StoredRecord, Value } from '../../topo/connection.js';
import type { Lock } from '../../topo/locks.js';
import { joinPath } from '../../topo/paths.js';
import { toTopologyError } from './error.js';
import type { Item, Steps } from './operation.js';
import type { MemoryStore } from './store.js';
import type { StoreInUse } from './stores.js';
import { makeVersion } from './version.js';

/** What stands for a lock that is held. */
interface Holder {
  /** Its record, and the session that owns it. */
  readonly entry: { readonly key: string; readonly owner: string } | undefined;
  /** Notes that the lock is lost. */
  gone(why: string): void;
}

/** Milliseconds that {@link Requests.close} waits for locks to be given back. */
const CLOSING_MS = 1_000;

/** What the parts of one connection share: the way to its store, where its root is there, and the locks that it holds. */
export class Requests {
  readonly context: CallContext;
  readonly store: MemoryStore;
  readonly durable: boolean;
  /** Key of the root. */
  readonly root: string;
  readonly lockSettings: Pick<ConnectSettings, 'lockTtlMs' | 'lockDelayMs'>;
  /** What stands for each lock that is held. */
  readonly held = new Map<Lock, Holder>();
  readonly #inUse: StoreInUse;
  readonly #enders = new Set<() => void>();
  readonly #pending = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    context: CallContext,
    inUse: StoreInUse,
    root: string,
    lockSettings: Pick<ConnectSettings, 'lockTtlMs' | 'lockDelayMs'>,
  ) {
    this.context = context;
    this.store = inUse.store;
    this.durable = inUse.durable;
    this.root = root;
    this.lockSettings = lockSettings;
    this.#inUse = inUse;
  }

  keyOf(path: string): string {
    return joinPath(this.root, path);
  }

  pathOf(key: string): string {
    return this.root === '' ? key : key.slice(this.root.length + 1);
  }

  /** A copy: what the caller does to it stays with the caller. */
  valueOf(item: Item): Value {
    return {
      bytes: Buffer.from(item.bytes ?? []),
      version: makeVersion(this.context.store, this.store.token(item)),
      ephemeral: this.store.ephemeral(item),
    };
  }

  recordOf(key: string, item: Item): StoredRecord {
    return { path: this.pathOf(key), ...this.valueOf(item) };
  }

  /** Looks at the store at one later moment. `path`: what errors are about. */
  read<T>(path: string | undefined, options: CallOptions | undefined, look: () => T): Promise<T> {
    return this.#run('read', path, options, () => ({ next: () => ({ done: true, value: look() }) }));
  }

  /** Carries out an operation that changes the store, from a later moment on. Without a path it is a batch. */
  change<T>(path: string | undefined, options: CallOptions | undefined, begin: () => Steps<T>): Promise<T> {
    return this.#run('write', path, options, begin);
  }

  /** Calls `end` when the connection is closed, until the answer is called. At once when it is closed already. */
  onClose(end: () => void): () => void {
    if (this.#closed) end();
    else this.#enders.add(end);
    return () => this.#enders.delete(end);
  }

  /** Does something that nobody waits for, closed or not; {@link close} waits for it. */
  afterwards<T>(work: () => T): Promise<T> {
    const done = new Promise<T>((resolve) => this.store.deliver(() => resolve(work())));
    this.#pending.add(done);
    void done.then(() => this.#pending.delete(done));
    return done;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#enders) end();
    this.#enders.clear();
    if (this.#pending.size > 0) await this.#patiently(Promise.all(this.#pending));
    this.#inUse.release();
  }

  async #patiently(work: Promise<unknown>): Promise<void> {
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.context.clock.schedule(CLOSING_MS, resolve);
    });
    await Promise.race([work, late]);
    cancel();
  }

  async #run<T>(
    kind: 'read' | 'write',
    path: string | undefined,
    options: CallOptions | undefined,
    begin: () => Pick<Steps<T>, 'next'>,
  ): Promise<T> {
    if (this.#closed) throw interrupted(this.context, path);
    return raceCall(this.context, options, { kind, path }, () => this.#steps(kind, path, begin));
  }

  #steps<T>(
    kind: 'read' | 'write',
    path: string | undefined,
    begin: () => Pick<Steps<T>, 'next'>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const forget = this.onClose(() => {
        const closed = interrupted(this.context, path);
        reject(kind === 'read' ? closed : outcomeUnknown(this.context, path, closed));
      });
      const steps = begin();
      const step = () => {
        try {
          const next = steps.next();
          if (!next.done) {
            this.store.deliver(step);
            return;
          }
          resolve(next.value);
        } catch (error) {
          reject(toTopologyError(this.context, error, { path, pathOf: (key) => this.pathOf(key) }));
        }
        forget();
      };
      this.store.deliver(step);
    });
  }
}
