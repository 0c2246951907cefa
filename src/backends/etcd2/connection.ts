import { CheckedConnection } from '../../topo/checked.js';
import type { Capabilities, Connection } from '../../topo/connection.js';
import { write } from './batch.js';
import type { EtcdClient } from './client.js';
import { listDir, listDirFull, position } from './directory.js';
import { leader, watchLeader } from './election.js';
import { create, get, remove, update } from './file.js';
import { history } from './history.js';
import { identity } from './identity.js';
import { acquire, lockQueue } from './lock.js';
import { scan } from './scan.js';
import { NO_USERS, seal, sealed, unseal } from './seal.js';
import { watch, watchRecursive } from './watch.js';

/** etcd's `--max-request-bytes` and `--max-txn-ops`, as they are unless somebody changed them. */
const REQUEST_BYTES = 1.5 * 1024 * 1024;
const REQUEST_OPS = 128;
/** etcd has no limit of its own. A request names each key up to three times: condition, operation, look-up. */
const PATH_BYTES = 1_024;
const KEYS_BYTES = 3 * PATH_BYTES;
const FRAMING_BYTES = 1_024;

const CAPABILITIES: Capabilities = {
  batch: { maxOps: REQUEST_OPS, maxBytes: REQUEST_BYTES - REQUEST_OPS * KEYS_BYTES - FRAMING_BYTES },
  maxValueBytes: REQUEST_BYTES - KEYS_BYTES - FRAMING_BYTES,
  maxPathBytes: PATH_BYTES,
  history: true,
  watchRecursive: true,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  locks: 'fair',
  fencing: true,
  seal: false,
  durable: true,
  readOnly: false,
};

/** One root in an etcd cluster, as Vitess's etcd2 keeps a topology: key = root/path, value = the record's bytes. */
export function etcdConnection(client: EtcdClient, root: string): Connection {
  return new CheckedConnection({
    context: client.context,
    root,
    capabilities: { ...CAPABILITIES, seal: client.hasLogin },
    noSeal: NO_USERS,
    listDir: (path, options) => listDir(client, path, options),
    listDirFull: (path, options) => listDirFull(client, path, options),
    get: (path, options) => get(client, path, options),
    scan: (prefix, options) => scan(client, prefix, options),
    history: (path, options) => history(client, path, options),
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
    sealing: {
      prepareSeal: async () => {},
      seal: (request, options) => seal(client, request, options),
      unseal: (options) => unseal(client, options),
      sealed: (options) => sealed(client, options),
    },
    close: async () => {
      client.end();
      await client.locks.end();
      client.close();
    },
  });
}
