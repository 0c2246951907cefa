import type { CallOptions } from '../topo/call-options.js';
import type { Clock } from '../topo/clock.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import type { NumberedRecord, NumberingFound } from './numbering.js';
import type { OldRecord } from './places.js';
import { readOld } from './read.js';
import type { Numbering } from './reading.js';

/** Milliseconds for which it stays known that nothing tells. */
const UNKNOWN_MS = 5_000;
/** Signs that an error names. */
const MOST_SHOWN = 4;

/** Where the signs of a store's numbering come from. */
export interface NumberingSource {
  /** The store's name, for errors. */
  readonly store: string;
  readonly clock: Clock;
  /** What somebody has said it is. */
  readonly given: Numbering | undefined;
  /** Looks into the records. `about`: the path whose reading needs it. */
  find(about: string, options: CallOptions | undefined): Promise<NumberingLooked>;
}

/** What the records of a store tell. */
export interface NumberingLooked extends NumberingFound {
  /** Whether any of them means something else by the other numbers. */
  readonly matters: boolean;
}

/** Which numbers types of tablets have in one store: as given, or else as its own records tell, asked for when it first matters. */
export class Numberings {
  readonly #source: NumberingSource;
  #known: Numbering | undefined;
  #reason = 'since a flag says so';
  #asked: { readonly found: Promise<NumberingLooked>; readonly at: number } | undefined;

  constructor(source: NumberingSource) {
    this.#source = source;
    this.#known = source.given;
  }

  /** Undefined: it was not asked for yet, or nothing tells. */
  get known(): Numbering | undefined {
    return this.#known;
  }

  /** Why it is the one that is known, in a few words. */
  get reason(): string {
    return this.#reason;
  }

  /** For a record that means something else by the other numbers. Guard when nothing tells. */
  async toRead(about: string, options: CallOptions | undefined): Promise<Numbering> {
    const { numbering, signs } = await this.#find(about, options);
    if (numbering !== undefined) return numbering;
    throw this.#unknown(about, signs);
  }

  /** As {@link toRead}; where no record has any, those that Vitess 2.0 and 2.1 had. */
  async toWrite(about: string, options: CallOptions | undefined): Promise<Numbering> {
    const { numbering, signs, matters } = await this.#find(about, options);
    if (numbering === undefined && matters) throw this.#unknown(about, signs);
    this.#known ??= 'current';
    return this.#known;
  }

  async #find(about: string, options: CallOptions | undefined): Promise<NumberingLooked> {
    if (this.#known !== undefined) return { numbering: this.#known, signs: [], matters: true };
    const now = this.#source.clock.now();
    if (this.#asked === undefined || now - this.#asked.at > UNKNOWN_MS)
      this.#asked = { found: this.#source.find(about, options), at: now };
    try {
      const found = await this.#asked.found;
      const [sign] = found.signs;
      if (this.#known === undefined && found.numbering !== undefined && sign !== undefined)
        this.#reason = `since ${sign.reason} (${sign.path})`;
      this.#known ??= found.numbering;
      return found;
    } catch (error) {
      this.#asked = undefined;
      throw error;
    }
  }

  #unknown(about: string, signs: NumberingFound['signs']): TopologyError {
    const shown = signs.slice(0, MOST_SHOWN).map(({ path, reason }) => `${path}: ${reason}`);
    const message =
      signs.length === 0
        ? 'nothing in this store tells which numbers its types of tablets have'
        : `the records of this store disagree about the numbers that types of tablets have: ${shown.join('; ')}`;
    return new TopologyError(ErrorCode.Guard, message, {
      path: about,
      store: this.#source.store,
      hint: 'say whether they are those of 2.0.0-alpha1 to alpha4 or those of everything since: --type-numbers first or current (of two topologies --from-type-numbers, --to-type-numbers)',
    });
  }
}

/** A record by which the numbering may be told. */
export type Numbered = NumberedRecord & Pick<NumberingLooked, 'matters'>;

/** What records tell, with whether the numbering matters to any. */
export function looked(found: NumberingFound, all: readonly Numbered[]): NumberingLooked {
  return { ...found, matters: all.some(({ matters }) => matters) };
}

/** A record of generation 2; none where it is of generation 1, or no record, which tells nothing. */
export function numbered(record: OldRecord, value: Uint8Array): Numbered[] {
  try {
    const { generation, bytes } = readOld(record, value, { numbering: 'current' });
    if (generation !== 2 || bytes === undefined) return [];
    const first = readOld(record, value, { numbering: 'first' }).bytes;
    const matters = first === undefined || Buffer.compare(bytes, first) !== 0;
    return [{ path: record.path, bytes, matters }];
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    return [];
  }
}
