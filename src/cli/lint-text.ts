import type { LintedStore } from '../lint/lint.js';
import { Exit } from './exit.js';
import { findingLines } from './finding-text.js';
import { count, type Io } from './io.js';
import type { LintFindings } from './lint-findings.js';
import { listLines } from './lists.js';

/** What was found, for people: the worst first, then what is ignored, the sum last. */
export function lintText(
  io: Io,
  found: LintFindings,
  stores: readonly LintedStore[],
  target: string,
): string {
  const { bold, dim } = io.colors;
  const { address } = found.view;
  const ignored = found.ignored.map(
    ({ id, scope, path, what }) =>
      `${id} ${[scope, path].filter((part) => part !== undefined).join(':')}: ${what}`,
  );
  return [
    bold(`lint ${address}, as Vitess ${target} reads it`),
    ...findingLines(io, found.kept),
    ...found.more.map(([id, number]) => dim(`and ${number.toLocaleString('en-US')} more of ${id} (--limit)`)),
    ...listLines(io, 'ignored, as asked', ignored),
    sum(io, found, stores),
  ].join('\n');
}

function sum(io: Io, { counts }: LintFindings, stores: readonly LintedStore[]): string {
  const { bold, green, red, yellow } = io.colors;
  const records = stores.reduce((all, store) => all + store.records, 0);
  const looked = `${count(records, 'record')} of ${count(stores.length, 'store')}`;
  const parts = [
    ...(counts.error === 0 ? [] : [red(count(counts.error, 'error'))]),
    ...(counts.warn === 0 ? [] : [yellow(count(counts.warn, 'warning'))]),
    ...(counts.note === 0 ? [] : [count(counts.note, 'note')]),
    ...(counts.ignored === 0 ? [] : [`${counts.ignored.toLocaleString('en-US')} ignored`]),
  ];
  return bold(`${parts.length === 0 ? green('nothing found') : parts.join(', ')} in ${looked}`);
}

/** The sum of what was found, for programs. */
export function lintVerdict(found: LintFindings, stores: readonly LintedStore[], target: string): object {
  const { view, counts, ids, more, fails } = found;
  return {
    command: 'lint',
    address: view.address,
    target,
    failOn: view.failOn,
    fails,
    counts,
    ids: Object.fromEntries(ids),
    more: Object.fromEntries(more),
    stores,
  };
}

/** What was found, for programs: schema/lint.schema.json. */
export function lintJson(found: LintFindings, stores: readonly LintedStore[], target: string): object {
  return { ...lintVerdict(found, stores, target), findings: found.kept, ignored: found.ignored };
}

/** 3: a cell cannot be read; 1: something counts. */
export function lintExit(found: LintFindings): Exit {
  const unread = (found.ids.get('cell-unreachable') ?? 0) > 0;
  if (unread && !found.view.ignore.has('cell-unreachable')) return Exit.Store;
  return found.fails ? Exit.Different : Exit.Ok;
}
