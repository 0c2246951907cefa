import { storesFor } from '../../src/cli/stores.js';
import { parseAddress, type StoreAddress } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import { rewriteCellInfo } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { GLOBAL } from '../../src/topo/topology.js';
import type { FixtureRecord } from './fixtures.js';

/** Settings for tests: the system's clock, short time-outs. */
export const SETTINGS: ConnectSettings = {
  clock: systemClock,
  random: Math.random,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
};

/** Where each scope of a topology is: `global`, and each cell. */
export type Layout = Readonly<Record<string, string>>;

/** Opens the store at an address for the time of `work`. */
export async function withStore<T>(
  address: string,
  work: (store: Connection) => Promise<T>,
  settings = SETTINGS,
): Promise<T> {
  const store = await storesFor(settings, 'write').open(parseAddress(address), GLOBAL);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Writes the records of a fixture into the stores of a layout; CellInfo names the layout's own addresses. */
export async function plant(records: readonly FixtureRecord[], layout: Layout): Promise<void> {
  for (const [scope, address] of Object.entries(layout)) {
    await withStore(address, async (store) => {
      for (const record of records.filter((each) => each.scope === scope)) {
        await store.create(record.path, stored(record, layout));
      }
    });
  }
}

/** Everything below the root of a store, by path. */
export async function contents(address: string): Promise<Map<string, Buffer>> {
  return withStore(address, async (store) => {
    const found = new Map<string, Buffer>();
    for await (const page of store.scan(''))
      for (const { path, bytes } of page.records) found.set(path, Buffer.from(bytes));
    return found;
  });
}

/** What a store of a layout holds once a fixture was planted there, by path. */
export function expected(
  records: readonly FixtureRecord[],
  scope: string,
  layout: Layout,
): Map<string, Buffer> {
  return new Map(
    records
      .filter((each) => each.scope === scope)
      .map((record) => [record.path, Buffer.from(stored(record, layout))]),
  );
}

/** The bytes of a record in a layout: the fixture's own, but for CellInfo. */
function stored(record: FixtureRecord, layout: Layout): Uint8Array {
  const cell = /^cells\/([^/]+)\/CellInfo$/.exec(record.path)?.[1];
  if (record.scope !== GLOBAL || cell === undefined) return record.value;
  const { server, root } = addressOf(layout, cell);
  return rewriteCellInfo(record.value, { serverAddress: server, root });
}

function addressOf(layout: Layout, scope: string): StoreAddress {
  const text = layout[scope];
  if (text === undefined) throw new Error(`the layout has no ${scope}`);
  return parseAddress(text);
}

/** `CELL=SERVER,ROOT` for each cell of a layout, as flags. */
export function cellFlags(flag: string, layout: Layout): string[] {
  return Object.keys(layout)
    .filter((scope) => scope !== GLOBAL)
    .flatMap((scope) => {
      const { server, root } = addressOf(layout, scope);
      return [flag, `${scope}=${server},${root}`];
    });
}
