import type { Argv } from 'yargs';
import type { CellRule } from '../copy/cells.js';
import { formatAddress } from '../topo/address.js';
import { isTopologyError, TopologyError } from '../topo/errors.js';
import type { Kind } from '../topo/kinds.js';
import { Topology } from '../topo/topology.js';
import { addressFlags, addressOf, cellAddresses, connectSettings } from './addresses.js';
import { type Flags, shown, text, texts, usage } from './flags.js';
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
      describe:
        'CELL=SERVER,ROOT: where a cell of the destination is; a copy writes it to CellInfo (repeatable)',
    })
    .option('concurrency', {
      type: 'number',
      requiresArg: true,
      default: 4,
      describe: 'cells read or written at the same time',
    });
}

/** Flags of every command. */
export function commonFlags(yargs: Argv): Argv {
  return yargs
    .option('output', {
      requiresArg: true,
      choices: ['text', 'json'] as const,
      default: 'text',
      describe: 'for people or for programs',
    })
    .option('timeout', {
      type: 'number',
      requiresArg: true,
      default: 15,
      describe: 'seconds one request may take',
    })
    .option('zk-client', {
      requiresArg: true,
      choices: ['own', 'native'] as const,
      default: 'own',
      describe: 'ZooKeeper client: the built-in one, or the npm package zookeeper',
    });
}

/** Opens both sides, runs `work`, closes both whatever happens. The source is opened read-only, and so is a destination that is only compared. */
export async function withPair<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  access: 'compare' | 'write',
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const from = addressOf(flags, 'from', text(flags, 'source'));
  const to = addressOf(flags, 'to', text(flags, 'destination'));
  const fromCells = cellAddresses(texts(flags, 'from-cell'), from, 'from-cell');
  const toCells = cellAddresses(texts(flags, 'to-cell'), to, 'to-cell');
  const fromSettings = connectSettings(flags, 'from', io.env, from.implementation);
  const toSettings = connectSettings(flags, 'to', io.env, to.implementation);
  const source = await Topology.open({
    global: from,
    cells: fromCells,
    stores: storesFor(fromSettings, 'read', signal),
  });
  try {
    const destination = await Topology.open({
      global: to,
      cells: toCells,
      stores: storesFor(toSettings, access === 'compare' ? 'read' : 'write', signal),
    });
    try {
      const rule = { given: toCells, root: text(flags, 'to-cell-root') };
      return await work({ source, destination, rule });
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}

/** Refuses a cell flag that names a cell which neither side has: it would have no effect. Usage. */
export async function checkCellFlags(flags: Flags, pair: Pair, signal: AbortSignal): Promise<void> {
  const named = (['from-cell', 'to-cell'] as const).flatMap((flag) =>
    texts(flags, flag).map((value) => ({ flag, cell: value.split('=')[0] ?? '' })),
  );
  if (named.length === 0) return;
  const cells = await Promise.all([pair.source, pair.destination].map((side) => side.cells({ signal })));
  const known = [...new Set(cells.flat().map((cell) => cell.name))];
  const unknown = named.find(({ cell }) => !known.includes(cell));
  if (unknown === undefined) return;
  throw usage(
    `--${unknown.flag} is given for cell ${shown(unknown.cell)}, which neither side has`,
    known.length === 0 ? 'neither side has cells at all' : `there are ${known.join(', ')}`,
  );
}

/** Opens the one topology of a command, read-only, runs `work`, closes it. */
export async function withTopology<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  work: (topology: Topology) => Promise<T>,
): Promise<T> {
  const address = addressOf(flags, '', text(flags, 'address'));
  const cells = cellAddresses(texts(flags, 'cell-address'), address, 'cell-address');
  const settings = connectSettings(flags, '', io.env, address.implementation);
  const topology = await Topology.open({
    global: address,
    cells,
    stores: storesFor(settings, 'read', signal),
  });
  try {
    return await work(topology);
  } catch (error) {
    throw hintedForOne(error);
  } finally {
    await topology.close();
  }
}

/** A topology's hints name the flags of commands over two. */
function hintedForOne(error: unknown): unknown {
  if (!isTopologyError(error) || error.hint === undefined) return error;
  const hint = error.hint.replace(/--from-cell(?: or --to-cell)?|--to-cell/g, '--cell-address');
  if (hint === error.hint) return error;
  const { code, message, retryable } = error;
  return new TopologyError(code, message, { hint, retryable, cause: error });
}

/** `SOURCE → DESTINATION` for headings. */
export function pairTitle(pair: Pair): string {
  return `${formatAddress(pair.source.address)} → ${formatAddress(pair.destination.address)}`;
}

/** Kinds in words, for what was narrowed. */
export function kindsTitle(kinds: ReadonlySet<Kind>): string {
  return [...kinds].join(', ');
}
