import type { Connection } from '../../src/topo/connection.js';

/**
 * What the suite is run over: one backend at one server version, or one wrapper. A new backend writes one of these
 * and hands it to `runConformance`.
 */
export interface Subject {
  readonly name: string;
  /** Before the first sentence, for instance to start a server. */
  readonly start?: () => Promise<unknown>;
  /** After the last sentence. */
  readonly stop?: () => Promise<unknown>;
  /**
   * Connects to the place `root` (written with a leading slash; it need not exist). The same root twice gives two
   * independent connections to one place. The clock of the connection is the machine's.
   */
  readonly open: (root: string, options?: OpenOptions) => Promise<Connection>;
  /** Connects to a place as to a cell's store that keeps a serving graph ({@link Connection.serving}). Absent: none of the stores does. */
  readonly openServing?: (root: string) => Promise<Connection>;
  /** How many are many records here, to read and to write. Default 20,000. */
  readonly many?: number;
  /** Ways to disturb the server. Absent where there is none: the theme of faults does not apply. */
  readonly faults?: Faults | undefined;
  /** `host:port` of the servers, separated by commas, where the suite may put itself in between. */
  readonly servers?: () => string;
  /** Ways to do behind the connection's back what the contract has no method for. */
  readonly raw?: Raw | undefined;
  /** Names that this store cannot hold: they must be refused with InvalidPath. Default: it takes all. */
  readonly refusesName?: (name: string) => boolean;
  /**
   * Declared deviations: title of a sentence → why it does not hold here. Such a sentence must fail, so that the
   * declaration cannot outlive its reason.
   */
  readonly expects?: Readonly<Record<string, string>>;
}

/** Settings of one connection that a sentence needs to choose. */
export interface OpenOptions {
  /** Milliseconds a call may take when it names no deadline. */
  readonly requestTimeoutMs?: number;
  /** In place of {@link Subject.servers}. */
  readonly servers?: string;
  /** `lockTtlMs` of the connection's settings, or the least that the store takes. */
  readonly lockTtlMs?: number;
}

/** What can be done to the servers of a subject. */
export interface Faults {
  /** Ends the servers at once; what they acknowledged is kept. */
  kill(): Promise<unknown>;
  /** Starts them again, stopping them first if they run, and waits until they serve. */
  restart(): Promise<unknown>;
  /** Holds them: connections stay open and nothing answers. */
  freeze(): unknown;
  /** Lets frozen ones go on. */
  thaw(): unknown;
}

/** See {@link Subject.raw}. */
export interface Raw {
  /** A connection that may write, for a subject that may not. */
  readonly writer?: (root: string) => Promise<Connection>;
  /** A connection that writes faster than the subject's, for the many records that are only there to be read. */
  readonly planter?: (root: string) => Promise<Connection>;
  /** Plants a record that is owned by a session or lease; the answer ends the owner. */
  readonly ephemeral?: (root: string, path: string, bytes: Uint8Array) => Promise<() => Promise<unknown>>;
  /** Makes the store forget all past states. */
  readonly compact?: () => Promise<unknown>;
  /** Makes a directory with nothing in it. */
  readonly emptyDirectory?: (root: string, path: string) => Promise<unknown>;
  /** Absent: sentences about locks that need somebody else do not apply. */
  readonly rivals?: Rivals | undefined;
  /**
   * Ends a session or lease from outside, given as `LockEntry.owner` names it. (Of a ZooKeeper session the id is enough:
   * its password is made from it.)
   */
  readonly endOwner?: (owner: string) => Promise<unknown>;
  /** Plants, in the place and form of the lock of a directory, an entry that no session or lease owns. */
  readonly orphan?: (root: string, dir: string, contents: string) => Promise<unknown>;
}

/**
 * Processes that lock as Vitess does, by the recipe of their product and with none of this project's backend code:
 * Consul's HTTP API, etcdctl, a ZooKeeper client. They do not wait, so that each call is a request or a few.
 */
export interface Rivals {
  /** Stands in line for the lock of a directory that exists. */
  lock(root: string, dir: string, contents: string): Promise<Rival>;
  /** Stands in an election. */
  campaign(root: string, name: string, id: string): Promise<Rival>;
}

/** One rival, and its session or lease, which is kept alive or lives for minutes. On Consul it has no lock delay. */
export interface Rival {
  /** Whether it holds the lock by now, as the store says. Where there is no line (Consul), it tries to take it first. */
  holds(): Promise<boolean>;
  /** What the present holder wrote, whoever it is, as the product's own tool reads it. Undefined: nobody holds it. */
  holder(): Promise<string | undefined>;
  /** Gives the lock, or its place in line, back as the recipe says, and ends its session or lease. */
  release(): Promise<unknown>;
  /** Its session or lease ends, and nothing else is done. Nothing happens after `release`. */
  die(): Promise<unknown>;
}
