import { resolve } from 'node:path';
import { addressFromTriple, formatAddress, parseAddress, type StoreAddress } from '../topo/address.js';
import { type ClientPlaces, readClientPlaces } from './client-config.js';
import { type Flags, shown, text, usage } from './flags.js';
import type { Env } from './io.js';
import { SIDES, type Side, tripleFlags } from './side-flags.js';

/** An address as it is given: that of the global store, or the file that says where a legacy `zookeeper` is. */
export type GivenAddress = StoreAddress | ClientFile;

/** A legacy `zookeeper` by its client configuration; without a file that of this host. */
export interface ClientFile {
  readonly implementation: 'zookeeper';
  readonly file: string | undefined;
}

/** Where a topology is. */
export interface Whereabouts {
  readonly address: StoreAddress;
  /** The client configuration that says so. */
  readonly client?: ClientPlaces | undefined;
}

/** Reads an address: a URL, or `zookeeper:FILE`, whose name counts from `folder`. InvalidAddress. */
export function parseGiven(given: string, folder = ''): GivenAddress {
  const [, file] = /^zookeeper:(?!\/\/)(.*)$/s.exec(given) ?? [];
  if (file === undefined) return parseAddress(given);
  return { implementation: 'zookeeper', file: file === '' ? undefined : resolve(folder, file) };
}

/** The text of an address, for {@link parseGiven} to read again. */
export function formatGiven(given: GivenAddress): string {
  if (!('file' in given)) return formatAddress(given);
  return `${given.implementation}:${given.file ?? ''}`;
}

/**
 * Vitess's triple, of which a legacy `zookeeper` has the implementation alone, or a file in place of servers; the retired formats can do
 * without the root. Undefined: something is missing. InvalidAddress, Usage.
 */
export function givenTriple(
  implementation: string | undefined,
  server: string | undefined,
  root: string | undefined,
  folder = '',
): GivenAddress | undefined {
  if (implementation === 'zookeeper' && (server === undefined || server.includes('/'))) {
    if (root === undefined)
      return { implementation, file: server === undefined ? undefined : resolve(folder, server) };
    throw usage(
      `the root ${shown(root)} of a zookeeper topology is given without its servers`,
      'leave the root out: the client configuration says where everything is',
    );
  }
  if (implementation === undefined || server === undefined) return undefined;
  if (root === undefined && implementation !== 'zookeeper' && implementation !== 'etcd') return undefined;
  return addressFromTriple(implementation, server, root ?? '');
}

/** Where a given address is, once the file that it names is read. Usage. */
export function whereIs(given: GivenAddress, env: Env): Whereabouts {
  if (!('file' in given)) return { address: given };
  const client = readClientPlaces(given.file, env);
  return { address: client.global, client };
}

/** An address as flags, in Vitess's words. */
export function addressFlags(given: GivenAddress, side: Side): Flags {
  const named = tripleFlags(side);
  const { implementation } = given;
  if ('file' in given)
    return {
      [named.implementation]: implementation,
      ...(given.file === undefined ? {} : { [named.server]: given.file }),
    };
  return { [named.implementation]: implementation, [named.server]: given.server, [named.root]: given.root };
}

/** The global address of a side, from a word, its URL flag or Vitess's triple. Usage unless it is exactly one of them. */
export function givenAddress(flags: Flags, side: Side, word: string | undefined): GivenAddress {
  const named = tripleFlags(side);
  const triple = [named.implementation, named.server, named.root].map((name) => text(flags, name));
  const url = side === '' ? undefined : text(flags, side);
  if (word !== undefined && url !== undefined) throw usage(`give ${shown(word)} or --${side} …, not both`);
  const given = word ?? url;
  if (given !== undefined) {
    if (triple.some((part) => part !== undefined)) {
      throw usage(`give ${shown(given)} or --${named.implementation} …, not both`);
    }
    return parseGiven(given);
  }
  const [implementation, server, root] = triple;
  const found = givenTriple(implementation, server, root);
  if (found !== undefined) return found;
  throw usage(
    `${SIDES[side]} is not given`,
    `give ${side === '' ? 'ADDRESS' : `--${side} ADDRESS`}, or --${named.implementation}, --${named.server} and --${named.root}`,
  );
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
