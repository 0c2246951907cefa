import { formatAddress, overlaps, type StoreAddress } from './address.js';
import type { Connection } from './connection.js';
import { ErrorCode, TopologyError } from './errors.js';
import type { Cell } from './topology.js';

/** All places of one topology. */
export interface Places {
  readonly global: StoreAddress;
  readonly cells: readonly Cell[];
}

/**
 * Refuses two topologies of which any part of one is the place of any part of the other, however it is spelt (Guard):
 * such a copy would write over its own source, such a comparison would find a store equal to itself.
 */
export function checkApart(source: Places, destination: Places): void {
  for (const a of partsOf(source)) {
    for (const b of partsOf(destination)) {
      if (!overlaps(a.address, b.address)) continue;
      throw new TopologyError(
        ErrorCode.Guard,
        `source and destination are the same place: ${a.name} of the source is ${formatAddress(a.address)}, ` +
          `${b.name} of the destination is ${formatAddress(b.address)}: they share a server, and their roots overlap`,
        {
          hint:
            'old and new trees may live on the same servers, under roots of which none contains the other; if a CellInfo of ' +
            'the destination names the source’s store, give the right address with --to-cell CELL=SERVER,ROOT',
        },
      );
    }
  }
}

/**
 * Refuses two open stores that turn out to be one (Guard), where the addresses did not show it: a file under two names.
 */
export function checkDistinct(source: Connection, destination: Connection): void {
  if (source.store !== destination.store) return;
  throw new TopologyError(ErrorCode.Guard, 'source and destination are the same place', {
    store: source.store,
    hint: 'give two different stores',
  });
}

function partsOf(places: Places): { name: string; address: StoreAddress }[] {
  const cells = places.cells.map((cell) => ({ name: `cell ${cell.name}`, address: cell.address }));
  return [{ name: 'the global part', address: places.global }, ...cells];
}
