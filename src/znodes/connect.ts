import { setMaxListeners } from 'node:events';
import { type StoreAddress, serversOf, storeName } from '../topo/address.js';
import type { ConnectSettings } from '../topo/backend.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { withFlags } from './error.js';
import type { Layout } from './layout.js';
import { MAX_ROOT_BYTES } from './limits.js';
import { Locks } from './lock-session.js';
import { contextOf, openFirst, sessionOpener } from './open.js';
import { Sessions } from './sessions.js';
import { Store } from './store.js';

/** A store that is connected to. */
export interface Connected {
  readonly store: Store;
  /** Ends everything, locks included. */
  close(): Promise<void>;
}

/** Connects to the znodes below the root of an address. Fails as {@link Backend.connect} does. */
export async function connectStore(
  address: StoreAddress,
  settings: ConnectSettings,
  layout: Layout,
): Promise<Connected> {
  const name = storeName(address);
  if (Buffer.byteLength(address.root) > MAX_ROOT_BYTES) {
    throw new TopologyError(ErrorCode.InvalidAddress, `the root has more than ${MAX_ROOT_BYTES} bytes`, {
      store: name,
      hint: 'choose a shorter one',
    });
  }
  const open = sessionOpener(address, settings);
  const { servers, observers } = serversOf(address);
  const context = contextOf(address, settings);
  const deadline = settings.clock.now() + settings.connectTimeoutMs;
  const primary = await openFirst(open, address, settings);
  const sessions = new Sessions(primary, open, observers.length > 0);
  const openLockSession = (sessionTimeoutMs: number) =>
    open('servers', { sessionTimeoutMs, renewSession: false });
  const locks = new Locks(openLockSession, settings.clock, settings.lockTtlMs);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const { root } = address;
  const store = new Store({ context, root, layout, sessions, locks, servers, closed: closing.signal });
  try {
    await proveAccess(store, deadline);
  } catch (error) {
    await sessions.close();
    throw error;
  }
  const close = async () => {
    closing.abort();
    await locks.close();
    await sessions.close();
  };
  return { store, close };
}

/** Reads the root, which ZooKeeper refuses to credentials that its ACL does not know. It need not exist. */
async function proveAccess(store: Store, deadline: number): Promise<void> {
  try {
    await store.readZnode('', { deadline });
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Unauthorized)) throw error;
    throw new TopologyError(ErrorCode.Unauthorized, `the ACL of ${store.root} refuses these credentials`, {
      store: store.context.store,
      hint: withFlags(store.context, AUTH_HINT),
      cause: error,
    });
  }
}

const AUTH_HINT =
  'give the user and password that Vitess uses, as digest:USER:PASSWORD in the file named by --topo-zk-auth-file';
