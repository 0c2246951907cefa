import type { OldRecord } from '../../legacy/places.js';
import { readOld } from '../../legacy/read.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import type { LegacyStore } from './legacy-store.js';

/** The generation of a record; undefined: it has no fields, or is in neither form. */
export function generationOf(record: OldRecord, value: Uint8Array): 1 | 2 | undefined {
  try {
    return readOld(record, value, { numbering: 'current' }).generation;
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
    return undefined;
  }
}

/** Why a record of generation 1 is not written over. */
export const FIRST_IS_READ =
  'this record is of generation 1 (2012 to 2014), which is only read: whoever still reads it may not know what is written today';

/** Unsupported for a record of generation 1: nobody can say what Vitess of the time would make of the other one in its place. */
export async function checkGeneration(
  { store }: LegacyStore,
  record: OldRecord,
  native: string,
  options: CallOptions | undefined,
): Promise<void> {
  const znode = await store.readZnode(native, options);
  // What is in neither form may be mended.
  if (generationOf(record, znode?.data ?? new Uint8Array()) !== 1) return;
  throw new TopologyError(ErrorCode.Unsupported, FIRST_IS_READ, {
    path: record.path,
    store: store.context.store,
    hint: 'write it with the tools of its time, or copy the topology to a store of today first',
  });
}
