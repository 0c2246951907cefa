import { formatAddress } from '../topo/address.js';
import { CLASSES, type Class } from '../verify/classes.js';
import type { Selection } from '../verify/narrowing.js';
import type { ClassedField, Difference, Note, VerifyReport } from '../verify/report.js';
import { decide, FAIL_ON } from '../verify/verdict.js';
import { Exit } from './exit.js';
import { count, type Io, table } from './io.js';
import { printable, reasonLines } from './lists.js';
import { type Pair, pairTitle } from './topologies.js';
import { lossLines } from './transcoded-text.js';

/** The exit code of a comparison; `failOn`: the class from which on a difference counts. */
export function verifyExit(report: VerifyReport, failOn?: Class): Exit {
  switch (decide(report, failOn)) {
    case 'different':
      return Exit.Different;
    case 'inconclusive':
      return Exit.Inconclusive;
    default:
      return Exit.Ok;
  }
}

/** How a comparison is shown. */
export interface VerifyView {
  /** The class from which on a difference counts. */
  readonly failOn?: Class | undefined;
  /** Of both sides; undefined: none was looked for. */
  readonly backups?: readonly ComparedBackup[] | undefined;
}

/** A side that is a backup, which is whole. */
export interface ComparedBackup {
  /** For people. */
  readonly title: string;
  /** For programs. */
  readonly facts: object;
}

/** A comparison, for people. */
export function verifyText(io: Io, pair: Pair, report: VerifyReport, view: VerifyView = {}): string {
  const { bold, dim } = io.colors;
  const backups = (view.backups ?? []).map(({ title }) => printable(title));
  const lines = [...backups, bold(`verify ${pairTitle(pair)}`), verdictLine(io, report, view.failOn)];
  if (report.selection !== undefined) lines.push(io.colors.yellow(selectionText(report.selection)));
  const head = [
    'store',
    'kind',
    'equal',
    'as expected',
    'ignored',
    'different',
    'missing',
    'extra',
    'not compared',
  ];
  lines.push(table(io, head, verifyRows(report)));
  lines.push(...groupedLines(io, report.differences));
  if (report.ignored.length > 0)
    lines.push(
      `ignored, as asked: ${count(report.ignored.length, 'record')}`,
      ...groupedLines(io, report.ignored),
    );
  const accepted = new Set(report.losses.filter((each) => each.class === 'expected').map(({ kind }) => kind));
  lines.push(...lossLines(io, report.losses, accepted));
  const notes = report.notes.map(
    (note) => `${note.scope}:${printable(note.path)} (${NOTE_TITLES[note.type]})`,
  );
  if (notes.length > 0) lines.push(dim(`  as expected: ${notes.join(', ')}`));
  lines.push(...reasonLines(io, 'not compared', notComparedOnce(report)));
  return lines.join('\n');
}

/** What a comparison was narrowed to, and what was not compared at all, in one line. */
export function selectionText({ scopes, kinds, keyspaces, unread }: Selection): string {
  const named = (what: string, names: readonly string[] | undefined) =>
    names === undefined ? [] : [`${what} ${names.map(printable).join(', ')}`];
  const only = [...named('parts', scopes), ...named('kinds', kinds), ...named('keyspaces', keyspaces)];
  return [
    `only ${only.join('; ')}`,
    ...named('not compared at all:', unread.length === 0 ? undefined : unread),
  ].join('; ');
}

function verdictLine(io: Io, report: VerifyReport, failOn: Class | undefined): string {
  const { green, red, yellow } = io.colors;
  const compared = `${count(report.compared, 'record')} compared`;
  const classes = CLASSES.toReversed().flatMap((each) => {
    const found = report.differences.filter((difference) => difference.class === each).length;
    return found === 0 ? [] : [`${found} ${each}`];
  });
  const differences = `${count(report.differences.length, 'difference')}${classes.length === 0 ? '' : ` (${classes.join(', ')})`}`;
  const lost = report.losses.length === 0 ? '' : `, ${lostText(report)}`;
  const of = report.selection === undefined ? '' : ' in a selection';
  switch (decide(report, failOn)) {
    case 'equal':
      return `${green('equal')}${of}: ${compared}, no difference${lost}`;
    case 'accepted':
      return `${yellow('accepted')}${of}: ${differences}, none that counts, ${compared}${lost}`;
    case 'inconclusive':
      return `${yellow('inconclusive')}${of}: ${differences}, ${compared}${lost}`;
    default:
      return `${red('different')}${of}: ${differences}, ${compared}${lost}`;
  }
}

