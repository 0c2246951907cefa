import type { Capabilities, Connection } from '../../src/topo/connection.js';
import type { Faults, OpenOptions, Raw, Subject } from './subject.js';

/** One sentence of the contract and the proof of it: data, so that a test runner or a program can run it. */
export interface Sentence {
  readonly title: string;
  /** What a subject must have for the sentence to apply to it. Default: it applies to all. */
  readonly when?: Need;
  /** Fails (rejects) when the sentence does not hold. */
  readonly run: (context: Context) => Promise<void>;
}

/** Sentences about one thing. */
export interface Theme {
  readonly name: string;
  readonly sentences: readonly Sentence[];
}

/** What decides whether a sentence applies. */
export interface Facts {
  readonly subject: Subject;
  readonly capabilities: Capabilities;
}

/** A condition on the subject, and its name for people. */
export interface Need {
  readonly text: string;
  readonly holds: (facts: Facts) => boolean;
}

/** What a sentence works with. Everything opened through it is closed after the sentence. */
export interface Context extends Facts {
  /** A place of this sentence's own, empty at its beginning. */
  readonly root: string;
  /** The connection that the sentence is about, at `root`. */
  readonly connection: Connection;
  /** A connection to `root` that may write: the same one, unless the subject is read-only. */
  readonly writer: Connection;
  /** A further connection, by default to `root`. */
  open(root?: string, options?: OpenOptions): Promise<Connection>;
  /** Many records that are only there to be read, in a place, by default in `root`: not written through `connection`. */
  plant(records: Iterable<readonly [path: string, bytes: Uint8Array]>, root?: string): Promise<void>;
  /** A further place, empty; its name begins with that of `root`. */
  place(suffix: string): string;
  /** Runs `work` after the sentence, whatever became of it. */
  after(work: () => unknown): void;
  /** What several sentences share, made by the first that asks. */
  shared<T>(key: string, make: () => Promise<T>): Promise<T>;
  /** {@link Subject.faults}, undone after the sentence. Only where {@link needs.faults}. */
  readonly faults: Faults;
  /** {@link Subject.raw}, or nothing. */
  readonly raw: Raw;
}

const locks = ({ capabilities }: Facts) => capabilities.locks !== 'none' && !capabilities.readOnly;
const fair = ({ capabilities }: Facts) => capabilities.locks === 'fair' && !capabilities.readOnly;
const endingLocks = (facts: Facts) => locks(facts) && facts.capabilities.locksStay !== true;
const fencing = ({ capabilities }: Facts) => capabilities.fencing && !capabilities.readOnly;
const need = (text: string, holds: (facts: Facts) => boolean): Need => ({ text, holds });

