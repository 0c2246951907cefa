import { CheckedConnection } from '../../topo/checked.js';
import type { Connection } from '../../topo/connection.js';
import { write } from './batch.js';
import { listDir, listDirFull, scan } from './directory.js';
import { leader, watchLeader } from './election.js';
import { create, get, remove, update } from './file.js';
import { history } from './history.js';
import { identity } from './identity.js';
import { acquire, lockQueue } from './lock.js';
import type { Requests } from './requests.js';
import { sealing } from './seal.js';
import { watch, watchRecursive } from './watch.js';

/** A connection to a store in this process, of any flavour. `server`: its name. */
export function memoryConnection(requests: Requests, server: string): Connection {
  return new CheckedConnection({
    context: requests.context,
    root: requests.root,
    capabilities: { ...requests.store.capabilities, durable: requests.durable, readOnly: false },
    listDir: (path, options) => listDir(requests, path, options),
    listDirFull: (path, options) => listDirFull(requests, path, options),
    get: (path, options) => get(requests, path, options),
    scan: (prefix, options) => scan(requests, prefix, options),
    history: (path, options) => history(requests, path, options),
    create: (path, bytes, options) => create(requests, path, bytes, options),
    update: (path, bytes, version, options) => update(requests, path, bytes, version, options),
    delete: (path, version, options) => remove(requests, path, version, options),
    write: (ops, options) => write(requests, ops, options),
    watch: (path, options) => watch(requests, path, options),
    watchRecursive: (prefix, options) => watchRecursive(requests, prefix, options),
    acquire: (request, options) => acquire(requests, request, options),
    lockQueue: (dir, options) => lockQueue(requests, dir, options),
    leader: (dir, options) => leader(requests, dir, options),
    watchLeader: (dir, options) => watchLeader(requests, dir, options),
    position: (options) => requests.read(undefined, options, () => requests.store.position),
    identity: (options) => identity(requests, server, options),
    sealing: sealing(requests),
    close: () => requests.close(),
  });
}
