import { ErrorCode, isTopologyError } from '../topo/errors.js';
import type { RecordTold } from '../topo/told.js';
import { type OldValue, toldOf } from './transcoder.js';
import { differenceOf, type FoundVSchema, joinedVSchema, joinVSchemas } from './vschemas.js';

/** The node with the VSchemas of all keyspaces, as until 2016. */
export interface SharedVSchemas {
  readonly raw: Uint8Array;
  /** By keyspace; none where it cannot be read. */
  readonly vschemas: ReadonlyMap<string, FoundVSchema>;
  /** What it tells beside them; unreadable where it is in no form that is known. */
  readonly told: RecordTold;
}

/** What that node holds. `store`: for errors. */
export function readSharedVSchemas(raw: Uint8Array, store: string): SharedVSchemas {
  try {
    const { vschemas, shared } = joinVSchemas(raw, new Map(), 'current');
    return { raw, vschemas: new Map(vschemas.map((each) => [each.keyspace, each])), told: shared };
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
    return { raw, vschemas: new Map(), told: unreadableFor(error.inStore(store)) };
  }
}

/** What the node of a keyspace's own holds. */
export interface OwnVSchema {
  readonly raw: Uint8Array;
  readonly read: OldValue;
}

/**
 * The VSchema of a keyspace, of either home or both; undefined: neither has it. Where they differ nobody can say which one counts: it is unreadable, and
 * its bytes are those of its own node. `store`: for errors.
 */
export function vschemaOf(
  { keyspace = '', path }: { readonly keyspace?: string; readonly path: string },
  own: OwnVSchema | undefined,
  shared: SharedVSchemas | undefined,
  store: string,
): OldValue | undefined {
  const ofShared = shared?.vschemas.get(keyspace);
  if (ofShared === undefined) return own?.read;
  const bytes = own?.read.bytes;
  if (own === undefined || bytes === undefined) return { bytes: ofShared.bytes, told: toldOf(ofShared) };
  if (own.read.told?.unreadable !== undefined) return own.read;
  const { losses = [], derived = [], notes = [] } = own.read.told ?? {};
  const found = joinedVSchema(keyspace, { generation: undefined, bytes, losses, derived, notes }, ofShared);
  const difference = differenceOf(found)?.inStore(store).about(path);
  if (difference !== undefined) return { bytes: own.raw, told: unreadableFor(difference) };
  const [one] = found;
  return { bytes, told: one && toldOf(one) };
}

function unreadableFor(unreadable: RecordTold['unreadable']): RecordTold {
  return { losses: [], derived: [], notes: [], unreadable };
}
