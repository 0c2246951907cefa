import { randomUUID } from 'node:crypto';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { storesFor } from '../../src/cli/stores.js';
import { follow } from '../../src/copy/follow.js';
import type { FollowOptions, FollowState } from '../../src/copy/follow-options.js';
import { parseAddress } from '../../src/topo/address.js';
import type { ConnectSettings, Stores } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import { rewriteCellInfo } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { Topology } from '../../src/topo/topology.js';
import { contents, SETTINGS, withStore } from '../support/topologies.js';

/** Parts of the sample topology. */
export const SCOPES = ['global', 'zone1', 'zone2'] as const;
const LIMIT_MS = 60_000;

/** Where both sides are, by scope. */
export interface Places {
  readonly source: (scope: string) => string;
  readonly destination: (scope: string) => string;
  /** Root of the destination's cells. */
  readonly cellRoot: string;
  /** Server that the source's CellInfo names. */
  readonly server: string;
}

/** Places of their own in memory. */
export function placesInMemory(): Places {
  const id = randomUUID();
  return {
    source: (scope) => `memory://zookeeper:${id}/vitess/${scope}`,
    destination: (scope) => `memory://etcd:${id}/vitess/${scope}`,
    cellRoot: '/vitess/{cell}',
    server: `zookeeper:${id}`,
  };
}

/** Writes the sample topology into the source; CellInfo names the source's own roots. */
export async function plantSample({ source, server }: Places): Promise<void> {
  for (const scope of SCOPES)
    await withStore(source(scope), async (store) => {
      for (const { path, bytes } of sampleTopology(server).filter((each) => each.scope === scope)) {
        const cell = /^cells\/(.+)\/CellInfo$/.exec(path)?.[1];
        const root = cell === undefined ? '' : parseAddress(source(cell)).root;
        await store.create(
          path,
          cell === undefined ? bytes : rewriteCellInfo(bytes, { serverAddress: server, root }),
        );
      }
    });
}

/** Changes what the stores of one side, or both, do. */
export interface Wraps {
  readonly settings?: ConnectSettings;
  readonly source?: (store: Connection, scope: string) => Connection;
  readonly destination?: (store: Connection, scope: string) => Connection;
}

/** The stores of one side, changed. */
export function wrapped(access: 'read' | 'write', wrap: Wraps['source'], settings = SETTINGS): Stores {
  const stores = storesFor(settings, access);
  if (wrap === undefined) return stores;
  return { ...stores, open: async (address, scope) => wrap(await stores.open(address, scope), scope) };
}

/** A follower that runs. */
export interface Running {
  readonly end: Promise<FollowState>;
  /** The present state. */
  state(): FollowState | undefined;
}

/** Starts a follower. */
export async function startFollower(
  places: Places,
  more: Partial<FollowOptions>,
  wraps: Wraps = {},
): Promise<Running> {
  const open = (place: (scope: string) => string, stores: Stores) =>
    Topology.open({ global: parseAddress(place('global')), stores });
  const [from, to] = await Promise.all([
    open(places.source, wrapped('read', wraps.source, wraps.settings)),
    open(places.destination, wrapped('write', wraps.destination, wraps.settings)),
  ]);
  let ask: (() => FollowState) | undefined;
  const end = follow({
    source: from,
    destination: to,
    rule: { given: new Map(), root: places.cellRoot },
    clock: systemClock,
    concurrency: 4,
    passEveryMs: 3_600_000,
    gatherMs: 5,
    graceMs: 300,
    onStart: (state) => {
      ask = state;
    },
    ...more,
  }).finally(() => Promise.all([from.close(), to.close()]));
  end.catch(() => {});
  return { end, state: () => ask?.() };
}

/** Until it has copied, and follows. */
export async function following(...all: readonly Running[]): Promise<void> {
  await until(() => all.every(({ state }) => state()?.phase === 'following'), ...all);
}

/** Until something is so. A follower that ends badly meanwhile fails it. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  ...all: readonly Running[]
): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  for (const { end } of all)
    end.catch((error: unknown) => {
      failed = { error };
    });
  for (const limit = Date.now() + LIMIT_MS; !(await condition()); ) {
    if (failed !== undefined) throw failed.error;
    if (Date.now() > limit)
      throw new Error(`not in time: ${JSON.stringify(all.map(({ state }) => state()))}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Whether both sides hold the same, but for CellInfo. */
export async function equal(places: Places): Promise<boolean> {
  return (await differences(places)).length === 0;
}

/** `SCOPE:PATH` of all that both sides do not hold alike, but for CellInfo, and for what is ignored. */
export async function differences({ source, destination }: Places, ignored = /^$/): Promise<string[]> {
  const found: string[] = [];
  for (const scope of SCOPES) {
    const [a, b] = await Promise.all([contents(source(scope)), contents(destination(scope))]);
    for (const path of new Set([...a.keys(), ...b.keys()])) {
      if (path.endsWith('/CellInfo') || path.includes('/locks/') || ignored.test(path)) continue;
      const [x, y] = [a.get(path), b.get(path)];
      if (x === undefined || y === undefined || !x.equals(y)) found.push(`${scope}:${path}`);
    }
  }
  return found;
}
