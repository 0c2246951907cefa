import { raceCall } from '../topo/calls.js';
import type { CallOptions, ScanPage, StoredRecord } from '../topo/connection.js';
import type { Beside } from '../topo/told.js';
import type { ZooKeeperClient } from '../zookeeper/client.js';
import { position } from './position.js';
import { manyReader } from './read-many.js';
import type { Store } from './store.js';
import { Walk } from './walk.js';

/** Records and bytes after which a page is full: what waits in larger ones outlives young collections, and is copied by them. */
const PAGE_RECORDS = 250;
const PAGE_BYTES = 1 << 20;
/** Requests in flight in each session of a scan, and reads in one of them. */
export const REQUESTS_PER_SESSION = 4;
export const READS_PER_REQUEST = 512;

/** What a scan finds: records in byte order of their paths, and what is none. */
export type ScanItem = StoredRecord | Beside;

/** The sessions of a scan, each brought up to date. */
export type Readers = readonly ZooKeeperClient[];

/** A scan of the records where their znodes are. */
export function scan(
  store: Store,
  prefix: string,
  options: CallOptions | undefined,
): AsyncGenerator<ScanPage, undefined> {
  return scanPages(store, prefix, options, async function* (readers) {
    const limits = { requests: REQUESTS_PER_SESSION * readers.length, reads: READS_PER_REQUEST };
    const readMany = manyReader(store, readers, prefix, options);
    for await (const group of new Walk(readMany, store.znode(prefix), limits).groups()) {
      const items: ScanItem[] = [];
      for (const found of group) {
        const path = store.path(found.path);
        if (store.layout.isRecord(path, found)) items.push(store.record(path, found));
      }
      yield items;
    }
  });
}

/** The pages of a scan whose items `read` gives in groups, over sessions that are up to date. */
export async function* scanPages(
  store: Store,
  prefix: string,
  options: CallOptions | undefined,
  read: (readers: Readers) => AsyncIterable<readonly ScanItem[]>,
): AsyncGenerator<ScanPage, undefined> {
  const asked = options?.signal;
  const signal = asked === undefined ? store.ending : AbortSignal.any([store.closed, asked]);
  const call = { signal, deadline: options?.deadline };
  const readers = await raceCall(store.context, call, { kind: 'read', path: prefix }, () =>
    store.sessions.forScan(),
  );
  const before = await position(store, options, prefix);
  await Promise.all(readers.map((reader) => bringUpToDate(store, reader, prefix, options)));

  let page = new Page();
  let pages = 0;
  for await (const items of read(readers)) {
    for (const item of items) {
      page.add(item);
      if (!page.isFull) continue;
      store.sessions.delivered(readers);
      yield page.at(before);
      pages += 1;
      page = new Page();
    }
  }
  store.sessions.delivered(readers);
  const after = await position(store, options, prefix);
  if (pages === 0 && before !== after) {
    // A single page has one position, which would say that nothing happened meanwhile.
    yield page.at(before);
    page = new Page();
  }
  yield page.at(after);
}

/** A page that is being filled. */
class Page {
  readonly #records: StoredRecord[] = [];
  readonly #beside: Beside[] = [];
  #bytes = 0;

  add(item: ScanItem): void {
    if ('native' in item) {
      this.#beside.push(item);
      return;
    }
    this.#records.push(item);
    this.#bytes += item.bytes.byteLength;
  }

  get isFull(): boolean {
    return this.#records.length >= PAGE_RECORDS || this.#bytes >= PAGE_BYTES;
  }

  at(position: bigint): ScanPage {
    const page = { records: this.#records, position };
    return this.#beside.length === 0 ? page : { ...page, beside: this.#beside };
  }
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
