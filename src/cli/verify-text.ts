import { formatAddress } from '../topo/address.js';
import type { FieldDifference } from '../topo/diff.js';
import type { Kind } from '../topo/kinds.js';
import type { Difference, Note, VerifyReport } from '../verify/report.js';
import { Exit } from './exit.js';
import { count, type Io, table } from './io.js';
import { printable, reasonLines } from './lists.js';
import { kindsTitle, type Pair, pairTitle } from './topologies.js';

/** The exit code of a comparison. */
export function verifyExit(report: VerifyReport): Exit {
  return report.equal ? Exit.Ok : Exit.Different;
}

/** A comparison, for people. */
export function verifyText(
  io: Io,
  pair: Pair,
  report: VerifyReport,
  kinds: ReadonlySet<Kind> | undefined,
): string {
  const { bold, dim, green, red } = io.colors;
  const verdict = report.equal
    ? `${green('equal')}: ${count(report.compared, 'record')} compared, no difference`
    : `${red('different')}: ${count(report.differences.length, 'difference')}, ${count(report.compared, 'record')} compared`;
  const lines = [bold(`verify ${pairTitle(pair)}`), verdict];
  if (kinds !== undefined) lines.push(`only ${kindsTitle(kinds)} compared`);
  const head = ['store', 'kind', 'equal', 'as expected', 'different', 'missing', 'extra', 'not compared'];
  lines.push(table(io, head, verifyRows(report)));
  for (const difference of report.differences) lines.push(...differenceLines(io, difference));
  const notes = report.notes.map(
    (note) => `${note.scope}:${printable(note.path)} (${NOTE_TITLES[note.type]})`,
  );
  if (notes.length > 0) lines.push(dim(`  as expected: ${notes.join(', ')}`));
  lines.push(...reasonLines(io, 'not compared', notComparedOnce(report)));
  return lines.join('\n');
}

const NOTE_TITLES: Readonly<Record<Note['type'], string>> = {
  encoding: 'encoded differently',
  address: 'own address',
  elsewhere: 'names another address than the one given for reading, not checked',
};

/** Records that were not compared; one that both sides have is listed once. */
function notComparedOnce(report: VerifyReport): VerifyReport['notCompared'] {
  const seen = new Map(
    report.notCompared.map((record) => [`${record.scope}:${record.path}\0${record.reason}`, record]),
  );
  return [...seen.values()];
}

/** One row a kind that is not simply equal; a store's records that are equal share one, which a store without any has as well. */
function verifyRows(report: VerifyReport): (string | number)[][] {
  return report.scopes.flatMap(({ scope, counts }) => {
    const other = [...counts].filter(
      ([, c]) => c.noted + c.different + c.missing + c.extra + c.notCompared > 0,
    );
    const all = [...counts.values()].reduce((sum, c) => sum + c.equal, 0);
    const equal = all - other.reduce((sum, [, c]) => sum + c.equal, 0);
    const rows = other.map(([kind, c]) => [
      scope,
      kind,
      c.equal,
      c.noted,
      c.different,
      c.missing,
      c.extra,
      c.notCompared,
    ]);
    if (equal === 0 && rows.length > 0) return rows;
    const name = equal === 0 ? 'nothing' : other.length === 0 ? 'all' : 'all others';
    return [...rows, [scope, name, equal, 0, 0, 0, 0, 0]];
  });
}

function differenceLines(io: Io, difference: Difference): string[] {
  const { bold, dim, green, red, yellow } = io.colors;
  const mark = { missing: red('- missing'), extra: green('+ extra'), different: yellow('~ different') }[
    difference.type
  ];
  const detail = difference.detail === undefined ? '' : dim(` (${difference.detail})`);
  return [
    `${mark} ${bold(`${difference.scope}:${printable(difference.path)}`)}${detail}`,
    ...difference.fields.map(
      (field) => `    ${field.path}: ${red(side(field, 'a'))} → ${green(side(field, 'b'))}`,
    ),
  ];
}

function side(field: FieldDifference, which: 'a' | 'b'): string {
  return field[which] ?? '(absent)';
}

/** A comparison, for programs. */
export function verifyJson(pair: Pair, report: VerifyReport, kinds: ReadonlySet<Kind> | undefined): object {
  return {
    command: 'verify',
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
    kinds: kinds === undefined ? 'all' : [...kinds],
    ...report,
  };
}
