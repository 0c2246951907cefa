import type { CallOptions } from './call-options.js';
import type { StoreIdentity } from './identity.js';
import type { LeaderEvent, Lock, LockEntry } from './locks.js';
import type { Seal, SealRequest, Unsealed, UnsealOptions } from './seal.js';
import type { ServingGraph } from './serving-graph.js';
import type { Beside, RecordForm, RecordTold } from './told.js';
import type { Version } from './version.js';

export type { CallOptions } from './call-options.js';

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
  /** Of a cell's store in a retired format: what it keeps for clients beside the records. Absent: there is no such thing. */
  readonly serving?: ServingGraph | undefined;

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

  /**
   * The states of one record that the store still knows, newest first: the present one, or else its deletion, then each
   * before it, deletions included, none left out. The last item says why it ends there: the record was created, or what came
   * before is compacted away. Read as one goes along: what the store forgets meanwhile brings the end nearer.
   *
   * NoNode: no record, and no state of one is known. Unsupported without `capabilities.history`. Fails as {@link scan} does.
   */
  history(path: string, options?: CallOptions): AsyncIterable<PastState | HistoryEnd>;

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
  write(ops: readonly WriteOp[], options?: WriteOptions): Promise<(Version | undefined)[]>;

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

  /**
   * Locks a directory as Vitess does: Vitess's processes and this one exclude one another, and see one another's
   * `contents`. Waits for its turn, in the order of arrival where `capabilities.locks` is `fair`; without deadline and
   * signal for as long as it takes. A wait that ends (Timeout, Interrupted) leaves nothing behind: what it cannot take back at
   * once it goes on taking back after it has failed, and the store drops it when its time to live is over.
   *
   * NoNode: nothing is below the directory. Unavailable: no server answers until the deadline. Unsupported where
   * `capabilities.locks` is `none`. A lock is never taken back without being told: see {@link Lock.lost}.
   */
  lock(dir: string, contents: string, options?: CallOptions): Promise<Lock>;

  /** {@link lock}, for a lock that outlives a dead holder by `ttlMs` milliseconds where the store lets one choose; at least its own minimum. */
  lockWithTtl(dir: string, contents: string, ttlMs: number, options?: CallOptions): Promise<Lock>;

  /** {@link lock} without waiting: NodeExists at once when anybody holds the lock or waits for it, this connection included. */
  tryLock(dir: string, contents: string, options?: CallOptions): Promise<Lock>;

  /** {@link lock} of a name (`<keyspace>/<workflow>` for Vitess) and not of a directory: nothing need exist. */
  lockName(name: string, contents: string, options?: CallOptions): Promise<Lock>;

  /**
   * Who holds the lock of a directory (as an election has it: of `elections/<name>`), and who waits, in order, where the store knows. Empty: nobody.
   * Needs no right to write. Read as {@link get} reads.
   */
  lockQueue(dir: string, options?: CallOptions): Promise<LockEntry[]>;

  /**
   * Waits until this candidate leads the election `name` as Vitess's processes hold it; `unlock` of the answer gives the
   * leadership, `lost` tells that it was taken. A candidate that gives up waiting (signal, deadline) leaves the election.
   */
  campaign(name: string, id: string, options?: CallOptions): Promise<Lock>;

  /** Id of the candidate that leads; undefined: nobody. Read as {@link get} reads. */
  leader(name: string, options?: CallOptions): Promise<string | undefined>;

  /** Follows who leads, as {@link watch} follows a record: the present leader first, then each that is told to lead. */
  watchLeader(name: string, options?: CallOptions): AsyncIterable<LeaderEvent>;

  /**
   * Does what can be done of {@link seal} beforehand without changing anything: where rights must be looked at, for instance, they are
   * looked at now. A seal is the same without, and takes longer; so is one before which anything changed. Fails as {@link seal} does.
   */
  prepareSeal(scope: SealRequest['scope'], options?: CallOptions): Promise<void>;

  /**
   * Has the store itself refuse every write of others below the root until {@link unseal}: those that it acknowledged before this
   * resolves are there to be read afterwards, later ones fail with Unauthorized. Reads go on. What belongs to locks and elections may go
   * on or not; what a session or lease owns goes with it as ever. Nothing outside the root is touched. Whether this connection may
   * still write is the store's affair.
   *
   * NoNode: there is no root. NodeExists: it is sealed already, by whomever. Unsupported without `capabilities.seal`, and where
   * this store or login cannot, saying why. Without a deadline it takes as long as it takes. Whatever it fails with, what was sealed
   * until then stays so: {@link unseal} with the same id takes it off.
   */
  seal(request: SealRequest, options?: CallOptions): Promise<Seal>;

  /**
   * Takes a seal off: every right is what it was before, to the letter. Also one whose maker died at any moment, of which it takes off
   * what there is; and where there is none it does nothing. A right that somebody else changed meanwhile stays as it is, and is named.
   *
   * BadVersion: the seal is not the one of `options.id`. Unsupported without `capabilities.seal`. Can be called again as often as it fails.
   */
  unseal(options?: UnsealOptions): Promise<Unsealed>;

  /** The seal that is on the store, whole or in part; undefined: none, or the store cannot be sealed. Read as {@link get} reads. */
  sealed(options?: CallOptions): Promise<Seal | undefined>;

  /** The store's own clock now: grows with every change to the store. See Visibility above. */
  position(options?: CallOptions): Promise<bigint>;

  /**
   * What tells this place from every other, whatever its servers are called: two connections to one place give the same, as long as
   * the witness is not deleted. The witness is the record `options.witness`, or else the first below the root in byte order; a
   * store that knows since when its root exists needs none. Another place gives another identity where the store can tell; a root
   * that holds nothing tells nothing. Read as {@link get} reads.
   */
  identity(options?: IdentityOptions): Promise<StoreIdentity>;

  /**
   * Ends the connection. Operations in flight fail with Interrupted or OutcomeUnknown, later ones with Interrupted. Locks
   * are given back as far as the store answers within moments, and count as lost.
   * Idempotent, never throws, leaves no socket, timer or process behind.
   */
  close(): Promise<void>;
}

