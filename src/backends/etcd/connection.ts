import { CheckedConnection } from '../../topo/checked.js';
import type { Capabilities, Connection } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { listDir, listDirFull } from './directory.js';
import { leader, watchLeader } from './election.js';
import { create, get, remove, update } from './file.js';
import { identity } from './identity.js';
import { LOCK } from './layout.js';
import { acquire, lockQueue } from './lock.js';
import { position } from './position.js';
import { scan } from './scan.js';
import { servingOf } from './serving.js';
import type { EtcdStore } from './store.js';
import { watch } from './watch.js';
import { watchRecursive } from './watch-recursive.js';

/** etcd's v2 API takes more, and a form in which every byte is escaped has three times as many. */
const VALUE_BYTES = 2 * 1024 * 1024;
/** etcd has no limit of its own; the path is part of a URL, escaped. */
const PATH_BYTES = 4_096;

const CAPABILITIES: Capabilities = {
  batch: { maxOps: 0, maxBytes: 0 },
  maxValueBytes: VALUE_BYTES,
  maxPathBytes: PATH_BYTES,
  pathProblem,
  history: false,
  watchRecursive: true,
  snapshotScan: false,
  emptyDirectories: true,
  recordsWithChildren: false,
  recreation: 'exact',
  locks: 'unfair',
  lockRecord: LOCK,
  locksStay: true,
  locksInRecords: true,
  fencing: false,
  seal: false,
  durable: true,
  readOnly: false,
};

/** etcd hides such names from listings: nobody would find the record again. Entries of locks are looked for by name. */
function pathProblem(path: string): string | undefined {
  const segments = path.split('/');
  if (segments.at(-1) === LOCK) segments.pop();
  return segments.some((name) => name.startsWith('_')) ? 'names that begin with _' : undefined;
}

const INSTEAD = 'etcd’s v2 API has no transactions: write records one by one, each on its own condition';

/** One root of a retired `etcd` topology, as the canonical tree. */
export function etcdConnection(store: EtcdStore, root: string): Connection {
  return new CheckedConnection({
    context: store.context,
    root,
    capabilities: { ...CAPABILITIES, form: store.form },
    instead: INSTEAD,
    listDir: (path, options) => listDir(store, path, options),
    listDirFull: (path, options) => listDirFull(store, path, options),
    get: (path, options) => get(store, path, options),
    scan: (prefix, options) => scan(store, prefix, options),
    create: (path, bytes, options) => create(store, path, bytes, options),
    update: (path, bytes, version, options) => update(store, path, bytes, version, options),
    delete: (path, version, options) => remove(store, path, version, options),
    // The capabilities say that there are none.
    write: () =>
      Promise.reject(new TopologyError(ErrorCode.Unsupported, INSTEAD, { store: store.context.store })),
    watch: (path, options) => watch(store, path, options),
    watchRecursive: (prefix, options) => watchRecursive(store, prefix, options),
    acquire: (request, options) => acquire(store, request, options),
    lockQueue: (dir, options) => lockQueue(store, dir, options),
    leader: (dir, options) => leader(store, dir, options),
    watchLeader: (dir, options) => watchLeader(store, dir, options),
    position: (options) => position(store, options),
    identity: (options) => identity(store, options),
    serving: servingOf(store),
    close: () => store.close(),
  });
}
