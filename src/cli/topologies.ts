import type { Argv } from 'yargs';
import type { CellRule } from '../copy/cells.js';
import { formatAddress } from '../topo/address.js';
import type { Kind } from '../topo/kinds.js';
import { Topology } from '../topo/topology.js';
import {
  addressFlags,
  addressOf,
  cellAddresses,
  connectSettings,
  type Flags,
  text,
  texts,
} from './addresses.js';
import type { Io } from './io.js';
import { storesFor } from './stores.js';

/** Source and destination of a command, open. */
export interface Pair {
  readonly source: Topology;
  readonly destination: Topology;
  readonly rule: CellRule;
}

/** The words of a command over two topologies. */
export function pairWords(yargs: Argv): Argv {
  return yargs
    .positional('source', { type: 'string', describe: 'address of the source (or --from)' })
    .positional('destination', { type: 'string', describe: 'address of the destination (or --to)' });
}

/** Flags of every command over two topologies. */
export function pairFlags(yargs: Argv): Argv {
  return addressFlags(addressFlags(yargs, 'from'), 'to')
    .option('to-cell', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'CELL=SERVER,ROOT: where a cell’s data goes, and what its CellInfo will name (repeatable)',
    })
    .option('to-cell-root', {
      type: 'string',
      requiresArg: true,
      describe: 'root of every cell on the destination’s servers, for example /vitess/{cell}',
    })
    .option('concurrency', {
      type: 'number',
      default: 4,
      describe: 'cells read or written at the same time',
    });
}

/** Flags of every command. */
export function commonFlags(yargs: Argv): Argv {
  return yargs
    .option('output', {
      choices: ['text', 'json'] as const,
      default: 'text',
      describe: 'for people or for programs',
    })
    .option('timeout', { type: 'number', default: 15, describe: 'seconds one request may take' })
    .option('zk-client', {
      choices: ['own', 'native'] as const,
      default: 'own',
      describe: 'ZooKeeper client: the built-in one, or the npm package zookeeper',
    });
}

/** Opens both sides, runs `work`, closes both whatever happens. The source is opened read-only, and so is a destination that is only compared. */
export async function withPair<T>(
  flags: Flags,
  io: Io,
  access: 'compare' | 'write',
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const from = addressOf(flags, 'from', text(flags, 'source'));
  const to = addressOf(flags, 'to', text(flags, 'destination'));
  const given = cellAddresses(texts(flags, 'to-cell'), to, 'to-cell');
  const source = await Topology.open({
    global: from,
    cells: cellAddresses(texts(flags, 'from-cell'), from, 'from-cell'),
    stores: storesFor(connectSettings(flags, 'from', io.env), 'read'),
  });
  try {
    const destination = await Topology.open({
      global: to,
      cells: access === 'compare' ? given : undefined,
      stores: storesFor(connectSettings(flags, 'to', io.env), access === 'compare' ? 'read' : 'write'),
    });
    try {
      return await work({ source, destination, rule: { given, root: text(flags, 'to-cell-root') } });
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}

/** Opens the one topology of a command, read-only, runs `work`, closes it. */
export async function withTopology<T>(
  flags: Flags,
  io: Io,
  work: (topology: Topology) => Promise<T>,
): Promise<T> {
  const address = addressOf(flags, '', text(flags, 'address'));
  const topology = await Topology.open({
    global: address,
    cells: cellAddresses(texts(flags, 'cell-address'), address, 'cell-address'),
    stores: storesFor(connectSettings(flags, '', io.env), 'read'),
  });
  try {
    return await work(topology);
  } finally {
    await topology.close();
  }
}

/** `SOURCE → DESTINATION` for headings. */
export function pairTitle(pair: Pair): string {
  return `${formatAddress(pair.source.address)} → ${formatAddress(pair.destination.address)}`;
}

/** Kinds in words, for what was narrowed. */
export function kindsTitle(kinds: ReadonlySet<Kind>): string {
  return [...kinds].join(', ');
}
