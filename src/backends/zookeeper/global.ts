import { type StoreAddress, sharesServer, storeName } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CallOptions } from '../../topo/connection.js';
import { type Connected, connectStore } from '../../znodes/connect.js';
import { Store } from '../../znodes/store.js';
import { layoutOf } from './layout.js';
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

/** The global store of a cell's topology, connected to when it is first needed. */
export class GlobalStore {
  readonly #own: Store;
  readonly #settings: ConnectSettings;
  readonly #address: StoreAddress;
  #opening: Promise<{ readonly store: Store; readonly connected?: Connected }> | undefined;

  /** Where nothing says where it is, it is taken to be on the servers of the cell. */
  constructor(own: Store, settings: ConnectSettings) {
    this.#own = own;
    this.#settings = settings;
    const server = own.servers.join(',');
    this.#address = { server, ...settings.global, implementation: 'zookeeper', root: '/zk/global/vt' };
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
  async bringUpToDate(options: CallOptions | undefined): Promise<void> {
    if (this.#opening === undefined) return;
    const store = await this.open();
    if (store.sessions === this.#own.sessions) return;
    await store.read(undefined, options, (client, request) => client.sync('/', request));
  }

  async open(): Promise<Store> {
    this.#opening ??= this.#open();
    try {
      return (await this.#opening).store;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.connected?.close();
  }

  async #open(): Promise<{ readonly store: Store; readonly connected?: Connected }> {
    const layout = layoutOf(Places.global);
    const own = this.#own;
    const servers = { ...this.#address, server: own.servers.join(',') };
    if (!sharesServer(this.#address, servers)) {
      const connected = await connectStore(this.#address, this.#settings, layout);
      return { store: connected.store, connected };
    }
    const context = { ...own.context, store: storeName(this.#address) };
    const { sessions, locks, closed } = own;
    const { root } = this.#address;
    return { store: new Store({ context, root, layout, sessions, locks, servers: own.servers, closed }) };
  }
}
