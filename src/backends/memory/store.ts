import type { Clock, Random } from '../../topo/clock.js';
import type { Capabilities, DirEntry } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { classify, type Kind } from '../../topo/kinds.js';
import { isBelow } from '../../topo/paths.js';
import type { Seal } from '../../topo/seal.js';
import {
  badVersion,
  type Item,
  indexed,
  keyOf,
  noRecord,
  Refusal,
  recordExists,
  type Steps,
  type StoreOp,
} from './operation.js';
import type { Past } from './past.js';
import { type Session, type SessionOptions, Sessions, type TimeToLive } from './sessions.js';
import { Tree, type TreeNode } from './tree.js';
import { Watchers } from './watchers.js';

/** What the makers of a store need from outside. */
export interface StoreSettings {
  readonly clock: Clock;
  readonly random: Random;
}

/** What a seal lets pass. */
const PASSING: ReadonlySet<Kind> = new Set<Kind>(['Lock', 'Election', 'Ephemeral', 'Control']);

/** A record and where it is. */
export interface Entry<I extends Item = Item> {
  readonly key: string;
  readonly item: I;
}

/**
 * A model of one product's server: its keys, versions, limits, sessions. Each method is one moment; what takes several
 * requests to the product is {@link Steps}. Keys are written without a leading slash.
 */
export abstract class MemoryStore<I extends Item = Item> {
  /** The limits and habits of the product. */
  abstract readonly capabilities: Omit<Capabilities, 'durable' | 'readOnly'>;
  abstract readonly timeToLive: TimeToLive;
  readonly watchers = new Watchers();
  /** By the key of the sealed root. */
  readonly seals = new Map<string, { readonly seal: Seal; readonly scope: 'global' | 'cell' }>();
  /**
   * Brings a request or a notification to its moment: calls `arrive` once, later, never at once. A simulation puts its
   * own here, to decide the order.
   */
  deliver: (arrive: () => void) => void = (arrive) => setImmediate(arrive);

  protected readonly tree = new Tree<I>();
  protected readonly settings: StoreSettings;
  readonly #sessions: Sessions;
  #position: number;
  #journal: [key: string, before: I | undefined][] = [];

  constructor(settings: StoreSettings, position: number) {
    this.settings = settings;
    this.#sessions = new Sessions(settings.clock, (id) => this.expireSession(id));
    this.#position = position;
  }

