import {
  addressFromTriple,
  formatAddress,
  isInGlobalRoot,
  overlaps,
  type StoreAddress,
} from '../topo/address.js';
import type { CellAddress } from '../topo/codec.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { parseTabletAlias } from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import { type CellInfo, namesIn } from './read.js';

/**
 * Checks where a cell is to be, by what is written alone: InvalidAddress for an address that is none; Usage where its root is
 * the global one, another cell's, or above or below one of these on shared servers. Answers with the address, or
 * undefined where the store holds its cells itself and CellInfo is only kept.
 */
export async function checkPlace(
  topology: Topology,
  cell: string,
  recorded: CellAddress,
  infos: readonly CellInfo[],
): Promise<StoreAddress | undefined> {
  if ((await topology.addressWithoutCellInfo(cell))?.source === 'store') return undefined;
  const { implementation } = topology.address;
  const address = addressFromTriple(implementation, recorded.serverAddress, recorded.root);
  const others: (readonly [whose: string, where: StoreAddress])[] = [['the global data', topology.address]];
  for (const info of infos) {
    const where = info.name === cell ? undefined : recordedAddress(implementation, info);
    if (where !== undefined) others.push([`cell ${info.name}`, where]);
  }
  for (const [whose, where] of others) {
    if (!overlaps(address, where)) continue;
    if (where === topology.address && isInGlobalRoot(address, where)) continue;
    throw new TopologyError(
      ErrorCode.Usage,
      `cell ${cell} and ${whose} would overlap: ${formatAddress(address)} and ${formatAddress(where)}`,
      { hint: 'give the cell a root of its own, for example --root /vitess/CELL' },
    );
  }
  return address;
}

/** Where a cell's record says that it is. Undefined for what is no address: it cannot overlap another. */
export function recordedAddress(
  implementation: string,
  { serverAddress, root }: CellAddress,
): StoreAddress | undefined {
  try {
    return addressFromTriple(implementation, serverAddress, root);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.InvalidAddress)) return undefined;
    throw error;
  }
}

/**
 * Connects to a cell's store at an address, or where the caller says that it is reached from here, and looks whose data
 * lies there. Unavailable, Unauthorized … when it does not answer; Guard when it is the global store under another name
 * of its servers, or holds tablets of another cell.
 */
export async function dial(
  topology: Topology,
  cell: string,
  address: StoreAddress,
  options: CallOptions,
): Promise<Connection> {
  const given = await topology.addressWithoutCellInfo(cell);
  const store = await topology.cell({ name: cell, address: given?.address ?? address });
  if ((await namesIn(store, 'cells', options)).length > 0)
    throw taken(store, `the root for cell ${cell} holds the global data of a topology`);
  const tablets = await namesIn(store, 'tablets', options);
  const foreign = tablets.find((name) => cellOfTablet(name) !== cell);
  if (foreign !== undefined)
    throw taken(store, `the root for cell ${cell} holds tablets of another cell: ${foreign}`);
  return store;
}

function cellOfTablet(name: string): string | undefined {
  try {
    return parseTabletAlias(name).cell;
  } catch {
    return undefined;
  }
}

function taken(store: Connection, message: string): TopologyError {
  return new TopologyError(ErrorCode.Guard, message, {
    store: store.store,
    hint: 'check the servers and the root; every cell needs a root of its own',
  });
}
