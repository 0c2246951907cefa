import type { Clock } from '../../topo/clock.js';
import { differencesOf } from './differences.js';
import { append, type Identity, identify, realName, replace, sameIdentity } from './disk.js';
import { type Changed, type Follower, Followers } from './followers.js';
import { type ChangeItem, changeBody } from './format.js';
import { Lines } from './lines.js';
import { load } from './load.js';
import { snapshotLines } from './save.js';
import { Contents, Entry, type Tree } from './tree.js';
import { isLocked, takeLock } from './write-lock.js';

/** A write that waits for its turn, or is being made. */
export interface Write {
  readonly scope: string;
  /** Looks at the present state: what to change, nothing included. What it throws refuses the write. */
  readonly decide: (tree: Tree) => readonly ChangeItem[];
  /** It can no longer be stopped: from here on a lost answer means an unknown outcome. */
  sent: boolean;
  /** Its caller no longer waits: it is not begun any more. */
  cancelled: boolean;
  readonly resolve: (entries: ReadonlyMap<string, Entry>) => void;
  readonly reject: (error: unknown) => void;
}

/** What is known of the file behind the contents. */
interface OnDisk {
  readonly identity: Identity;
  readonly firstLine: Buffer;
  readonly created: string;
  readonly tailBytes: number;
  readonly torn: boolean;
}

/** Bytes of changes that wait for {@link SharedFile.release}, unless the rest of the file is larger. */
const TAIL_BYTES = 64 * 1024 * 1024;

/** Bytes that writes which wait together may come to before they go to the disk. */
const GROUP_BYTES = 64 * 1024 * 1024;

/** Room for a line of a usual change. */
const LINE_BYTES = 4 * 1024;

const files = new Map<string, SharedFile>();

/** The one user of a file that this process has, whatever name it is opened by. Give it back with `release`. */
export async function acquire(file: string, clock: Clock): Promise<SharedFile> {
  const name = await realName(file);
  let shared = files.get(name);
  if (shared === undefined) {
    shared = new SharedFile(name, clock);
    files.set(name, shared);
  }
  shared.users += 1;
  return shared;
}

/**
 * The contents of one file, and the only place of a process that writes it. Reads and writes take turns; before each the
 * file is looked at, and read again when another process has changed it.
 */
