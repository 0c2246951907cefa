import { storesFor } from '../../../src/cli/stores.js';
import { parseAddress } from '../../../src/topo/address.js';
import type { ConnectSettings } from '../../../src/topo/backend.js';
import { systemClock } from '../../../src/topo/clock.js';
import type { Connection } from '../../../src/topo/connection.js';
import { GLOBAL } from '../../../src/topo/topology.js';
import { findMember, type Product } from '../../failures/ensemble.js';
import { type Cluster, FaultWay } from '../../servers/index.js';
import { type Places, plantSample } from '../followers.js';
import { newName, newPlaces } from './places.js';

/** Short, so that what hangs is soon tried again. */
export const IMPATIENT: ConnectSettings = {
  clock: systemClock,
  random: Math.random,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 3_000,
};

/** A product that runs. */
export interface Running {
  readonly product: Product;
  readonly cluster: Cluster;
}

/** What a fault happens to: the servers of one side, and the way to them. */
export interface Target extends Running {
  readonly way: FaultWay;
}

/** Both sides of a copy, reached over a way that can be disturbed, and undisturbed by the test itself. */
export class Stage {
  readonly source: Target;
  readonly destination: Target;
  /** As the copy has them. */
  readonly places: Places;
  /** The same, without the way. */
  readonly direct: Places;
  readonly #open: Connection[] = [];
  readonly #closing = new AbortController();

  private constructor(source: Target, destination: Target, places: Places, direct: Places) {
    this.source = source;
    this.destination = destination;
    this.places = places;
    this.direct = direct;
  }

  /** New places on running products, with the sample topology in the source. */
  static async set(from: Running, to: Running): Promise<Stage> {
    const [a, b] = await Promise.all([from, to].map(entryTo));
    if (a === undefined || b === undefined) throw new Error('no servers');
    const [wayFrom, wayTo] = await Promise.all([FaultWay.to(a.servers), FaultWay.to(b.servers)]);
    const name = newName();
    const places = newPlaces({ ...a, servers: wayFrom.servers }, { ...b, servers: wayTo.servers }, name);
    const direct = { ...newPlaces(a, b, name), server: wayFrom.servers };
    const stage = new Stage({ ...from, way: wayFrom }, { ...to, way: wayTo }, places, direct);
    await plantSample(direct);
    return stage;
  }

  /** A connection of the test's own, undisturbed by the way. */
  async open(side: 'source' | 'destination', scope = GLOBAL): Promise<Connection> {
    const store = await storesFor(IMPATIENT, 'write').open(parseAddress(this.direct[side](scope)), GLOBAL);
    this.#open.push(store);
    return store;
  }

  /** Fires when it is closed: ends what a scene that failed has left. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends what disturbs the way, and closes everything but the servers. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { way } of [this.source, this.destination]) await way.close();
    for (const store of this.#open) await store.close();
  }
}

/** How clients reach a product: through every member, or through one that does not lead, since leaders are killed. */
async function entryTo({ product, cluster }: Running) {
  const { implementation, manyEntries, isLeader } = product;
  if (manyEntries || cluster.members.length === 1) return { implementation, servers: cluster.servers };
  const entry = await findMember(cluster, 'a follower', async (member) => !(await isLeader(member)));
  return { implementation, servers: entry.address };
}
