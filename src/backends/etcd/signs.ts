import { findNumbering } from '../../legacy/numbering.js';
import { looked, type Numbered, type NumberingLooked, numbered } from '../../legacy/numberings.js';
import type { CallOptions } from '../../topo/connection.js';
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
    const records = await recordsAt(client, natives, about, options);
    const none = { shards: [], tablets: [], srvKeyspaces: [] };
    return looked(findNumbering({ ...none, [kind]: records }), records);
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

/** Records of generation 2; what is no record tells nothing. */
async function recordsAt(
  client: EtcdClient,
  natives: readonly string[],
  about: string,
  options: CallOptions | undefined,
): Promise<Numbered[]> {
  const nodes = await readMany(client, natives, about, options);
  return natives.flatMap((native, i) => {
    const place = client.layout.place(native);
    const value = nodes[i]?.value;
    return place.is === 'record' && value !== undefined ? numbered(place, Buffer.from(value)) : [];
  });
}
