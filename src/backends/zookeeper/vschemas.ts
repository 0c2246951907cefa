import {
  readSharedVSchemas,
  type SharedVSchemas as Shared,
  vschemaOf,
} from '../../legacy/shared-vschemas.js';
import type { CallOptions } from '../../topo/connection.js';
import type { LegacyStore } from './legacy-store.js';
import { type Own, ownOf, type RecordPlace } from './own.js';
import { Places } from './places.js';
import { type Made, readOwn } from './read.js';

/** Native path of the node with the VSchemas of all keyspaces, as until 2016. */
export const SHARED = 'vschema';

/** That node. */
export interface SharedVSchemas extends Shared {
  /** Names its state. */
  readonly token: string;
}

/** The shared node of a global store, if it has one. */
export async function findShared(
  { store, places }: LegacyStore,
  options: CallOptions | undefined,
): Promise<SharedVSchemas | undefined> {
  if (places.cell !== undefined) return undefined;
  const znode = await store.readZnode(SHARED, options);
  if (znode === undefined || !store.layout.isRecord(SHARED, znode)) return undefined;
  const { bytes, token } = ownOf(znode);
  return { token, ...readSharedVSchemas(bytes, store.context.store) };
}

/** The shared node as a record, where it cannot be read: so that nothing is hidden. */
export function unreadableShared({ raw, token, told }: SharedVSchemas): Made | undefined {
  if (told.unreadable === undefined) return undefined;
  return { bytes: raw, token, told, of: [Places.global.znode(SHARED)] };
}

/** The VSchema of a keyspace, of either home or both. */
export async function joinedVSchema(
  legacy: LegacyStore,
  place: RecordPlace,
  own: Own | undefined,
  shared: SharedVSchemas | undefined,
  options: CallOptions | undefined,
): Promise<Made | undefined> {
  const alone = own && (await readOwn(legacy, place, own, undefined, options));
  if (shared?.vschemas.has(place.keyspace ?? '') !== true) return alone;
  const both = own && alone && { raw: own.bytes, read: alone };
  const read = vschemaOf(place, both, shared, legacy.store.context.store);
  const of = [...(alone?.of ?? []), Places.global.znode(SHARED)];
  return read && { bytes: read.bytes, told: read.told, token: `${alone?.token ?? ''}+${shared.token}`, of };
}
