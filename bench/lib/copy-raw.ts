import type { Place, Side } from './copy-place.js';
import { rawConsul } from './copy-raw-consul.js';
import { rawEtcd } from './copy-raw-etcd.js';
import { rawFile } from './copy-raw-file.js';
import { loadRawZooKeeper, rawZooKeeper } from './copy-raw-zookeeper.js';

/** A tablet by its alias. */
export interface RawRecord {
  readonly name: string;
  readonly bytes: Buffer;
}

type Use = (records: readonly RawRecord[]) => Promise<void> | void;

/** The client of a store, used as fast as it goes and without any logic. */
export interface RawStore {
  /** Reads all tablets, in any order, in portions; each is waited for before too many more are read. */
  read(use: Use): Promise<void>;
  /** The same, and all else that there is: znodes which hold no record. Undefined: there is nothing else. */
  readonly readAll?: (use: Use) => Promise<void>;
  /** Records of one transaction, and how many transactions are in flight. */
  readonly transaction: { readonly records: number; readonly inFlight: number };
  /** Before the first {@link RawStore.write}. */
  prepare(): Promise<void>;
  /** Writes new tablets in one transaction. */
  write(records: readonly RawRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** The best that the clients can do: all tablets read and written, both at the same time. */
export async function floor({ from, to, records }: Place): Promise<() => Promise<void>> {
  await loadRawZooKeeper();
  return async () => {
    const [source, destination] = await Promise.all([open(from), open(to)]);
    await destination.prepare();
    const writer = new Writer(destination);
    await source.read((portion) => writer.add(portion));
    await writer.finish();
    check(writer.records, records);
    await Promise.all([source.close(), destination.close()]);
  };
}

/**
 * The same for a program that may not write before it has seen everything, as one with guards may not: all tablets read, then all
 * written.
 */
export async function steps({ from, to, records }: Place): Promise<() => Promise<void>> {
  await loadRawZooKeeper();
  return async () => {
    const [source, destination] = await Promise.all([open(from), open(to)]);
    const portions: (readonly RawRecord[])[] = [];
    await source.read((portion) => {
      portions.push(portion);
    });
    await destination.prepare();
    const writer = new Writer(destination);
    for (const portion of portions) await writer.add(portion);
    await writer.finish();
    check(writer.records, records);
    await Promise.all([source.close(), destination.close()]);
  };
}

/** All tablets of both sides, read at the same time: the least that a second run can do where it knows what there is to read. */
export function scans(place: Place): Promise<() => Promise<void>> {
  return bothRead(place, (store, use) => store.read(use));
}

/** Everything of both sides, read at the same time: the least that a second run can do which is to see what it did not know of. */
export function whole(place: Place): Promise<() => Promise<void>> {
  return bothRead(place, (store, use) => (store.readAll ?? store.read)(use));
}

async function bothRead(
  { from, to, records }: Place,
  readFrom: (store: RawStore, use: Use) => Promise<void>,
): Promise<() => Promise<void>> {
  await loadRawZooKeeper();
  return async () => {
    const stores = await Promise.all([open(from), open(to)]);
    await Promise.all(
      stores.map(async (store) => {
        let read = 0;
        await readFrom(store, (portion) => {
          read += portion.length;
        });
        check(read, records);
        await store.close();
      }),
    );
  };
}

function open(side: Side): Promise<RawStore> {
  return OPENERS[side.store](side);
}

const OPENERS = { zk2: rawZooKeeper, etcd2: rawEtcd, consul: rawConsul, file: rawFile };

/** Makes full transactions of what comes, so many in flight. */
class Writer {
  records = 0;
  readonly #store: RawStore;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #waiting: RawRecord[] = [];

  constructor(store: RawStore) {
    this.#store = store;
  }

  async add(records: readonly RawRecord[]): Promise<void> {
    this.#waiting.push(...records);
    const { records: full } = this.#store.transaction;
    // Several portions may come at once: what is taken is taken before anything is waited for.
    while (this.#waiting.length >= full) await this.#send(this.#waiting.splice(0, full));
  }

  async finish(): Promise<void> {
    if (this.#waiting.length > 0) await this.#send(this.#waiting);
    await Promise.all(this.#inFlight);
  }

  async #send(records: readonly RawRecord[]): Promise<void> {
    while (this.#inFlight.size >= this.#store.transaction.inFlight) await Promise.race(this.#inFlight);
    const sent = this.#store.write(records);
    this.#inFlight.add(sent);
    this.records += records.length;
    // A failure is raised by finish(), or by the race before.
    sent.then(
      () => this.#inFlight.delete(sent),
      () => {},
    );
  }
}

function check(found: number, expected: number): void {
  if (found !== expected) throw new Error(`${found} records, ${expected} expected`);
}
