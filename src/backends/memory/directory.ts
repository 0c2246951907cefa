import type { CallOptions, DirEntry, ScanPage } from '../../topo/connection.js';
import { noDirectory } from './error.js';
import type { Item } from './operation.js';
import type { Requests } from './requests.js';

/** Limits of one page of a scan. */
const PAGE_RECORDS = 500;
const PAGE_BYTES = 4 * 1024 * 1024;

type Found = readonly { readonly key: string; readonly item: Item }[];

export async function listDir(requests: Requests, path: string, options?: CallOptions): Promise<string[]> {
  const names = await requests.read(path, options, () => requests.store.names(requests.keyOf(path)));
  if (names === undefined) throw noDirectory(requests.context.store, path);
  return [...names];
}

export async function listDirFull(
  requests: Requests,
  path: string,
  options?: CallOptions,
): Promise<DirEntry[]> {
  const entries = await requests.read(path, options, () => requests.store.entries(requests.keyOf(path)));
  if (entries === undefined) throw noDirectory(requests.context.store, path);
  return entries;
}

/** What is below the prefix is noted at one moment. Where scans are no snapshots, each page then shows what has become of it. */
export async function* scan(
  requests: Requests,
  prefix: string,
  options?: CallOptions,
): AsyncGenerator<ScanPage> {
  const { store } = requests;
  const { snapshotScan } = store.capabilities;
  let found: Found = [];
  let done = 0;
  do {
    yield await requests.read(prefix, options, () => {
      if (done === 0) found = store.recordsBelow(requests.keyOf(prefix));
      const page = pageFrom(found, done);
      done += page.length;
      const current = snapshotScan ? page : page.flatMap(({ key }) => itemNow(requests, key));
      return {
        records: current.map(({ key, item }) => requests.recordOf(key, item)),
        position: store.position,
      };
    });
  } while (done < found.length);
}

function pageFrom(found: Found, start: number): Found {
  let end = start;
  for (let bytes = 0; end < found.length && end - start < PAGE_RECORDS && bytes < PAGE_BYTES; end++)
    bytes += found[end]?.item.bytes?.byteLength ?? 0;
  return found.slice(start, end);
}

function itemNow(requests: Requests, key: string): Found {
  const item = requests.store.record(key);
  return item === undefined ? [] : [{ key, item }];
}
