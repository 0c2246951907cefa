import { readAddresses, writeAddresses } from '../../legacy/cell-addresses.js';
import { textFor } from '../../legacy/etcd-text.js';
import type { OldPlace, OldRecord } from '../../legacy/places.js';
import { readOld } from '../../legacy/read.js';
import type { Numbering } from '../../legacy/reading.js';
import { writeOld } from '../../legacy/write.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import type { LossKind, RecordTold, Transcoded } from '../../topo/told.js';
import type { Numberings } from './numbering.js';

/** A file as a record. */
export interface ReadRecord {
  /** Undefined: it has no counterpart, as the losses say. */
  readonly bytes: Uint8Array | undefined;
  readonly told: RecordTold | undefined;
}

/** The place of a file that is a record. */
export type RecordPlace = Extract<OldPlace, { is: 'record' | 'raw' | 'addresses' }>;

export function isRecordPlace(place: OldPlace): place is RecordPlace {
  return place.is === 'record' || place.is === 'raw' || place.is === 'addresses';
}

/** Records of one store, from its form and into it. */
export class Transcoder {
  readonly #store: string;
  readonly #numberings: Numberings;
  readonly #accepted: ReadonlySet<LossKind>;

  /** @param store its name, for messages */
  constructor(store: string, numberings: Numberings, accepted: ReadonlySet<LossKind> = new Set()) {
    this.#store = store;
    this.#numberings = numberings;
    this.#accepted = accepted;
  }

  /** Reads a file. What is no such record comes as its raw bytes, and as unreadable. */
  async read(place: RecordPlace, value: string, options: CallOptions | undefined): Promise<ReadRecord> {
    const raw = Buffer.from(value);
    if (place.is === 'raw') return { bytes: raw, told: undefined };
    return this.attempt(raw, async () => {
      if (place.is === 'addresses')
        return { bytes: readAddresses(place.path, raw), losses: [], derived: [], notes: [] };
      return this.readOld(place, raw, options);
    });
  }

  /** What `work` reads; the bytes as they are, and unreadable, when these are not what they should be. */
  async attempt(raw: Uint8Array, work: () => Promise<Omit<Transcoded, 'generation'>>): Promise<ReadRecord> {
    try {
      const { bytes, losses, derived, notes } = await work();
      const isPlain = losses.length + derived.length + notes.length === 0;
      return { bytes, told: isPlain ? undefined : { losses, derived, notes } };
    } catch (error) {
      if (!isTopologyError(error, 'Corrupt', 'Guard')) throw error;
      return { bytes: raw, told: { losses: [], derived: [], notes: [], unreadable: error } };
    }
  }

  /** A record by the numbers that its store has; which ones is asked for only where that makes a difference. */
  async readOld(record: OldRecord, raw: Uint8Array, options: CallOptions | undefined): Promise<Transcoded> {
    const { known } = this.#numberings;
    const by = (numbering: Numbering) => readOld(record, raw, { numbering });
    if (known !== undefined) return by(known);
    const [current, first] = [by('current'), attempt(() => by('first'))];
    if (first !== undefined && sameReading(current, first)) return current;
    return by(await this.#numberings.toRead(record.path, options));
  }

  /** The text that stands for a record. Unsupported (NotHeld, too), Corrupt, Guard when it cannot be written. */
  async write(place: RecordPlace, bytes: Uint8Array, options: CallOptions | undefined): Promise<string> {
    try {
      return await this.#write(place, bytes, options);
    } catch (error) {
      if (!isTopologyError(error) || error.store !== undefined) throw error;
      throw error.inStore(this.#store);
    }
  }

  async #write(place: RecordPlace, bytes: Uint8Array, options: CallOptions | undefined): Promise<string> {
    const store = this.#store;
    if (place.is === 'raw') return textFor(place.path, bytes, store);
    const { path } = place;
    if (place.is === 'addresses')
      return Buffer.from(writeAddresses(path, bytes, this.#accepted, store)).toString();
    const by = (numbering: Numbering) =>
      Buffer.from(writeOld(place, bytes, { numbering, accepted: this.#accepted, store }).value).toString();
    const { known } = this.#numberings;
    if (known !== undefined) return by(known);
    const first = attempt(() => by('first'));
    if (first !== undefined && first === attempt(() => by('current'))) return first;
    return by(await this.#numberings.toWrite(path, options));
  }
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
