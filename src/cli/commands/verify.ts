import type { Argv } from 'yargs';
import { formatAddress } from '../../topo/address.js';
import type { FieldDifference } from '../../topo/diff.js';
import type { Kind } from '../../topo/kinds.js';
import type { Difference, VerifyReport } from '../../verify/report.js';
import { verify } from '../../verify/verify.js';
import type { Flags } from '../addresses.js';
import { Exit } from '../exit.js';
import { count, type Io, json, table } from '../io.js';
import {
  commonFlags,
  kindsTitle,
  type Pair,
  pairFlags,
  pairTitle,
  pairWords,
  withPair,
} from '../topologies.js';

export const verifyCommand = {
  command: 'verify [source] [destination]',
  describe: 'compare two topologies, both ways, field by field; exit 1 when they differ',
  builder: (yargs: Argv) =>
    commonFlags(pairFlags(pairWords(yargs))).example(
      '$0 verify zk2://zk1:2181/vitess/global etcd2://etcd1:2379/vitess/global',
      'cells are found through each side’s own CellInfo',
    ),
  run: (flags: Flags, io: Io, signal: AbortSignal) => runVerify(flags, io, signal, undefined),
};

/** Compares and shows. `kinds` undefined: everything. */
export async function runVerify(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<Exit> {
  return withPair(flags, io, 'compare', async (pair) => {
    const report = await verify({
      source: pair.source,
      destination: pair.destination,
      kinds,
      concurrency: Number(flags['concurrency']),
      signal,
    });
    io.out(
      flags['output'] === 'json'
        ? json(verifyJson(pair, report, kinds))
        : verifyText(io, pair, report, kinds),
    );
    return report.equal ? Exit.Ok : Exit.Different;
  });
}

function verifyText(io: Io, pair: Pair, report: VerifyReport, kinds: ReadonlySet<Kind> | undefined): string {
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
    (note) =>
      `${note.scope}:${note.path} (${note.type === 'address' ? 'own address' : 'encoded differently'})`,
  );
  if (notes.length > 0) lines.push(dim(`  as expected: ${notes.join(', ')}`));
  return lines.join('\n');
}

/** One row a kind that is not simply equal; a store's records that are equal share one. */
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
    return equal === 0
      ? rows
      : [...rows, [scope, other.length === 0 ? 'all' : 'all others', equal, 0, 0, 0, 0, 0]];
  });
}

function differenceLines(io: Io, difference: Difference): string[] {
  const { bold, dim, green, red, yellow } = io.colors;
  const mark = { missing: red('- missing'), extra: green('+ extra'), different: yellow('~ different') }[
    difference.type
  ];
  const detail = difference.detail === undefined ? '' : dim(` (${difference.detail})`);
  return [
    `${mark} ${bold(`${difference.scope}:${difference.path}`)}${detail}`,
    ...difference.fields.map(
      (field) => `    ${field.path}: ${red(shown(field, 'a'))} → ${green(shown(field, 'b'))}`,
    ),
  ];
}

function shown(field: FieldDifference, side: 'a' | 'b'): string {
  return field[side] ?? '(absent)';
}

function verifyJson(pair: Pair, report: VerifyReport, kinds: ReadonlySet<Kind> | undefined): unknown {
  return {
    command: 'verify',
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
    kinds: kinds === undefined ? 'all' : [...kinds],
    ...report,
  };
}
