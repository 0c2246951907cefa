import { findNumbering, type NumberedRecord } from '../../legacy/numbering.js';
import type { NumberingLooked } from '../../legacy/numberings.js';
import type { OldRecord } from '../../legacy/places.js';
import { readOld } from '../../legacy/read.js';
import type { Numbering } from '../../legacy/reading.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import type { Transcoded } from '../../topo/told.js';
import type { Node } from './answers.js';
import type { EtcdClient } from './client.js';
import { listNative, readMany } from './read-many.js';

/** In a cell the serving graph is asked first: it is small, and has a sign unless nothing is served. */
export async function findSigns(
  client: EtcdClient,
  about: string,
  options: CallOptions | undefined,
): Promise<NumberingLooked> {
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