  /** zxid, revision or index of the last change. */
  get position(): bigint {
    return BigInt(this.#position);
  }

  /** Names the state of a record, as the product does. */
  abstract token(item: I): string;

  /** Whether a record goes away by itself. */
  ephemeral(item: I): boolean {
    return item.owner !== '';
  }

  /** The record at a key. */
  record(key: string): I | undefined {
    const item = this.tree.get(key);
    return item?.bytes === null ? undefined : item;
  }

  /** Every record below a key, in byte order. */
  recordsBelow(key: string): Entry<I>[] {
    const found: Entry<I>[] = [];
    this.tree.walk(key, (at, item) => {
      if (item.bytes !== null) found.push({ key: at, item });
    });
    return found;
  }

  /** Names in a directory, in byte order; undefined when it is none. */
  names(key: string): readonly string[] | undefined {
    const node = this.tree.find(key);
    return node !== undefined && this.#isDirectory(node) ? node.names : undefined;
  }

  /** {@link names} with what each is. */
  entries(key: string): DirEntry[] | undefined {
    const node = this.tree.find(key);
    return this.names(key)?.map((name) => {
      const child = node?.children?.get(name);
      const directory = child !== undefined && this.#isDirectory(child);
      const ephemeral = child !== undefined && this.#goesAway(child);
      return { name, type: directory ? 'directory' : 'file', ephemeral };
    });
  }

  /** What is known of the states of a record before the present one. Undefined: the product keeps none. */
  past(_key: string): Past<I> | undefined {
    return undefined;
  }

  /** Forgets all past states, as a compaction of the product does. */
  compact(): void {}

  /** A transaction: all operations at one moment, or none. Directories below `root` come and go with their records. */
  *write(ops: readonly StoreOp[], root: string): Steps<(string | undefined)[]> {
    return this.commit((at) => ops.map((op, index) => indexed(index, () => this.#apply(op, at, root))));
  }

  /** Writes a record, in any state. */
  *put(key: string, bytes: Uint8Array, root: string): Steps<string | undefined> {
    return (yield* this.write([{ type: 'put', key, bytes }], root))[0];
  }

  /** Begins a session or lease; gives its id. */
  openSession(options: SessionOptions = {}): string {
    const id = this.newId();
    this.#sessions.open(id, options);
    return id;
  }

  isAlive(session: string): boolean {
    return this.#sessions.get(session) !== undefined;
  }

  /** Begins the time to live of a session or lease anew. False when it is over. */
  keepAlive(id: string): boolean {
    return this.#sessions.keepAlive(id);
  }

  /** Ends a session or lease and what it owns. Nothing happens when it is over already. */
  expireSession(id: string): void {
    const session = this.#sessions.end(id);
    if (session === undefined) return;
    this.commit((at) => {
      for (const key of session.keys) {
        const item = this.tree.get(key);
        if (item?.owner === id) this.release(key, item, session, at);
      }
    });
  }

  /** Ends all sessions and their timers; what they own stays. For a store that nobody uses any more. */
  dispose(): void {
    this.#sessions.dispose();
  }

  /** Makes a record, or replaces one, that a session or lease owns (by default one of its own); gives the session's id. */
  putEphemeral(path: string, bytes: Uint8Array, session = this.openSession()): string {
    const key = keyOf(path);
    const alive = this.#sessions.get(session);
    if (alive === undefined) throw new Refusal(ErrorCode.Unavailable, 'the session is over', key);
    this.own(key, Buffer.from(bytes), alive);
    return session;
  }

  /** Where Vitess keeps the lock of a directory, or of an election: the key that {@link standInLine} and {@link line} are about. */
  abstract lockPlace(dir: string, election: boolean): string;

  /** Asks for a lock by the recipe of the product; gives the key of the entry. Undefined: not now, and there is no line to stand in. */
  abstract standInLine(place: string, bytes: Uint8Array, session: string): string | undefined;

  /** Entries of a lock, the one that holds it first. */
  abstract line(place: string): Entry<I>[];

  /** Milliseconds until anybody can have a lock that nobody holds. */
  lockDelay(_place: string): number {
    return 0;
  }

  /** Makes a directory without records, where the product has such a thing. */
  makeDirectory(path: string): void {
    throw new Refusal(ErrorCode.Unsupported, 'directories exist only through their records', keyOf(path));
  }

  protected own(key: string, bytes: Uint8Array, session: Session): void {
    this.commit((at) => this.store(key, bytes, at, session.id));
  }

  /** The item that a write puts in place of `before`; `before` itself when the product sees no change. */
  protected abstract written(
    bytes: Uint8Array,
    at: number,
    before: I | undefined,
    owner: string | undefined,
  ): I;

  /** Whether the server takes the record to be in the state that a token names. */
  protected matches(item: I, token: string): boolean {
    return this.token(item) === token;
  }

  /** Writes a record at the moment `at`. */
  protected store(key: string, bytes: Uint8Array, at: number, owner?: string): string {
    const item = this.written(bytes, at, this.tree.get(key), owner);
    this.set(key, item);
    return this.token(item);
  }

  /** Removes a record at the moment `at`, and the directories below `root` that it leaves empty. */
  protected remove(key: string, _at: number, _root: string): void {
    this.set(key, undefined);
  }

  /** What becomes of a record when the session that owns it ends. */
  protected release(key: string, _item: I, _session: Session, _at: number): void {
    this.set(key, undefined);
  }

  /** Runs `work` at the next moment of the store's own clock; takes everything back when it throws. */
  protected commit<T>(work: (at: number) => T): T {
    const at = this.#position + 1;
    this.#journal = [];
    try {
      const answer = work(at);
      this.#publish(at);
      return answer;
    } catch (error) {
      for (const [key, before] of this.#journal.reverse()) this.tree.set(key, before);
      throw error;
    } finally {
      this.#journal = [];
    }
  }

  /** Puts an item, or takes it away, within {@link commit}. */
  protected set(key: string, item: I | undefined): void {
    const before = this.tree.set(key, item);
    this.#journal.push([key, before]);
    if (item !== undefined && item.owner !== '') this.#sessions.get(item.owner)?.keys.add(key);
  }

  /** Told of each record that a change gave another state, or took away, at the moment `at`. */
  protected changed(_key: string, _before: I | undefined, _at: number): void {}

  /** 16 hexadecimal digits. */
  protected newId(): string {
    const half = () => Math.floor(this.settings.random() * 0x1_0000_0000);
    return [half(), half()].map((n) => n.toString(16).padStart(8, '0')).join('');
  }

  #apply(op: StoreOp, at: number, root: string): string | undefined {
    const { key } = op;
    const record = this.record(key);
    if (op.type !== 'check' && op.type !== 'held') this.#checkSeals(key, record);
    if (op.type === 'held') {
      if (record?.owner !== op.owner) throw new Refusal(ErrorCode.LockLost, 'the lock is not held', key);
      return undefined;
    }
    if (!('token' in op)) {
      if (op.type === 'create' && record !== undefined) throw recordExists(key);
      return this.store(key, op.bytes, at);
    }
    if (op.type === 'check' && op.token === null) {
      if (record !== undefined) throw recordExists(key);
      return undefined;
    }
    if (record === undefined) throw noRecord(key);
    if (op.token !== null && !this.matches(record, op.token)) throw badVersion(key);
    if (op.type === 'update') return this.store(key, op.bytes, at);
    if (op.type === 'delete') this.remove(key, at, root);
    return undefined;
  }

  /** Unauthorized below a sealed root, but for what comes and goes with sessions. */
  #checkSeals(key: string, record: I | undefined): void {
    for (const [root, { scope }] of this.seals) {
      if (!isBelow(key, root)) continue;
      const path = root === '' ? key : key.slice(root.length + 1);
      const ephemeral = record !== undefined && this.ephemeral(record);
      if (!PASSING.has(classify(scope, path, ephemeral).kind))
        throw new Refusal(ErrorCode.Unauthorized, 'the store is sealed', key);
    }
  }

  #publish(at: number): void {
    const first = new Map<string, I | undefined>();
    for (const [key, before] of this.#journal) if (!first.has(key)) first.set(key, before);
    const changed = [...first].filter(([key, before]) => this.tree.get(key) !== before);
    if (changed.length > 0) this.#position = at;
    for (const [key, before] of changed) {
      const now = this.tree.get(key);
      // A directory's own bookkeeping is no state of a record.
      const same = (now?.bytes ?? null) === (before?.bytes ?? null) && now?.modified === before?.modified;
      const everRecord = (now?.bytes ?? before?.bytes ?? null) !== null;
      if (!everRecord || same) continue;
      this.changed(key, before, at);
      this.watchers.notify(key);
    }
  }

  #isDirectory(node: TreeNode<I>): boolean {
    return node.children !== undefined || node.item?.bytes === null;
  }

  #goesAway(node: TreeNode<I>): boolean {
    const { item, children } = node;
    if (item !== undefined && item.bytes !== null && !this.ephemeral(item)) return false;
    if (children === undefined) return item !== undefined && item.bytes !== null;
    for (const child of children.values()) if (!this.#goesAway(child)) return false;
    return true;
  }
}
