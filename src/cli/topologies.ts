import type { CellRule } from '../copy/cells.js';
import type { StoreAddress } from '../topo/address.js';
import type { Stores } from '../topo/backend.js';
import type { Kind } from '../topo/kinds.js';
import { Topology } from '../topo/topology.js';
import { cellAddresses, formatGiven, givenAddress, whereIs } from './addresses.js';
import { type FlagSpec, textFlag, type Word } from './command.js';
import { type Flags, shown, text, texts, usage } from './flags.js';
import type { Io } from './io.js';
import { connectSettings } from './login.js';
import { cellFlag, type Side, sideFlags } from './side-flags.js';
import { type Access, type OnRetry, storesFor } from './stores.js';

/** Source and destination of a command, open. */
export interface Pair {
  readonly source: Topology;
  readonly destination: Topology;
  readonly rule: CellRule;
}

/** The words of a command over two topologies. */
export const PAIR_WORDS: readonly Word[] = [
  { name: 'source', describe: 'address of the source (or --from)' },
  { name: 'destination', describe: 'address of the destination (or --to)' },
];

/** Flags of every command. */
export const COMMON_FLAGS: readonly FlagSpec[] = [
  textFlag('config', 'migration file, for example topo2topo.yaml'),
  textFlag('output', 'for people or for programs', { choices: ['text', 'json'], preset: 'text' }),
  { name: 'timeout', kind: 'number', preset: 15, describe: 'seconds one request may take' },
  textFlag(
    'zk-client',
    'ZooKeeper client: the built-in one, or the npm package zookeeper (default: own; zookeeper: stores are read through the package where it is installed)',
    { choices: ['own', 'native'] },
  ),
];

/** Flags of every command over two topologies. */
export const PAIR_FLAGS: readonly FlagSpec[] = [
  ...COMMON_FLAGS,
  ...sideFlags('from'),
  ...sideFlags('to'),
  { name: 'concurrency', kind: 'number', preset: 4, describe: 'cells read or written at the same time' },
];

/** What each side is opened for. `plan`, `write`: from the source to the destination; `write back`: the other way. */
const ACCESS = {
  compare: { from: 'read', to: 'read' },
  plan: { from: 'read', to: 'plan' },
  write: { from: 'read', to: 'write' },
  'write back': { from: 'write', to: 'read' },
  freeze: { from: 'lock', to: 'write' },
} as const;
export type PairAccess = keyof typeof ACCESS;

/** Opens both sides, runs `work`, closes both whatever happens. What is not written to is opened read-only. */
export async function withPair<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  access: PairAccess,
  work: (pair: Pair) => Promise<T>,
  onRetry?: OnRetry,
): Promise<T> {
  const from = readSideFlags(flags, io, signal, 'from', ACCESS[access].from, onRetry);
  const to = readSideFlags(flags, io, signal, 'to', ACCESS[access].to, onRetry);
  const source = await openSide(from);
  try {
    const destination = await openSide(to);
    try {
      return await work({ source, destination, rule: ruleOf(flags, to) });
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}

/** What flags say of one side. */
export interface SideFlags {
  readonly address: StoreAddress;
  /** The address as it was given. */
  readonly spelled: string;
  /** All cells, where a client configuration says which there are. */
  readonly configured: ReadonlyMap<string, StoreAddress> | undefined;
  /** Addresses of cells that are given, by cell. */
  readonly cells: ReadonlyMap<string, StoreAddress>;
  readonly cellFlag: string;
  readonly stores: Stores;
  /** Milliseconds for which a lock outlives its holder, where that is given. */
  readonly lockTtlMs: number | undefined;
}

/** Reads the flags of a side; connects to nothing. Usage. */
export function readSideFlags(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  side: Side,
  access: Access,
  onRetry?: OnRetry,
): SideFlags {
  const word = { from: 'source', to: 'destination', '': 'address' }[side];
  const given = givenAddress(flags, side, text(flags, word));
  const { address, client } = whereIs(given, io.env);
  const cells = cellAddresses(texts(flags, cellFlag(side)), address, cellFlag(side));
  const settings = connectSettings(flags, side, io.env, address);
  return {
    address,
    // What names the file that this host has may not do so tomorrow.
    spelled: formatGiven(client === undefined ? given : { implementation: 'zookeeper', file: client.file }),
    configured: client?.cells,
    cells,
    cellFlag: `--${cellFlag(side)}`,
    stores: storesFor({ ...settings, onNote: onceEach(io.err) }, access, signal, onRetry),
    lockTtlMs: settings.lockTtlMs,
  };
}

/** Opens the topology of a side; whoever asks closes it. */
export function openSide({ address, cellFlag: flag, ...rest }: SideFlags): Promise<Topology> {
  const { spelled, configured, cells, stores } = rest;
  return Topology.open({ global: address, spelled, configured, cells, stores, cellFlag: flag });
}

/** Where the flags say that cells of the destination are. */
export function ruleOf(flags: Flags, { cells }: SideFlags): CellRule {
  return { given: cells, root: text(flags, 'to-cell-root') };
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

/** Opens the one topology of a command, runs `work`, closes it. */
export async function withTopology<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  access: Access,
  work: (topology: Topology) => Promise<T>,
): Promise<T> {
  const topology = await openSide(readSideFlags(flags, io, signal, '', access));
  try {
    return await work(topology);
  } finally {
    await topology.close();
  }
}

/** `SOURCE → DESTINATION` for headings. */
export function pairTitle(pair: Pair): string {
  return `${pair.source.spelled} → ${pair.destination.spelled}`;
}

/** Kinds in words, for what was narrowed. */
export function kindsTitle(kinds: ReadonlySet<Kind>): string {
  return [...kinds].join(', ');
}

/** The connections of a side may all have the same to tell. */
function onceEach(tell: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (!told.has(text)) tell(text);
    told.add(text);
  };
}
