import type { Capabilities } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { joinPath } from '../../topo/paths.js';
import { type Item, Refusal } from './operation.js';
import type { Session } from './sessions.js';
import { type Entry, MemoryStore, type StoreSettings } from './store.js';

interface Pair extends Item {
  /** Application's number; {@link LOCK_FLAGS} marks the key of a lock. */
  readonly flags: bigint;
  /** How often it was acquired. */
  readonly lockIndex: number;
}

/** Name of the key that locks a directory. */
const LOCK = 'Lock';
/** What Consul's own lock API writes into the flags of a lock's key. */
const LOCK_FLAGS = 0x2ddccbc058a50c18n;
/** Milliseconds. */
const LOCK_DELAY_MS = 15_000;

/** Two operations of Consul's for a deletion that must find its record. */
const BATCH_OPS = 32;
/** A body of 512 KiB of JSON, in which values are base64: what is left in it beside the longest paths. */
const PATH_BYTES = 512;
const VALUE_BYTES = 390_813;
const BATCH_BYTES = 239_424;

/** Consul's KV: flat keys with a ModifyIndex each. An owner is a session. */
export class ConsulStore extends MemoryStore<Pair> {
  readonly capabilities: Omit<Capabilities, 'durable' | 'readOnly'> = {
    batch: { maxOps: BATCH_OPS, maxBytes: BATCH_BYTES },
    maxValueBytes: VALUE_BYTES,
    maxPathBytes: PATH_BYTES,
    history: false,
    watchRecursive: true,
    snapshotScan: true,
    emptyDirectories: false,
    recordsWithChildren: true,
    recreation: 'exact',
    locks: 'unfair',
    lockRecord: LOCK,
    fencing: true,
    seal: true,
  };
  readonly timeToLive = { least: 10_000, most: 86_400_000, usual: 10_000 };
  readonly #delayedUntil = new Map<string, number>();

  constructor(settings: StoreSettings) {
    super(settings, 1);
  }

  /** The ModifyIndex. */
  token({ modified }: Pair): string {
    return String(modified);
  }

  /** The key of a lock is left over when a crashed holder's session releases it. */
  override ephemeral({ owner, flags }: Pair): boolean {
    return owner !== '' || flags === LOCK_FLAGS;
  }

  /** Not 0 for a while after a session that held the key has ended. */
  override lockDelay(key: string): number {
    const left = (this.#delayedUntil.get(key) ?? 0) - this.settings.clock.now();
    if (left > 0) return left;
    this.#delayedUntil.delete(key);
    return 0;
  }

  /** One key that one session acquires. */
  lockPlace(dir: string, election: boolean): string {
    return election ? dir : joinPath(dir, LOCK);
  }

  standInLine(place: string, bytes: Uint8Array, session: string): string | undefined {
    const found = this.record(place);
    if (found !== undefined && !this.ephemeral(found))
      throw new Refusal(ErrorCode.NodeExists, 'the record in the place of the lock is no lock', place);
    if (found?.owner || this.lockDelay(place) > 0) return undefined;
    this.putEphemeral(place, bytes, session);
    return place;
  }

  line(place: string): Entry<Pair>[] {
    const item = this.record(place);
    return item === undefined ? [] : [{ key: place, item }];
  }

  protected override own(key: string, bytes: Uint8Array, session: Session): void {
    const holder = this.tree.get(key)?.owner ?? '';
    if (holder !== '' && holder !== session.id)
      throw new Refusal(ErrorCode.NodeExists, 'another session holds the record', key);
    if (this.lockDelay(key) > 0)
      throw new Refusal(ErrorCode.Unavailable, 'the lock delay of the record is not over', key);
    super.own(key, bytes, session);
  }

  /** A write keeps the session that holds the key and forgets that it is a lock's; the same again changes nothing. */
  protected written(bytes: Uint8Array, at: number, before: Pair | undefined, acquirer?: string): Pair {
    const held = before?.lockIndex ?? 0;
    const locked = acquirer === before?.owner ? held : held + 1;
    const after: Pair = {
      bytes,
      created: before?.created ?? at,
      modified: at,
      owner: acquirer ?? before?.owner ?? '',
      flags: acquirer === undefined ? 0n : LOCK_FLAGS,
      lockIndex: acquirer === undefined ? 0 : locked,
    };
    return before !== undefined && isSame(before, after) ? before : after;
  }

  protected override release(key: string, pair: Pair, session: Session, at: number): void {
    const delay = session.lockDelayMs ?? LOCK_DELAY_MS;
    if (delay > 0) this.#delayedUntil.set(key, this.settings.clock.now() + delay);
    this.set(key, session.behavior === 'release' ? { ...pair, owner: '', modified: at } : undefined);
  }

  protected override newId(): string {
    const digits = super.newId() + super.newId();
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}

function isSame(a: Pair, b: Pair): boolean {
  const sameBytes = Buffer.compare(a.bytes ?? Buffer.alloc(0), b.bytes ?? Buffer.alloc(0)) === 0;
  return sameBytes && a.owner === b.owner && a.flags === b.flags && a.lockIndex === b.lockIndex;
}
