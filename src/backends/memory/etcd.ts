import type { Capabilities } from '../../topo/connection.js';
import type { Item } from './operation.js';
import { MemoryStore, type StoreSettings } from './store.js';

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
    watchRecursive: true,
    snapshotScan: true,
    emptyDirectories: false,
    recordsWithChildren: true,
    recreation: 'exact',
  };

  constructor(settings: StoreSettings) {
    super(settings, 1);
  }

  /** The mod revision. */
  token({ modified }: Item): string {
    return String(modified);
  }

  /** A put without a lease takes the key out of the lease it had. */
  protected written(bytes: Uint8Array, at: number, before: Item | undefined, owner = ''): Item {
    return { bytes, created: before?.created ?? at, modified: at, owner };
  }
}
