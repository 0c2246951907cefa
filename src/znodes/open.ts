import { type StoreAddress, serversOf, storeName } from '../topo/address.js';
import type { ConnectSettings } from '../topo/backend.js';
import type { CallContext } from '../topo/calls.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { parseAuth } from '../zookeeper/auth.js';
import { ZkCode, type ZooKeeperClient, ZooKeeperError, type ZooKeeperSettings } from '../zookeeper/client.js';
import { connectOwnClient } from '../zookeeper/own.js';
import { toTopologyError, withFlags } from './error.js';

/** Opens one session more, as an address and its settings say. */
type SessionOpener = (
  where: 'servers' | 'observers',
  session?: Partial<ZooKeeperSettings>,
) => Promise<ZooKeeperClient>;

export function sessionOpener(address: StoreAddress, settings: ConnectSettings): SessionOpener {
  const { servers, observers } = serversOf(address);
  const auth = readAuth(settings.zkAuth, storeName(address));
  return (where, session = {}) =>
    openClient(clientOf(address, settings, session), settings, {
      ...session,
      servers: where === 'servers' ? servers : observers,
      connectTimeoutMs: settings.connectTimeoutMs,
      requestTimeoutMs: settings.requestTimeoutMs,
      auth,
      random: settings.random,
      tls: settings.tls,
      ...(settings.zkMaxRequestBytes === undefined ? {} : { maxRequestBytes: settings.zkMaxRequestBytes }),
    });
}

/** The first session at the servers. Fails with what to do about it. */
export async function openFirst(
  open: SessionOpener,
  address: StoreAddress,
  settings: ConnectSettings,
): Promise<ZooKeeperClient> {
  try {
    return await open('servers');
  } catch (error) {
    throw cannotConnect(error, contextOf(address, settings), settings.tls !== undefined);
  }
}

/** What calls to a store go by. */
export function contextOf(address: StoreAddress, settings: ConnectSettings): CallContext {
  const { clock, requestTimeoutMs: defaultTimeoutMs, flagPrefix } = settings;
  return { store: storeName(address), clock, defaultTimeoutMs, flagPrefix };
}

/** `reads`: the own one, which reads through the package where that can be. */
type ClientKind = 'own' | 'native' | 'reads';

function clientOf(
  { implementation }: StoreAddress,
  { zkClient }: ConnectSettings,
  { renewSession }: Partial<ZooKeeperSettings>,
): ClientKind {
  if (implementation !== 'zookeeper') return zkClient ?? 'own';
  // The session of locks: what goes through it is fenced by it.
  return zkClient === 'own' || renewSession === false ? 'own' : 'reads';
}

/** The package is optional: what needs it is loaded only when it may be used. */
async function openClient(
  kind: ClientKind,
  { zkClient, onNote }: ConnectSettings,
  settings: ZooKeeperSettings,
): Promise<ZooKeeperClient> {
  if (kind === 'own') return connectOwnClient(settings);
  if (kind === 'native') return (await import('../zookeeper/native.js')).connectNativeClient(settings);
  const { connectPackageReads } = await import('../zookeeper/package-reads.js');
  return connectPackageReads(settings, { required: zkClient === 'native', onNote });
}

/** In words, what a store of the retired format is read through. Undefined where it cannot be reached. */
export async function whatReads(
  address: StoreAddress,
  settings: ConnectSettings,
): Promise<string | undefined> {
  if (settings.zkClient === 'own') return 'the built-in client';
  try {
    const client = await sessionOpener(address, { ...settings, zkClient: 'native' })('servers');
    await client.close();
    return 'the zookeeper package, scans of ZooKeeper 3.6 and later through the built-in client';
  } catch (error) {
    const cannot = error instanceof ZooKeeperError && error.code === ZkCode.Unsupported;
    return cannot && settings.zkClient === undefined ? `the built-in client: ${error.message}` : undefined;
  }
}

function readAuth(text: string | undefined, store: string): { scheme: string; auth: string }[] {
  const auth = text === undefined ? [] : parseAuth(text);
  if (auth !== undefined) return auth;
  throw new TopologyError(ErrorCode.Usage, 'the ZooKeeper credentials are not of the form SCHEME:AUTH', {
    store,
    hint: 'write digest:USER:PASSWORD',
  });
}

function cannotConnect(error: unknown, context: CallContext, secure: boolean): TopologyError {
  const failure = toTopologyError(context, error, { kind: 'read' });
  if (!(error instanceof ZooKeeperError)) return failure;
  const [code, hint] = whatToDo(error, failure, secure);
  return new TopologyError(code, `cannot connect to ZooKeeper: ${error.message}`, {
    store: context.store,
    hint: hint && withFlags(context, hint),
    cause: error,
  });
}

/** Code and hint of a connect that failed. */
function whatToDo(
  { code, message }: ZooKeeperError,
  failure: TopologyError,
  secure: boolean,
): [ErrorCode, string | undefined] {
  switch (code) {
    case ZkCode.ConnectionLoss:
    case ZkCode.OperationTimeout:
      if (/certificate|TLS/.test(message) || secure) return [ErrorCode.Unavailable, TLS_HINT];
      return [
        ErrorCode.Unavailable,
        'check host and port (another product may listen there), and that the servers run and have a quorum',
      ];
    case ZkCode.BadArguments:
      return [ErrorCode.Usage, undefined];
    default:
      return [failure.code, failure.hint];
  }
}

const TLS_HINT =
  'check that the port is the one for TLS, and the certificates given for it: --topo-zk-tls-ca, --topo-zk-tls-cert, --topo-zk-tls-key';
