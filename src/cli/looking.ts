import type { Scope } from '../looking/records.js';
import type { Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { KINDS, type Kind } from '../topo/kinds.js';
import { type Cell, GLOBAL, type Topology } from '../topo/topology.js';
import { type FlagSpec, textFlag, type Word } from './command.js';
import { type Flags, looksLikeAddress, shown, text, usage } from './flags.js';
import type { Io } from './io.js';
import { sideFlags, tripleFlags } from './side-flags.js';
import type { Access } from './stores.js';
import { COMMON_FLAGS, withTopology } from './topologies.js';

/** What a command that looks at one topology was asked about. */
export interface Place {
  readonly topology: Topology;
  /** `global`, or a cell's name; undefined when no cell was asked for. */
  readonly scope: string | undefined;
  /** Below the scope's root; empty for the root. */
  readonly path: string;
  /** The path as it was given, without the scope before it. */
  readonly word: string;
}

/** Words of the commands that look at one topology. */
export const LOOK_WORDS: readonly Word[] = [
  { name: 'address', describe: 'address of the topology (or the --topo- flags)' },
  { name: 'path', describe: 'path below the root, or SCOPE:path (default: the root)' },
];

/** Flags of every command about one topology. */
export const LOOK_FLAGS: readonly FlagSpec[] = [
  ...COMMON_FLAGS,
  ...sideFlags(''),
  textFlag('side', 'side of the migration file to look at', { choices: ['from', 'to'] }),
  textFlag('cell', 'look at this cell’s local store (default: the global store)'),
];

/** {@link LOOK_FLAGS} of a command that may find very much. */
export const STREAM_FLAGS: readonly FlagSpec[] = LOOK_FLAGS.map((spec) =>
  spec.name === 'output' ? { ...spec, choices: ['text', 'json', 'jsonl'] } : spec,
).map((spec) =>
  spec.name === 'cell' ? { ...spec, describe: 'only this cell’s local store (default: all stores)' } : spec,
);

/** Opens the topology of a command, runs `work`, closes it. */
export function lookAt<T>(
  given: Flags,
  io: Io,
  signal: AbortSignal,
  work: (place: Place) => Promise<T>,
  access: Access = 'read',
): Promise<T> {
  const flags = shiftWords(given);
  const named = placeWord(flags, text(flags, 'path') ?? '');
  return withTopology(flags, io, signal, access, (topology) => work({ topology, ...named }));
}

/**
 * Reads a path of the command line: `SCOPE:path`, as commands print it, or a path in the scope of --cell. One that begins with a
 * slash, as Vitess writes them, names no scope. Usage when the scope is given twice.
 */
export function placeWord(flags: Flags, given: string): Omit<Place, 'topology'> {
  const cell = text(flags, 'cell');
  const [, before, rest] = /^([A-Za-z0-9._-]+):(.*)$/s.exec(given) ?? [];
  if (before !== undefined && cell !== undefined)
    throw usage(`the path says ${before}, and --cell says ${shown(cell)}`, 'give the scope once');
  const word = rest ?? given;
  return { scope: before ?? cell, path: word.replace(/^\/+|\/+$/g, ''), word };
}

/** Where the address is given by flags, the first word is the path. Usage when it is an address as well. */
function shiftWords(flags: Flags): Flags {
  const { implementation } = tripleFlags('');
  if (flags[implementation] === undefined || flags['path'] !== undefined) return flags;
  const word = text(flags, 'address');
  if (word !== undefined && looksLikeAddress(word))
    throw usage(`give ${shown(word)} or --${implementation} …, not both`);
  return { ...flags, address: undefined, path: word };
}

/** The store of a scope. NoCell, with the cells that there are. */
export async function storeOf(topology: Topology, scope: string, signal: AbortSignal): Promise<Connection> {
  return scope === GLOBAL ? topology.global : topology.cell(await cellNamed(topology, scope, signal));
}

/** A cell. NoCell, with the cells that there are. */
export async function cellNamed(topology: Topology, scope: string, signal: AbortSignal): Promise<Cell> {
  const cells = await topology.cells({ signal });
  const cell = cells.find(({ name }) => name === scope);
  if (cell !== undefined) return cell;
  throw new TopologyError(ErrorCode.NoCell, `the topology has no cell ${shown(scope)}`, {
    store: topology.global.store,
    hint:
      cells.length === 0 ? 'it has no cells at all' : `it has ${cells.map(({ name }) => name).join(', ')}`,
  });
}

/** The store of the scope that was asked for; of all, the global one first, when none was. */
export async function scopesOf(
  topology: Topology,
  scope: string | undefined,
  signal: AbortSignal,
): Promise<Scope[]> {
  if (scope !== undefined) return [{ scope, store: await storeOf(topology, scope, signal) }];
  const cells = await topology.cells({ signal });
  const local = await Promise.all(
    cells.map(async (cell) => ({ scope: cell.name, store: await topology.cell(cell) })),
  );
  return [{ scope: GLOBAL, store: topology.global }, ...local];
}

/** Kinds of records that a command is narrowed to. */
export const KIND_FLAG = textFlag('kind', 'only records of these kinds, for example Tablet,Shard');

/** The kinds of --kind; undefined: all. Usage for a name that is none. */
export function kindsOf(flags: Flags): ReadonlySet<Kind> | undefined {
  const names = text(flags, 'kind')?.split(',');
  if (names === undefined) return undefined;
  return new Set(
    names.map((name) => {
      const kind = KIND_NAMES.find((each) => each === name.trim());
      if (kind === undefined)
        throw usage(`there is no kind ${shown(name)}`, `kinds are ${KIND_NAMES.join(', ')}`);
      return kind;
    }),
  );
}

const KIND_NAMES: readonly Kind[] = [
  ...new Set<Kind>([...KINDS.map(({ kind }) => kind), 'Ephemeral', 'Unknown']),
].sort();
