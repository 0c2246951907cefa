import type { CallOptions, DirEntry, ScanPage, StoredRecord } from '../../topo/connection.js';
import { compareBytewise } from '../../topo/paths.js';
import type { Pair } from './answers.js';
import type { ConsulClient } from './client.js';
import { noDirectory } from './error.js';
import { isEphemeral } from './file.js';
import { isFolder, plainHead } from './keys.js';
import type { Tree } from './member.js';
import { findAll, proveReadable, TXN_OPS } from './transaction.js';
import { makeVersion } from './version.js';

/** Records of a scan's page, and about how many bytes. */
const PAGE_RECORDS = 250;
const PAGE_BYTES = 2 * 1024 * 1024;

export async function listDir(client: ConsulClient, path: string, options?: CallOptions): Promise<string[]> {
  const entries = await list(client, path, options);
  return [...entries.keys()].sort(compareBytewise);
}

export async function listDirFull(
  client: ConsulClient,
  path: string,
  options?: CallOptions,
): Promise<DirEntry[]> {
  const entries = await list(client, path, options);
  const lasting = await lastingNames(client, entries, path, options);
  return [...entries]
    .sort(([a], [b]) => compareBytewise(a, b))
    .map(([name, { type }]) => ({ name, type, ephemeral: !lasting.has(name) }));
}

/** A name in a directory, and the keys that it stands for. */
interface Entry {
  type: DirEntry['type'];
  readonly keys: string[];
}

/** What is in a directory, from the keys of all that is below it: Consul knows no directories. */
async function list(
  client: ConsulClient,
  path: string,
  options: CallOptions | undefined,
): Promise<Map<string, Entry>> {
  const prefix = client.keys.below(path);
  const head = plainHead(prefix);
  const { items } = await client.read(path, options, (member, limits) => member.keys({ key: head }, limits));
  const entries = new Map<string, Entry>();
  for (const key of items) {
    if (!key.startsWith(prefix) || isFolder(key)) continue;
    const slash = key.indexOf('/', prefix.length);
    const name = key.slice(prefix.length, slash < 0 ? undefined : slash);
    if (name === '') throw client.keys.illegal(key);
    const entry = entries.get(name) ?? { type: 'file', keys: [] };
    if (slash >= 0) entry.type = 'directory';
    entry.keys.push(key);
    entries.set(name, entry);
  }
  if (entries.size > 0) return entries;
  await proveReadable(client, [client.keys.nobody(path)], path, options);
  throw noDirectory(client.context, path);
}

/** Names below which anything lasts: one key of each is looked at, then the next of those for which it did not settle that. */
async function lastingNames(
  client: ConsulClient,
  entries: ReadonlyMap<string, Entry>,
  path: string,
  options: CallOptions | undefined,
): Promise<Set<string>> {
  const lasting = new Set<string>();
  let open = [...entries].map(([name, { keys }]) => ({ name, keys }));
  for (let round = 0; open.length > 0; round++) {
    for (let i = 0; i < open.length; i += TXN_OPS) {
      const part = open.slice(i, i + TXN_OPS).map(({ name, keys }) => ({ name, key: keys[round] ?? '' }));
      const keys = part.map(({ key }) => key);
      const found = await findAll(client, keys, path, options);
      for (const { name, key } of part) {
        const pair = found.get(key);
        if (pair !== undefined && !isEphemeral(pair)) lasting.add(name);
      }
    }
    open = open.filter(({ name, keys }) => !lasting.has(name) && keys.length > round + 1);
  }
  return lasting;
}

/** See {@link Connection.scan}: one answer of Consul, which shows one moment, cut into pages. */
export async function* scan(
  client: ConsulClient,
  path: string,
  options?: CallOptions,
): AsyncGenerator<ScanPage, void> {
  const before = await position(client, options, path);
  const { groups, after } = await readRecords(client, path, options);
  let last: readonly StoredRecord[] | undefined;
  let pages = 0;
  for (const page of pagesOf(groups)) {
    if (last !== undefined) {
      yield { records: last, position: before };
      pages += 1;
    }
    last = page;
  }
  if (last === undefined) await proveReadable(client, [client.keys.nobody(path)], path, options);
  const records = last ?? [];
  if (pages > 0 || before === after) {
    yield { records, position: after };
    return;
  }
  // One page cannot tell of two positions.
  yield { records, position: before };
  yield { records: [], position: after };
}

/**
 * The records below a directory, and a position that was current after they were read. That is asked for while they are
 * still on their way.
 */
async function readRecords(
  client: ConsulClient,
  path: string,
  options: CallOptions | undefined,
): Promise<{ groups: Iterable<StoredRecord[]>; after: bigint }> {
  let asked: Promise<bigint> | undefined;
  const onAnswer = () => {
    asked = position(client, options, path);
    // Where the records do not come nobody waits for it.
    asked.catch(() => {});
  };
  const key = plainHead(client.keys.below(path));
  const tree = await client.read(path, options, (member, limits) => member.tree({ key }, limits, onAnswer));
  const groups = recordGroups(client, path, tree);
  return { groups, after: await (asked ?? position(client, options, path)) };
}

/**
 * The highest index of all of Consul's keys, deleted ones included: what it gives for a key that does not exist. The
 * index of a listing moves only with what is listed.
 */
export async function position(
  client: ConsulClient,
  options: CallOptions | undefined,
  about = '',
): Promise<bigint> {
  const key = client.keys.nobody('');
  const { items, index } = await client.read(about, options, (member, limits) => member.get({ key }, limits));
  if (items.length > 0) throw client.keys.illegal(key);
  return BigInt(index);
}

/** The records below a directory, of all that was found. */
export function* recordGroups(
  client: ConsulClient,
  path: string,
  { groups }: Tree,
): Generator<StoredRecord[], void> {
  try {
    for (const pairs of groups) yield recordsOf(client, path, pairs);
  } catch (error) {
    throw client.readFailed(error, path);
  }
}

function recordsOf(client: ConsulClient, path: string, pairs: readonly Pair[]): StoredRecord[] {
  const prefix = client.keys.below(path);
  const { store } = client.context;
  const records: StoredRecord[] = [];
  for (const pair of pairs) {
    if (!pair.key.startsWith(prefix)) continue;
    if (isFolder(pair.key) && pair.value.length === 0) continue;
    records.push({
      path: client.keys.path(pair.key),
      bytes: pair.value,
      version: makeVersion(store, pair.modifyIndex),
      ephemeral: isEphemeral(pair),
    });
  }
  return records;
}

function* pagesOf(groups: Iterable<readonly StoredRecord[]>): Generator<readonly StoredRecord[], void> {
  let page: StoredRecord[] = [];
  let bytes = 0;
  for (const records of groups)
    for (const record of records) {
      page.push(record);
      bytes += record.bytes.byteLength;
      if (page.length < PAGE_RECORDS && bytes < PAGE_BYTES) continue;
      yield page;
      page = [];
      bytes = 0;
    }
  if (page.length > 0) yield page;
}