/** Options of {@link Connection.identity}. */
export interface IdentityOptions extends CallOptions {
  readonly witness?: string | undefined;
}

/** Options of {@link Connection.write}. */
export interface WriteOptions extends CallOptions {
  /**
   * The batch is applied only while this lock is held: the store itself decides that, in the same moment as the rest.
   * LockLost otherwise. The first batch that depends on a lock may also write the lock's own entry, whatever becomes of the batch.
   * Counts as one operation. Unsupported without `capabilities.fencing`, and for a lock of another store.
   */
  readonly fence?: Lock | undefined;
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
  /** {@link Connection.history} works. */
  readonly history: boolean;
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
  /** `fair`: waiters get the lock in the order of their arrival; `unfair`: any of them; `none`: no locks and no elections. */
  readonly locks: 'fair' | 'unfair' | 'none';
  /**
   * Name of the record through which a directory is locked, where that is one fixed name: any record of that name keeps
   * everybody from locking the directory.
   */
  readonly lockRecord?: string | undefined;
  /**
   * A lock has no time to live: that of a dead holder stays until somebody breaks it, and no lock is lost because the store does not
   * answer. Absent: it ends by itself.
   */
  readonly locksStay?: boolean | undefined;
  /**
   * The lock of a keyspace or shard is a part of its record, whoever holds it: as long as it is held the record is not deleted (NotEmpty), or
   * leaves its lock behind. Absent: it is none.
   */
  readonly locksInRecords?: boolean | undefined;
  /** The record of a keyspace, shard or tablet is not deleted before what else is in its directory, and below (NotEmpty). Absent: it is. */
  readonly goesLast?: boolean | undefined;
  /** Listings and scans may leave out, without a word, what the login may not read; asked for by name it is Unauthorized. Absent: they fail. */
  readonly leavesOut?: boolean | undefined;
  /** {@link WriteOptions.fence} works. */
  readonly fencing: boolean;
  /** {@link Connection.seal} works, where the login has the right to. */
  readonly seal: boolean;
  /** False for a store that forgets everything on {@link Connection.close} of its last user. */
  readonly durable: boolean;
  readonly readOnly: boolean;
  /**
   * How the store keeps records, where that is not as today's stores do: those of Vitess's own kinds are transcoded on the way in and
   * out. A write of what the form has no place for is refused (NotHeld) unless its loss was accepted when the store was opened.
   */
  readonly form?: RecordForm | undefined;
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
  /**
   * What a store that keeps records in another form (see `capabilities.form`) tells of this one beside its bytes, which are protobuf
   * all the same. Absent: nothing.
   */
  readonly told?: RecordTold | undefined;
  /** Why the store takes no other bytes in place of these: what an update is refused with (Unsupported). Absent: it takes them. */
  readonly fixed?: string | undefined;
  /** Why the store does not delete it: what a deletion is refused with (Unsupported). Absent: it does. */
  readonly stays?: string | undefined;
}

/** A {@link Value} and where it is. */
export interface StoredRecord extends Value {
  readonly path: string;
}

/** See {@link Connection.scan}. */
export interface ScanPage {
  readonly records: readonly StoredRecord[];
  readonly position: bigint;
  /** What the store holds below the prefix that is no record, each in one page of the scan. Absent: nothing. */
  readonly beside?: readonly Beside[] | undefined;
}

/** A state that a record had. See {@link Connection.history}. */
export interface PastState {
  readonly type: 'past';
  /** Undefined: deleted. */
  readonly value: Value | undefined;
  /** The store's position at which the record came into this state. */
  readonly position: bigint;
}

/** Where a history ends: `created`, there was no such record before; `compacted`, the store has forgotten what was before. */
export interface HistoryEnd {
  readonly type: 'end';
  readonly reason: 'created' | 'compacted';
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

/**
 * What {@link operationBytes} is not above: no character of a JavaScript string takes more than three bytes. Where that fits, as it
 * nearly always does, nothing needs to be counted.
 */
export function operationBytesAtMost(op: WriteOp): number {
  return 64 + 3 * op.path.length + ('bytes' in op ? op.bytes.byteLength : 0);
}
