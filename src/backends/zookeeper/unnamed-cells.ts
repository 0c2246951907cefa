import { type StoreAddress, sharesServer } from '../../topo/address.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { compareBytewise } from '../../topo/paths.js';
import type { Beside } from '../../topo/told.js';
import { settle } from '../../znodes/store.js';
import type { LegacyStore } from './legacy-store.js';

/** Where the trees of all cells are. */
const TOP = '/zk';

/**
 * The trees of cells that are on the servers of a store though the client configuration does not name these cells, so that nobody reads them. Told by
 * one of the stores on these servers: the global one, or else the first cell's.
 */
export async function unnamedCells(
  legacy: LegacyStore,
  options: CallOptions | undefined,
): Promise<readonly Beside[]> {
  const { store, cells } = legacy;
  if (cells === undefined || !isTeller(legacy, cells)) return [];
  const listed = store.read('', options, (client, request) => client.getChildren(TOP, request));
  const names = (await settle(listed, ErrorCode.NoNode, ErrorCode.Unauthorized))?.children ?? [];
  const unnamed = names.filter((name) => name !== 'global' && !cells.has(name)).sort(compareBytewise);
  const found = await Promise.all(
    unnamed.map(async (name): Promise<Beside[]> => {
      const native = `${TOP}/${name}/vt`;
      const { stat } = await store.read('', options, (client, request) => client.exists(native, request));
      if ((stat?.numChildren ?? 0) + (stat?.dataLength ?? 0) === 0) return [];
      return [{ is: 'left', native, why: 'a cell that the client configuration does not name', losses: [] }];
    }),
  );
  return found.flat();
}

function isTeller(
  { places, store, globalAddress }: LegacyStore,
  cells: ReadonlyMap<string, StoreAddress>,
): boolean {
  if (places.cell === undefined) return true;
  const isHere = (address: StoreAddress) =>
    sharesServer(address, { ...address, server: store.servers.join(',') });
  if (isHere(globalAddress)) return false;
  const here = [...cells].flatMap(([name, address]) => (isHere(address) ? [name] : []));
  return here.sort(compareBytewise)[0] === places.cell;
}
