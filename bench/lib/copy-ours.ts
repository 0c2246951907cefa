import { parseAddress, type StoreAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { encode } from '../../src/topo/codec.js';
import type { Topology } from '../../src/topo/topology.js';
import { compiled } from './compiled.js';
import { alias, CELL, type Place, type Side } from './copy-place.js';

export const SETTINGS = {
  clock: systemClock,
  random: Math.random,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
};
const PLANTED_IN_FLIGHT = 4;

/** Makes the source: one cell with so many tablets. */
export async function plant({ from, records }: Place): Promise<void> {
  const { storesFor } = await compiled<typeof import('../../src/cli/stores.js')>('cli/stores.js');
  const stores = storesFor(SETTINGS, 'write');
  const global = await stores.open(addressOf(from, 'global'), 'global');
  await global.create(
    `cells/${CELL}/CellInfo`,
    encode('topodata.CellInfo', { server_address: from.server, root: addressOf(from, CELL).root }),
  );
  await global.close();
  const cell = await stores.open(addressOf(from, CELL), CELL);
  const { batch } = cell.capabilities;
  const each = Math.min(batch.maxOps, Math.floor(batch.maxBytes / 500));
  let next = 1;
  const work = async () => {
    while (next <= records) {
      const uids = Array.from({ length: Math.min(each, records - next + 1) }, (_, i) => next + i);
      next += each;
      await cell.write(
        uids.map((uid) => ({ type: 'create', path: `tablets/${alias(uid)}/Tablet`, bytes: tablet(uid) })),
      );
    }
  };
  await Promise.all(Array.from({ length: PLANTED_IN_FLIGHT }, work));
  await cell.close();
}

/** Loads what opening both sides would load, as the modules of the raw clients are loaded before anything is measured. */
async function loadBackends({ from, to }: Place): Promise<void> {
  const { loadBackend } =
    await compiled<typeof import('../../src/backends/registry.js')>('backends/registry.js');
  await Promise.all([from, to].map(({ store }) => loadBackend(store)));
}

/** The project's own copy, in the code that is shipped, as the command runs it. */
export async function copy(place: Place, expected = place.records + 1): Promise<() => Promise<void>> {
  const { storesFor } = await compiled<typeof import('../../src/cli/stores.js')>('cli/stores.js');
  const { applyCopy, planCopy } = await compiled<typeof import('../../src/copy/copy.js')>('copy/copy.js');
  const { Topology } = await compiled<typeof import('../../src/topo/topology.js')>('topo/topology.js');
  const open = (side: Side, access: 'read' | 'write') =>
    Topology.open({ global: addressOf(side, 'global'), stores: storesFor(SETTINGS, access) });
  await loadBackends(place);
  return async () => {
    const source = await open(place.from, 'read');
    const destination = await open(place.to, 'write');
    const options = copyOptions(place, source, destination);
    const { written } = await applyCopy(await planCopy(options), options);
    await Promise.all([source.close(), destination.close()]);
    if (written !== expected) throw new Error(`${written} records written, ${expected} expected`);
  };
}

/** The same once more, when there is nothing to do. */
export function again(place: Place): Promise<() => Promise<void>> {
  return copy(place, 0);
}

/** Both sides compared after the copy, as the command does it. */
export async function verified(place: Place): Promise<() => Promise<void>> {
  const { from, to, records } = place;
  const { storesFor } = await compiled<typeof import('../../src/cli/stores.js')>('cli/stores.js');
  const { verify } = await compiled<typeof import('../../src/verify/verify.js')>('verify/verify.js');
  const { Topology: Opened } =
    await compiled<typeof import('../../src/topo/topology.js')>('topo/topology.js');
  const open = (side: Side) =>
    Opened.open({ global: addressOf(side, 'global'), stores: storesFor(SETTINGS, 'read') });
  await loadBackends(place);
  return async () => {
    const [source, destination] = await Promise.all([open(from), open(to)]);
    const { compared } = await verify({ source, destination, concurrency: 4 });
    await Promise.all([source.close(), destination.close()]);
    if (compared !== records + 1) throw new Error(`${compared} records compared, not ${records + 1}`);
  };
}

/** How both sides are copied, as the command does it. */
export function copyOptions(place: Place, source: Topology, destination: Topology) {
  const rule = {
    given: new Map<string, StoreAddress>(),
    root: place.to.store === 'file' ? undefined : `${place.to.root}/{cell}`,
  };
  return { source, destination, rule, clock: systemClock, concurrency: 4 };
}

export function addressOf({ store, server, root }: Side, scope: string): StoreAddress {
  return parseAddress(store === 'file' ? `file:${server}` : `${store}://${server}${root}/${scope}`);
}

/** About 300 bytes, as production tablets with their build tags have. */
export function tablet(uid: number): Uint8Array {
  return encode('topodata.Tablet', {
    alias: { cell: CELL, uid },
    hostname: `tablet-${uid}.${CELL}.example.com`,
    port_map: { vt: 15_100, grpc: 16_100 },
    keyspace: 'customer',
    shard: '-80',
    type: 'REPLICA',
    tags: {
      build_host: 'builder.example.com',
      build_git_rev: 'c0ffee'.repeat(6),
      go_version: 'go1.24.1',
      version: '22.0.3',
    },
    mysql_hostname: `tablet-${uid}.${CELL}.example.com`,
    mysql_port: 17_100,
  });
}
