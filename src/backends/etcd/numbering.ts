import { findNumbering, type NumberedRecord, type NumberingFound } from '../../legacy/numbering.js';
import { readOld } from '../../legacy/read.js';
import type { Numbering } from '../../legacy/reading.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
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
  #asked: { readonly found: Promise<NumberingFound>; readonly at: number } | undefined;

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

  /** As {@link toRead}; where no record tells anything, those that Vitess 2.0 and 2.1 had. */
  async toWrite(about: string, options: CallOptions | undefined): Promise<Numbering> {
    const { numbering, signs } = await this.#find(about, options);
    if (numbering === undefined && signs.length > 0) throw this.#unknown(about, signs);
    this.#known ??= 'current';
    return this.#known;
  }

  async #find(about: string, options: CallOptions | undefined): Promise<NumberingFound> {
    if (this.#known !== undefined) return { numbering: this.#known, signs: [] };
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

/** In a cell the serving graph is asked first: it is small, and has a sign unless nothing is served. */
async function findSigns(
  client: EtcdClient,
  about: string,
  options: CallOptions | undefined,
): Promise<NumberingFound> {
  const none = { shards: [], tablets: [], srvKeyspaces: [] };
  const records = (natives: readonly string[]) => numbered(client, natives, about, options);
  if (client.layout.cell === undefined) {
    const { node } = await client.get('keyspaces', about, options, { recursive: true });
    const shards = (node?.nodes ?? []).flatMap((keyspace) => keyspace.nodes.filter(isDirectory));
    return findNumbering({ ...none, shards: await records(dataOf(client, shards)) });
  }
  const [graphs, tablets] = await Promise.all(
    ['ns', 'tablets'].map((native) => listNative(client, native, about, options)),
  );
  const ofGraphs = findNumbering({ ...none, srvKeyspaces: await records(dataOf(client, graphs)) });
  if (ofGraphs.signs.length > 0) return ofGraphs;
  return findNumbering({ ...none, tablets: await records(dataOf(client, tablets)) });
}

function dataOf({ layout }: EtcdClient, directories: readonly Node[] = []): string[] {
  return directories.filter(isDirectory).map(({ key }) => `${layout.native(key)}/_Data`);
}

function isDirectory({ value }: Node): boolean {
  return value === undefined;
}

/** Records of generation 2; what is no record tells nothing. */
async function numbered(
  client: EtcdClient,
  natives: readonly string[],
  about: string,
  options: CallOptions | undefined,
): Promise<NumberedRecord[]> {
  const nodes = await readMany(client, natives, about, options);
  return natives.flatMap((native, i) => {
    const place = client.layout.place(native);
    const value = nodes[i]?.value;
    if (place.is !== 'record' || value === undefined) return [];
    try {
      const { generation, bytes } = readOld(place, Buffer.from(value), { numbering: 'current' });
      return generation === 2 && bytes !== undefined ? [{ path: place.path, bytes }] : [];
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      return [];
    }
  });
}
