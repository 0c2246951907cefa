import { CheckedConnection } from '../../topo/checked.js';
import type { Capabilities, Connection } from '../../topo/connection.js';
import { write } from './batch.js';
import { listDir, listDirFull, scan } from './directory.js';
import { leader, watchLeader } from './election.js';
import { create, get, remove, update } from './file.js';
import { identity } from './identity.js';
import { acquire, lockQueue } from './lock.js';
import type { Part } from './part.js';
import { watch, watchRecursive } from './watch.js';

const MAX_VALUE_BYTES = 16 * 1024 * 1024;
const MAX_PATH_BYTES = 4_096;

const CAPABILITIES: Capabilities = {
  // A batch is one line of the file; the largest record fits, with its path.
  batch: { maxOps: 4_096, maxBytes: MAX_VALUE_BYTES + 64 * 1024 },
  maxValueBytes: MAX_VALUE_BYTES,
  maxPathBytes: MAX_PATH_BYTES,
  history: false,
  watchRecursive: true,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  locks: 'unfair',
  fencing: false,
  seal: false,
  durable: true,
  readOnly: false,
};

/** One scope of a topology file: the global part, or that of a cell. */
export function fileConnection(root: string, part: Part): Connection {
  return new CheckedConnection({
    context: part.context,
    root,
    capabilities: CAPABILITIES,
    listDir: (path, options) => listDir(part, path, options),
    listDirFull: (path, options) => listDirFull(part, path, options),
    get: (path, options) => get(part, path, options),
    scan: (prefix, options) => scan(part, prefix, options),
    create: (path, bytes, options) => create(part, path, bytes, options),
    update: (path, bytes, version, options) => update(part, path, bytes, version, options),
    delete: (path, version, options) => remove(part, path, version, options),
    write: (ops, options) => write(part, ops, options),
    watch: (path, options) => watch(part, path, options),
    watchRecursive: (prefix, options) => watchRecursive(part, prefix, options),
    acquire: (request, options) => acquire(part, request, options),
    lockQueue: (dir, options) => lockQueue(part, dir, options),
    leader: (dir, options) => leader(part, dir, options),
    watchLeader: (dir, options) => watchLeader(part, dir, options),
    position: (options) => part.position(options),
    identity: (options) => identity(part, options),
    close: () => part.close(),
  });
}
