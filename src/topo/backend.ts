import type { Implementation, StoreAddress } from './address.js';
import type { Clock, Random } from './clock.js';
import type { Connection } from './connection.js';
import type { StoreHealth } from './health.js';
import type { NativeStore } from './native.js';
import type { LossKind } from './told.js';

/** What a folder of src/backends exports as `backend`: everything the rest of the project may know of it. */
export interface Backend {
  readonly implementation: Implementation;
  /**
   * Connects to the store at an address and proves that it answers: Unavailable, Unauthorized, Timeout with a
   * message for people, after one attempt within `connectTimeoutMs`. The root need not exist.
   */
  connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection>;
  /** Opens the store as it is, for looking. Fails as {@link connect} does. Absent: the canonical tree is all there is. */
  readonly openNative?: (address: StoreAddress, settings: ConnectSettings) => Promise<NativeStore>;
  /**
   * Asks every server of an address how it is, over connections of its own; changes nothing. Never fails because of a server: one that
   * does not answer within `connectTimeoutMs`, or does not say, is told as such. Absent: there are no servers.
   */
  readonly health?: (address: StoreAddress, settings: ConnectSettings) => Promise<StoreHealth>;
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
  /** `global`, or the cell whose store it is: of the retired formats that decides what a key is. Default: global. */
  readonly scope?: string | undefined;
  /** Fail with NoNode where there is no store yet, which a store that is a file can tell from an empty one. */
  readonly mustExist?: boolean | undefined;
  readonly tls?: TlsSettings | undefined;
  /**
   * Milliseconds for which a lock outlives its dead holder: etcd's lease, Consul's session, ZooKeeper's session as far as
   * the servers allow. Default: 30,000 for etcd, 10,000 for the others (the least that Consul takes).
   */
  readonly lockTtlMs?: number | undefined;
  /** etcd user and password. */
  readonly etcdAuth?: { readonly username: string; readonly password: string } | undefined;
  /** How the flags begin by which the caller was told how to connect to this store, for hints: `from-`, `to-`. Default: with nothing. */
  readonly flagPrefix?: string | undefined;
  /** ZooKeeper `<scheme>:<auth>`, for instance `digest:user:password`. */
  readonly zkAuth?: string | undefined;
  /**
   * Which ZooKeeper client: the project's own, or the `zookeeper` package. Default: the own one. The retired format does with the own one what needs
   * transactions or a watch, and reads through the package: by default where it can be used, with `native` always (Unsupported where it cannot).
   */
  readonly zkClient?: 'own' | 'native' | undefined;
  /** Consul ACL token. */
  readonly consulToken?: string | undefined;
  /** Consul: milliseconds of one blocking query of a watch, at most 600,000. Default 30,000. */
  readonly watchPollMs?: number | undefined;
  /** Consul: milliseconds for which nobody gets a lock whose holder died. Default: the least that the servers take. */
  readonly lockDelayMs?: number | undefined;
  /** Kinds of values that are left out when a record is written in a form that has no place for them. Default: none, it is refused. */
  readonly acceptedLosses?: ReadonlySet<LossKind> | undefined;
  /**
   * Stores of the retired formats: which numbers types of tablets have in their records, `first` those of 2.0.0-alpha1 to alpha4. Default: told by
   * the records themselves (Guard where they do not tell).
   */
  readonly typeNumbers?: 'first' | 'current' | undefined;
  /**
   * Stores of the retired formats: the global store, for that of a cell, of whose records some are told by global ones. Undefined: this is the global
   * store, or it is not known.
   */
  readonly global?: StoreAddress | undefined;
  /**
   * Stores of the retired formats: where the topology's cells are, as far as a configuration or the caller says it. Tablets of a cell are named in other
   * cells' records, too, and a global store tells what is a cell's from what is nobody's. Undefined: nobody says it.
   */
  readonly cells?: ReadonlyMap<string, StoreAddress> | undefined;
  /** ZooKeeper jute.maxbuffer, in bytes, where the servers raise it. */
  readonly zkMaxRequestBytes?: number | undefined;
  /** Told, in one sentence, of what became of a connection that goes on all the same. */
  readonly onNote?: ((text: string) => void) | undefined;
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
  /**
   * See {@link Backend.connect}. `scope`: `global`, or the cell whose store it is, for what differs by cell: credentials, and the keys of retired
   * formats. `global`: of a cell, where its topology's global store is. `cells`: where its cells are, if a configuration or the caller says it.
   */
  open(
    address: StoreAddress,
    scope: string,
    global?: StoreAddress,
    cells?: ReadonlyMap<string, StoreAddress>,
  ): Promise<Connection>;
  /** See {@link Backend.openNative}. Unsupported where there is nothing but the canonical tree. */
  openNative(address: StoreAddress, scope: string): Promise<NativeStore>;
  /** See {@link Backend.health}; undefined where there are no servers. */
  health(address: StoreAddress, scope: string): Promise<StoreHealth | undefined>;
  /** See {@link Backend.cellAddress}; undefined where cells are found by their CellInfo. */
  cellAddress(global: StoreAddress, cell: string): Promise<StoreAddress | undefined>;
}
