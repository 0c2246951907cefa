import type { Capabilities } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { ancestors, isBelow, joinPath, parentPath } from '../../topo/paths.js';
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
import type { Session } from './sessions.js';
import { type Entry, MemoryStore, type StoreSettings } from './store.js';

/** A znode; one without data (null) is a directory. */
interface Znode extends Item {
  /** Counts writes of the data; int32, which wraps. */
  readonly version: number;
  /** Counts children that were made; numbers sequential nodes. int32, as the servers keep it before they show it. */
  readonly cversion: number;
  /** zxid of the last child that came or went. */
  readonly pzxid: number;
}

/** jute.maxbuffer as the servers ship it. */
const REQUEST_BYTES = 1_048_575;
/** xid and type of a request, and the header that ends a transaction. */
const ENVELOPE_BYTES = 17;
const PATH_BYTES = 1_024;
const BATCH_BYTES = REQUEST_BYTES - ENVELOPE_BYTES;

/** zxids begin with the number of the leader's epoch, in the upper 32 bits. */
const FIRST_EPOCH = 0x1_0000_0000;

/** What a path cannot hold although others can: PathUtils.validatePath of ZooKeeper, which looks at UTF-16 units. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const REFUSED = /[\u0001-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** As an expected version: any. */
const ANY_VERSION = -1;

/** ZooKeeper 3.4 to 3.9: a tree of znodes. */
export class ZooKeeperStore extends MemoryStore<Znode> {
  readonly capabilities: Omit<Capabilities, 'durable' | 'readOnly'> = {
    batch: { maxOps: 500, maxBytes: BATCH_BYTES },
    maxValueBytes: BATCH_BYTES - PATH_BYTES - 64,
    maxPathBytes: PATH_BYTES,
    history: false,
    watchRecursive: true,
    snapshotScan: false,
    emptyDirectories: true,
    recordsWithChildren: true,
    recreation: 'detected',
    pathProblem: (path) => (REFUSED.test(path) ? 'character like one of these' : undefined),
    locks: 'fair',
    fencing: true,
    seal: true,
  };

  /** Of a session: 2 to 20 ticks of the servers. */
  readonly timeToLive = { least: 4_000, most: 40_000, usual: 10_000 };

  constructor(settings: StoreSettings) {
    super(settings, FIRST_EPOCH);
    this.commit((at) => this.set('', newZnode(null, at, '')));
  }

  /** `<data version>:<czxid>`, both decimal. */
  token({ version, created }: Znode): string {
    return `${version}:${created}`;
  }

