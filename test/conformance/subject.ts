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
  /** Plants a record that is owned by a session or lease; the answer ends the owner. */
  readonly ephemeral?: (root: string, path: string, bytes: Uint8Array) => Promise<() => Promise<unknown>>;
  /** Makes a directory with nothing in it. */
  readonly emptyDirectory?: (root: string, path: string) => Promise<unknown>;
}
