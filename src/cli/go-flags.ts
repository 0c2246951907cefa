import { shown, usage } from './flags.js';
import { parseBoolean } from './switches.js';

/** Flags of a command line as Go programs read it, by name; what each takes. */
export type GoFlags = Readonly<Record<string, 'text' | 'switch' | 'number'>>;

/** A command line, taken apart. */
export interface GoArgs {
  readonly words: readonly string[];
  /** Whether a flag is given at all. */
  has(name: string): boolean;
  /** A flag that takes text; empty when it is not given. */
  text(name: string): string;
  /** A flag that takes a whole number; 0 when it is not given. */
  number(name: string): number;
  /** A flag that takes nothing, or `=true` and `=false`. */
  isOn(name: string): boolean;
  /** A list with commas; empty when it is not given. */
  list(name: string): string[];
}

/**
 * Reads a command line as Go's flag package does: one dash or two, the value behind `=` or as the next argument whatever it
 * begins with, and none as the next argument for a switch; `_` and `-` in names are the same, flags may stand behind words,
 * and `--` ends them. Usage for an unknown flag, one given twice, and a value that is missing or wrong.
 */
export function parseGoFlags(args: readonly string[], flags: GoFlags): GoArgs {
  const given = new Map<string, string>();
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      words.push(...args.slice(at + 1));
      break;
    }
    const [, name, assigned] = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) {
      words.push(arg);
      continue;
    }
    const known = name.replaceAll('_', '-');
    const kind = flags[known];
    if (kind === undefined) throw usage(`unknown flag -${name}`, knownFlags(flags));
    if (given.has(known)) throw usage(`-${name} is given twice`);
    const value = assigned ?? (kind === 'switch' ? 'true' : args[++at]);
    given.set(known, checked(name, kind, value));
  }
  return {
    words,
    has: (name) => given.has(name),
    text: (name) => given.get(name) ?? '',
    number: (name) => Number(given.get(name) ?? 0),
    isOn: (name) => given.get(name) === 'true',
    list: (name) => splitCommas(name, given.get(name)),
  };
}

function checked(name: string, kind: 'text' | 'switch' | 'number', value: string | undefined): string {
  if (value === undefined) throw usage(`-${name} needs a value`);
  if (kind === 'switch') return String(parseBoolean(value, `-${name}`));
  if (kind === 'number' && !/^\d{1,9}$/.test(value)) throw usage(`-${name} ${shown(value)} is not a number`);
  return value;
}

function splitCommas(name: string, value: string | undefined): string[] {
  if (value === undefined || value === '') return [];
  const parts = value.split(',').map((part) => part.trim());
  if (parts.includes('')) throw usage(`-${name} has an empty name in it`, 'separate names by one comma');
  return parts;
}

function knownFlags(flags: GoFlags): string {
  const names = Object.keys(flags).map((name) => `-${name.replaceAll('-', '_')}`);
  return names.length === 0 ? 'the command takes no flags' : `there are ${names.join(', ')}`;
}
