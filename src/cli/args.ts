import { REPEATABLE, usage } from './flags.js';
import { parseBoolean, SWITCHES } from './switches.js';

const SHARED_SWITCHES: ReadonlySet<string> = new Set(Object.keys(SWITCHES));

/**
 * Brings arguments into the one spelling yargs understands. Go programs, Vitess among them, take one dash or two and
 * treat `_` and `-` in flag names alike, so `-from_root`, `--from_root` and `--from-root` all become `--from-root`; and
 * they take `1`, `t`, `T`, `true`, `TRUE`, `True` and their opposites for a boolean flag, which become `true` and `false`.
 * Single letters (`-l`, several as `-lR`), negative numbers, `-` itself, and everything after `--` stay as they are.
 * `switches`: names and letters of all boolean flags. Usage when one is given any other value, and when a flag is given twice that takes one value.
 */
export function normaliseArgs(
  args: readonly string[],
  switches: ReadonlySet<string> = SHARED_SWITCHES,
): string[] {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  const rest = end < 0 ? [] : args.slice(end);
  const seen = new Set<string>();
  const spelt = flags.flatMap((arg) => apart(arg, switches)).map((arg) => normaliseArg(arg, seen, switches));
  return [...spelt, ...rest];
}

/** Letters that are switches may be written together, as in `ls -lR`. */
function apart(arg: string, switches: ReadonlySet<string>): string[] {
  const [, letters = ''] = /^-([A-Za-z]{2,})$/.exec(arg) ?? [];
  const together = letters !== '' && [...letters].every((letter) => switches.has(letter));
  return together && !switches.has(letters) ? [...letters].map((letter) => `-${letter}`) : [arg];
}

function normaliseArg(arg: string, seen: Set<string>, switches: ReadonlySet<string>): string {
  const match = /^--?([A-Za-z][A-Za-z0-9_-]*)(=.*)?$/s.exec(arg);
  const [, given, value] = match ?? [];
  if (given === undefined) return arg;
  const name = canonicalName(given.replaceAll('_', '-'));
  if (seen.has(name) && !REPEATABLE.has(name)) throw usage(`--${name} is given twice`);
  seen.add(name);
  const spelt = given.length === 1 ? `-${name}` : `--${name}`;
  if (value === undefined) return given.length === 1 ? arg : spelt;
  const said = value.slice(1);
  return `${spelt}=${switches.has(name) ? parseBoolean(said, spelt) : said}`;
}

/** Names that older releases of Vitess had, by what follows the side. */
const RENAMED: Readonly<Record<string, string>> = { 'topo-etcd-lease-duration': 'topo-etcd-lease-ttl' };

function canonicalName(name: string): string {
  const [, side = '', rest = name] = /^(from-|to-)?(.*)$/s.exec(name) ?? [];
  return `${side}${RENAMED[rest] ?? rest}`;
}
