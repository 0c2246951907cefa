import type { CallOptions, SyncedEvent, WatchEvent } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import type { EventQueue } from '../../topo/queue.js';
import { find } from './file.js';
import type { LegacyStore } from './legacy-store.js';

/**
 * Delivers the states of records: whenever a znode has changed, the records that are made of it are read, and delivered where their state is
 * another one than the last.
 */
export class Reader {
  readonly queue: EventQueue<WatchEvent | SyncedEvent>;
  /** Of its reads: the signal fires when the watch has ended. */
  readonly call: CallOptions & { readonly signal: AbortSignal };
  readonly #legacy: LegacyStore;
  readonly #due = new Set<string>();
  readonly #delivered = new Map<string, string | undefined>();
  #wake: () => void = () => {};

  constructor(legacy: LegacyStore, queue: EventQueue<WatchEvent | SyncedEvent>, signal: AbortSignal) {
    this.#legacy = legacy;
    this.queue = queue;
    this.call = { signal };
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Paths of the records that were delivered and exist. */
  get delivered(): string[] {
    return [...this.#delivered].flatMap(([path, token]) => (token === undefined ? [] : [path]));
  }

  /** Says that records are to be read again. */
  mark(paths: Iterable<string>): void {
    for (const path of paths) this.#due.add(path);
    this.#wake();
  }

  /**
   * Calls `onChange` with the native path of each change from now on, until the watch ends. Resolves when all that was there at the beginning has
   * been told.
   */
  listen(events: AsyncIterable<WatchEvent | SyncedEvent>, onChange: (native: string) => void): Promise<void> {
    return new Promise((resolve) => {
      const follow = async () => {
        for await (const event of events) {
          if (event.type === 'record') onChange(event.path);
          else resolve();
        }
      };
      follow()
        .catch((error: unknown) => this.queue.fail(error))
        .finally(resolve);
    });
  }

  /** Delivers a state, unless it is the last one delivered. */
  deliver(event: WatchEvent): void {
    const { path, value } = event;
    const token = value?.version.token;
    if (this.#delivered.has(path) && this.#delivered.get(path) === token) return;
    this.#delivered.set(path, token);
    this.queue.push(event, path);
  }

  /** Does `work` again until it succeeds, where the servers do not answer. */
  async insist<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.call.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (!isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) throw error;
        await this.#legacy.store.pauseBeforeRetry(this.call.signal);
      }
    }
    return undefined;
  }

  /** Reads all that is due, once. */
  async readDue(): Promise<void> {
    for (const path of [...this.#due]) {
      this.#due.delete(path);
      try {
        const value = await find(this.#legacy, path, this.call);
        this.deliver({ type: 'record', path, value });
      } catch (error) {
        this.#due.add(path);
        throw error;
      }
    }
  }

  /** Goes on reading what is due until the watch ends. */
  async run(): Promise<void> {
    while (!this.call.signal.aborted) {
      await this.insist(() => this.readDue());
      if (this.#due.size > 0 || this.call.signal.aborted) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
