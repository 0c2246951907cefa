import type { Argv, Options } from 'yargs';
import type { Flags } from './flags.js';
import type { Io } from './io.js';
import { SWITCHES, type SwitchName } from './switches.js';

/** One command: its words and flags as data, and what it does. */
export interface Command {
  /** Its name, followed by its words as yargs writes them; `$0` for the command without a name. */
  readonly command: string;
  readonly describe: string;
  readonly words?: readonly Word[];
  readonly flags?: readonly FlagSpec[];
  /** Command lines and what they do. */
  readonly examples?: readonly (readonly [line: string, does: string])[];
  /** Whether a command line of the user's own follows after `--`. */
  readonly startsProgram?: true;
  /** Usage for flags of the command line itself that make no sense together; those of other layers may be meant for other commands. */
  check?(given: Flags): void;
  /** Throws, or answers with the exit code. */
  run(flags: Flags, io: Io, signal: AbortSignal): Promise<number>;
}

/** A command that is only the first word of others. */
export interface CommandGroup {
  readonly command: string;
  readonly describe: string;
  readonly commands: readonly Command[];
}

/** A word of a command line that is known by its place. */
export interface Word {
  readonly name: string;
  readonly describe: string;
}

/** A flag of a command. It can also come from the environment and, where it is an option, from the migration file. */
export interface FlagSpec {
  readonly name: string;
  readonly describe: string;
  readonly kind: 'text' | 'number' | 'switch';
  /** The values it takes; absent: any. */
  readonly choices?: readonly string[];
  /** Its value when nobody gives one. */
  readonly preset?: string | number;
  /** May be given several times. */
  readonly many?: true;
  /** Heading in the help. Default: that of options. */
  readonly group?: string;
  /** Shown after all others. */
  readonly last?: true;
  readonly hidden?: true;
  /** Counts on the command line alone: nobody is to do by an old setting what it allows. */
  readonly spoken?: true;
  readonly alias?: string;
}

/** A flag that takes text. */
export function textFlag(name: string, describe: string, more: Partial<FlagSpec> = {}): FlagSpec {
  return { name, describe, kind: 'text', ...more };
}

/** Boolean flags. */
export function switchFlags(...names: SwitchName[]): FlagSpec[] {
  return names.map((name) => ({ name, describe: SWITCHES[name], kind: 'switch' }));
}

/** Boolean flags that have a letter, too. */
export function letterFlags(letters: Readonly<Partial<Record<SwitchName, string>>>): FlagSpec[] {
  return Object.entries(letters).map(([name, alias]) => ({
    name,
    describe: SWITCHES[name as SwitchName],
    kind: 'switch',
    alias,
  }));
}

/** Declares words, flags and examples; the help lists flags in alphabetical order under each heading. */
export function declare(yargs: Argv, { words = [], flags = [], examples = [] }: Command): Argv {
  let declared = yargs;
  for (const { name, describe } of words) declared = declared.positional(name, { type: 'string', describe });
  for (const spec of flags.toSorted(inHelp)) declared = declared.option(spec.name, optionOf(spec));
  for (const [line, does] of examples) declared = declared.example(line, does);
  return declared;
}

function inHelp(a: FlagSpec, b: FlagSpec): number {
  const rank = (spec: FlagSpec) => (spec.last === true ? 2 : spec.group === undefined ? 1 : 0);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

/**
 * No yargs default: a default could not be told from a value that was given, which wins over the environment and the
 * migration file.
 */
function optionOf(spec: FlagSpec): Options {
  const { describe, kind, choices, preset, group = 'Options:', alias } = spec;
  return {
    describe,
    ...(kind === 'switch' ? { type: 'boolean' } : { type: kind === 'number' ? 'number' : 'string' }),
    ...(kind === 'switch' || spec.many === true ? {} : { requiresArg: true }),
    ...(spec.many === true ? { array: true, nargs: 1 } : {}),
    ...(choices === undefined ? {} : { choices }),
    ...(preset === undefined ? {} : { defaultDescription: String(preset) }),
    group,
    ...(alias === undefined ? {} : { alias }),
    ...(spec.hidden === true ? { hidden: true } : {}),
  };
}