/** Every condition that sentences use. */
export const needs = {
  nothing: need('always', () => true),
  writes: need('where the connection may write', ({ capabilities }) => !capabilities.readOnly),
  readOnly: need('where capabilities.readOnly', ({ capabilities }) => capabilities.readOnly),
  readOnlyLocks: need(
    'where capabilities.readOnly and capabilities.locks is not none',
    ({ capabilities }) => capabilities.readOnly && capabilities.locks !== 'none',
  ),
  faults: need(
    'where there is a server to disturb',
    ({ subject, capabilities }) => subject.faults !== undefined && !capabilities.readOnly,
  ),
  servers: need(
    'where the suite can put itself between connection and server',
    ({ subject, capabilities }) => subject.servers !== undefined && !capabilities.readOnly,
  ),
  serversAndRecursiveWatch: need(
    'where capabilities.watchRecursive and the suite can put itself between connection and server',
    ({ subject, capabilities }) => subject.servers !== undefined && capabilities.watchRecursive,
  ),
  ephemeral: need(
    'where the subject can plant ephemeral records',
    ({ subject }) => subject.raw?.ephemeral !== undefined,
  ),
  emptyDirectories: need(
    'where capabilities.emptyDirectories and the subject can plant one',
    ({ subject, capabilities }) => capabilities.emptyDirectories && subject.raw?.emptyDirectory !== undefined,
  ),
  rootsOfRecords: need(
    'where a root exists through its records only: not capabilities.emptyDirectories',
    ({ capabilities }) => !capabilities.emptyDirectories && !capabilities.readOnly,
  ),
  recordsWithChildren: need(
    'where capabilities.recordsWithChildren',
    ({ capabilities }) => capabilities.recordsWithChildren && !capabilities.readOnly,
  ),
  plainRecords: need(
    'where not capabilities.recordsWithChildren',
    ({ capabilities }) => !capabilities.recordsWithChildren && !capabilities.readOnly,
  ),
  history: need(
    'where capabilities.history',
    ({ capabilities }) => capabilities.history && !capabilities.readOnly,
  ),
  noHistory: need('where not capabilities.history', ({ capabilities }) => !capabilities.history),
  compaction: need(
    'where capabilities.history and the subject can make its store forget',
    ({ subject, capabilities }) =>
      capabilities.history && !capabilities.readOnly && subject.raw?.compact !== undefined,
  ),
  recursiveWatch: need(
    'where capabilities.watchRecursive',
    ({ capabilities }) => capabilities.watchRecursive,
  ),
  recursiveWatchAndFaults: need(
    'where capabilities.watchRecursive and there is a server to disturb',
    ({ subject, capabilities }) => capabilities.watchRecursive && subject.faults !== undefined,
  ),
  noRecursiveWatch: need(
    'where not capabilities.watchRecursive',
    ({ capabilities }) => !capabilities.watchRecursive,
  ),
  snapshotScan: need('where capabilities.snapshotScan', ({ capabilities }) => capabilities.snapshotScan),
  batches: need(
    'where capabilities.batch.maxOps is not 0',
    ({ capabilities }) => capabilities.batch.maxOps > 0 && !capabilities.readOnly,
  ),
  noBatches: need(
    'where capabilities.batch.maxOps is 0',
    ({ capabilities }) => capabilities.batch.maxOps === 0 && !capabilities.readOnly,
  ),
  batchOpsLimit: need(
    'where capabilities.batch.maxOps is finite',
    ({ capabilities: { batch, readOnly } }) => Number.isFinite(batch.maxOps) && batch.maxOps > 0 && !readOnly,
  ),
  batchBytesLimit: need(
    'where capabilities.batch.maxBytes is finite',
    ({ capabilities: { batch, readOnly } }) =>
      Number.isFinite(batch.maxBytes) && batch.maxOps > 0 && !readOnly,
  ),
  valueLimit: need(
    'where capabilities.maxValueBytes is finite',
    ({ capabilities }) => Number.isFinite(capabilities.maxValueBytes) && !capabilities.readOnly,
  ),
  pathLimit: need(
    'where capabilities.maxPathBytes is finite',
    ({ capabilities }) => Number.isFinite(capabilities.maxPathBytes) && !capabilities.readOnly,
  ),
  locks: need('where capabilities.locks is not none', locks),
  noLocks: need(
    'where capabilities.locks is none',
    ({ capabilities }) => capabilities.locks === 'none' && !capabilities.readOnly,
  ),
  fairLocks: need('where capabilities.locks is fair', fair),
  rivals: need(
    'where capabilities.locks is not none and the subject has rivals',
    (facts) => locks(facts) && facts.subject.raw?.rivals !== undefined,
  ),
  fairRivals: need(
    'where capabilities.locks is fair and the subject has rivals',
    (facts) => fair(facts) && facts.subject.raw?.rivals !== undefined,
  ),
  endedOwners: need(
    'where capabilities.locks is not none and the subject can end a session or lease',
    (facts) => locks(facts) && facts.subject.raw?.endOwner !== undefined,
  ),
  fairAndEndedOwners: need(
    'where capabilities.locks is fair and the subject can end a session or lease',
    (facts) => fair(facts) && facts.subject.raw?.endOwner !== undefined,
  ),
  orphans: need(
    'where capabilities.locks is not none and the subject can plant an orphan',
    (facts) => locks(facts) && facts.subject.raw?.orphan !== undefined,
  ),
  locksAndFaults: need(
    'where capabilities.locks is not none and there is a server to disturb',
    (facts) => locks(facts) && facts.subject.faults !== undefined,
  ),
  locksAndServers: need(
    'where capabilities.locks is not none and the suite can put itself between connection and server',
    (facts) => locks(facts) && facts.subject.servers !== undefined,
  ),
  endingLocks: need(
    'where locks end by themselves: not capabilities.locksStay, and the subject has rivals',
    (facts) => endingLocks(facts) && facts.subject.raw?.rivals !== undefined,
  ),
  endingLocksAndFaults: need(
    'where locks end by themselves: not capabilities.locksStay, and there is a server to disturb',
    (facts) => endingLocks(facts) && facts.subject.faults !== undefined,
  ),
  fencing: need('where capabilities.fencing', fencing),
  fencingAndEndedOwners: need(
    'where capabilities.fencing and the subject can end a session or lease',
    (facts) => fencing(facts) && facts.subject.raw?.endOwner !== undefined,
  ),
  fencingAndBatchOpsLimit: need(
    'where capabilities.fencing and capabilities.batch.maxOps is finite',
    (facts) => fencing(facts) && Number.isFinite(facts.capabilities.batch.maxOps),
  ),
  noFencing: need(
    'where not capabilities.fencing, and there are locks and batches',
    (facts) => locks(facts) && !facts.capabilities.fencing && facts.capabilities.batch.maxOps > 0,
  ),
  seals: need('where capabilities.seal', ({ capabilities }) => capabilities.seal && !capabilities.readOnly),
  noSeals: need(
    'where not capabilities.seal',
    ({ capabilities }) => !capabilities.seal && !capabilities.readOnly,
  ),
  serving: need(
    'where stores of cells keep a serving graph',
    ({ subject }) => subject.openServing !== undefined,
  ),
  noServing: need('where no store keeps a serving graph', ({ subject }) => subject.openServing === undefined),
  refusedNames: need(
    'where the store refuses names',
    ({ subject, capabilities }) => subject.refusesName !== undefined && !capabilities.readOnly,
  ),
} as const;

/** A theme; `when` applies to every sentence that does not name its own need. */
export function theme(name: string, sentences: readonly Sentence[], when?: Need): Theme {
  return {
    name,
    sentences: sentences.map((sentence) =>
      when === undefined || sentence.when !== undefined ? sentence : { ...sentence, when },
    ),
  };
}
