import type { Implementation, StoreAddress } from './address.js';
import type { Clock, Random } from './clock.js';
import type { Connection } from './connection.js';

/** What a folder of src/backends exports as `backend`: everything the rest of the project may know of it. */
export interface Backend {
  readonly implementation: Implementation;
  /**
   * Connects to the store at an address and proves that it answers: Unavailable, Unauthorized, Timeout with a
   * message for people, after one attempt within `connectTimeoutMs`. The root need not exist.
   */
  connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection>;
  /**
   * For stores whose cells are found without CellInfo addresses (one file holds all parts): the address of a cell's
   * part, given the global one's. Absent: cells are where their CellInfo says.
   */
  readonly cellAddress?: (global: StoreAddress, cell: string) => StoreAddress;
}

/** How to connect, apart from where. Secrets are values here, read from files or the environment by the caller, never shown. */
export interface ConnectSettings {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds for {@link Backend.connect}. */
  readonly connectTimeoutMs: number;
  /** Milliseconds a call may take when it names no deadline. */
  readonly requestTimeoutMs: number;
  readonly tls?: TlsSettings | undefined;
  /** etcd user and password. */
  readonly etcdAuth?: { readonly username: string; readonly password: string } | undefined;
  /** ZooKeeper `<scheme>:<auth>`, for instance `digest:user:password`. */
  readonly zkAuth?: string | undefined;
  /** Which ZooKeeper client: the project's own, or the `zookeeper` package. */
  readonly zkClient?: 'own' | 'native' | undefined;
  /** ZooKeeper jute.maxbuffer, in bytes, where the servers raise it. */
  readonly zkMaxRequestBytes?: number | undefined;
}

/** PEM contents. `ca` alone: server authentication; with `cert` and `key`: mutual. */
export interface TlsSettings {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  /** Name expected in the server's certificate, when it is not the host's. */
  readonly serverName?: string | undefined;
}

/** Opens stores by address. What the registry gives, and what wrappers and tests put themselves around. */
export interface Stores {
  /** See {@link Backend.connect}. */
  open(address: StoreAddress): Promise<Connection>;
  /** See {@link Backend.cellAddress}; undefined where cells are found by their CellInfo. */
  cellAddress(global: StoreAddress, cell: string): Promise<StoreAddress | undefined>;
}
