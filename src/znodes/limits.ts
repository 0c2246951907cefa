import type { Capabilities } from '../topo/connection.js';
import type { Store } from './store.js';
import { refusedCharacter } from './znode.js';

/** ZooKeeper has no limit of its own for paths. These leave room for the values. */
const MAX_PATH_BYTES = 1_024;
export const MAX_ROOT_BYTES = 200;
/** With the directories of each new record, as many requests as a transaction does best with. */
const MAX_OPS = 250;
/** What the largest request for one record has besides path and value, rounded up. */
const FRAMING_BYTES = 128;

/** What ZooKeeper can do with records in znodes, whatever their layout. */
export function capabilitiesOf(store: Store): Capabilities {
  const { features, maxRequestBytes } = store.sessions.primary;
  // A deletion is sent as two requests, a check of absence too: each has its path twice, and the root with it.
  const twice = MAX_OPS * (MAX_PATH_BYTES + MAX_ROOT_BYTES);
  return {
    batch: features.multi
      ? { maxOps: MAX_OPS, maxBytes: maxRequestBytes - twice }
      : { maxOps: 0, maxBytes: 0 },
    maxValueBytes: maxRequestBytes - MAX_PATH_BYTES - FRAMING_BYTES,
    maxPathBytes: MAX_PATH_BYTES,
    pathProblem: refusedCharacter,
    history: false,
    watchRecursive: features.multi,
    snapshotScan: false,
    emptyDirectories: true,
    recordsWithChildren: true,
    recreation: 'detected',
    locks: features.multi ? 'fair' : 'none',
    fencing: features.multi,
    seal: features.multi,
    durable: true,
    readOnly: false,
  };
}