export class SharedFile {
  readonly name: string;
  users = 0;
  readonly #clock: Clock;
  #contents = new Contents();
  /** undefined: there is no file; 'unknown': nobody has looked, or a failure left it open. */
  #disk: OnDisk | undefined | 'unknown' = 'unknown';
  #changes = 0;
  /** Added to the file's count of changes, so that positions grow when an older file takes its place. */
  #shift = 0;
  #wrote = false;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting: Write[] = [];
  #writing: Promise<void> | undefined;
  readonly #followers: Followers;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
    this.#followers = new Followers(clock, () => this.#inTurn(() => this.#refresh()));
  }

  /** Number that grows with every change. */
  get position(): bigint {
    return BigInt(this.#changes + this.#shift);
  }

  /** Whether there was a file when it was last looked for. */
  get exists(): boolean {
    return this.#disk !== undefined;
  }

  /** Calls `work` with the contents as they are now, between writes. */
  read<T>(work: (contents: Contents) => T): Promise<T> {
    return this.#inTurn(async () => {
      await this.#refresh();
      return work(this.#contents);
    });
  }

  /** Queues a write; it is answered when it is on the disk. Writes that wait together go to the disk together. */
  write(write: Write): void {
    this.#waiting.push(write);
    this.#writing ??= this.#writeAll();
  }

  /** Tells `follower` of all changes from now on. Call it from {@link read}, to miss none. */
  follow(follower: Follower): () => void {
    return this.#followers.add(follower);
  }

  /** Gives the file up. The last user of a process that wrote brings the file into its sorted form. */
  async release(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    await this.#writing;
    try {
      await this.#fold();
    } catch (error) {
      process.emitWarning(
        `${this.name} is complete, but could not be brought into its sorted form; the next process that writes to it will`,
        { code: 'TOPO_FILE_NOT_SORTED', detail: error instanceof Error ? error.message : String(error) },
      );
    }
    if (this.users === 0) files.delete(this.name);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #refresh(): Promise<void> {
    const found = await identify(this.name);
    const known = this.#disk === 'unknown' ? undefined : this.#disk?.identity;
    if (this.#disk !== 'unknown' && sameIdentity(found, known)) return;
    if (found === undefined) {
      this.#adopt(new Contents(), this.#changes);
      this.#disk = undefined;
      return;
    }
    this.#disk = 'unknown';
    const { contents, position, torn, ...disk } = await load(this.name);
    this.#adopt(contents, position);
    this.#disk = { ...disk, torn: torn !== undefined };
    // While another process writes, an unfinished line is only one that is not written yet.
    if (torn !== undefined && !(await isLocked(this.name))) {
      process.emitWarning(
        `${this.name}: line ${torn} is unfinished: a write that was never acknowledged, left out`,
        {
          code: 'TOPO_FILE_TORN',
        },
      );
    }
  }

  /** Puts contents read from the file in place of what was known, keeping the entries of records that did not change. */
  #adopt(contents: Contents, changes: number): void {
    const differences = differencesOf(this.#contents, contents);
    const least = this.#changes + this.#shift + (differences.length > 0 ? 1 : 0);
    this.#shift = Math.max(this.#shift, least - changes);
    this.#changes = changes;
    this.#contents = contents;
    this.#followers.tell(differences);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      try {
        const unlock = await takeLock(this.name, this.#clock, () =>
          this.#waiting.some((one) => !one.cancelled),
        );
        try {
          await this.#inTurn(() => this.#writeGroup());
        } finally {
          await unlock();
        }
      } catch (error) {
        for (const write of this.#waiting.splice(0)) write.reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #writeGroup(): Promise<void> {
    await this.#refresh();
    const lines = new Lines(LINE_BYTES);
    const first = this.#changes;
    const before: Changed[] = [];
    const after: Changed[] = [];
    const answers: { readonly write: Write; readonly entries: Map<string, Entry> }[] = [];
    while (lines.length < GROUP_BYTES) {
      const write = this.#waiting.shift();
      if (write === undefined) break;
      if (write.cancelled) continue;
      const { scope } = write;
      const tree = this.#contents.tree(scope);
      const entries = new Map<string, Entry>();
      try {
        const items = write.decide(tree);
        answers.push({ write, entries });
        if (items.length === 0) continue;
        const change = this.#changes + 1;
        lines.add(changeBody({ change, scope, items }));
        write.sent = true;
        this.#changes = change;
        for (const { path, bytes: value } of items) {
          const entry = value === undefined ? undefined : new Entry(value, change);
          before.push({ scope, path, entry: tree.get(path) });
          after.push({ scope, path, entry });
          tree.set(path, entry);
          if (entry !== undefined) entries.set(path, entry);
        }
      } catch (error) {
        write.reject(error);
      }
    }
    try {
      if (lines.length > 0) await this.#persist(lines.take());
    } catch (error) {
      for (const { scope, path, entry } of before.reverse()) this.#contents.tree(scope).set(path, entry);
      this.#changes = first;
      this.#disk = 'unknown';
      for (const { write } of answers) write.reject(error);
      return;
    }
    for (const { write, entries } of answers) write.resolve(entries);
    this.#followers.tell(after);
  }

  /** Puts the change lines on the disk, after the sorted records or, where that cannot be, within them. */
  async #persist(lines: Buffer): Promise<void> {
    const disk = this.#disk;
    if (disk === undefined || disk === 'unknown' || disk.torn) return this.#save();
    const tailBytes = disk.tailBytes + lines.length;
    if (tailBytes > Math.max(TAIL_BYTES, Number(disk.identity.size) - disk.tailBytes)) return this.#save();
    this.#disk = { ...disk, identity: await append(this.name, disk, lines), tailBytes };
    this.#wrote = true;
  }

  /** Writes the whole file in its sorted form. */
  async #save(): Promise<void> {
    const disk = this.#disk === 'unknown' ? undefined : this.#disk;
    const written = new Date(this.#clock.now()).toISOString();
    const created = disk?.created ?? written;
    const header = { created, written, position: this.#changes };
    const { firstLine, lines } = snapshotLines(header, this.#contents);
    const identity = await replace(this.name, disk?.identity, lines);
    this.#disk = { identity, created, firstLine, tailBytes: 0, torn: false };
  }

  async #fold(): Promise<void> {
    if (!this.#wrote) return;
    const unlock = await takeLock(this.name, this.#clock, () => true);
    try {
      await this.#inTurn(async () => {
        await this.#refresh();
        const disk = this.#disk;
        if (disk !== undefined && disk !== 'unknown' && disk.tailBytes > 0) await this.#save();
      });
    } finally {
      await unlock();
    }
  }
}
