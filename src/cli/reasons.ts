import type { Need } from '../editing/effects.js';
import type { Reason } from '../editing/judge.js';
import type { Io } from './io.js';
import { byReason, listLines, printable } from './lists.js';

const SAID: Readonly<Record<Need, string>> = {
  nothing: '',
  yes: ' (needs --yes)',
  force: ' (needs --yes --force)',
};

/** What a running cluster makes of planned changes, for people: each reason once, with the records that it is about. */
export function reasonsText(io: Io, reasons: readonly Reason[]): string[] {
  if (reasons.length === 0) return [];
  const marked = reasons.map((each) => ({ ...each, reason: `${printable(each.reason)}${SAID[each.needs]}` }));
  return [
    io.colors.yellow('to be weighed:'),
    ...[...byReason(marked)].flatMap(([reason, records]) => listLines(io, reason, records)),
  ];
}
