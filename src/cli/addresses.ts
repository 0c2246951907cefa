import { addressFromTriple, parseAddress, type StoreAddress } from '../topo/address.js';
import { type Flags, shown, text, usage } from './flags.js';
import { SIDES, type Side, tripleFlags } from './side-flags.js';

/** The global address of a side, from a word, its URL flag or Vitess's triple. Usage unless it is exactly one of them. */
export function addressOf(flags: Flags, side: Side, word: string | undefined): StoreAddress {
  const named = tripleFlags(side);
  const triple = [named.implementation, named.server, named.root].map((name) => text(flags, name));
  const url = side === '' ? undefined : text(flags, side);
  if (word !== undefined && url !== undefined) throw usage(`give ${shown(word)} or --${side} …, not both`);
  const given = word ?? url;
  if (given !== undefined) {
    if (triple.some((part) => part !== undefined)) {
      throw usage(`give ${shown(given)} or --${named.implementation} …, not both`);
    }
    return parseAddress(given);
  }
  const [implementation, server, root] = triple;
  if (implementation === undefined || server === undefined || root === undefined) {
    throw usage(
      `${SIDES[side]} is not given`,
      `give ${side === '' ? 'ADDRESS' : `--${side} ADDRESS`}, or --${named.implementation}, --${named.server} and --${named.root}`,
    );
  }
  return addressFromTriple(implementation, server, root);
}

/** Reads `CELL=SERVER,ROOT` values; the root is what follows the last comma. Cells use the global store's implementation. */
export function cellAddresses(
  values: readonly string[],
  global: StoreAddress,
  flagName: string,
): Map<string, StoreAddress> {
  const cells = new Map<string, StoreAddress>();
  for (const value of values) {
    const match = /^([^=/,]+)=(.+),([^,]+)$/.exec(value);
    const [, cell, server, root] = match ?? [];
    if (cell === undefined || server === undefined || root === undefined) {
      throw usage(
        `--${flagName} ${shown(value)} is not CELL=SERVER,ROOT`,
        'for example zone1=h1:2181,h2:2181,/vitess/zone1',
      );
    }
    if (cells.has(cell)) throw usage(`--${flagName} is given twice for cell ${shown(cell)}`);
    cells.set(cell, addressFromTriple(global.implementation, server, root));
  }
  return cells;
}
