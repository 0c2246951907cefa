import type { OldRecord } from '../../legacy/places.js';
import { readOld } from '../../legacy/read.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import type { LegacyStore } from './legacy-store.js';

/** Unsupported for a record of generation 1: nobody can say what Vitess of the time would make of the other one in its place. */
export async function checkGeneration(
  { store }: LegacyStore,
  record: OldRecord,
  native: string,
  options: CallOptions | undefined,
): Promise<void> {
  const znode = await store.readZnode(native, options);
  let generation: 1 | 2 | undefined;
  try {
    generation = readOld(record, znode?.data ?? new Uint8Array(), { numbering: 'current' }).generation;
  } catch (error) {
    // What is in neither form may be mended.
    if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
  }
  if (generation !== 1) return;
  throw new TopologyError(
    ErrorCode.Unsupported,
    'this record is of generation 1 (2012 to 2014), which is only read: whoever still reads it may not know what is written today',
    {
      path: record.path,
      store: store.context.store,
      hint: 'write it with the tools of its time, or copy the topology to a store of today first',
    },
  );
}
