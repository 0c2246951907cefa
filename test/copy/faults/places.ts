import { parseAddress } from '../../../src/topo/address.js';
import type { Places } from '../followers.js';

/** One side: which kind of store, and its servers. */
export interface Side {
  readonly implementation: 'zk2' | 'etcd2' | 'consul' | 'etcd';
  readonly servers: string;
}

let number = 0;

/** A name that nobody used before. */
export function newName(): string {
  number += 1;
  return `${process.pid}-${number}`;
}

/** Places on real servers, by default some that nobody used before. */
export function newPlaces(from: Side, to: Side, name = newName()): Places {
  const place =
    ({ implementation, servers }: Side, side: string) =>
    (scope: string) =>
      `${implementation}://${servers}/${side}/${name}/${scope}`;
  const destination = place(to, 'to');
  return {
    source: place(from, 'from'),
    destination,
    cellRoot: parseAddress(destination('{cell}')).root,
    server: from.servers,
  };
}

/** The same source, and a destination that nobody used before. */
export function nextDestination(places: Places, to: Side): Places {
  const { destination, cellRoot } = newPlaces(to, to);
  return { ...places, destination, cellRoot };
}

/** Pairs of products to copy from and to. */
export const PAIRS = [
  ['zk2', 'etcd2'],
  ['etcd2', 'zk2'],
  ['etcd2', 'consul'],
] as const;
