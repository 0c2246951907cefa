import { CheckedConnection } from '../../topo/checked.js';
import type { Capabilities, Connection } from '../../topo/connection.js';
import { write } from './batch.js';
import type { ConsulClient } from './client.js';
import { listDir, listDirFull, position, scan } from './directory.js';
import { leader, watchLeader } from './election.js';
import { create, get, remove, update } from './file.js';
import { identity } from './identity.js';
import { acquire, LOCK, lockQueue } from './lock.js';
import { OPS_PER_EFFECT, TXN_OPS } from './transaction.js';
import { watch, watchRecursive } from './watch.js';

/** Consul's limit of a transaction's body (`txn_max_req_len`), as it is unless somebody changed it. */
const BODY_BYTES = 512 * 1024;
/** Consul has no limit of its own. In JSON a control character takes 6 bytes. */
const PATH_BYTES = 512;
const OP_BYTES = 6 * PATH_BYTES + 128;
const MAX_OPS = TXN_OPS / OPS_PER_EFFECT;

/** Bytes of values that have room in a body beside so many operations: base64 makes 4 of 3. */
function valueBytes(ops: number): number {
  return Math.floor(((BODY_BYTES - ops * OP_BYTES) * 3) / 4) - 3 * ops;
}

const CAPABILITIES: Capabilities = {
  batch: { maxOps: MAX_OPS, maxBytes: valueBytes(TXN_OPS) },
  maxValueBytes: valueBytes(1),
  maxPathBytes: PATH_BYTES,
  history: false,
  watchRecursive: true,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  locks: 'unfair',
  lockRecord: LOCK,
  leavesOut: true,
  fencing: true,
  seal: false,
  durable: true,
  readOnly: false,
};

/** One root in Consul's KV, as Vitess keeps a topology there: key = root/path, value = the record's bytes. */
export function consulConnection(client: ConsulClient, root: string): Connection {
  return new CheckedConnection({
    context: client.context,
    root,
    capabilities: CAPABILITIES,
    listDir: (path, options) => listDir(client, path, options),
    listDirFull: (path, options) => listDirFull(client, path, options),
    get: (path, options) => get(client, path, options),
    scan: (prefix, options) => scan(client, prefix, options),
    create: (path, bytes, options) => create(client, path, bytes, options),
    update: (path, bytes, version, options) => update(client, path, bytes, version, options),
    delete: (path, version, options) => remove(client, path, version, options),
    write: (ops, options) => write(client, ops, options),
    watch: (path, options) => watch(client, path, options),
    watchRecursive: (prefix, options) => watchRecursive(client, prefix, options),
    acquire: (request, options) => acquire(client, request, options),
    lockQueue: (dir, options) => lockQueue(client, dir, options),
    leader: (dir, options) => leader(client, dir, options),
    watchLeader: (dir, options) => watchLeader(client, dir, options),
    position: (options) => position(client, options),
    identity: (options) => identity(client, options),
    close: () => client.close(),
  });
}
