import { findNumbering, type NumberedRecord, type NumberingFound } from '../../legacy/numbering.js';
import type { OldRecord } from '../../legacy/places.js';
import { readOld } from '../../legacy/read.js';
import type { Numbering } from '../../legacy/reading.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import type { Transcoded } from '../../topo/told.js';
import type { Node } from './answers.js';
import type { EtcdClient } from './client.js';
import { listNative, readMany } from './read-many.js';

/** Milliseconds for which it stays known that nothing tells. */
const UNKNOWN_MS = 5_000;
/** Signs that an error names. */
const MOST_SHOWN = 4;

/** Which numbers types of tablets have in one store: as given, or else as its own records tell, asked for when it first matters. */
export class Numberings {
  readonly #client: EtcdClient;
  #known: Numbering | undefined;
  #asked: { readonly found: Promise<Found>; readonly at: number } | undefined;

  constructor(client: EtcdClient, given: Numbering | undefined) {
    this.#client = client;
    this.#known = given;
  }

  /** Undefined: it was not asked for yet, or nothing tells. */
  get known(): Numbering | undefined {
    return this.#known;
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

  async #find(about: string, options: CallOptions | undefined): Promise<Found> {
    if (this.#known !== undefined) return { numbering: this.#known, signs: [], matters: true };
    const { clock } = this.#client.context;
    if (this.#asked === undefined || clock.now() - this.#asked.at > UNKNOWN_MS)
      this.#asked = { found: findSigns(this.#client, about, options), at: clock.now() };
    try {
      const found = await this.#asked.found;
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
      store: this.#client.context.store,
      hint: 'say whether they are those of 2.0.0-alpha1 to alpha4 (first) or those of everything since (current)',
    });
  }
}

/** What the records of a store tell. */
interface Found extends NumberingFound {
  /** Whether any of them has a number of a type. */
  readonly matters: boolean;
}

/** In a cell the serving graph is asked first: it is small, and has a sign unless nothing is served. */
async function findSigns(
  client: EtcdClient,
  about: string,
  options: CallOptions | undefined,
): Promise<Found> {
  const look = async (kind: 'shards' | 'tablets' | 'srvKeyspaces', natives: readonly string[]) => {
    const { records, matters } = await numbered(client, natives, about, options);
    const none = { shards: [], tablets: [], srvKeyspaces: [] };
    return { ...findNumbering({ ...none, [kind]: records }), matters };
  };
  if (client.layout.cell === undefined) {
    const { node } = await client.get('keyspaces', about, options, { recursive: true });
    const shards = (node?.nodes ?? []).flatMap((keyspace) => keyspace.nodes.filter(isDirectory));
    return look('shards', dataOf(client, shards));
  }
  const [graphs, tablets] = await Promise.all(
    ['ns', 'tablets'].map((native) => listNative(client, native, about, options)),
  );
  const ofGraphs = await look('srvKeyspaces', dataOf(client, graphs));
  if (ofGraphs.signs.length > 0) return ofGraphs;
  const ofTablets = await look('tablets', dataOf(client, tablets));
  return { ...ofTablets, matters: ofGraphs.matters || ofTablets.matters };
}

function dataOf({ layout }: EtcdClient, directories: readonly Node[] = []): string[] {
  return directories.filter(isDirectory).map(({ key }) => `${layout.native(key)}/_Data`);
}

function isDirectory({ value }: Node): boolean {
  return value === undefined;
}

/** Records of generation 2, and whether a number of a type is in any; what is no record tells nothing. */
async function numbered(
  client: EtcdClient,
  natives: readonly string[],
  about: string,
  options: CallOptions | undefined,
): Promise<{ readonly records: NumberedRecord[]; readonly matters: boolean }> {
  const nodes = await readMany(client, natives, about, options);
  const records: NumberedRecord[] = [];
  let matters = false;
  for (const [i, native] of natives.entries()) {
    const place = client.layout.place(native);
    const value = nodes[i]?.value;
    if (place.is !== 'record' || value === undefined) continue;
    const by = (numbering: Numbering) => tryRead(place, value, numbering);
    const [current, first] = [by('current'), by('first')];
    matters ||= !sameBytes(current?.bytes, first?.bytes);
    if (current?.generation === 2 && current.bytes !== undefined)
      records.push({ path: place.path, bytes: current.bytes });
  }
  return { records, matters };
}

function tryRead(record: OldRecord, value: string, numbering: Numbering): Transcoded | undefined {
  try {
    return readOld(record, Buffer.from(value), { numbering });
  } catch (error) {
    if (isTopologyError(error)) return undefined;
    throw error;
  }
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
