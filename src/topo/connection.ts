import type { Version } from './version.js';

/**
 * The contract every store keeps: ONE cell's store (or the global one), seen from its root.
 *
 * This file is the specification; test/conformance holds one test for each of its sentences and runs them over every
 * backend and every wrapper.
 *
 * Paths. Relative to the root, segments joined by `/`, no leading or trailing slash, no empty segment, no `.` or `..`;
 * `''` is the root directory. Anything else, and NUL, is InvalidPath before anything is sent. Directories come into
 * being with the first record below them, and vanish with the last. A path is a record (a file), a directory, or, where
 * `capabilities.recordsWithChildren`, both.
 *
 * Visibility. Nothing outside the root is ever read or written: the root `/vitess/zone1` does not see `/vitess/zone10`.
 * Reads see everything that this connection was told is written, and never go back in time. {@link Connection.position}
 * brings a connection up to date: reads begun after it see everything, whoever wrote it, that was acknowledged before
 * it. A scan brings itself up to date at its beginning.
 *
 * Calls. Every method takes a signal and a deadline. One that has not been sent when they strike fails with
 * Interrupted or Timeout; so does any read. A write that was sent and not answered fails with OutcomeUnknown, its
 * cause says why: it may yet be applied. No call outlives its deadline by more than moments, whatever the servers do.
 *
 * Errors. Always a TopologyError, with path and store. A method that fails with another code than OutcomeUnknown has
 * changed nothing.
 */
export interface Connection {
  /**
   * The store's name: implementation, servers in sorted order, root; no credentials. Appears in errors and versions.
   * Two connections to the same servers and root have the same name.
   */
  readonly store: string;
  readonly capabilities: Capabilities;

  /** Names in a directory, in byte order of their UTF-8, each once. NoNode: absent, or a record without children. */
  listDir(path: string, options?: CallOptions): Promise<string[]>;

  /** {@link listDir} with what each name is. May cost a read per name. */
  listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]>;

  /** One record. NoNode: absent, or only a directory. */
  get(path: string, options?: CallOptions): Promise<Value>;

  /**
   * All records below a directory (`''`: below the root), ephemeral ones too, in byte order of their paths, in pages. At least one
   * page, which may be empty: an absent directory holds nothing. The prefix ends at a path segment, and the record at
   * `prefix` itself is not part of it.
   *
   * Each record appears at most once; each that existed unchanged throughout the scan appears. Where
   * `capabilities.snapshotScan`, all pages show one moment. The first page's position was current before the first
   * record was read, the last page's position after the last one was: if they are equal, the scan was a snapshot.
   *
   * Ends with Unavailable, Timeout … if it cannot be completed: a scan never ends short in silence.
   */
  scan(prefix: string, options?: CallOptions): AsyncIterable<ScanPage>;

  /** Makes a record that must not exist; missing directories are made. NodeExists: there is one, or a directory that cannot also be a record. */
  create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version>;

  /**
   * Replaces a record. With a version: only in the state that the version names (BadVersion), never creating
   * (NoNode). With null: in any state, creating it when absent.
   */
  update(path: string, bytes: Uint8Array, version: Version | null, options?: CallOptions): Promise<Version>;

  /** Removes a record, and the directories that it leaves empty. NoNode; BadVersion as in {@link update}; null: any version. */
  delete(path: string, version: Version | null, options?: CallOptions): Promise<void>;

  /**
   * Several operations as one: all are applied at one moment, or none is. Directories are made and removed as by the
   * single methods.
   *
   * Rules, checked before anything is sent (InvalidBatch): not empty; each path at most once.
   * Beyond `capabilities.batch` (operations, or bytes as {@link batchBytes} counts them): TooLarge.
   *
   * Fails with the code the single method would give, and the path and index of an operation that failed.
   * Answers with the new version of each create and update, undefined for the others, in order.
   */
  write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]>;

  /**
   * Follows one record: first its present state (absent included), then its later states. States may be skipped, are
   * never older than one delivered before, may be repeated; the last state is always delivered. Goes on through
   * deletion, re-creation, restarts and lost sessions.
   *
   * Never ends by itself: throws Interrupted (signal, close), Timeout (deadline), Unauthorized, or WatchLost. Leaving the loop
   * releases everything.
   */
  watch(path: string, options?: CallOptions): AsyncIterable<WatchEvent>;

  /**
   * Follows all records below a directory, as {@link watch} follows one: first a `record` event for each that exists, then one
   * `synced`, then changes. After a gap (restart, compaction) it reads again by itself and delivers what differs, deletions included.
   * Unsupported without `capabilities.watchRecursive`.
   */
  watchRecursive(prefix: string, options?: CallOptions): AsyncIterable<WatchEvent | SyncedEvent>;

  /** The store's own clock now: grows with every change to the store. See Visibility above. */
  position(options?: CallOptions): Promise<bigint>;

  /**
   * Ends the connection. Operations in flight fail with Interrupted or OutcomeUnknown, later ones with Interrupted.
   * Idempotent, never throws, leaves no socket, timer or process behind.
   */
  close(): Promise<void>;
}

