import { type OldValue, toldOf } from '../../legacy/transcoder.js';
import { differenceOf, type FoundVSchema, type FoundVSchemas, joinVSchemas } from '../../legacy/vschemas.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import type { RecordTold, Transcoded } from '../../topo/told.js';
import type { Node } from './answers.js';
import { type RecordPlace, SHARED_VSCHEMAS } from './layout.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';
import { readText } from './transcode.js';

/** The file with the VSchemas of all keyspaces, as until 2016. */
export interface SharedVSchemas {
  readonly node: Node;
  /** By keyspace. */
  readonly vschemas: ReadonlyMap<string, FoundVSchema>;
  /** What the file tells beside them. */
  readonly told: RecordTold;
}

/** What the shared file holds; what is no such file is unreadable, and holds nothing. */
function readShared(node: Node): SharedVSchemas {
  try {
    const { vschemas, shared } = join(node, new Map());
    return { node, vschemas: new Map(vschemas.map((one) => [one.keyspace, one])), told: shared };
  } catch (error) {
    if (!isTopologyError(error, 'Corrupt')) throw error;
    const told = { losses: [], derived: [], notes: [], unreadable: error };
    return { node, vschemas: new Map(), told };
  }
}

/** Why a VSchema that has a part in the shared file is neither changed nor deleted. */
export function sharedIsRead({ layout }: EtcdStore): string {
  return `this VSchema is in ${layout.key(SHARED_VSCHEMAS)} with those of all keyspaces, which is only read`;
}

/** The shared file of a global store, if it has one. */
export async function findShared(
  store: EtcdStore,
  about: string,
  options: CallOptions | undefined,
): Promise<SharedVSchemas | undefined> {
  if (store.layout.cell !== undefined) return undefined;
  const node = await readFile(store, SHARED_VSCHEMAS, about, options);
  return node === undefined ? undefined : readShared(node);
}

/** The VSchema of a keyspace, of either home or both. Where they differ, it is that of its own, and unreadable. */
export async function joinedVSchema(
  store: EtcdStore,
  place: RecordPlace & { readonly is: 'record' },
  own: Node | undefined,
  shared: SharedVSchemas | undefined,
  options: CallOptions | undefined,
): Promise<OldValue | undefined> {
  const { keyspace = '' } = place;
  const ofShared = shared?.vschemas.get(keyspace);
  if (own?.value === undefined)
    return ofShared === undefined ? undefined : { bytes: ofShared.bytes, told: toldOf(ofShared) };
  const read = await readText(store, place, own.value, options);
  if (ofShared === undefined || shared === undefined || read.bytes === undefined) return read;
  if (read.told?.unreadable !== undefined) return read;
  const { losses = [], derived = [], notes = [] } = read.told ?? {};
  const transcoded: Transcoded = { generation: undefined, bytes: read.bytes, losses, derived, notes };
  const { vschemas } = join(shared.node, new Map([[keyspace, transcoded]]));
  const joined = vschemas.filter((one) => one.keyspace === keyspace);
  const [found] = joined;
  if (found === undefined) return read;
  const differing = differenceOf(joined);
  if (differing === undefined) return { bytes: found.bytes, told: toldOf(found) };
  return {
    bytes: Buffer.from(own.value),
    told: { losses: [], derived: [], notes: [], unreadable: differing },
  };
}

function join(node: Node, own: ReadonlyMap<string, Transcoded>): FoundVSchemas {
  return joinVSchemas(Buffer.from(node.value ?? ''), own, 'current');
}