  /**
   * With versions it takes two requests, because a transaction compares data versions only, and a znode made again
   * begins them anew: the czxids are looked at first. What slips in between is seen afterwards.
   */
  override *write(ops: readonly StoreOp[], root: string): Steps<(string | undefined)[]> {
    if (ops.some((op) => creationOf(op) !== undefined)) {
      for (const [index, op] of ops.entries()) indexed(index, () => this.#checkCreation(op));
      yield;
    }
    const recreated = ops.findIndex((op) => !this.#isSameCreation(op));
    const tokens = yield* super.write(ops, root);
    const stranger = ops[recreated];
    if (stranger === undefined) return tokens;
    return indexed(recreated, () => {
      throw new Refusal(
        ErrorCode.OutcomeUnknown,
        'the record was made again between the check of its version and the write, which went to the new one',
        stranger.key,
      );
    });
  }

  /** No single request does it: either the data of a znode is set, or a znode is made. */
  override *put(key: string, bytes: Uint8Array, root: string): Steps<string | undefined> {
    for (;;) {
      if (this.record(key) !== undefined) return yield* super.put(key, bytes, root);
      yield;
      if (this.record(key) === undefined) return yield* super.put(key, bytes, root);
      yield;
    }
  }

  override makeDirectory(path: string): void {
    this.commit((at) => {
      this.#makeDirectories(`${keyOf(path)}/`, at);
    });
  }

  /** {@link putEphemeral} under the next name that its directory gives: `path` and ten digits. Gives the whole path. */
  putSequential(path: string, bytes: Uint8Array, session: string): string {
    const cversion = this.tree.get(parentPath(keyOf(path)))?.cversion ?? 0;
    const numbered = `${keyOf(path)}${String(cversion).padStart(10, '0')}`;
    this.putEphemeral(numbered, bytes, session);
    return numbered;
  }

  /** Candidates of an election stand in its own directory. */
  lockPlace(dir: string, election: boolean): string {
    return election ? dir : joinPath(dir, 'locks');
  }

  standInLine(place: string, bytes: Uint8Array, session: string): string {
    return this.putSequential(`${place}/`, bytes, session);
  }

  /** By name, and so by number. */
  line(place: string): Entry<Znode>[] {
    return this.recordsBelow(place).filter(({ key }) => parentPath(key) === place);
  }

  protected override own(key: string, bytes: Uint8Array, session: Session): void {
    if (this.record(key) !== undefined) throw recordExists(key);
    super.own(key, bytes, session);
  }

  protected written(bytes: Uint8Array, at: number, before: Znode | undefined, owner = ''): Znode {
    return before === undefined ? newZnode(bytes, at, owner) : withData(before, bytes, at);
  }

  protected override matches({ version }: Znode, token: string): boolean {
    const expected = Number.parseInt(token, 10);
    // What the servers take for "any" is also a version that a znode has after 2^32 - 1 writes.
    return expected === version || expected === ANY_VERSION;
  }

  protected override store(key: string, bytes: Uint8Array, at: number, owner?: string): string {
    const isNew = this.tree.get(key) === undefined;
    this.#makeDirectories(key, at);
    const token = super.store(key, bytes, at, owner);
    if (isNew) this.#touchParent(key, at, 1);
    return token;
  }

  protected override remove(key: string, at: number, root: string): void {
    const node = this.tree.find(key);
    if (node?.item !== undefined && node.children !== undefined) {
      this.set(key, withData(node.item, null, at));
      return;
    }
    this.#unlink(key, at);
    for (let parent = parentPath(key); isBelow(parent, root); parent = parentPath(parent)) {
      const left = this.tree.find(parent);
      if (left?.item?.bytes !== null || left.children !== undefined) break;
      this.#unlink(parent, at);
    }
  }

  protected override release(key: string, _item: Znode, _session: Session, at: number): void {
    this.#unlink(key, at);
  }

  #unlink(key: string, at: number): void {
    this.set(key, undefined);
    this.#touchParent(key, at, 0);
  }

  /** The directories above a key. */
  #makeDirectories(key: string, at: number): void {
    for (const directory of ancestors(key)) {
      const znode = this.tree.get(directory);
      if (znode !== undefined && znode.owner !== '')
        throw new Refusal(ErrorCode.Unsupported, 'an ephemeral record cannot have records below it', key);
      if (znode !== undefined) continue;
      this.set(directory, newZnode(null, at, ''));
      this.#touchParent(directory, at, 1);
    }
  }

  #touchParent(key: string, at: number, made: 0 | 1): void {
    const parent = parentPath(key);
    const znode = this.tree.get(parent);
    if (znode !== undefined) this.set(parent, { ...znode, cversion: (znode.cversion + made) | 0, pzxid: at });
  }

  #checkCreation(op: StoreOp): void {
    if (creationOf(op) === undefined) return;
    if (this.record(op.key) === undefined) throw noRecord(op.key);
    if (!this.#isSameCreation(op)) throw badVersion(op.key);
  }

  #isSameCreation(op: StoreOp): boolean {
    const creation = creationOf(op);
    return creation === undefined || creation === this.tree.get(op.key)?.created;
  }
}

/** The czxid in the version that an operation names. NaN, which nothing equals, for what is no version of a znode. */
function creationOf(op: StoreOp): number | undefined {
  if (!('token' in op) || op.token === null) return undefined;
  return Number(/^-?\d+:(\d+)$/.exec(op.token)?.[1] ?? Number.NaN);
}

function newZnode(bytes: Uint8Array | null, at: number, owner: string): Znode {
  return { bytes, created: at, modified: at, owner, version: 0, cversion: 0, pzxid: at };
}

function withData(znode: Znode, bytes: Uint8Array | null, at: number): Znode {
  return { ...znode, bytes, modified: at, version: (znode.version + 1) | 0 };
}
