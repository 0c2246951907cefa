import { addressFromTriple, overlaps, type StoreAddress, sameRoot, serversOf } from '../topo/address.js';
import { isTopologyError } from '../topo/errors.js';
import type { StoreFlags } from './command-line.js';

/** The stores that processes are to use, and to have left. */
export interface Stores {
  /** Spellings of the store that every process is to use. */
  readonly expected: readonly StoreAddress[];
  /** Spellings that somebody gave for what processes call it themselves: `localhost` means each process's own host. */
  readonly spoken: readonly StoreAddress[];
  /** Spellings of the store that was left. */
  readonly old: readonly StoreAddress[];
}

/** Which store a process uses; `why` it is not known, or not the expected one. */
export interface Verdict {
  readonly store: 'expected' | 'old' | 'other' | 'unknown';
  readonly why: string | undefined;
}

/**
 * Compares the store that a process on `host` was started with to the expected one, by their addresses alone: same implementation, one
 * server in common, same root.
 */
export function judgeStore(given: StoreFlags | undefined, host: string, stores: Stores): Verdict {
  if (given === undefined) return unknown('its command line names no store');
  const address = addressOf(given);
  if (address === undefined) return unknown('the store on its command line is no address that is known here');
  const { expected, spoken, old } = stores;
  if (expected.length === 0) return unknown('no expected store is given');
  if (spoken.some((place) => same(place, address))) return { store: 'expected', why: undefined };
  if (isOwnHost(address) && !isLoopback(host) && mayBe(expected, address))
    return unknown(`${address.server} is its own host’s: which store that is cannot be told from here`);
  if (expected.some((place) => same(place, address))) return { store: 'expected', why: undefined };
  if (old.some((place) => same(place, address))) return { store: 'old', why: undefined };
  return { store: 'other', why: undefined };
}

function unknown(why: string): Verdict {
  return { store: 'unknown', why };
}

/** Vitess takes a Consul root with a slash before it. */
function addressOf({ implementation, server, root }: StoreFlags): StoreAddress | undefined {
  try {
    const plain = implementation === 'consul' ? root.replace(/^\/+/, '') : root;
    return addressFromTriple(implementation, server, plain);
  } catch (error) {
    if (isTopologyError(error)) return undefined;
    throw error;
  }
}

function same(a: StoreAddress, b: StoreAddress): boolean {
  return a.implementation === b.implementation && overlaps(a, b) && sameRoot(a.root, b.root);
}

/** Whether an address may be one of these, but for its servers. */
function mayBe(places: readonly StoreAddress[], { implementation, root }: StoreAddress): boolean {
  return places.some((place) => place.implementation === implementation && sameRoot(place.root, root));
}

function isOwnHost(address: StoreAddress): boolean {
  const { servers } = serversOf(address);
  return servers.every((server) => isLoopback(server.replace(/^https?:\/\//, '').replace(/:\d+$/, '')));
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.[\d.]+|\[?::1\]?)$/i.test(host);
}
