import { raceCall } from '../topo/calls.js';
import type { CallOptions, DirEntry, ScanPage, StoredRecord } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import { compareBytewise, joinPath } from '../topo/paths.js';
import type { ZooKeeperClient } from '../zookeeper/client.js';
import { noDirectory } from './error.js';
import { position } from './position.js';
import { manyReader } from './read-many.js';
import { type Store, settle } from './store.js';
import { Walk } from './walk.js';
import { isOwned } from './znode.js';

/** Names of a directory whose znodes are looked at together. */
const NAMES_AT_A_TIME = 64;
/** Records and bytes after which a page is full. */
const PAGE_RECORDS = 1_000;
const PAGE_BYTES = 1 << 20;
/** Requests in flight in each session of a scan, and reads in one of them. */
const REQUESTS_PER_SESSION = 4;
const READS_PER_REQUEST = 512;

export async function listDir(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<string[]> {
  const children = await childrenOf(store, path, options);
  if (children === undefined) throw noDirectory(store.context, path);
  if (children.length === 0) {
    const znode = await store.readZnode(path, options);
    if (znode === undefined || !store.isDirectory(path, znode)) throw noDirectory(store.context, path);
  }
  return children.sort(compareBytewise);
}

/** Children of a znode in no order; undefined when it does not exist. */
async function childrenOf(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<string[] | undefined> {
  const listed = store.read(path, options, (client, request) =>
    client.getChildren(store.znode(path), request),
  );
  return (await settle(listed, ErrorCode.NoNode))?.children;
}

export async function listDirFull(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<DirEntry[]> {
  const names = await listDir(store, path, options);
  const entries: (DirEntry | undefined)[] = [];
  for (let at = 0; at < names.length; at += NAMES_AT_A_TIME) {
    const some = names.slice(at, at + NAMES_AT_A_TIME);
    entries.push(...(await Promise.all(some.map((name) => describe(store, path, name, options)))));
  }
  return entries.filter((entry) => entry !== undefined);
}

/** Undefined when the entry is gone. */
async function describe(
  store: Store,
  directory: string,
  name: string,
  options: CallOptions | undefined,
): Promise<DirEntry | undefined> {
  const path = joinPath(directory, name);
  const znode = await store.readZnode(path, options);
  if (znode === undefined) return undefined;
  if (!store.isDirectory(path, znode)) return { name, type: 'file', ephemeral: isOwned(znode.stat) };
  const ephemeral = !store.layout.isRecord(path, znode) && (await holdsOnlyEphemerals(store, path, options));
  return { name, type: 'directory', ephemeral };
}

/** Whether everything in a directory goes away by itself. Not so for an empty one: it stays. */
async function holdsOnlyEphemerals(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<boolean> {
  const children = (await childrenOf(store, path, options)) ?? [];
  let found = false;
  for (const name of children) {
    const entry = await describe(store, path, name, options);
    if (entry?.ephemeral === false) return false;
    found ||= entry !== undefined;
  }
  return found;
}

export async function* scan(
  store: Store,
  prefix: string,
  options: CallOptions | undefined,
): AsyncGenerator<ScanPage, undefined> {
  const signals = options?.signal === undefined ? [store.closed] : [store.closed, options.signal];
  const call = { signal: AbortSignal.any(signals), deadline: options?.deadline };
  const readers = await raceCall(store.context, call, { kind: 'read', path: prefix }, () =>
    store.sessions.forScan(),
  );
  const before = await position(store, options, prefix);
  await Promise.all(readers.map((reader) => bringUpToDate(store, reader, prefix, options)));
  const walk = new Walk(manyReader(store, readers, prefix, options), store.znode(prefix), {
    requests: REQUESTS_PER_SESSION * readers.length,
    reads: READS_PER_REQUEST,
  });

  let records: StoredRecord[] = [];
  let bytes = 0;
  let pages = 0;
  for await (const group of walk.groups()) {
    for (const found of group) {
      const path = store.path(found.path);
      if (!store.layout.isRecord(path, found)) continue;
      records.push(store.record(path, found));
      bytes += found.stat.dataLength;
      if (records.length < PAGE_RECORDS && bytes < PAGE_BYTES) continue;
      store.sessions.delivered(readers);
      yield { records, position: before };
      pages += 1;
      records = [];
      bytes = 0;
    }
  }
  store.sessions.delivered(readers);
  const after = await position(store, options, prefix);
  if (pages === 0 && before !== after) {
    // A single page has one position, which would say that nothing happened meanwhile.
    yield { records, position: before };
    records = [];
  }
  yield { records, position: after };
}

async function bringUpToDate(
  store: Store,
  reader: ZooKeeperClient,
  prefix: string,
  options: CallOptions | undefined,
): Promise<void> {
  if (reader === store.sessions.primary) return;
  await store.attempt({ kind: 'read', path: prefix }, () => reader.sync('/', store.request(options, prefix)));
}
