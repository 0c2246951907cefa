import { CheckedConnection } from '../../topo/checked.js';
import type { Connection } from '../../topo/connection.js';
import { ELECTIONS } from '../../topo/locks.js';
import { isBelow } from '../../topo/paths.js';
import { write } from '../../znodes/batch.js';
import { listDir, listDirFull } from '../../znodes/directory.js';
import { leader, watchLeader } from '../../znodes/election.js';
import { create, get, remove, update } from '../../znodes/file.js';
import { identity } from '../../znodes/identity.js';
import { capabilitiesOf } from '../../znodes/limits.js';
import { acquire } from '../../znodes/lock.js';
import { entriesIn } from '../../znodes/lock-queue.js';
import { position } from '../../znodes/position.js';
import { scan } from '../../znodes/scan.js';
import { sealingOf } from '../../znodes/seal.js';
import type { Store } from '../../znodes/store.js';
import { watch, watchRecursive } from '../../znodes/watch.js';

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
    lockQueue: (dir, options) => {
      const purpose = isBelow(dir, ELECTIONS) ? 'election' : 'directory';
      return entriesIn(store, dir, store.layout.queue(dir, purpose), options);
    },
    leader: (dir, options) => leader(store, dir, options),
    watchLeader: (dir, options) => watchLeader(store, dir, options),
    position: (options) => position(store, options),
    identity: (options) => identity(store, options),
    sealing: sealingOf(store),
    close,
  });
}
