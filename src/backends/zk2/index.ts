import { setMaxListeners } from 'node:events';
import { type StoreAddress, serversOf, storeName } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import {
  ZkCode,
  type ZooKeeperClient,
  ZooKeeperError,
  type ZooKeeperSettings,
} from '../../zookeeper/client.js';
import { MAX_ROOT_BYTES, Zk2Connection } from './connection.js';
import { toTopologyError } from './error.js';
import { Sessions } from './sessions.js';
import { Store } from './store.js';

/** Vitess's `zk2`: ZooKeeper 3.4 and newer. */
export const backend: Backend = { implementation: 'zk2', connect };

async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  const store = storeName(address);
  if (settings.tls !== undefined) {
    throw new TopologyError(ErrorCode.Unsupported, 'TLS to ZooKeeper is not supported by this version', {
      store,
      hint: 'leave the TLS settings out, and use the port without TLS',
    });
  }
  if (Buffer.byteLength(address.root) > MAX_ROOT_BYTES) {
    throw new TopologyError(ErrorCode.InvalidAddress, `the root has more than ${MAX_ROOT_BYTES} bytes`, {
      store,
      hint: 'choose a shorter one',
    });
  }
  const { servers, observers } = serversOf(address);
  const auth = readAuth(settings.zkAuth, store);
  const open = async (where: 'servers' | 'observers') =>
    openClient(settings.zkClient ?? 'own', {
      servers: where === 'servers' ? servers : observers,
      connectTimeoutMs: settings.connectTimeoutMs,
      requestTimeoutMs: settings.requestTimeoutMs,
      auth,
      random: settings.random,
      ...(settings.zkMaxRequestBytes === undefined ? {} : { maxRequestBytes: settings.zkMaxRequestBytes }),
    });
  const context = { store, clock: settings.clock, defaultTimeoutMs: settings.requestTimeoutMs };
  const deadline = settings.clock.now() + settings.connectTimeoutMs;
  const primary = await open('servers').catch((error: unknown) => {
    throw cannotConnect(error, store);
  });
  const sessions = new Sessions(primary, open, observers.length > 0);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const parts = new Store({ context, root: address.root, sessions, servers, closed: closing.signal });
  try {
    await proveAccess(parts, deadline);
  } catch (error) {
    await sessions.close();
    throw error;
  }
  return new Zk2Connection(parts, closing);
}

/** Loaded only when it is chosen: the package is optional. */
async function openClient(kind: 'own' | 'native', settings: ZooKeeperSettings): Promise<ZooKeeperClient> {
  if (kind === 'native') return (await import('../../zookeeper/native.js')).connectNativeClient(settings);
  return (await import('../../zookeeper/own.js')).connectOwnClient(settings);
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

/** `<scheme>:<auth>`, as Vitess has it in its file. */
function readAuth(text: string | undefined, store: string): { scheme: string; auth: string }[] {
  if (text === undefined) return [];
  const colon = text.indexOf(':');
  if (colon <= 0) {
    throw new TopologyError(ErrorCode.Usage, 'the ZooKeeper credentials are not of the form SCHEME:AUTH', {
      store,
      hint: 'write digest:USER:PASSWORD',
    });
  }
  return [{ scheme: text.slice(0, colon), auth: text.slice(colon + 1).trimEnd() }];
}

function cannotConnect(error: unknown, store: string): TopologyError {
  if (!(error instanceof ZooKeeperError)) return toTopologyError({ store }, error, { kind: 'read' });
  const unreachable = error.code === ZkCode.ConnectionLoss || error.code === ZkCode.OperationTimeout;
  const code = unreachable ? ErrorCode.Unavailable : toTopologyError({ store }, error, { kind: 'read' }).code;
  const hint = unreachable
    ? 'check the addresses and ports, and that the servers run and have a quorum'
    : undefined;
  return new TopologyError(code, `cannot connect to ZooKeeper: ${error.message}`, {
    store,
    hint,
    cause: error,
  });
}
