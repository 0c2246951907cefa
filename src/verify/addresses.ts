import {
  addressFromTriple,
  type Implementation,
  type StoreAddress,
  sameRoot,
  sharesServer,
} from '../topo/address.js';
import type { CellAddress } from '../topo/codec.js';
import type { Cell } from '../topo/topology.js';
import type { AddressJudgement } from './compare.js';

/** The cells of both sides. */
export interface Cells {
  readonly source: readonly Cell[];
  readonly destination: readonly Cell[];
}

/** What the address that the destination's CellInfo of a cell holds means; `original` is the source's. */
export function judgeAddress(
  { source, destination }: Cells,
  name: string,
  found: CellAddress,
  original: CellAddress,
): AddressJudgement {
  const [from, to] = [source, destination].map((cells) => cells.find((cell) => cell.name === name));
  if (to === undefined) return 'wrong';
  if (to.source === 'store') return 'kept';
  if (to.source === 'CellInfo' || to.source === 'config') return 'own';
  const place = placeOf(to.address.implementation, found);
  const isRoot = sameRoot(found.root, to.address.root);
  if (place === undefined) return 'wrong';
  if (isRoot && sharesServer(place, to.address)) return 'own';
  const isSource =
    from !== undefined && from.source !== 'store' && meet(from.address.implementation, found, original);
  return isSource || !isRoot ? 'wrong' : 'elsewhere';
}

/** Where an address as recorded in CellInfo leads, read by the rules of a product; undefined when it leads nowhere. */
function placeOf(
  implementation: Implementation,
  { serverAddress, root }: CellAddress,
): StoreAddress | undefined {
  try {
    return addressFromTriple(implementation, serverAddress, root);
  } catch {
    return undefined;
  }
}

/** Whether two addresses in CellInfo, read by the rules of a product, have a server in common. */
function meet(implementation: Implementation, one: CellAddress, other: CellAddress): boolean {
  const [a, b] = [placeOf(implementation, one), placeOf(implementation, other)];
  return a !== undefined && b !== undefined && sharesServer(a, b);
}
