import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { Clock } from '../../topo/clock.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError, TopologyError } from '../../topo/errors.js';
import { joinPath } from '../../topo/paths.js';
import type { Store } from '../../znodes/store.js';
import type { Nearby } from './nearby.js';
import { type Own, ownOf, type RecordPlace } from './own.js';
import { Places } from './places.js';
import { walkFrom } from './walk-from.js';

/** What the ShardReplication of another cell is. */
export interface OtherReplication {
  readonly place: RecordPlace;
  readonly znode: string;
  readonly own: Own;
}

/** The ShardReplications of all other cells. */
export interface OtherReplications {
  /** By `<keyspace>/<shard>`. */
  readonly found: ReadonlyMap<string, readonly OtherReplication[]>;
  /** Why a cell's are not among them; undefined: none is missing. */
  readonly missing: TopologyError | undefined;
}

/** For how long a cell that could not be reached is not tried again, in milliseconds: every record of a shard would wait for it anew. */
const PAUSE_MS = 5_000;

/** The other cells of a cell's topology. Of them nothing but their ShardReplication is read: those of generation 1 may name tablets of any cell. */
export class OtherCells {
  readonly #nearby: Nearby;
  readonly #cells: ReadonlyMap<string, StoreAddress>;

  readonly #clock: Clock;
  /** Those that could not be reached, by their roots. */
  readonly #failed = new Map<string, { readonly error: unknown; readonly until: number }>();

  constructor(nearby: Nearby, own: string, { cells = new Map(), clock }: ConnectSettings) {
    this.#nearby = nearby;
    this.#cells = new Map([...cells].filter(([name]) => name !== own));
    this.#clock = clock;
  }

  /** Of all shards, or those of a keyspace, or the one. */
  async replications(
    of: { readonly keyspace?: string | undefined; readonly shard?: string | undefined },
    options: CallOptions | undefined,
  ): Promise<OtherReplications> {
    const { keyspace = '', shard = '' } = of;
    const top = joinPath(...['replication', keyspace, shard].filter((name) => name !== ''));
    let missing: TopologyError | undefined;
    const byCell = await Promise.all(
      [...this.#cells].map(async ([name, address]) => {
        try {
          return await this.#read(address, top, options);
        } catch (error) {
          if (!isTopologyError(error) || options?.signal?.aborted === true) throw error;
          missing ??= inCell(name, error);
          return [];
        }
      }),
    );
    const found = new Map<string, OtherReplication[]>();
    for (const each of byCell.flat()) {
      const key = `${each.place.keyspace}/${each.place.shard}`;
      found.set(key, [...(found.get(key) ?? []), each]);
    }
    return { found, missing };
  }

  /** Opens each; what cannot be opened fails alone. */
  get stores(): (() => Promise<Store>)[] {
    return [...this.#cells.values()].map((address) => () => this.#open(address));
  }

  async #read(
    address: StoreAddress,
    top: string,
    options: CallOptions | undefined,
  ): Promise<OtherReplication[]> {
    const failed = this.#failed.get(address.root);
    if (failed !== undefined && this.#clock.now() < failed.until) throw failed.error;
    const store = await this.#open(address);
    await this.#nearby.bringUpToDate(address, options);
    return replicationsIn(store, Places.of(address), top, options);
  }

  async #open(address: StoreAddress): Promise<Store> {
    try {
      const store = await this.#nearby.open(address, Places.of(address));
      this.#failed.delete(address.root);
      return store;
    } catch (error) {
      this.#failed.set(address.root, { error, until: this.#clock.now() + PAUSE_MS });
      throw error;
    }
  }
}

async function replicationsIn(
  store: Store,
  places: Places,
  top: string,
  options: CallOptions | undefined,
): Promise<OtherReplication[]> {
  const found: OtherReplication[] = [];
  for await (const group of walkFrom(store, { top, about: top }, options))
    for (const { path, data, stat } of group) {
      const place = places.place(path);
      if (place.is === 'record' && place.kind === 'ShardReplication')
        found.push({ place, znode: places.znode(path), own: ownOf({ data, stat }) });
    }
  return found;
}

function inCell(name: string, error: TopologyError): TopologyError {
  return new TopologyError(
    error.code,
    `the links of cell ${name}, which may name tablets of this one, cannot be read: ${error.message}`,
    { store: error.store, hint: error.hint, retryable: error.retryable, cause: error },
  );
}
