import { REPEATABLE, usage } from './flags.js';
import { SWITCHES, type SwitchName } from './switches.js';

/**
 * Brings arguments into the one spelling yargs understands. Go programs, Vitess among them, take one dash or two and
 * treat `_` and `-` in flag names alike, so `-from_root`, `--from_root` and `--from-root` all become `--from-root`; and
 * they take `1`, `t`, `T`, `true`, `TRUE`, `True` and their opposites for a boolean flag, which become `true` and `false`.
 * Single letters (`-l`), negative numbers, `-` itself, and everything after `--` stay as they are.
 * Usage when a boolean flag is given any other value, and when a flag is given twice that takes one value.
 */
export function normaliseArgs(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  const rest = end < 0 ? [] : args.slice(end);
  const seen = new Set<string>();
  return [...flags.map((arg) => normaliseArg(arg, seen)), ...rest];
}

function normaliseArg(arg: string, seen: Set<string>): string {
  const match = /^--?([A-Za-z][A-Za-z0-9_-]*)(=.*)?$/s.exec(arg);
  const [, given, value] = match ?? [];
  if (given === undefined) return arg;
  const name = given.replaceAll('_', '-');
  if (seen.has(name) && !REPEATABLE.has(name)) throw usage(`--${name} is given twice`);
  seen.add(name);
  const spelt = given.length === 1 ? `-${name}` : `--${name}`;
  if (value === undefined) return given.length === 1 ? arg : spelt;
  return `${spelt}=${isSwitch(name) ? normaliseBoolean(name, value.slice(1)) : value.slice(1)}`;
}

function isSwitch(name: string): name is SwitchName {
  return Object.hasOwn(SWITCHES, name);
}

/** The spellings of Go's strconv.ParseBool. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

function normaliseBoolean(name: SwitchName, value: string): boolean {
  const found = BOOLEANS.get(value);
  if (found === undefined) throw usage(`--${name} is true or false, and nothing else`);
  return found;
}
