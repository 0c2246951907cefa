import type { Capabilities } from '../../topo/connection.js';
import { joinPath } from '../../topo/paths.js';
import type { Item } from './operation.js';
import { type Past, PastStates } from './past.js';
import { type Entry, MemoryStore, type StoreSettings } from './store.js';

/** Largest request that the servers take. */
const REQUEST_BYTES = 1.5 * 1024 * 1024;
const PATH_BYTES = 1_024;
/** Room for the second naming of a key, in the comparison of a conditional write, and for what frames a request. */
const BATCH_BYTES = REQUEST_BYTES - 2 * PATH_BYTES;

/** etcd 3: flat keys at one revision each, directories by prefix only. An owner is a lease. */
export class EtcdStore extends MemoryStore {
  readonly capabilities: Omit<Capabilities, 'durable' | 'readOnly'> = {
    batch: { maxOps: 128, maxBytes: BATCH_BYTES },
    maxValueBytes: BATCH_BYTES - PATH_BYTES - 64,
    maxPathBytes: PATH_BYTES,
    history: true,
    watchRecursive: true,
    snapshotScan: true,
    emptyDirectories: false,
    recordsWithChildren: true,
    recreation: 'exact',
    locks: 'fair',
    fencing: true,
    seal: true,
  };

  readonly timeToLive = { least: 2_000, most: 9_000_000_000_000, usual: 30_000 };

  constructor(settings: StoreSettings) {
    super(settings, 1);
  }

  readonly #past = new PastStates();

  override past(key: string): Past {
    return this.#past.of(key);
  }

  override compact(): void {
    this.#past.compact();
  }

  protected override changed(key: string, before: Item | undefined, at: number): void {
    this.#past.add(key, before, at);
  }

  /** The mod revision. */
  token({ modified }: Item): string {
    return String(modified);
  }

  lockPlace(dir: string): string {
    return joinPath(dir, 'locks');
  }

  /** A key named after the lease, in decimal. */
  standInLine(place: string, bytes: Uint8Array, lease: string): string {
    const key = `${place}/${BigInt(`0x${lease}`)}`;
    this.putEphemeral(key, bytes, lease);
    return key;
  }

  /** By revision: the oldest key holds the lock. */
  line(place: string): Entry[] {
    return this.recordsBelow(place).sort((a, b) => a.item.modified - b.item.modified);
  }

  /** A put without a lease takes the key out of the lease it had. */
  protected written(bytes: Uint8Array, at: number, before: Item | undefined, owner = ''): Item {
    return { bytes, created: before?.created ?? at, modified: at, owner };
  }
}
