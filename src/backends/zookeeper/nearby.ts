import { type StoreAddress, sharesServer, storeName } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CallOptions } from '../../topo/connection.js';
import { type Connected, connectStore } from '../../znodes/connect.js';
import { Store } from '../../znodes/store.js';
import { layoutOf } from './layout.js';
import type { Places } from './places.js';

/** The other stores of a cell's topology, each connected to when it is first needed. Those on the same servers share their sessions. */
export class Nearby {
  readonly #own: Store;
  readonly #settings: ConnectSettings;
  readonly #stores = new Map<string, Promise<Store>>();
  readonly #connections: { readonly address: StoreAddress; readonly opening: Promise<Connected> }[] = [];

  constructor(own: Store, settings: ConnectSettings) {
    this.#own = own;
    // Whoever needs one is to have time left when it does not answer.
    const connectTimeoutMs = Math.min(settings.connectTimeoutMs, settings.requestTimeoutMs / 2);
    this.#settings = { ...settings, connectTimeoutMs };
  }

  /** The store at an address. Fails as {@link Backend.connect} does; then the next call tries again. */
  open(address: StoreAddress, places: Places): Promise<Store> {
    const known = this.#stores.get(address.root);
    if (known !== undefined) return known;
    const opening = this.#open(address, places).catch((error: unknown) => {
      this.#stores.delete(address.root);
      throw error;
    });
    this.#stores.set(address.root, opening);
    return opening;
  }

  /** Brings the store at an address up to date, if it was opened yet. That of the cell itself is, before it is read. */
  async bringUpToDate(address: StoreAddress, options: CallOptions | undefined): Promise<void> {
    const store = await this.#stores.get(address.root);
    if (store === undefined || store.sessions === this.#own.sessions) return;
    await store.read(undefined, options, (client, request) => client.sync('/', request));
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#connections.map(({ opening }) => opening));
    await Promise.all(opened.map((each) => (each.status === 'fulfilled' ? each.value.close() : undefined)));
  }

  async #open(address: StoreAddress, places: Places): Promise<Store> {
    const own = this.#own;
    if (sharesServer(address, { ...address, server: own.servers.join(',') }))
      return sharing(own, address, places);
    const known = this.#connections.find((each) => sharesServer(each.address, address));
    if (known !== undefined) return sharing((await known.opening).store, address, places);
    const opening = connectStore(address, this.#settings, layoutOf(places));
    const connection = { address, opening };
    this.#connections.push(connection);
    try {
      return (await opening).store;
    } catch (error) {
      this.#connections.splice(this.#connections.indexOf(connection), 1);
      throw error;
    }
  }
}

/** The store at an address, over the sessions of another one on its servers. */
function sharing(other: Store, address: StoreAddress, places: Places): Store {
  const { sessions, locks, servers, closed } = other;
  const context = { ...other.context, store: storeName(address) };
  const { root } = address;
  return new Store({ context, root, layout: layoutOf(places), sessions, locks, servers, closed });
}