/** Options of every call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Moment (milliseconds since the epoch, on the connection's clock) at which the call gives up. Default: the connection's
   * own limit, for a scan in each of its requests; a watch goes on without.
   */
  readonly deadline?: number | undefined;
}

/** What a store can do. Tested, never guessed: the conformance suite is driven by it. */
export interface Capabilities {
  /**
   * Limits of one {@link Connection.write}; `maxBytes` is measured by {@link batchBytes}, and may be less than the largest single
   * value. `maxOps` 0: the store has no transactions, and `write` is Unsupported.
   */
  readonly batch: { readonly maxOps: number; readonly maxBytes: number };
  /** Largest value of one record, in bytes, at any legal path. */
  readonly maxValueBytes: number;
  /** Longest path, root included, in bytes of UTF-8. */
  readonly maxPathBytes: number;
  /** What the store itself refuses in a path that is legal here, in a few words; absent: nothing. */
  readonly pathProblem?: ((path: string) => string | undefined) | undefined;
  readonly watchRecursive: boolean;
  /** Every page of a scan shows the same moment. */
  readonly snapshotScan: boolean;
  /** A directory can exist without a record below it (made by somebody else, or left by a crash). */
  readonly emptyDirectories: boolean;
  /** A path can be a record and a directory at once. */
  readonly recordsWithChildren: boolean;
  /**
   * How well a conditional write tells a re-created record from the one whose version it names: `exact`, always;
   * `detected`, it may go through between the check and the write, which is then seen and reported as OutcomeUnknown.
   */
  readonly recreation: 'exact' | 'detected';
  /** False for a store that forgets everything on {@link Connection.close} of its last user. */
  readonly durable: boolean;
  readonly readOnly: boolean;
}

/** One name in a directory. */
export interface DirEntry {
  readonly name: string;
  /** `directory` when anything is below it, even where it is a record too. */
  readonly type: 'file' | 'directory';
  /** Goes away by itself: owned by a session or lease, or a directory that holds only such entries. */
  readonly ephemeral: boolean;
}

/** The contents of one record at one version. */
export interface Value {
  /** May be empty: a record of zero bytes is legal. Never modified by the backend after delivery. */
  readonly bytes: Uint8Array;
  readonly version: Version;
  /** Owned by a session or lease. */
  readonly ephemeral: boolean;
}

/** A {@link Value} and where it is. */
export interface StoredRecord extends Value {
  readonly path: string;
}

/** See {@link Connection.scan}. */
export interface ScanPage {
  readonly records: readonly StoredRecord[];
  readonly position: bigint;
}

/** One operation of {@link Connection.write}. */
export type WriteOp =
  | { readonly type: 'create'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly type: 'update'; readonly path: string; readonly bytes: Uint8Array; readonly version: Version }
  /** null: any version, but it must exist. */
  | { readonly type: 'delete'; readonly path: string; readonly version: Version | null }
  /** Changes nothing; fails the batch unless the record has this version (BadVersion, NoNode) or, with null, is absent (NodeExists). */
  | { readonly type: 'check'; readonly path: string; readonly version: Version | null };

/** A state of a record. `value` undefined: it does not exist. */
export interface WatchEvent {
  readonly type: 'record';
  readonly path: string;
  readonly value: Value | undefined;
}

/** Everything that existed when the recursive watch began has been delivered. */
export interface SyncedEvent {
  readonly type: 'synced';
}

/** Bytes of a batch as `capabilities.batch.maxBytes` counts them: for each operation its path, its value, and 64 for framing. */
export function batchBytes(ops: readonly WriteOp[]): number {
  let total = 0;
  for (const op of ops) total += operationBytes(op);
  return total;
}

/** Share of one operation in {@link batchBytes}. */
export function operationBytes(op: WriteOp): number {
  return 64 + Buffer.byteLength(op.path) + ('bytes' in op ? op.bytes.byteLength : 0);
}
