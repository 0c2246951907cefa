import type { Finding } from '../topo/finding.js';
import type { Io } from './io.js';
import { printable } from './lists.js';

/** How bad a finding of any command can be. */
type Severity = 'stop' | 'error' | 'warn' | 'note';

/** What the commands that find things print of one. */
type Shown = Finding<Severity, string> & { readonly side?: string | undefined };

/** Findings, for people: each with where, what, why it matters, and what to do. */
export function findingLines(io: Io, found: readonly Shown[]): string[] {
  const { red, yellow, dim } = io.colors;
  const marks: Readonly<Record<Severity, string>> = {
    stop: red('stop'),
    error: red('error'),
    warn: yellow('warn'),
    note: dim('note'),
  };
  return found.flatMap(({ severity, id, side, scope, path, what, why, todo }) => {
    const place = [side, scope, path].filter((part) => part !== undefined).map(printable);
    return [
      `${marks[severity]} ${[id, ...place].join(' ')}: ${printable(what)}`,
      dim(`     ${printable(why)}`),
      `     → ${printable(todo)}`,
    ];
  });
}
