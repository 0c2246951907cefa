import { CheckedConnection } from '../../topo/checked.js';
import type { Capabilities, Connection } from '../../topo/connection.js';
import { write } from './batch.js';
import { listDir, listDirFull, scan } from './directory.js';
import { leader, watchLeader } from './election.js';
import { create, get, remove, update } from './file.js';
import { identity } from './identity.js';
import { acquire } from './lock.js';
import { lockQueue } from './lock-queue.js';
import { position } from './position.js';
import { prepareSeal, seal, sealed, unseal } from './seal.js';
import type { Store } from './store.js';
import { watch, watchRecursive } from './watch.js';
import { refusedCharacter } from './znode.js';

/** ZooKeeper has no limit of its own for paths. These leave room for the values. */
const MAX_PATH_BYTES = 1_024;
export const MAX_ROOT_BYTES = 200;
/** With the directories of each new record, as many requests as a transaction does best with. */
const MAX_OPS = 250;
/** What the largest request for one record has besides path and value, rounded up. */
const FRAMING_BYTES = 128;

/**
 * A topology in ZooKeeper, as Vitess's zk2 lays it out.
 *
 * A record may have children; then its data decides whether it is there, so one of zero bytes may not. A conditional
 * write compares data version and czxid first, sets by data version, and compares the czxid of the answer. With the
 * `zookeeper` package there are no batches and no locks, and a deletion's answer has no czxid to compare.
 */
export function zk2Connection(store: Store, close: () => Promise<void>): Connection {
  return new CheckedConnection({
    context: store.context,
    root: store.root,
    capabilities: capabilitiesOf(store),
    instead: 'use --zk-client own',
    listDir: (path, options) => listDir(store, path, options),
    listDirFull: (path, options) => listDirFull(store, path, options),
    get: (path, options) => get(store, path, options),
    scan: (prefix, options) => scan(store, prefix, options),
    create: (path, bytes, options) => create(store, path, bytes, options),
    update: (path, bytes, version, options) => update(store, path, bytes, version, options),
    delete: (path, version, options) => remove(store, path, version, options),
    write: (ops, options) => write(store, ops, options),
    watch: (path, options) => watch(store, path, options),
    watchRecursive: (prefix, options) => watchRecursive(store, prefix, options),
    acquire: (request, options) => acquire(store, request, options),
    lockQueue: (dir, options) => lockQueue(store, dir, options),
    leader: (dir, options) => leader(store, dir, options),
    watchLeader: (dir, options) => watchLeader(store, dir, options),
    position: (options) => position(store, options),
    identity: (options) => identity(store, options),
    sealing: {
      prepareSeal: (scope, options) => prepareSeal(store, scope, options),
      seal: (request, options) => seal(store, request, options),
      unseal: (options) => unseal(store, options),
      sealed: (options) => sealed(store, options),
    },
    close,
  });
}

function capabilitiesOf(store: Store): Capabilities {
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
