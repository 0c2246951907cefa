import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CallOptions } from '../../topo/connection.js';
import type { NativeEntry, NativeNode, NativeStore } from '../../topo/native.js';
import { entriesOf, keysBelow } from '../../topo/native-keys.js';
import { compareBytewise } from '../../topo/paths.js';
import type { Pair } from './answers.js';
import { ConsulClient } from './client.js';
import { noRecord } from './error.js';
import { plainHead } from './keys.js';
import { probe } from './probe.js';
import { findAll, proveReadable, TXN_OPS } from './transaction.js';

/** Consul's KV as it is: flat keys, with indexes, flags and sessions. */
export async function openNative(address: StoreAddress, settings: ConnectSettings): Promise<NativeStore> {
  const client = new ConsulClient(address, settings);
  try {
    await probe(client, settings.connectTimeoutMs);
  } catch (error) {
    await client.close();
    throw error;
  }
  return {
    store: client.context.store,
    root: address.root,
    list: (path, options) => list(client, path, options),
    read: (path, options) => read(client, path, options),
    walk: (path, options) => walk(client, path, options),
    close: () => client.close(),
  };
}

async function list(client: ConsulClient, path: string, options?: CallOptions): Promise<NativeEntry[]> {
  return entriesOf(keysBelow(path), await keysAt(client, path, options));
}

async function read(client: ConsulClient, path: string, options?: CallOptions): Promise<NativeNode> {
  const found = path === '' ? undefined : (await findAll(client, [path], path, options)).get(path);
  if (found !== undefined) return toNode(found);
  if (path !== '') await proveReadable(client, [path], path, options);
  throw noRecord(client.context, path);
}

/** Consul gives keys without their values in one piece, and values by the key. */
async function* walk(
  client: ConsulClient,
  path: string,
  options?: CallOptions,
): AsyncGenerator<readonly NativeNode[]> {
  const keys = await keysAt(client, path, options);
  for (let i = 0; i < keys.length; i += TXN_OPS) {
    const part = keys.slice(i, i + TXN_OPS);
    const found = await findAll(client, part, path, options);
    yield part.flatMap((key) => {
      const pair = found.get(key);
      return pair === undefined ? [] : [toNode(pair)];
    });
  }
}

/** All keys below a path, in byte order. */
async function keysAt(
  client: ConsulClient,
  path: string,
  options: CallOptions | undefined,
): Promise<string[]> {
  const prefix = keysBelow(path);
  const key = plainHead(prefix);
  const { items } = await client.read(path, options, (member, limits) => member.keys({ key }, limits));
  const keys = items.filter((each) => each.startsWith(prefix));
  // Of keys that the token may not read Consul says nothing at all.
  if (keys.length === 0) await proveReadable(client, [`${prefix}-/`], path, options);
  return keys.sort(compareBytewise);
}

function toNode({ key, value, createIndex, modifyIndex, lockIndex, flags, session }: Pair): NativeNode {
  const words = {
    CreateIndex: createIndex,
    ModifyIndex: modifyIndex,
    LockIndex: lockIndex,
    Flags: flags,
    Session: session,
  };
  return { path: key, bytes: value, words };
}
