import { Numberings } from '../../legacy/numberings.js';
import type { Numbering } from '../../legacy/reading.js';
import { Transcoder } from '../../legacy/transcoder.js';
import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { Store } from '../../znodes/store.js';
import { GlobalStore } from './global.js';
import { Nearby } from './nearby.js';
import { OtherCells } from './other-cells.js';
import type { Places } from './places.js';
import { findSigns } from './signs.js';

/** One store of a topology of that time: its znodes, what is where in them, and how they are read. */
export class LegacyStore {
  readonly store: Store;
  readonly places: Places;
  readonly transcoder: Transcoder;
  /** As it was given. */
  readonly typeNumbers: Numbering | undefined;
  /** Where the cells of the topology are, by name; undefined: nobody says it. */
  readonly cells: ReadonlyMap<string, StoreAddress> | undefined;
  readonly globalAddress: StoreAddress;
  /** Of a cell: the global store, of which some of its records are made. */
  readonly global: GlobalStore | undefined;
  /** Of a cell: the others, whose links may name its tablets. */
  readonly others: OtherCells | undefined;
  readonly #nearby: Nearby;

  constructor(store: Store, places: Places, settings: ConnectSettings) {
    this.store = store;
    this.places = places;
    this.typeNumbers = settings.typeNumbers;
    this.#nearby = new Nearby(store, settings);
    const { cell } = places;
    // Where nothing says where it is, it is taken to be on the servers of the cell.
    const server = store.servers.join(',');
    this.globalAddress = {
      server,
      ...settings.global,
      implementation: 'zookeeper',
      root: '/zk/global/vt',
    };
    this.cells = settings.cells;
    this.global = cell === undefined ? undefined : new GlobalStore(this.#nearby, this.globalAddress);
    this.others = cell === undefined ? undefined : new OtherCells(this.#nearby, cell, settings);
    const numberings = new Numberings({
      store: store.context.store,
      clock: store.context.clock,
      given: settings.typeNumbers,
      find: (about, options) => findSigns(this, about, options),
    });
    this.transcoder = new Transcoder(store.context.store, numberings, settings.acceptedLosses);
  }

  close(): Promise<void> {
    return this.#nearby.close();
  }
}
