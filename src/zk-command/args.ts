import type { ZkArgs, ZkCommand } from './command.js';
import { usage } from './error.js';
import { fixPath } from './paths.js';

/**
 * Reads the command line of a command as the old tool does: a letter or its long name behind one dash or two, several letters
 * behind one dash, flags before or behind words, `--` before words that look like flags. Usage.
 */
export function parseArgs(command: ZkCommand, args: readonly string[]): ZkArgs {
  const end = args.indexOf('--');
  const words = end < 0 ? [] : args.slice(end + 1);
  const before = end < 0 ? args : args.slice(0, end);
  const on = new Set<string>();
  for (const arg of before.toReversed()) {
    if (/^--?[A-Za-z]/.test(arg)) for (const letter of lettersOf(command, arg)) on.add(letter);
    else words.unshift(arg);
  }
  const [least, most] = command.words;
  if (words.includes('')) throw usage(`${command.name}: a word is empty`, usageLine(command));
  if (words.length < least) throw usage(`${command.name}: no path specified`, usageLine(command));
  if (words.length > most) throw usage(`${command.name}: too many paths`, usageLine(command));
  // Before anything is connected to.
  for (const word of words.slice(command.pathsFrom ?? 0)) fixPath(word);
  return { words, on };
}

/** `write zk ls [-l] PATH…`. */
function usageLine({ name, params }: ZkCommand): string {
  return `write zk ${name} ${params}`;
}

function lettersOf(command: ZkCommand, arg: string): string[] {
  const [, name = '', value] = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(arg) ?? [];
  const known = Object.entries(command.flags);
  const one = known.find(([letter, long]) => name === letter || name.toLowerCase() === long);
  if (value !== undefined && value !== 'true' && value !== 'false')
    throw usage(`${command.name}: -${name} is true or false, and nothing else`);
  if (one !== undefined) return value === 'false' ? [] : [one[0]];
  const together = [...name].every((letter) => Object.hasOwn(command.flags, letter));
  if (together && value === undefined && !arg.startsWith('--')) return [...name];
  const flags = known.map(([letter, long]) => `-${letter} (--${long})`).join(', ');
  throw usage(
    `${command.name}: unknown flag ${arg.replace(/=.*$/s, '')}`,
    flags === '' ? `${command.name} takes no flags` : `there are ${flags}`,
  );
}
