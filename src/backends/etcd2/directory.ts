import type { IKeyValue, IRangeResponse } from 'etcd3';
import type { CallOptions, DirEntry, ScanPage, StoredRecord } from '../../topo/connection.js';
import { compareBytewise } from '../../topo/paths.js';
import type { EtcdClient } from './client.js';
import { noDirectory } from './error.js';
import { isLeased, toValue } from './file.js';
import { after, type KeyRange } from './keys.js';

/** Keys of a listing's first page, and bounds of the later ones. */
const LIST_FIRST = 256;
const LIST_LEAST = 1_024;
const LIST_MOST = 65_536;
/** About so many pages a large listing takes at most: for each, etcd walks over all keys that remain. */
const LIST_PAGES = 16;

/** Records of a scan's first page, and bounds of the later ones. */
const SCAN_FIRST = 256;
const SCAN_MOST = 5_000;
const SCAN_BYTES = 2 * 1024 * 1024;

export async function listDir(client: EtcdClient, path: string, options?: CallOptions): Promise<string[]> {
  const entries = await list(client, path, () => true, options);
  return entries.map(({ name }) => name);
}

export async function listDirFull(
  client: EtcdClient,
  path: string,
  options?: CallOptions,
): Promise<DirEntry[]> {
  // A directory is ephemeral only if all of it is: its first lasting record settles that.
  return list(client, path, ({ ephemeral }) => !ephemeral, options);
}

type Entry = { name: string; type: DirEntry['type']; ephemeral: boolean };

/**
 * What is in a directory, at one revision, in pages of keys without values. A page that shows nothing but the inside of
 * one subdirectory is followed by what comes after that subdirectory, as soon as enough of it is known.
 */
async function list(
  client: EtcdClient,
  path: string,
  isKnown: (directory: Entry) => boolean,
  options: CallOptions | undefined,
): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  const { key: prefix, range_end } = client.keys.below(path);
  const range = { key: prefix, range_end, keys_only: true, limit: LIST_FIRST, revision: '0' };
  for (;;) {
    const { kvs, more, count, header } = await client.read('range', range, path, options);
    const names = kvs.map((kv) => addEntry(client, entries, prefix.length, kv));
    const last = kvs.at(-1);
    if (!more || last === undefined) break;
    if (range.revision === '0') {
      range.revision = header.revision;
      range.limit = Math.max(LIST_LEAST, Math.min(LIST_MOST, Math.ceil(Number(count) / LIST_PAGES)));
    }
    const [first = ''] = names;
    const inside = entries.get(first);
    const jump = first === names.at(-1) && inside?.type === 'directory' && isKnown(inside);
    range.key = jump ? Buffer.concat([prefix, Buffer.from(`${first}0`)]) : after(last.key);
  }
  if (entries.size === 0) throw noDirectory(client.context, path);
  return [...entries.values()].sort((a, b) => compareBytewise(a.name, b.name));
}

/** Takes note of a key; answers with the name that it stands for. */
function addEntry(client: EtcdClient, entries: Map<string, Entry>, from: number, kv: IKeyValue): string {
  const rest = client.keys.text(kv.key, from);
  const slash = rest.indexOf('/');
  const name = slash < 0 ? rest : rest.slice(0, slash);
  if (name === '') throw client.keys.illegal(kv.key);
  const ephemeral = isLeased(kv);
  const entry = entries.get(name);
  if (entry === undefined) {
    entries.set(name, { name, type: slash < 0 ? 'file' : 'directory', ephemeral });
  } else {
    if (slash >= 0) entry.type = 'directory';
    entry.ephemeral &&= ephemeral;
  }
  return name;
}

/** See {@link Connection.scan}: every page shows the revision of the first. The next page is read ahead. */
export async function* scan(
  client: EtcdClient,
  path: string,
  options?: CallOptions,
): AsyncGenerator<ScanPage, void> {
  const left = new AbortController();
  const signal = options?.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal]);
  const read = (range: KeyRange, limit: number, revision: string) => {
    const page = client.read('range', { ...range, limit, revision }, path, { ...options, signal });
    // A page read ahead may fail when nobody waits for it any more.
    page.catch(() => {});
    return page;
  };
  try {
    let range = client.keys.below(path);
    let limit = SCAN_FIRST;
    let ahead: Promise<IRangeResponse> | undefined = read(range, limit, '0');
    let revision: string | undefined;
    let position = 0n;
    while (ahead !== undefined) {
      const { kvs, more, header }: IRangeResponse = await ahead;
      revision ??= header.revision;
      // The store's revision when the page was read, which is not the one that the page shows.
      if (BigInt(header.revision) > position) position = BigInt(header.revision);
      const last = kvs.at(-1);
      if (more && last !== undefined) {
        range = { ...range, key: after(last.key) };
        limit = nextLimit(limit, kvs);
        ahead = read(range, limit, revision);
      } else {
        ahead = undefined;
      }
      yield { records: kvs.map((kv) => toRecord(client, kv)), position };
    }
  } finally {
    left.abort();
  }
}

/** So many records that the page has about {@link SCAN_BYTES}; sizes may change, so it grows step by step. */
function nextLimit(limit: number, kvs: readonly IKeyValue[]): number {
  let bytes = 0;
  for (const { key, value } of kvs) bytes += key.length + value.length;
  const fitting = Math.floor((SCAN_BYTES * kvs.length) / Math.max(1, bytes));
  return Math.max(1, Math.min(SCAN_MOST, 4 * limit, fitting));
}

function toRecord(client: EtcdClient, kv: IKeyValue): StoredRecord {
  return { path: client.keys.path(kv.key), ...toValue(client, kv) };
}
