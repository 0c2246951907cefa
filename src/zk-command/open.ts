import { type StoreAddress, serversOf, storeName } from '../topo/address.js';
import type { ConnectSettings } from '../topo/backend.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { parseAuth } from '../zookeeper/auth.js';
import { ZkCode, type ZooKeeperClient, ZooKeeperError } from '../zookeeper/client.js';
import { connectOwnClient } from '../zookeeper/own.js';
import { toTopologyError } from './error.js';
import type { Route } from './route.js';
import { type OpenEnsemble, Znodes } from './znodes.js';

/** Runs `work`, connecting to servers as it comes to their znodes, and ends all sessions whatever happens. Unavailable, Unauthorized, Usage. */
export async function withZnodes<T>(
  route: Route,
  settings: ConnectSettings,
  signal: AbortSignal,
  work: (znodes: Znodes) => Promise<T>,
): Promise<T> {
  const opened = new Map<string, Promise<OpenEnsemble>>();
  const ensembleOf = (path: string) => {
    const address = route.addressOf(path);
    const known = opened.get(address.server) ?? open(address, settings, signal);
    opened.set(address.server, known);
    return known;
  };
  try {
    return await work(new Znodes(route, ensembleOf, signal));
  } finally {
    for (const result of await Promise.allSettled(opened.values()))
      if (result.status === 'fulfilled') await result.value.client.close();
  }
}

async function open(
  address: StoreAddress,
  settings: ConnectSettings,
  signal: AbortSignal,
): Promise<OpenEnsemble> {
  const store = storeName({ ...address, root: '/' });
  const client = await connect(address, settings, store);
  try {
    // The server of this session may be behind what others were told is written.
    await client.sync('/', { signal });
    return { store, client };
  } catch (error) {
    await client.close();
    throw toTopologyError(store, error, '/', 'read');
  }
}

async function connect(
  address: StoreAddress,
  { zkAuth, connectTimeoutMs, requestTimeoutMs, random, tls, zkMaxRequestBytes }: ConnectSettings,
  store: string,
): Promise<ZooKeeperClient> {
  const auth = zkAuth === undefined ? [] : parseAuth(zkAuth);
  if (auth === undefined)
    throw new TopologyError(ErrorCode.Usage, 'the ZooKeeper credentials are not of the form SCHEME:AUTH', {
      store,
      hint: 'write digest:USER:PASSWORD',
    });
  try {
    return await connectOwnClient({
      servers: serversOf(address).servers,
      connectTimeoutMs,
      requestTimeoutMs,
      auth,
      random,
      tls,
      ...(zkMaxRequestBytes === undefined ? {} : { maxRequestBytes: zkMaxRequestBytes }),
    });
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === ZkCode.BadArguments)
      throw new TopologyError(ErrorCode.Usage, error.message, { store, cause: error });
    throw toTopologyError(store, error, '/', 'read');
  }
}
