import type { CallOptions, ScanPage, StoredRecord } from '../../topo/connection.js';
import type { EtcdClient } from './client.js';
import type { KeyRange } from './keys.js';
import { type Asked, firstOf, nextOf, PAGE_BYTES } from './ranges.js';
import type { PathOf, ReadRecord, RecordPage } from './record-page.js';
import { makeVersion } from './version.js';

/** Bytes of pages that wait, from which on no further one is asked for. */
const AHEAD_BYTES = 3 * PAGE_BYTES;
/** Records that are delivered at a time. */
const DELIVERED = 250;

/** See {@link Connection.scan}: every page shows the revision of the first. */
export async function* scan(
  client: EtcdClient,
  path: string,
  options?: CallOptions,
): AsyncGenerator<ScanPage, void> {
  const left = new AbortController();
  const signal = options?.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal]);
  const pathOf: PathOf = (...key) => client.keys.path(...key);
  let position = 0n;
  try {
    const pages = readAhead(client.keys.below(path), (range, limit, revision) =>
      client.read('records', { ...range, limit, revision }, path, { ...options, signal }),
    );
    for await (const page of pages) {
      // The store's revision when the page was read, which is not the one that the page shows.
      if (BigInt(page.revision) > position) position = BigInt(page.revision);
      for (let rest = Math.max(1, page.size); rest > 0; rest -= DELIVERED) {
        const records = page.take(DELIVERED, pathOf).map((record) => toRecord(client, record));
        yield { records, position };
      }
    }
  } finally {
    left.abort();
  }
}

/** Reads one page of a range, at a revision; `'0'`: at the present one. */
type ReadPage = (range: KeyRange, limit: number, revision: string) => Promise<RecordPage>;

/**
 * The pages of a range at one revision. They are read one after the other, and as long as little waits ahead of who takes them: then
 * whoever compares two stores has these records at hand when the other store answers.
 */
async function* readAhead(all: KeyRange, read: ReadPage): AsyncGenerator<RecordPage, void> {
  const waiting: Promise<RecordPage>[] = [];
  let bytes = 0;
  let revision = '0';
  /** What the next page is asked for, when the one before it is there. */
  let next: Asked | undefined = firstOf(all);
  const ask = () => {
    if (next === undefined || bytes >= AHEAD_BYTES) return;
    const present = next;
    next = undefined;
    const asked = read(present.range, present.limit, revision);
    waiting.push(asked);
    asked.then(
      (page) => {
        bytes += page.bytes;
        if (revision === '0') revision = page.revision;
        next = nextOf(all, present, page);
        ask();
      },
      // Who takes the page fails, or nobody waits for it any more.
      () => {},
    );
  };
  ask();
  for (let asked = waiting.shift(); asked !== undefined; asked = waiting.shift()) {
    const page = await asked;
    bytes -= page.bytes;
    ask();
    yield page;
  }
}

function toRecord(client: EtcdClient, { path, value, modRevision, leased }: ReadRecord): StoredRecord {
  const version = makeVersion(client.context.store, modRevision);
  return { path, bytes: value, version, ephemeral: leased };
}
