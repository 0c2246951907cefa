import type { Capabilities } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { type Item, Refusal } from './operation.js';
import type { Session } from './sessions.js';
import { MemoryStore, type StoreSettings } from './store.js';

interface Entry extends Item {
  /** Application's number; {@link LOCK_FLAGS} marks the key of a lock. */
  readonly flags: bigint;
  /** How often it was acquired. */
  readonly lockIndex: number;
}

/** What Consul's own lock API writes into the flags of a lock's key. */
const LOCK_FLAGS = 0x2ddccbc058a50c18n;
/** Milliseconds. */
const LOCK_DELAY_MS = 15_000;

/** A body of 512 KiB, in which values are base64: measured, 383 KiB of value pass and 384 do not. */
const VALUE_BYTES = 383 * 1024;
const BATCH_BYTES = 384 * 1024;

/** Consul's KV: flat keys with a ModifyIndex each. An owner is a session. */
export class ConsulStore extends MemoryStore<Entry> {
  readonly capabilities: Omit<Capabilities, 'durable' | 'readOnly'> = {
    batch: { maxOps: 64, maxBytes: BATCH_BYTES },
    maxValueBytes: VALUE_BYTES,
    maxPathBytes: BATCH_BYTES - VALUE_BYTES - 64,
    watchRecursive: true,
    snapshotScan: true,
    emptyDirectories: false,
    recordsWithChildren: true,
    recreation: 'exact',
  };
  readonly #delayedUntil = new Map<string, number>();

  constructor(settings: StoreSettings) {
    super(settings, 1);
  }

  /** The ModifyIndex. */
  token({ modified }: Entry): string {
    return String(modified);
  }

  /** The key of a lock is left over when a crashed holder's session releases it. */
  override ephemeral({ owner, flags }: Entry): boolean {
    return owner !== '' || flags === LOCK_FLAGS;
  }

  /** Whether nobody can acquire a key yet, because the session that held it ended a moment ago. */
  isDelayed(key: string): boolean {
    const until = this.#delayedUntil.get(key);
    if (until === undefined) return false;
    if (this.settings.clock.now() < until) return true;
    this.#delayedUntil.delete(key);
    return false;
  }

  protected override own(key: string, bytes: Uint8Array, session: Session): void {
    const holder = this.tree.get(key)?.owner ?? '';
    if (holder !== '' && holder !== session.id)
      throw new Refusal(ErrorCode.NodeExists, 'another session holds the record', key);
    if (this.isDelayed(key))
      throw new Refusal(ErrorCode.Unavailable, 'the lock delay of the record is not over', key);
    super.own(key, bytes, session);
  }

  /** A write keeps the session that holds the key and forgets that it is a lock's; the same again changes nothing. */
  protected written(bytes: Uint8Array, at: number, before: Entry | undefined, acquirer?: string): Entry {
    const held = before?.lockIndex ?? 0;
    const locked = acquirer === before?.owner ? held : held + 1;
    const after: Entry = {
      bytes,
      created: before?.created ?? at,
      modified: at,
      owner: acquirer ?? before?.owner ?? '',
      flags: acquirer === undefined ? 0n : LOCK_FLAGS,
      lockIndex: acquirer === undefined ? 0 : locked,
    };
    return before !== undefined && isSame(before, after) ? before : after;
  }

  protected override release(key: string, entry: Entry, session: Session, at: number): void {
    const delay = session.lockDelayMs ?? LOCK_DELAY_MS;
    if (delay > 0) this.#delayedUntil.set(key, this.settings.clock.now() + delay);
    this.set(key, session.behavior === 'release' ? { ...entry, owner: '', modified: at } : undefined);
  }

  protected override newId(): string {
    const digits = super.newId() + super.newId();
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}

function isSame(a: Entry, b: Entry): boolean {
  const sameBytes = Buffer.compare(a.bytes ?? Buffer.alloc(0), b.bytes ?? Buffer.alloc(0)) === 0;
  return sameBytes && a.owner === b.owner && a.flags === b.flags && a.lockIndex === b.lockIndex;
}
