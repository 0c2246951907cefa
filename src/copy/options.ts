import type { Clock } from '../topo/clock.js';
import type { Entry, WriteEntry } from './entries.js';
import type { Before } from './guards.js';
import type { Parts, Selection } from './parts.js';

/** A copy from one topology to another. Both stay open; the caller closes them. */
export interface CopyOptions extends Selection, Before {
  readonly clock: Clock;
  /** Cells read or written at the same time. */
  readonly concurrency: number;
  /** Records written per second at most; undefined: as fast as the stores go. */
  readonly rate?: number | undefined;
  /**
   * What to do about a record whose write is refused: `mirror`, the default, makes it right by what the source has now, unless somebody
   * else wrote to the destination; `stop`: a record that moved since the plan stops the copy.
   */
  readonly onConflict?: 'mirror' | 'stop' | undefined;
  /** Times both sides are read at most, when the source goes on changing. Default 3. */
  readonly passes?: number | undefined;
  /** Told of what will be read, before it is. */
  readonly onParts?: ((parts: Parts) => Promise<void> | void) | undefined;
  /** Told of every path that the first pass decides on. */
  readonly onEntry?: OnScopeEntry | undefined;
  /** Told before each transaction is sent, and waited for. */
  readonly beforeWrite?: ((scope: string, entries: readonly WriteEntry[]) => Promise<void>) | undefined;
  /** Told after each transaction is acknowledged, and waited for. It does not throw. */
  readonly afterWrite?: ((scope: string, entries: readonly WriteEntry[]) => Promise<void>) | undefined;
  /** Told of what was written, when the store has acknowledged it. */
  readonly onWritten?: ((scope: string, entries: readonly WriteEntry[]) => void) | undefined;
  readonly onProgress?: ((event: CopyProgress) => void) | undefined;
}

/** Told of a path of a scope that was decided on. */
export type OnScopeEntry = (scope: string, entry: Entry) => void;

/** Told while a copy runs. Counts are totals of the scope so far. */
export interface CopyProgress {
  readonly phase: 'read' | 'write';
  readonly scope: string;
  /** Paths that either side lists. */
  readonly listed: number;
  /** Records of the source that were read, or records of the destination that were written. */
  readonly records: number;
  readonly bytes: number;
  /** Records of the scope in all, where known. */
  readonly total: number | undefined;
}

/** What was written so far. */
export interface Totals {
  written: number;
  bytes: number;
}
