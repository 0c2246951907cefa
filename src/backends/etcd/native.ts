import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { NativeEntry, NativeNode, NativeStore } from '../../topo/native.js';
import { baseName, compareBytewise } from '../../topo/paths.js';
import type { Node } from './answers.js';
import { EtcdClient } from './client.js';
import { HIDDEN_NAMES } from './layout.js';
import { probeRoot } from './open.js';
import { readMany } from './read-many.js';

const NODES_PER_GROUP = 500;

/** etcd's v2 keys as they are: files and directories, and of what listings leave out the names that Vitess had. */
export async function openNative(address: StoreAddress, settings: ConnectSettings): Promise<NativeStore> {
  const client = new EtcdClient(address, settings, '/');
  await probeRoot(client, settings);
  return {
    store: client.context.store,
    root: address.root,
    list: (path, options) => list(client, path, options),
    read: async (path, options) => toNode(await find(client, path, options)),
    walk: (path, options) => walk(client, path, options),
    close: () => client.close(),
  };
}

async function list(client: EtcdClient, path: string, options?: CallOptions): Promise<NativeEntry[]> {
  const node = await find(client, path, options);
  const hidden = await hiddenIn(client, [node], path, options);
  return [...node.nodes, ...hidden]
    .map(({ key }) => ({ name: baseName(key), path: key, node: true }))
    .sort((a, b) => compareBytewise(a.name, b.name));
}

async function* walk(
  client: EtcdClient,
  path: string,
  options?: CallOptions,
): AsyncGenerator<readonly NativeNode[]> {
  const top = await find(client, path, options, true);
  const seen = below(top);
  const hidden = await hiddenIn(client, [top, ...seen], path, options);
  const all = [...seen, ...hidden].sort((a, b) => compareBytewise(a.key, b.key));
  for (let i = 0; i < all.length; i += NODES_PER_GROUP) yield all.slice(i, i + NODES_PER_GROUP).map(toNode);
}

/** NoNode. */
async function find(
  client: EtcdClient,
  path: string,
  options: CallOptions | undefined,
  recursive = false,
): Promise<Node> {
  const { node } = await client.get(nativeOf(path), path, options, { recursive });
  if (node !== undefined) return node;
  const { store } = client.context;
  throw new TopologyError(ErrorCode.NoNode, 'there is no such key', { path, store });
}

function below({ nodes }: Node): Node[] {
  return nodes.flatMap((node) => [node, ...below(node)]);
}

/** What listings leave out of the directories among `nodes`, as far as its name is known. */
async function hiddenIn(
  client: EtcdClient,
  nodes: readonly Node[],
  about: string,
  options: CallOptions | undefined,
): Promise<Node[]> {
  const directories = nodes.filter(({ value }) => value === undefined);
  const natives = directories.flatMap(({ key }) =>
    HIDDEN_NAMES.map((name) => nativeOf(key === '/' ? name : `${key}/${name}`)),
  );
  const found = await readMany(client, natives, about, options);
  return found.filter((node) => node !== undefined);
}

/** Without the slashes around it. */
function nativeOf(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

function toNode({ key, value, createdIndex, modifiedIndex, ttl }: Node): NativeNode {
  const kind = value === undefined ? { dir: 'true' } : {};
  const words = { createdIndex, modifiedIndex, ...kind, ...(ttl === undefined ? {} : { ttl }) };
  return { path: key, bytes: value === undefined ? null : Buffer.from(value), words };
}
