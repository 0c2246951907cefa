import type { CallOptions } from '../topo/call-options.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import type { Loss, LossKind, RecordTold, Told, Transcoded } from '../topo/told.js';
import type { Numberings } from './numberings.js';
import { OLD_MESSAGES, type OldRecord } from './places.js';
import { type ReadOptions, readOld } from './read.js';
import type { Numbering } from './reading.js';
import { writeSecond } from './second-write.js';
import { writeOld } from './write.js';

/** What records of the old stores are in, for messages. */
export const FORM_NAME = 'JSON of Vitess 2.0 and 2.1';

/** A value of an old store as a record. */
export interface OldValue {
  /** In protobuf, or as they are in the store where they are unreadable; undefined: it has no counterpart, as the losses say. */
  readonly bytes: Uint8Array | undefined;
  readonly told: RecordTold | undefined;
  /** Undefined where both forms are the same, or it is in none. */
  readonly generation?: Transcoded['generation'];
}

/** Records of one old store, from its form and into it. */
export class Transcoder {
  readonly #store: string;
  readonly #numberings: Numberings;
  readonly #accepted: ReadonlySet<LossKind>;

  constructor(store: string, numberings: Numberings, accepted: ReadonlySet<LossKind> = new Set()) {
    this.#store = store;
    this.#numberings = numberings;
    this.#accepted = accepted;
  }

  /**
   * Reads a record by the numbers that its store has; which ones is asked for only where that makes a difference. A note says so where they are
   * those of 2.0.0-alpha1 to alpha4. Corrupt, Guard. `more`: what else is known.
   */
  async readOld(
    record: OldRecord,
    raw: Uint8Array,
    options: CallOptions | undefined,
    more: Omit<ReadOptions, 'numbering'> = {},
  ): Promise<Transcoded> {
    const { known } = this.#numberings;
    const by = (numbering: Numbering) => readOld(record, raw, { ...more, numbering });
    if (known === 'current') return by(known);
    const current = known === undefined ? by('current') : attempt(() => by('current'));
    const first = known === undefined ? attempt(() => by('first')) : by('first');
    if (current !== undefined && first !== undefined && sameReading(current, first)) return current;
    const numbering = known ?? (await this.#numberings.toRead(record.path, options));
    return numbering === 'current' ? by(numbering) : this.#noted(record, by(numbering));
  }

  #noted({ path }: OldRecord, read: Transcoded): Transcoded {
    const text = `types of tablets were read by the numbers of 2.0.0-alpha1 to alpha4, ${this.#numberings.reason}`;
    return { ...read, notes: [...read.notes, { path, field: '', text, once: true }] };
  }

  /** What `work` reads; the raw bytes, and unreadable, when these are not what they should be, or nobody can say what they mean. */
  async attempt(
    raw: Uint8Array,
    work: () => Promise<Told & Pick<OldValue, 'bytes' | 'generation'>>,
  ): Promise<OldValue> {
    try {
      const read = await work();
      return { bytes: read.bytes, told: toldOf(read), generation: read.generation };
    } catch (error) {
      if (!isTopologyError(error, 'Corrupt', 'Guard')) throw error;
      const unreadable = error.store === undefined ? error.inStore(this.#store) : error;
      return { bytes: raw, told: { losses: [], derived: [], notes: [], unreadable } };
    }
  }

  /** The value that stands for a record. NotHeld, Corrupt, Guard when it cannot be written. */
  async write(record: OldRecord, bytes: Uint8Array, options: CallOptions | undefined): Promise<Uint8Array> {
    const { known } = this.#numberings;
    const by = (numbering: Numbering) => this.#write(record, bytes, numbering);
    if (known !== undefined) return by(known);
    const [current, first] = [by('current'), attempt(() => by('first'))];
    if (first !== undefined && Buffer.compare(current, first) === 0) return current;
    return by(await this.#numberings.toWrite(record.path, options));
  }

  #write(record: OldRecord, bytes: Uint8Array, numbering: Numbering): Uint8Array {
    try {
      return writeOld(record, bytes, { numbering, accepted: this.#accepted, store: this.#store }).value;
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      const placed = error.path === undefined ? error.about(record.path) : error;
      throw placed.store === undefined ? placed.inStore(this.#store) : placed;
    }
  }
}

/** See {@link RecordForm.hold}. TooLarge for a record that takes more than `maxBytes` in the store. */
export function holdOld(
  record: OldRecord,
  bytes: Uint8Array,
  numbering: Numbering,
  maxBytes = Number.POSITIVE_INFINITY,
): { readonly bytes: Uint8Array; readonly losses: readonly Loss[] } {
  const { value, losses } = writeSecond(OLD_MESSAGES[record.kind], bytes, { path: record.path, numbering });
  checkJsonSize(record.path, value, maxBytes);
  return { bytes: readOld(record, value, { numbering }).bytes ?? new Uint8Array(), losses };
}

/** Throws TooLarge for a value of more than `maxBytes`: JSON is several times as large as protobuf. */
export function checkJsonSize(path: string, value: Uint8Array, maxBytes: number, store?: string): void {
  if (value.byteLength <= maxBytes) return;
  const message = `as JSON the value has ${value.byteLength} bytes, ${maxBytes} are allowed`;
  throw new TopologyError(ErrorCode.TooLarge, message, { path, store });
}

/** What is told; undefined: nothing. */
export function toldOf({ losses, derived, notes }: Told): Told | undefined {
  return losses.length + derived.length + notes.length === 0 ? undefined : { losses, derived, notes };
}

/** What `work` gives; undefined when it fails with one of the project's errors. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    return undefined;
  }
}

function sameReading(a: Transcoded, b: Transcoded): boolean {
  if (a.bytes === undefined || b.bytes === undefined) return a.bytes === b.bytes;
  return Buffer.compare(a.bytes, b.bytes) === 0 && a.losses.length === b.losses.length;
}
