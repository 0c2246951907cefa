import assert from 'node:assert/strict';
import { storesFor } from '../../src/cli/stores.js';
import { addressFromTriple } from '../../src/topo/address.js';
import type { Random } from '../../src/topo/clock.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { GLOBAL } from '../../src/topo/topology.js';
import { Follower, neverGoesBack } from '../conformance/follower.js';
import { eventually, must, within } from '../conformance/tools.js';
import type { Writers } from '../conformance/writers.js';
import { type Cluster, FaultWay, type Member } from '../servers/index.js';
import { seeded } from '../support/seeds.js';
import { findMember, type Product, RECOVERY_MS } from './ensemble.js';
import { COUNTED, read, startLoad, Timely, TOGGLED } from './load.js';
import { QuietRecords } from './quiet.js';
import type { Scenario } from './scenarios.js';

/** How long the last states get to reach the watches. */
const DELIVERY_MS = 25_000;

/** Several times as many as there are writers: some may have been on their way when something broke. */
const ENOUGH_WRITES = 300;

let places = 0;

/** Opens a store as the commands do. */
export function open(
  { implementation }: Product,
  servers: string,
  root: string,
  random: Random,
): Promise<Connection> {
  const settings = { clock: systemClock, random, connectTimeoutMs: 20_000, requestTimeoutMs: 5_000 };
  return storesFor(settings, 'write').open(addressFromTriple(implementation, servers, root), GLOBAL);
}

/** What a scenario works with: servers, the way to them, and writers and watches that go on meanwhile. */
export interface Rig {
  readonly product: Product;
  readonly random: Random;
  /** Between the clients and the servers. */
  readonly way: FaultWay;
  /** As users have it, over the way. */
  readonly connection: Connection;
  /** The member that leads. */
  leader(): Promise<Member>;
  /** A member that does not lead, and through which not all clients reach the store. */
  follower(): Promise<Member>;
  /** Until so many more writes were acknowledged. */
  progress(what: string, count?: number): Promise<void>;
  /** Until no write goes through any more: `ms` milliseconds without one. */
  standstill(ms?: number): Promise<void>;
}

/**
 * Lets a scenario happen while writers write and watches watch. Fails, naming the seed, unless everything acknowledged is
 * there once, no writer met his own traces, no call outlived its deadline, every watch has come to the last state and none
 * went back, and writes go through again at the end.
 */
export async function survives(
  product: Product,
  cluster: Cluster,
  scenario: Scenario,
  { seed, round }: { readonly seed: number; readonly round: number },
): Promise<void> {
  const random = seeded(seed + round);
  places += 1;
  const root = `${product.implementation === 'consul' ? '' : '/'}failures/${process.pid}-${places}`;
  const entry = product.manyEntries
    ? undefined
    : await findMember(cluster, 'a follower', async (each) => !(await product.isLeader(each)));
  const servers = entry?.address ?? cluster.servers;
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    const way = await FaultWay.to(servers, random);
    cleanups.push(() => way.close());
    const direct = await open(product, servers, root, random);
    cleanups.push(() => direct.close());
    const connection = await open(product, way.servers, root, random);
    cleanups.push(() => connection.close());
    const timely = new Timely(connection);
    const writers = startLoad(timely, !product.actsLate && !(scenario.late?.(product) ?? false));
    const rig = { product, random, way, connection, ...rigOf(product, cluster, entry, writers) };
    try {
      const followers = watches(connection);
      await rig.progress('before');
      const quiet = await QuietRecords.plant(direct, connection, RECOVERY_MS);
      await Promise.all([scenario.run(rig), quiet.change()]);
      await way.mend();
      await rig.progress('afterwards');
      await within(RECOVERY_MS, 'the end of all writers', writers.stop());
      await eventually('a read', () => direct.position({ deadline: Date.now() + 2_000 }), RECOVERY_MS);
      await writers.allThere(direct);
      await delivered(direct, followers);
      await quiet.delivered();
      assert.deepEqual(timely.late, [], 'calls that outlived their deadlines');
    } catch (error) {
      // A progress that fails to appear has its reason in the writer that ended.
      const ended = await within(RECOVERY_MS, 'the end of all writers', writers.stop()).catch(String);
      throw new Error(
        `${String(error)} (calls failed: ${timely.counts()}; writers ended: ${ended ?? 'well'})`,
        {
          cause: error,
        },
      );
    }
  } catch (error) {
    throw new Error(`TOPO2TOPO_SEED=${seed}, round ${round}: ${String(error)}`, { cause: error });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function rigOf(
  product: Product,
  cluster: Cluster,
  entry: Member | undefined,
  { acknowledged }: Writers,
): Pick<Rig, 'leader' | 'follower' | 'progress' | 'standstill'> {
  return {
    leader: () => findMember(cluster, 'a leader', product.isLeader),
    follower: () =>
      findMember(cluster, 'a follower', async (each) => each !== entry && !(await product.isLeader(each))),
    progress: async (what, count = ENOUGH_WRITES) => {
      const before = acknowledged();
      await eventually(`writes ${what}`, async () => acknowledged() >= before + count, RECOVERY_MS);
    },
    standstill: async (ms = 1_000) => {
      let last = acknowledged();
      let since = Date.now();
      const stands = async () => {
        const now = acknowledged();
        if (now !== last) since = Date.now();
        last = now;
        return Date.now() - since >= ms;
      };
      await eventually('a standstill', stands, RECOVERY_MS);
    },
  };
}

function watches(connection: Connection): Follower[] {
  const single = [COUNTED, must(TOGGLED[0])].map(
    (path) => new Follower((signal) => connection.watch(path, { signal })),
  );
  if (!connection.capabilities.watchRecursive) return single;
  return [...single, new Follower((signal) => connection.watchRecursive('toggled', { signal }))];
}

/** Every watch has delivered the last state of what it follows, and nothing older after something newer. */
async function delivered(reader: Connection, followers: readonly Follower[]): Promise<void> {
  const followed = [[COUNTED], [must(TOGGLED[0])], TOGGLED];
  for (const [i, follower] of followers.entries()) {
    for (const path of must(followed[i])) {
      await eventually(
        `the last state of ${path}, for watch ${i}`,
        async () => {
          const last = (await read(reader, path))?.text;
          const told = follower.statesOf(path).at(-1);
          assert.equal(told, last);
          return true;
        },
        DELIVERY_MS,
      );
      neverGoesBack(follower.statesOf(path));
    }
  }
}
