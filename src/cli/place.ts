import type { Topology } from '../topo/topology.js';
import type { FlagSpec } from './command.js';
import { type Flags, looksLikeAddress, shown, text, usage } from './flags.js';
import type { Io } from './io.js';
import { LOOK_FLAGS } from './looking.js';
import { tripleFlags } from './side-flags.js';
import type { Access } from './stores.js';
import { withTopology } from './topologies.js';

/** The first word of the commands about cells and the serving graph. */
export const ADDRESS_WORD = { name: 'address', describe: 'address of the topology (or the --topo- flags)' };

/** Flags of every command about the topology as a whole. */
export const PLACE_FLAGS: readonly FlagSpec[] = LOOK_FLAGS.filter(({ name }) => name !== 'cell');

/** A switch that counts on the command line alone. */
export function spokenSwitch(name: string, describe: string): FlagSpec {
  return { name, describe, kind: 'switch', spoken: true };
}

/** Whether a switch is given. */
export function isGiven(flags: Flags, name: string): boolean {
  return flags[name] === true;
}

/** A topology, and the words that follow its address. */
export interface Asked {
  readonly topology: Topology;
  /** By name; absent: not given. */
  readonly words: Readonly<Record<string, string>>;
}

/** Opens the topology of a command, runs `work`, closes it. `names`: the words after the address. */
export function withPlace<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  { names, access }: { readonly names: readonly string[]; readonly access: Access },
  work: (asked: Asked) => Promise<T>,
): Promise<T> {
  const { address, words } = shiftedWords(flags, names);
  return withTopology({ ...flags, address }, io, signal, access, (topology) => work({ topology, words }));
}

/** Where the address is given by flags, the words begin where it would stand. Usage when it is given twice. */
function shiftedWords(
  flags: Flags,
  names: readonly string[],
): { readonly address: string | undefined; readonly words: Record<string, string> } {
  const { implementation } = tripleFlags('');
  const first = text(flags, 'address');
  const given = names.map((name) => text(flags, name));
  const byFlags = flags[implementation] !== undefined;
  const isFull = names.length === 0 || given.at(-1) !== undefined;
  if (byFlags && first !== undefined && (looksLikeAddress(first) || isFull))
    throw usage(`give ${shown(first)} or --${implementation} …, not both`);
  const shifted = byFlags ? [first, ...given] : given;
  const words = names.flatMap((name, index) => {
    const word = shifted[index];
    if (word === undefined) return [];
    // A word that is an address may hold a password, and most messages name the word.
    if (!FREE_WORDS.has(name) && looksLikeAddress(word))
      throw usage(`${shown(word)} is not a ${name}`, 'give the address once, as the first word');
    return [[name, word] as const];
  });
  return { address: byFlags ? undefined : first, words: Object.fromEntries(words) };
}

/** Words that may well look like an address. */
const FREE_WORDS: ReadonlySet<string> = new Set(['file', 'pattern']);

/** A word that a command cannot do without. Usage. */
export function needed(words: Readonly<Record<string, string>>, name: string): string {
  const word = words[name];
  if (word === undefined || word === '') throw usage(`no ${name} is given`);
  return word;
}

/** A list with commas, as Vitess's flags have it. Empty when it is not given. */
export function listed(flags: Flags, name: string): string[] {
  return splitList(text(flags, name), `--${name}`);
}

/** The names in a list with commas. Usage for an empty one among them. */
export function splitList(value: string | undefined, named: string): string[] {
  if (value === undefined) return [];
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw usage(`${named} has an empty name in it`, 'separate names by one comma');
  return names;
}
