import type { Probes } from '../copy/preflight/examine.js';
import type { Side, SideReading } from '../copy/preflight/reading.js';
import { isTopologyError, type TopologyError } from '../topo/errors.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { Exit, exitCodeOf } from './exit.js';
import { type Flags, usage } from './flags.js';
import type { Io } from './io.js';
import { addressNames } from './side-flags.js';
import type { Access } from './stores.js';
import { openSide, type Pair, readSideFlags, ruleOf, type SideFlags } from './topologies.js';

/** One side as doctor has it: open, or with why not. */
export interface DoctorSide {
  readonly side: Side;
  readonly flags: SideFlags;
  readonly topology?: Topology | undefined;
  readonly failure?: TopologyError | undefined;
}

/** The sides that are given. */
export interface DoctorSides {
  readonly from: DoctorSide | undefined;
  readonly to: DoctorSide | undefined;
  /** Both, where both are open. */
  readonly pair: Pair | undefined;
}

/** Opens what is given of two sides, also where one cannot be opened, runs `work`, closes them. Usage when none is given. */
export async function withSides<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  writes: Probes,
  work: (sides: DoctorSides) => Promise<T>,
): Promise<T> {
  const isGiven = (side: 'from' | 'to') => addressNames(side).some((name) => flags[name] !== undefined);
  if (!isGiven('from') && !isGiven('to'))
    throw usage('neither source nor destination is given', 'give --from ADDRESS, --to ADDRESS, or both');
  // All flags are read before anything is opened: a mistake in them costs no waiting.
  const read = (side: 'from' | 'to', access: Access) =>
    isGiven(side) ? readSideFlags(flags, io, signal, side, access) : undefined;
  const [fromFlags, toFlags] = [
    read('from', writes.source ? 'write' : 'read'),
    read('to', writes.destination ? 'write' : 'plan'),
  ];
  const [from, to] = await Promise.all([open('source', fromFlags), open('destination', toFlags)]);
  try {
    const pair =
      from?.topology === undefined || to?.topology === undefined
        ? undefined
        : { source: from.topology, destination: to.topology, rule: ruleOf(flags, to.flags) };
    return await work({ from, to, pair });
  } finally {
    await Promise.all([from?.topology?.close(), to?.topology?.close()]);
  }
}

/** A side that could not be opened: why, and how its global servers are. Nothing of one that is open. */
export async function readUnopened(side: DoctorSide | undefined): Promise<SideReading[]> {
  if (side?.failure === undefined) return [];
  const { address, stores, lockTtlMs } = side.flags;
  const here = { side: side.side, address };
  const health = await stores.health(address, GLOBAL);
  return [
    {
      ...here,
      cells: [],
      scopes: [{ ...here, scope: GLOBAL, failure: side.failure }],
      servers: health === undefined ? [] : [{ ...here, scopes: [GLOBAL], health }],
      lockTtlMs,
    },
  ];
}

async function open(side: Side, flags: SideFlags | undefined): Promise<DoctorSide | undefined> {
  if (flags === undefined) return undefined;
  try {
    return { side, flags, topology: await openSide(flags) };
  } catch (error) {
    if (!isTopologyError(error) || exitCodeOf(error) !== Exit.Store) throw error;
    return { side, flags, failure: error };
  }
}
