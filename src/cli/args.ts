/**
 * Brings arguments into the one spelling yargs understands. Go programs, Vitess among them, take one dash or two and
 * treat `_` and `-` in flag names alike, so `-from_root`, `--from_root` and `--from-root` all become `--from-root`.
 * Single letters (`-l`), negative numbers, `-` itself, and everything after `--` stay as they are.
 */
export function normaliseArgs(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  const rest = end < 0 ? [] : args.slice(end);
  return [...flags.map(normaliseArg), ...rest];
}

function normaliseArg(arg: string): string {
  const match = /^--?([A-Za-z][A-Za-z0-9_-]+)(=.*)?$/s.exec(arg);
  if (match === null) return arg;
  return `--${match[1]?.replaceAll('_', '-')}${match[2] ?? ''}`;
}
