import type { LossKind } from '../topo/told.js';
import { checkHeld } from '../topo/told.js';
import { OLD_MESSAGES, type OldRecord } from './places.js';
import type { Numbering } from './reading.js';
import { type Written, writeSecond } from './second-write.js';

/** How a record is written. */
export interface WriteOldOptions {
  readonly numbering: Numbering;
  /** Kinds of losses that are accepted: these values are left out. */
  readonly accepted: ReadonlySet<LossKind>;
  /** Name of the store, for messages. */
  readonly store?: string | undefined;
}

/**
 * Writes a record as generation 2, which Vitess 2.0 and 2.1 read. NotHeld, with all its losses, when it has values that the form has
 * no place for and that are not accepted; Corrupt when the bytes are no such record.
 */
export function writeOld(record: OldRecord, bytes: Uint8Array, options: WriteOldOptions): Written {
  const { numbering, accepted, store } = options;
  const written = writeSecond(OLD_MESSAGES[record.kind], bytes, { path: record.path, numbering });
  checkHeld(written.losses, accepted, record.path, store);
  return written;
}
