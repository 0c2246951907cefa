import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { encode } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { Topology } from '../../src/topo/topology.js';
import type { Difference, VerifyReport } from '../../src/verify/report.js';
import { verify } from '../../src/verify/verify.js';
import { newPlaces, type Side } from '../copy/faults/places.js';
import { following, type Places, plantSample, startFollower, until } from '../copy/followers.js';
import { isNightly } from '../support/nightly.js';
import { loudSkip } from '../support/notices.js';
import { PRODUCTS, type Server } from '../support/products.js';
import { seeded, seedOfRun } from '../support/seeds.js';
import { SETTINGS, withStore } from '../support/topologies.js';

/** Writes for so long, for each pair of products. */
const LASTS_MS = isNightly ? 600_000 : 20_000;
/** What a follower on a busy machine may need. */
const SETTLE_MS = 8_000;
const PAIRS = isNightly
  ? PRODUCTS.flatMap((from) => PRODUCTS.filter((to) => to !== from).map((to) => [from, to] as const))
  : PRODUCTS.map((from, index) => [from, PRODUCTS[(index + 1) % PRODUCTS.length] ?? from] as const);

const servers = new Map<string, Server>();
beforeAll(async () => {
  const started = PRODUCTS.filter(({ available }) => available);
  await Promise.all(started.map(async (product) => servers.set(product.name, await product.start())));
});
afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

describe.each(PAIRS.map(([from, to]) => ({ from, to, name: `from ${from.name} to ${to.name}` })))(
  '$name',
  ({ from, to }) => {
    const isAvailable = from.available && to.available;
    if (!isAvailable)
      loudSkip(`verifying live stores from ${from.name} to ${to.name}: a server is not there`);

    test.runIf(isAvailable)(
      'no change that is on its way is ever a difference, and a real one is always found',
      async () => {
        const stop = new AbortController();
        const sideOf = ({ implementation, name }: typeof from): Side => ({
          implementation: implementation as Side['implementation'],
          servers: servers.get(name)?.servers ?? '',
        });
        const places = newPlaces(sideOf(from), sideOf(to));
        await plantSample(places);
        // Writers delete more at once than a follower otherwise takes for what a cluster does.
        const follower = await startFollower(places, { signal: stop.signal, overrules: { shrunk: true } });
        await following(follower);
        const random = seeded(seedOfRun());
        const writers = await Promise.all(
          ['global', 'zone1', 'zone2'].map((scope) => startWriter(places.source(scope), scope, random)),
        );
        try {
          await verifyFor(LASTS_MS, places, [follower, ...writers]);
          await Promise.all(writers.map((writer) => writer.stop()));
          expect(writers.every((writer) => writer.writes() > LASTS_MS / 1000)).toBe(true);
          await until(async () => (await verifying(places)).equal, follower);
        } finally {
          await Promise.allSettled(writers.map((writer) => writer.stop()));
          stop.abort();
          await follower.end;
        }
      },
      LASTS_MS + 180_000,
    );
  },
);

/** Verifies again and again: as it is, and with something planted in the destination that nobody wrote to the source. */
async function verifyFor(
  ms: number,
  places: Places,
  running: readonly { readonly end: Promise<unknown> }[],
): Promise<void> {
  const failed = Promise.race(running.map(({ end }) => end)).then(() => {
    throw new Error('a writer or the follower ended');
  });
  failed.catch(() => {});
  const end = Date.now() + ms;
  for (let round = 0; Date.now() < end || round < 2; round++) {
    const plant = round % 2 === 0 ? undefined : PLANTS[((round - 1) / 2) % PLANTS.length];
    const report = await Promise.race([
      failed,
      plant === undefined ? verifying(places) : planted(plant, places),
    ]);
    const standing = report.differences.filter((each) => each.class !== 'in-flight').map(told);
    expect(standing).toEqual(plant === undefined ? [] : [plant.found]);
  }
}

const told = ({ type, scope, path, class: found }: Difference) => `${type} ${scope}:${path} ${found}`;

/** A change of the destination that does not come from the source. */
interface Plant {
  readonly scope: string;
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
  readonly found: string;
}
const SHARD = 'keyspaces/commerce/shards/0/Shard';
const PLANTS: readonly Plant[] = [
  {
    scope: 'global',
    path: SHARD,
    bytes: encode('topodata.Shard', {}),
    found: `different global:${SHARD} dangerous`,
  },
  { scope: 'zone1', path: 'SrvVSchema', bytes: undefined, found: 'missing zone1:SrvVSchema dangerous' },
  {
    scope: 'zone2',
    path: 'metadata/strange',
    bytes: Buffer.from('x'),
    found: 'extra zone2:metadata/strange repairable',
  },
];

async function planted({ scope, path, bytes }: Plant, places: Places): Promise<VerifyReport> {
  const change = (to: Uint8Array | undefined) =>
    withStore(places.destination(scope), async (store) => {
      if (to === undefined) await store.delete(path, null);
      else await store.update(path, to, null);
    });
  const was = await withStore(places.destination(scope), async (store) =>
    store.get(path).then(
      (value) => value.bytes,
      () => undefined,
    ),
  );
  await change(bytes);
  try {
    return await verifying(places);
  } finally {
    await change(was);
  }
}

async function verifying(places: Places): Promise<VerifyReport> {
  const open = (address: string) =>
    Topology.open({ global: parseAddress(address), stores: storesFor(SETTINGS, 'read') });
  const [source, destination] = await Promise.all([
    open(places.source('global')),
    open(places.destination('global')),
  ]);
  try {
    const settle = { clock: systemClock, authority: 'source', forMs: SETTLE_MS } as const;
    return await verify({ source, destination, concurrency: 4, settle });
  } finally {
    await Promise.all([source.close(), destination.close()]);
  }
}

/** Changes, makes and deletes records of a part, in bursts. */
async function startWriter(address: string, scope: string, random: () => number) {
  const path = (number: number) => (scope === 'global' ? `metadata/live-${number}` : `live/${number}`);
  let goesOn = true;
  let writes = 0;
  const write = async (store: Connection) => {
    const target = path(Math.floor(random() * 30));
    if (random() < 0.2) await store.delete(target, null).catch(() => {});
    else await store.update(target, Buffer.from(String(writes)), null);
    writes += 1;
  };
  const end = withStore(address, async (store) => {
    while (goesOn) {
      for (let left = Math.floor(random() * 20); goesOn && left > 0; left--) await write(store);
      await new Promise((resolve) => setTimeout(resolve, random() * 100));
    }
  });
  end.catch(() => {});
  return {
    end,
    writes: () => writes,
    stop() {
      goesOn = false;
      return end;
    },
  };
}
