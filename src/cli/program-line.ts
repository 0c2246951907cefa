import { looksLikeAddress } from './flags.js';
import { SWITCHES } from './switches.js';

/** Commands behind which a command line of Vitess's stands: `vtctl TOPOLOGY COMMAND …`, `zk -server H COMMAND …`. */
const PROGRAMS: ReadonlySet<string | undefined> = new Set(['vtctl', 'zk']);

/**
 * Puts `--` before the command in the command line of a program of Vitess's: what follows is read as that program reads it,
 * whatever flags of the same names this tool has. Other command lines stay as they are.
 */
export function markProgram(args: readonly string[]): string[] {
  const [first, ...line] = args;
  if (!PROGRAMS.has(first)) return [...args];
  const at = commandAt(line);
  return at < 0 ? [...args] : [...args.slice(0, at + 1), '--', ...line.slice(at)];
}

/** Where the first word is that is neither a flag, nor the value of one, nor an address. */
function commandAt(line: readonly string[]): number {
  for (let at = 0; at < line.length; at++) {
    const arg = line[at] ?? '';
    if (arg === '--') return -1;
    const [, name, value] = /^--?([A-Za-z][\w-]*)(=.*)?$/s.exec(arg) ?? [];
    if (name === undefined) {
      if (!looksLikeAddress(arg)) return at;
    } else if (value === undefined && !isSwitch(name)) at += 1;
  }
  return -1;
}

function isSwitch(name: string): boolean {
  return name === 'h' || Object.hasOwn(SWITCHES, name.replaceAll('_', '-'));
}
