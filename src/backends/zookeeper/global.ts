import type { StoreAddress } from '../../topo/address.js';
import type { CallOptions } from '../../topo/connection.js';
import type { Store } from '../../znodes/store.js';
import type { Nearby } from './nearby.js';
import { type Own, ownOf } from './own.js';
import { Places } from './places.js';
import { walkFrom } from './walk-from.js';

/** A shard of the global store, as far as records of cells are made of it. */
export interface GlobalShard {
  readonly keyspace: string;
  readonly shard: string;
  /** Undefined: there is no such node. */
  readonly own: Own | undefined;
  /** Nodes nested below it, by the aliases from the top down to each. */
  readonly nested: readonly (readonly string[])[];
}

/** Shards by `<keyspace>/<shard>`. */
export type GlobalShards = ReadonlyMap<string, GlobalShard>;

/** The global store of a cell's topology. */
export class GlobalStore {
  readonly #nearby: Nearby;
  readonly #address: StoreAddress;

  constructor(nearby: Nearby, address: StoreAddress) {
    this.#nearby = nearby;
    this.#address = address;
  }

  /** All shards, or those of a keyspace, or the one. */
  async shards(
    of: { readonly keyspace?: string | undefined; readonly shard?: string | undefined },
    options: CallOptions | undefined,
  ): Promise<GlobalShards> {
    const store = await this.open();
    const { keyspace, shard } = of;
    const top =
      keyspace === undefined
        ? 'keyspaces'
        : `keyspaces/${keyspace}/shards${shard === undefined ? '' : `/${shard}`}`;
    const found = new Map<string, { -readonly [K in keyof GlobalShard]: GlobalShard[K] }>();
    for await (const group of walkFrom(store, { top, about: top }, options)) {
      for (const { path, data, stat } of group) {
        const place = Places.global.place(path);
        if (place.is !== 'replication-path' && !(place.is === 'record' && place.kind === 'Shard')) continue;
        const { keyspace: ks = '', shard: name = '' } = place;
        const known = found.get(`${ks}/${name}`) ?? {
          keyspace: ks,
          shard: name,
          own: undefined,
          nested: [],
        };
        if (place.is === 'record') known.own = ownOf({ data, stat });
        else known.nested = [...known.nested, place.aliases];
        found.set(`${ks}/${name}`, known);
      }
    }
    return found;
  }

  /** Brings it up to date, if anything was read from it yet. */
  bringUpToDate(options: CallOptions | undefined): Promise<void> {
    return this.#nearby.bringUpToDate(this.#address, options);
  }

  open(): Promise<Store> {
    return this.#nearby.open(this.#address, Places.global);
  }
}
