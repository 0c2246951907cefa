import type { Argv } from 'yargs';
import type { Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { addressFlags } from './addresses.js';
import { type Flags, shown, text, usage } from './flags.js';
import type { Io } from './io.js';
import { commonFlags, withTopology } from './topologies.js';

/** What a command that looks at one topology was asked about. */
export interface Place {
  readonly topology: Topology;
  /** `global`, or a cell's name; undefined when no cell was asked for. */
  readonly scope: string | undefined;
  /** Below the scope's root; empty for the root. */
  readonly path: string;
}

/** Words and flags of the commands that look at one topology. */
export function lookFlags(yargs: Argv): Argv {
  const words = yargs
    .positional('address', { type: 'string', describe: 'address of the topology (or the --topo- flags)' })
    .positional('path', { type: 'string', describe: 'path below the root (default: the root)' });
  return addressFlags(commonFlags(words), '').option('cell', {
    type: 'string',
    requiresArg: true,
    describe: 'look at this cell’s local store (default: the global store)',
  });
}

/** Opens the topology of a command, read-only, runs `work`, closes it. */
export function lookAt<T>(
  given: Flags,
  io: Io,
  signal: AbortSignal,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  // Where the address is given by flags, the first word is the path.
  const shifted = given['topo-implementation'] !== undefined && given['path'] === undefined;
  const flags = shifted ? { ...given, address: undefined, path: given['address'] } : given;
  const word = text(flags, 'path') ?? '';
  if (shifted && /^(\w+:\/\/|file:|memory:)/.test(word))
    throw usage(`give ${shown(word)} or --topo-implementation …, not both`);
  // Vitess writes paths with a leading slash, the contract without.
  const path = word.replace(/^\/+|\/+$/g, '');
  return withTopology(flags, io, signal, (topology) => work({ topology, scope: text(flags, 'cell'), path }));
}

/** The store of a scope. NoCell, with the cells that there are. */
export async function storeOf(topology: Topology, scope: string, signal: AbortSignal): Promise<Connection> {
  if (scope === GLOBAL) return topology.global;
  const cells = await topology.cells({ signal });
  const cell = cells.find(({ name }) => name === scope);
  if (cell !== undefined) return topology.cell(cell);
  throw new TopologyError(ErrorCode.NoCell, `the topology has no cell ${shown(scope)}`, {
    store: topology.global.store,
    hint:
      cells.length === 0 ? 'it has no cells at all' : `it has ${cells.map(({ name }) => name).join(', ')}`,
  });
}
