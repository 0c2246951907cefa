import { type StoreAddress, serversOf, storeName } from '../topo/address.js';
import type { ConnectSettings } from '../topo/backend.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { parseAuth } from '../zookeeper/auth.js';
import { ZkCode, type ZooKeeperClient, ZooKeeperError } from '../zookeeper/client.js';
import { connectOwnClient } from '../zookeeper/own.js';
import { toTopologyError } from './error.js';
import { Znodes } from './znodes.js';

/** Connects, runs `work`, and ends the session whatever happens. Unavailable, Unauthorized, Usage. */
export async function withZnodes<T>(
  address: StoreAddress,
  settings: ConnectSettings,
  signal: AbortSignal,
  work: (znodes: Znodes) => Promise<T>,
): Promise<T> {
  const store = storeName(address);
  const client = await connect(address, settings, store);
  try {
    const znodes = new Znodes(store, client, signal);
    // The server of this session may be behind what others were told is written.
    await znodes.read('/', (each, options) => each.sync('/', options));
    return await work(znodes);
  } finally {
    await client.close();
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
