import { setMaxListeners } from 'node:events';
import { type StoreAddress, serversOf, storeName } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { MAX_ROOT_BYTES, zk2Connection } from './connection.js';
import { health } from './health.js';
import { Locks } from './lock-session.js';
import { openNative } from './native.js';
import { openFirst, sessionOpener } from './open.js';
import { Sessions } from './sessions.js';
import { Store } from './store.js';

/** Vitess's `zk2`: ZooKeeper 3.4 and newer. */
export const backend: Backend = { implementation: 'zk2', connect, openNative, health };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  const store = storeName(address);
  if (Buffer.byteLength(address.root) > MAX_ROOT_BYTES) {
    throw new TopologyError(ErrorCode.InvalidAddress, `the root has more than ${MAX_ROOT_BYTES} bytes`, {
      store,
      hint: 'choose a shorter one',
    });
  }
  const open = sessionOpener(address, settings);
  const { servers, observers } = serversOf(address);
  const context = { store, clock: settings.clock, defaultTimeoutMs: settings.requestTimeoutMs };
  const deadline = settings.clock.now() + settings.connectTimeoutMs;
  const primary = await openFirst(open, address, settings);
  const sessions = new Sessions(primary, open, observers.length > 0);
  const openLockSession = (sessionTimeoutMs: number) =>
    open('servers', { sessionTimeoutMs, renewSession: false });
  const locks = new Locks(openLockSession, settings.clock, settings.lockTtlMs);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const parts = new Store({ context, root: address.root, sessions, locks, servers, closed: closing.signal });
  try {
    await proveAccess(parts, deadline);
  } catch (error) {
    await sessions.close();
    throw error;
  }
  return zk2Connection(parts, async () => {
    closing.abort();
    await locks.close();
    await sessions.close();
  });
}

/** Reads the root, which ZooKeeper refuses to credentials that its ACL does not know. It need not exist. */
async function proveAccess(store: Store, deadline: number): Promise<void> {
  try {
    await store.readZnode('', { deadline });
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Unauthorized)) throw error;
    throw new TopologyError(ErrorCode.Unauthorized, `the ACL of ${store.root} refuses these credentials`, {
      store: store.context.store,
      hint: 'give the user and password that Vitess uses, as digest:USER:PASSWORD in the file named by --topo-zk-auth-file',
      cause: error,
    });
  }
}
