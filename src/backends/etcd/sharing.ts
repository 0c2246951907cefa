import { readAddresses } from '../../legacy/cell-addresses.js';
import { addressFromTriple, isInGlobalRoot, type StoreAddress } from '../../topo/address.js';
import { readCellInfo } from '../../topo/codec.js';
import { isTopologyError } from '../../topo/errors.js';
import { baseName } from '../../topo/paths.js';
import type { Node } from './answers.js';

/**
 * Whether a cell's store is in the root of a global one: as the caller says where cells are, else as the store does.
 *
 * @param nodes what is in `cells`
 */
export function holdsCell(
  global: StoreAddress,
  nodes: readonly Node[],
  said: ReadonlyMap<string, StoreAddress> = new Map(),
): boolean {
  const found = new Map<string, StoreAddress>();
  for (const { key, value } of nodes) {
    const address = value === undefined ? undefined : addressIn(value);
    if (address !== undefined) found.set(baseName(key), address);
  }
  return [...new Map([...found, ...said]).values()].some((cell) => isInGlobalRoot(cell, global));
}

/** Undefined: these are no addresses, which is told when the record is read. */
function addressIn(value: string): StoreAddress | undefined {
  try {
    const { serverAddress, root } = readCellInfo(readAddresses('cells', Buffer.from(value)));
    return addressFromTriple('etcd', serverAddress, root);
  } catch (error) {
    if (isTopologyError(error)) return undefined;
    throw error;
  }
}
