import type { CallOptions, SyncedEvent, Value, WatchEvent } from '../../topo/connection.js';
import { followPasses } from '../../topo/follow.js';
import type { Limits } from '../../topo/members.js';
import { isBelow } from '../../topo/paths.js';
import { type EventQueue, watchEvents } from '../../topo/queue.js';
import { type Answer, type Node, REFUSALS } from './answers.js';
import type { Member } from './member.js';
import { find } from './record.js';
import { pathOf, scan } from './scan.js';
import type { EtcdStore } from './store.js';

/** Milliseconds between looks at whether anything changed at all: etcd wakes nobody who waits for a change of what is hidden. */
const LOOK_MS = 250;
/** Looks after which a server that is behind what was read is taken for one of a store that was restored. */
const MOST_BEHIND = 8;

type Event = WatchEvent | SyncedEvent;

export function watchRecursive(
  store: EtcdStore,
  prefix: string,
  options?: CallOptions,
): AsyncIterable<Event> {
  return watchEvents<Event>(store.context, options, prefix, (queue) => {
    const follower = new Follower(store, prefix, queue);
    return followPasses(store, queue, prefix, async ({ signal, alive }) => {
      await follower.pass(signal, alive);
      return true;
    });
  });
}

/** Follows all records below a directory. */
class Follower {
  readonly #store: EtcdStore;
  readonly #prefix: string;
  readonly #queue: EventQueue<Event>;
  /** Version of each record delivered last. */
  readonly #known = new Map<string, string>();
  #synced = false;
  /** Index of the first change that was not looked at yet; undefined: everything is to be read. */
  #from: number | undefined;

  constructor(store: EtcdStore, prefix: string, queue: EventQueue<Event>) {
    this.#store = store;
    this.#prefix = prefix;
    this.#queue = queue;
  }

  /** Reads everything, or waits for one change. */
  async pass(signal: AbortSignal, alive: () => void): Promise<void> {
    const from = this.#from;
    this.#from = undefined;
    if (from === undefined) {
      this.#from = await this.#readAll(signal);
      return;
    }
    alive();
    const change = await this.#store.poll(Number.MAX_SAFE_INTEGER, signal, (member) =>
      new Waiter(this.#store, member, signal).next(from),
    );
    if (change === undefined || change.refused === REFUSALS.eventsCleared) return;
    const { node } = change;
    if (node === undefined || !(await this.#look(node, signal))) return;
    this.#from = node.modifiedIndex + 1;
  }

  /** Delivers what differs from what is known. The index of the first change that it may not have seen. */
  async #readAll(signal: AbortSignal): Promise<number> {
    const gone = new Set(this.#known.keys());
    let from: number | undefined;
    for await (const page of scan(this.#store, this.#prefix, { signal })) {
      from ??= Number(page.position) + 1;
      for (const { path, ...value } of page.records) {
        gone.delete(path);
        this.#deliver(path, value);
      }
    }
    for (const path of gone) this.#deliver(path, undefined);
    if (!this.#synced) this.#queue.push({ type: 'synced' });
    this.#synced = true;
    return from ?? 0;
  }

  /** Looks at what a change is about. False: everything is to be read. */
  async #look(node: Node, signal: AbortSignal): Promise<boolean> {
    const { layout } = this.#store;
    const native = layout.native(node.key);
    const place = layout.place(native);
    if (place.is === 'vschemas') return false;
    const path = node.value === undefined ? undefined : pathOf(place);
    const paths = node.value === undefined ? this.#below(native) : [];
    if (path !== undefined && place.is !== 'derived' && isBelow(path, this.#prefix)) paths.push(path);
    for (const each of paths) this.#deliver(each, await find(this.#store, each, { signal }));
    return true;
  }

  /** Known records whose files are in a native directory. */
  #below(directory: string): string[] {
    const { layout } = this.#store;
    return [...this.#known.keys()].filter((path) => {
      const locked = layout.lockedBy(path);
      const native = locked === undefined ? layout.find(path) : layout.lock(locked);
      return native !== undefined && (native === directory || isBelow(native, directory));
    });
  }

  #deliver(path: string, value: Value | undefined): void {
    if (this.#known.get(path) === value?.version.token) return;
    if (value === undefined) this.#known.delete(path);
    else this.#known.set(path, value.version.token);
    this.#queue.push({ type: 'record', path, value }, path);
  }
}

/** Waits for a change of anything below the root, hidden things included, at one server: another may be behind it. */
class Waiter {
  readonly #store: EtcdStore;
  readonly #member: Member;
  readonly #signal: AbortSignal;

  constructor(store: EtcdStore, member: Member, signal: AbortSignal) {
    this.#store = store;
    this.#member = member;
    this.#signal = signal;
  }

  /** The first change from an index on; undefined: the server has forgotten it, or never knew of that index. */
  async next(from: number): Promise<Answer | undefined> {
    for (let behind = 0; ; ) {
      const index = await this.#index();
      if (index < from - 1) {
        // A server may be behind another for moments; a store that was restored counts anew.
        if (behind === MOST_BEHIND) return undefined;
        behind += 1;
        await this.#store.sleep(LOOK_MS, this.#signal);
        continue;
      }
      behind = 0;
      const change = await this.#wait(from, index);
      if (change !== undefined) return change;
    }
  }

  /**
   * The first change from an index on; undefined: the store has gone on beyond `index`, perhaps by what is hidden. That is told only to those
   * who ask for it when it is past.
   */
  async #wait(from: number, index: number): Promise<Answer | undefined> {
    const stop = new AbortController();
    const end = () => stop.abort();
    this.#signal.addEventListener('abort', end);
    const key = this.#store.layout.key('');
    const limits = { ...this.#limits(), answerBy: Number.MAX_SAFE_INTEGER, signal: stop.signal };
    const wait = this.#member.wait(key, { recursive: true, from }, limits);
    try {
      return await Promise.race([wait, this.#moved(index, stop.signal)]);
    } finally {
      this.#signal.removeEventListener('abort', end);
      stop.abort();
      wait.catch(() => {});
    }
  }

  async #moved(index: number, signal: AbortSignal): Promise<undefined> {
    do await this.#store.sleep(LOOK_MS, signal);
    while (!signal.aborted && (await this.#index()) === index);
  }

  async #index(): Promise<number> {
    const key = this.#store.layout.key('_');
    return (await this.#member.get(key, { local: true }, this.#limits())).index;
  }

  #limits(): Limits {
    const { clock, defaultTimeoutMs } = this.#store.context;
    const until = clock.now() + defaultTimeoutMs;
    return { connectBy: until, answerBy: until, signal: this.#signal };
  }
}
