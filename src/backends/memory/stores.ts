import { type Random, systemClock } from '../../topo/clock.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { ConsulStore } from './consul.js';
import { EtcdStore } from './etcd.js';
import type { MemoryStore, StoreSettings } from './store.js';
import { ZooKeeperStore } from './zookeeper.js';

/** Products that memory can be like. */
const FLAVOURS = {
  zookeeper: (settings: StoreSettings) => new ZooKeeperStore(settings),
  etcd: (settings: StoreSettings) => new EtcdStore(settings),
  consul: (settings: StoreSettings) => new ConsulStore(settings),
} as const;
type Flavour = keyof typeof FLAVOURS;

const defaults: StoreSettings = { clock: systemClock, random: Math.random satisfies Random };
/** By server, as addresses write it. */
const stores = new Map<string, { readonly store: MemoryStore; users: number }>();

/** A store in use. `release` gives it back. */
export interface StoreInUse {
  readonly store: MemoryStore;
  /** Whether it outlives its last user. */
  readonly durable: boolean;
  release(): void;
}

/**
 * The store of the server `<flavour>[:<name>]`, for tests and demonstrations that do to it what the contract has no
 * method for. Made when it is not there; `settings` count only then. InvalidAddress.
 */
export function memoryStore(server: string, settings = defaults): MemoryStore {
  return entryOf(server, settings).store;
}

/** {@link memoryStore}, for a connection. A store with a name is kept for the life of the process, one without until its last user gives it back. */
export function useMemoryStore(server: string, settings: StoreSettings): StoreInUse {
  const entry = entryOf(server, settings);
  const durable = server.includes(':');
  let released = false;
  entry.users += 1;
  return {
    store: entry.store,
    durable,
    release() {
      if (released) return;
      released = true;
      entry.users -= 1;
      if (entry.users > 0 || durable) return;
      entry.store.dispose();
      if (stores.get(server) === entry) stores.delete(server);
    },
  };
}

/** Forgets all stores. Connections that are open keep theirs, which nobody else finds any more. */
export function forgetMemoryStores(): void {
  for (const { store } of stores.values()) store.dispose();
  stores.clear();
}

function entryOf(server: string, settings: StoreSettings): { readonly store: MemoryStore; users: number } {
  const known = stores.get(server);
  if (known !== undefined) return known;
  const entry = { store: FLAVOURS[flavourOf(server)](settings), users: 0 };
  stores.set(server, entry);
  return entry;
}

function flavourOf(server: string): Flavour {
  const flavour = /^([a-z]+)(?::.+)?$/s.exec(server)?.[1];
  if (flavour !== undefined && Object.hasOwn(FLAVOURS, flavour)) return flavour as Flavour;
  throw new TopologyError(
    ErrorCode.InvalidAddress,
    `no memory store can be called ${JSON.stringify(server)}`,
    {
      hint: `write memory://FLAVOUR:NAME/ROOT, where FLAVOUR is ${Object.keys(FLAVOURS).join(', ')}`,
    },
  );
}
