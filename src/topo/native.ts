import type { CallOptions } from './call-options.js';
import type { TopologyError } from './errors.js';

/**
 * A store as it is, for looking: its own absolute paths, nothing translated, nothing hidden, nothing written. Reaches outside
 * the root of the address that it was opened by.
 *
 * Paths are the store's own: ZooKeeper's begin with `/`, keys of etcd and Consul are any text. What is no UTF-8 in a key of etcd
 * is written `\xNN`. Of keys, what stands before a slash counts as a directory.
 *
 * Calls take a signal and a deadline, and fail with a TopologyError, as those of a Connection.
 */
export interface NativeStore {
  /** Name of the store, as of a Connection. */
  readonly store: string;
  /** Where the topology is: the root of the address, as a path of the store. */
  readonly root: string;

  /** What is directly below a path, in byte order. Empty: nothing is. NoNode: there is no such node, where directories are nodes. */
  list(path: string, options?: CallOptions): Promise<NativeEntry[]>;

  /** One node. NoNode. */
  read(path: string, options?: CallOptions): Promise<NativeNode>;

  /**
   * Every node below a path, in byte order of their paths, in groups; of a large store no more than some groups are in memory, or
   * the bare keys where the store gives them in one piece (Consul). Without what costs a request each (ZooKeeper's ACLs).
   */
  walk(path: string, options?: CallOptions): AsyncIterable<readonly NativeNode[]>;

  /**
   * Why the store would not let this login replace what is at a path, or delete it; undefined: it would, or nothing is there. It is asked by a
   * request that no store carries out, since it names a state that no node can be in. Absent: states are looked at before rights.
   */
  readonly refusal?: (
    path: string,
    change: 'update' | 'delete',
    options?: CallOptions,
  ) => Promise<TopologyError | undefined>;

  /** Idempotent, never throws. */
  close(): Promise<void>;
}

/** A name in a directory of a store. */
export interface NativeEntry {
  /** May be empty, for a key with two slashes in a row or one at its end. */
  readonly name: string;
  readonly path: string;
  /** Whether it can be read: false for the mere beginning of longer keys. */
  readonly node: boolean;
}

/** What a store has at one path. */
export interface NativeNode {
  readonly path: string;
  /** null: none, which ZooKeeper tells from empty ones. */
  readonly bytes: Uint8Array | null;
  /** What the store says of it, by the store's own words and in its own order. No secrets: of credentials only whose they are. */
  readonly words: NativeWords;
}

/** Numbers that may be larger than a number holds are decimal text, ids as the store's own tools show them. */
export type NativeWords = Readonly<Record<string, string | number | readonly string[]>>;
