import {
  findNumbering,
  type NumberedRecord,
  type NumberedRecords,
  type NumberingFound,
} from '../../legacy/numbering.js';
import type { OldKind } from '../../legacy/places.js';
import { readOld } from '../../legacy/read.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import type { Store } from '../../znodes/store.js';
import type { GlobalStore } from './global.js';
import { Places } from './places.js';
import { walkFrom } from './walk-from.js';

/** The store whose numbering it is. */
interface Of {
  readonly store: Store;
  readonly places: Places;
  readonly global: GlobalStore | undefined;
}

/**
 * What tells the numbering of a store. The serving graph and the shards are asked first: they are small, and have a sign unless nothing is
 * served. Then the tablets of a cell.
 */
export async function findSigns(
  { store, places, global }: Of,
  _about: string,
  options: CallOptions | undefined,
): Promise<NumberingFound> {
  if (global === undefined)
    return findNumbering({ ...NONE, shards: await records(store, places, 'keyspaces', 'Shard', options) });
  const above = await global.open();
  const [shards, srvKeyspaces] = await Promise.all([
    records(above, Places.global, 'keyspaces', 'Shard', options),
    records(store, places, 'ns', 'SrvKeyspace', options),
  ]);
  const found = findNumbering({ ...NONE, shards, srvKeyspaces });
  if (found.signs.length > 0) return found;
  const tablets = await records(store, places, 'tablets', 'Tablet', options);
  return findNumbering({ shards, srvKeyspaces, tablets });
}

const NONE: NumberedRecords = { shards: [], tablets: [], srvKeyspaces: [] };

/** Records of generation 2 of one kind; what is no record tells nothing. */
async function records(
  store: Store,
  places: Places,
  top: string,
  kind: OldKind,
  options: CallOptions | undefined,
): Promise<NumberedRecord[]> {
  const found: NumberedRecord[] = [];
  for await (const group of walkFrom(store, top, options)) {
    for (const { path, data } of group) {
      const place = places.place(path);
      if (place.is !== 'record' || place.kind !== kind || data === null) continue;
      try {
        const { generation, bytes } = readOld(place, data, { numbering: 'current' });
        if (generation === 2 && bytes !== undefined) found.push({ path: place.path, bytes });
      } catch (error) {
        if (!isTopologyError(error)) throw error;
      }
    }
  }
  return found;
}