/** How many values are lost, in a few words. */
export function lostText({ losses }: Pick<VerifyReport, 'losses'>): string {
  const refused = losses.filter((each) => each.class === 'loss').length;
  const accepted = refused === 0 ? 'accepted' : `${refused.toLocaleString('en-US')} not accepted`;
  return `${count(losses.length, 'value')} lost (${accepted})`;
}

const NOTE_TITLES: Readonly<Record<Note['type'], string>> = {
  encoding: 'encoded differently',
  address: 'own address',
  elsewhere: 'names another address than the one given for reading, not checked',
};

/** Records that were not compared; one that both sides have is listed once. */
export function notComparedOnce(report: Pick<VerifyReport, 'notCompared'>): VerifyReport['notCompared'] {
  const seen = new Map(
    report.notCompared.map((record) => [`${record.scope}:${record.path}\0${record.reason}`, record]),
  );
  return [...seen.values()];
}

/** One row a kind that is not simply equal; a store's records that are equal share one, which a store without any has as well. */
function verifyRows(report: VerifyReport): (string | number)[][] {
  return report.scopes.flatMap(({ scope, counts }) => {
    const other = [...counts].filter(
      ([, c]) => c.noted + c.ignored + c.different + c.missing + c.extra + c.notCompared > 0,
    );
    const all = [...counts.values()].reduce((sum, c) => sum + c.equal, 0);
    const equal = all - other.reduce((sum, [, c]) => sum + c.equal, 0);
    const rows = other.map(([kind, c]) => [
      scope,
      kind,
      c.equal,
      c.noted,
      c.ignored,
      c.different,
      c.missing,
      c.extra,
      c.notCompared,
    ]);
    if (equal === 0 && rows.length > 0) return rows;
    const name = equal === 0 ? 'nothing' : other.length === 0 ? 'all' : 'all others';
    return [...rows, [scope, name, equal, 0, 0, 0, 0, 0, 0]];
  });
}

/** Differences under headings of their store, keyspace and kind. */
function groupedLines(io: Io, differences: readonly Difference[]): string[] {
  let heading = '';
  return differences.flatMap((difference) => {
    const { scope, keyspace, kind } = difference;
    const here = [scope, keyspace, kind]
      .flatMap((part) => (part === undefined ? [] : [printable(part)]))
      .join(' · ');
    const lines = differenceLines(io, difference);
    if (here === heading) return lines;
    heading = here;
    return [io.colors.dim(here), ...lines];
  });
}

function differenceLines(io: Io, difference: Difference): string[] {
  const { bold, dim, green, red, yellow } = io.colors;
  const mark = { missing: red('- missing'), extra: green('+ extra'), different: yellow('~ different') }[
    difference.type
  ];
  const detail = difference.detail === undefined ? '' : dim(` (${difference.detail})`);
  const place = bold(`${difference.scope}:${printable(difference.path)}`);
  return [
    `${mark} ${place} ${classText(io, difference.class)}${detail}`,
    ...sinceLines(io, difference),
    ...difference.fields.flatMap((field) => fieldLines(io, field)),
  ];
}

function sinceLines(io: Io, { since }: Difference): string[] {
  if (since === undefined) return [];
  const sides = (['source', 'destination'] as const).filter((side) => since[side]);
  return [
    io.colors.dim(`    since the baseline: ${sides.length === 0 ? 'nothing' : sides.join(' and ')} changed`),
  ];
}

const WIDTH = 80;

/** A field on one line, or, where that is too narrow, on three. */
function fieldLines(io: Io, field: ClassedField): string[] {
  const { green, red } = io.colors;
  const [path, a, b] = [field.path, field.a ?? '(absent)', field.b ?? '(absent)'].map(printable);
  const end = classText(io, field.class);
  if (`    ${path}: ${a} → ${b} ${field.class}`.length <= WIDTH)
    return [`    ${path}: ${red(`${a}`)} → ${green(`${b}`)} ${end}`];
  return [`    ${path}: ${end}`, `      ${red(`- ${a}`)}`, `      ${green(`+ ${b}`)}`];
}

function classText(io: Io, found: Class): string {
  return found === 'dangerous' ? io.colors.red(found) : io.colors.dim(found);
}

/** A comparison, for programs: schema/verify.schema.json. */
export function verifyJson(
  pair: Pair,
  report: VerifyReport,
  { failOn, backups = [] }: VerifyView = {},
): object {
  return {
    command: 'verify',
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
    kinds: report.selection?.kinds ?? 'all',
    decision: decide(report, failOn),
    failOn: failOn ?? FAIL_ON,
    ...(backups.length === 0 ? {} : { backups: backups.map(({ facts }) => facts) }),
    ...report,
  };
}
