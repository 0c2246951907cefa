import { findNumbering } from '../../legacy/numbering.js';
import { looked, type Numbered, type NumberingLooked, numbered } from '../../legacy/numberings.js';
import type { OldKind } from '../../legacy/places.js';
import type { CallOptions } from '../../topo/connection.js';
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
  about: string,
  options: CallOptions | undefined,
): Promise<NumberingLooked> {
  const look = (at: Store, of: Places, top: string, kind: OldKind) =>
    records(at, of, { top, kind, about }, options);
  const above = global === undefined ? store : await global.open();
  const [shards, srvKeyspaces] = await Promise.all([
    look(above, Places.global, 'keyspaces', 'Shard'),
    global === undefined ? [] : look(store, places, 'ns', 'SrvKeyspace'),
  ]);
  const found = findNumbering({ shards, srvKeyspaces, tablets: [] });
  if (global === undefined || found.signs.length > 0) return looked(found, [...shards, ...srvKeyspaces]);
  const tablets = await look(store, places, 'tablets', 'Tablet');
  const all = [...shards, ...srvKeyspaces, ...tablets];
  return looked(findNumbering({ shards, srvKeyspaces, tablets }), all);
}

/** Records of generation 2 of one kind. */
async function records(
  store: Store,
  places: Places,
  { top, kind, about }: { readonly top: string; readonly kind: OldKind; readonly about: string },
  options: CallOptions | undefined,
): Promise<Numbered[]> {
  const found: Numbered[] = [];
  for await (const group of walkFrom(store, { top, about }, options)) {
    for (const { path, data } of group) {
      const place = places.place(path);
      if (place.is !== 'record' || place.kind !== kind || data === null) continue;
      found.push(...numbered(place, data));
    }
  }
  return found;
}
