import { toldOf } from '../../legacy/transcoder.js';
import { differenceOf, type FoundVSchema, joinVSchemas } from '../../legacy/vschemas.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../../topo/errors.js';
import type { RecordTold, Told } from '../../topo/told.js';
import type { LegacyStore } from './legacy-store.js';
import { type Own, ownOf, type RecordPlace } from './own.js';
import { Places } from './places.js';
import { type Made, readOwn } from './read.js';

/** Native path of the node with the VSchemas of all keyspaces, as until 2016. */
export const SHARED = 'vschema';

/** What that node holds. */
export interface SharedVSchemas {
  readonly own: Own;
  /** By keyspace; none where it cannot be read. */
  readonly vschemas: ReadonlyMap<string, FoundVSchema>;
  /** What it tells beside them. */
  readonly told: Told;
  /** It is in no form that is known. */
  readonly unreadable: TopologyError | undefined;
}

/** The shared node of a global store, if it has one. */
export async function findShared(
  { store, places }: LegacyStore,
  options: CallOptions | undefined,
): Promise<SharedVSchemas | undefined> {
  if (places.cell !== undefined) return undefined;
  const znode = await store.readZnode(SHARED, options);
  if (znode === undefined || !store.layout.isRecord(SHARED, znode)) return undefined;
  const own = ownOf(znode);
  try {
    const { vschemas, shared } = joinVSchemas(own.bytes, new Map(), 'current');
    const byKeyspace = new Map(vschemas.map((each) => [each.keyspace, each]));
    return { own, vschemas: byKeyspace, told: shared, unreadable: undefined };
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
    const unreadable = error.inStore(store.context.store);
    return { own, vschemas: new Map(), told: { losses: [], derived: [], notes: [] }, unreadable };
  }
}

/** The shared node as a record, where it cannot be read: so that nothing is hidden. */
export function unreadableShared({ own, unreadable }: SharedVSchemas): Made | undefined {
  if (unreadable === undefined) return undefined;
  const told = { losses: [], derived: [], notes: [], unreadable };
  return { ...own, told, of: [Places.global.znode(SHARED)] };
}

/** The VSchema of a keyspace, of either home or both. Where the two differ it is that of its own, and unreadable. */
export async function joinedVSchema(
  legacy: LegacyStore,
  place: RecordPlace,
  own: Own | undefined,
  shared: SharedVSchemas | undefined,
  options: CallOptions | undefined,
): Promise<Made | undefined> {
  const { keyspace = '' } = place;
  const ofShared = shared?.vschemas.get(keyspace);
  const alone = own && (await readOwn(legacy, place, own, undefined, options));
  if (ofShared === undefined || shared === undefined) return alone;
  const { token } = shared.own;
  if (alone?.bytes === undefined)
    return {
      bytes: ofShared.bytes,
      told: toldOf(ofShared),
      token: `+${token}`,
      of: [Places.global.znode(SHARED)],
    };
  const both = { token: `${alone.token}+${token}`, of: [...alone.of, Places.global.znode(SHARED)] };
  if (alone.told?.unreadable !== undefined) return { ...alone, ...both };
  const { losses = [], derived = [], notes = [] } = alone.told ?? {};
  const transcoded = { generation: undefined, bytes: alone.bytes, losses, derived, notes };
  const joined = joinVSchemas(shared.own.bytes, new Map([[keyspace, transcoded]]), 'current');
  const found = joined.vschemas.filter((each) => each.keyspace === keyspace);
  const told = toldOf(found[0] ?? transcoded);
  const difference = differenceOf(found)?.inStore(legacy.store.context.store).about(place.path);
  return { bytes: alone.bytes, told: withDifference(told, difference), ...both };
}

function withDifference(
  told: Told | undefined,
  unreadable: TopologyError | undefined,
): RecordTold | undefined {
  if (unreadable === undefined) return told;
  return { losses: [], derived: [], notes: [], ...told, unreadable };
}
