import type { IKeyValue } from 'etcd3';
import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CallOptions } from '../../topo/connection.js';
import type { NativeEntry, NativeNode, NativeStore } from '../../topo/native.js';
import { entriesOf, keysBelow } from '../../topo/native-keys.js';
import { EtcdClient } from './client.js';
import { noRecord } from './error.js';
import { after } from './keys.js';
import { probe } from './probe.js';

const KEYS_PER_PAGE = 4_096;
const NODES_PER_PAGE = 512;
const SLASH = 0x2f;

/** etcd as it is: flat keys, each with the revisions and the lease that it has. */
export async function openNative(address: StoreAddress, settings: ConnectSettings): Promise<NativeStore> {
  const client = new EtcdClient(address, settings);
  try {
    await probe(client, settings.connectTimeoutMs);
  } catch (error) {
    client.close();
    throw error;
  }
  return {
    store: client.context.store,
    root: address.root,
    list: (path, options) => list(client, path, options),
    read: (path, options) => read(client, path, options),
    walk: (path, options) => walk(client, path, options),
    close: async () => client.close(),
  };
}

async function list(client: EtcdClient, path: string, options?: CallOptions): Promise<NativeEntry[]> {
  const prefix = keysBelow(path);
  const keys = new Set<string>();
  const from = toKey(prefix).length;
  for await (const kvs of pages(
    client,
    path,
    prefix,
    { keys_only: true, limit: KEYS_PER_PAGE },
    options,
    (last) => {
      // What else is in the directory that a page ends with need not be read.
      const slash = last.indexOf(SLASH, from);
      return slash < 0 ? after(last) : Buffer.concat([last.subarray(0, slash), Buffer.of(SLASH + 1)]);
    },
  ))
    for (const { key } of kvs) {
      const slash = key.indexOf(SLASH, from);
      keys.add(toText(slash < 0 ? key : key.subarray(0, slash + 1)));
    }
  return entriesOf(prefix, keys);
}

async function read(client: EtcdClient, path: string, options?: CallOptions): Promise<NativeNode> {
  // etcd takes no empty key, so there is none.
  if (path === '') throw noRecord(client.context, path);
  const { kvs } = await client.read('range', { key: toKey(path) }, path, options);
  const [found] = kvs;
  if (found === undefined) throw noRecord(client.context, path);
  return toNode(found);
}

async function* walk(
  client: EtcdClient,
  path: string,
  options?: CallOptions,
): AsyncGenerator<readonly NativeNode[]> {
  for await (const kvs of pages(client, path, keysBelow(path), { limit: NODES_PER_PAGE }, options, after))
    yield kvs.map(toNode);
}

/** The keys that begin with a prefix, all as they were at the revision of the first page. `next`: where to go on after a page. */
async function* pages(
  client: EtcdClient,
  path: string,
  prefix: string,
  request: { readonly limit: number; readonly keys_only?: boolean },
  options: CallOptions | undefined,
  next: (last: Buffer) => Buffer,
): AsyncGenerator<readonly IKeyValue[]> {
  const first = toKey(prefix);
  const whole = first.length === 0;
  const range = {
    ...request,
    key: whole ? Buffer.of(0) : first,
    range_end: whole ? Buffer.of(0) : Buffer.concat([first.subarray(0, -1), Buffer.of(SLASH + 1)]),
    revision: '0',
  };
  // Behind the last directory there may be nothing, and an empty range is none that etcd takes.
  while (whole || Buffer.compare(range.key, range.range_end) < 0) {
    const { kvs, more, header } = await client.read('range', range, path, options);
    yield kvs;
    const last = kvs.at(-1);
    if (!more || last === undefined) return;
    if (range.revision === '0') range.revision = header.revision;
    range.key = next(last.key);
  }
}

function toNode({ key, value, create_revision, mod_revision, version, lease }: IKeyValue): NativeNode {
  return { path: toText(key), bytes: value, words: { create_revision, mod_revision, version, lease } };
}

/** What is no UTF-8, and each backslash that would be read as such, as `\xNN`: {@link toKey} reads it. */
function toText(key: Buffer): string {
  const text = key.toString('utf8');
  // Keys of any other tool's are rare, and looking for them in each is not.
  if (!text.includes('\ufffd') && !ESCAPE.test(text)) return text;
  if (Buffer.from(text).equals(key)) return text.replaceAll('\\', '\\x5c');
  return [...key]
    .map((byte) =>
      byte < 0x80 && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');
}

const ESCAPE = /\\x[0-9a-f]{2}/;

function toKey(text: string): Buffer {
  const parts = text.split(/(\\x[0-9a-f]{2})/);
  return Buffer.concat(
    parts.map((part, index) =>
      index % 2 === 0 ? Buffer.from(part) : Buffer.of(Number.parseInt(part.slice(2), 16)),
    ),
  );
}
