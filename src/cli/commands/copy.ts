import type { Argv } from 'yargs';
import { applyCopy, type CopyOptions, planCopy } from '../../copy/copy.js';
import type { Finding, KindCounts, Plan, SkipStep } from '../../copy/plan.js';
import { formatAddress } from '../../topo/address.js';
import type { Kind } from '../../topo/kinds.js';
import type { Flags } from '../addresses.js';
import { Exit } from '../exit.js';
import { count, type Io, json, size, table } from '../io.js';
import { copyProgress } from '../progress.js';
import {
  commonFlags,
  kindsTitle,
  type Pair,
  pairFlags,
  pairTitle,
  pairWords,
  withPair,
} from '../topologies.js';
import { runVerify } from './verify.js';

export const copyCommand = {
  command: 'copy [source] [destination]',
  describe: 'copy a whole topology to another store; writes only what differs',
  builder: (yargs: Argv) => copyFlags(commonFlags(pairFlags(pairWords(yargs)))),
  run: (flags: Flags, io: Io, signal: AbortSignal) => runCopy(flags, io, signal, undefined),
};

/** Flags of copying. */
export function copyFlags(yargs: Argv): Argv {
  return yargs
    .option('dry-run', { type: 'boolean', default: false, describe: 'show the plan, write nothing' })
    .option('verify', { type: 'boolean', default: false, describe: 'compare both sides afterwards' })
    .option('allow-empty-cells', {
      type: 'boolean',
      default: false,
      describe: 'accept cells whose store holds nothing',
    })
    .example(
      '$0 copy zk2://zk1:2181/vitess/global etcd2://etcd1:2379/vitess/global --to-cell-root "/vitess/{cell}"',
      'everything, all cells on the destination’s servers',
    )
    .example('$0 copy --from zk2://zk1/vitess/global --to file:./backup.topo', 'a backup');
}

/** Plans, shows, and (unless `--dry-run`) applies. `kinds` undefined: everything. */
export async function runCopy(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<Exit> {
  const text = flags['output'] !== 'json';
  const dryRun = flags['dry-run'] === true;
  const started = Date.now();
  const exit = await withPair(flags, io, dryRun ? 'compare' : 'write', async (pair) => {
    const progress = copyProgress(io, text);
    const options: CopyOptions = {
      source: pair.source,
      destination: pair.destination,
      rule: pair.rule,
      kinds,
      overrules: { emptyCells: flags['allow-empty-cells'] === true },
      concurrency: Number(flags['concurrency']),
      onProgress: progress.update,
      signal,
    };
    try {
      const plan = await planCopy(options);
      progress.pause();
      if (text) io.out(planText(io, pair, plan, kinds));
      if (dryRun) {
        io.out(text ? dryRunText(io, plan) : json(copyJson(pair, plan, undefined, kinds)));
        return Exit.Ok;
      }
      const result = await applyCopy(plan, options);
      progress.stop();
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      if (text)
        io.out(
          `${io.colors.green('done')} wrote ${count(result.written, 'record')}, ${size(result.bytes)}, in ${seconds} s`,
        );
      else io.out(json(copyJson(pair, plan, result.written, kinds)));
      return Exit.Ok;
    } finally {
      progress.stop();
    }
  });
  if (exit === Exit.Ok && !dryRun && flags['verify'] === true) return runVerify(flags, io, signal, kinds);
  if (text && !dryRun)
    io.out(`next: compare both sides with ${io.colors.bold('topo2topo verify')} and the same addresses`);
  return exit;
}

function planText(io: Io, pair: Pair, plan: Plan, kinds: ReadonlySet<Kind> | undefined): string {
  const { bold, dim } = io.colors;
  const lines = [bold(`copy ${pairTitle(pair)}`)];
  if (kinds !== undefined) lines.push(`only ${kindsTitle(kinds)}; all other kinds are left out`);
  for (const cell of plan.cells) lines.push(dim(`  cell ${cell.name} → ${formatAddress(cell.address)}`));
  lines.push(
    table(
      io,
      ['store', 'kind', 'create', 'update', 'same', 'left out', 'only there', 'bytes'],
      planRows(plan),
    ),
  );
  lines.push(...noticeLines(io, plan));
  return lines.join('\n');
}

/** One row a kind that has something to do; what is the same or left out shares a row in each store. */
function planRows(plan: Plan): (string | number)[][] {
  return plan.scopes.flatMap(({ scope, counts }) => {
    const isBusy = (c: KindCounts) => c.create + c.update + c.extra > 0;
    const busy = [...counts].filter(([, c]) => isBusy(c));
    const others = [...counts.values()].filter((c) => !isBusy(c));
    const rows = busy.map(([kind, c]) => [
      scope,
      kind,
      c.create,
      c.update,
      c.same,
      c.skip,
      c.extra,
      size(c.bytes),
    ]);
    if (others.length === 0) return rows;
    const sum = (field: 'same' | 'skip') => others.reduce((total, c) => total + c[field], 0);
    const name = busy.length === 0 ? 'all' : 'all others';
    return [...rows, [scope, name, 0, 0, sum('same'), sum('skip'), 0, '']];
  });
}

function noticeLines(io: Io, plan: Plan): string[] {
  const findings = plan.scopes.flatMap((scope) =>
    scope.findings.map((finding) => ({ ...finding, scope: scope.scope })),
  );
  const shown = (problem: Finding['problem']) =>
    findings
      .filter((finding) => finding.problem === problem)
      .map((finding) => `${finding.scope}:${finding.path}`);
  const skipped = plan.scopes.flatMap((scope) =>
    scope.skipped.map((step) => ({ ...step, scope: scope.scope })),
  );
  const extra = plan.scopes.flatMap((scope) => scope.extra.map((step) => `${scope.scope}:${step.path}`));
  return [
    ...listLines(io, 'unknown files, copied byte for byte', shown('unknown')),
    ...listLines(
      io,
      io.colors.yellow('records that do not decode, copied byte for byte'),
      shown('undecodable'),
    ),
    ...[...groupByReason(skipped)].flatMap(([reason, paths]) => listLines(io, `left out, ${reason}`, paths)),
    ...listLines(io, io.colors.yellow('only in the destination, left alone'), extra),
  ];
}

function groupByReason(skipped: readonly (SkipStep & { scope: string })[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { reason, scope, path } of skipped)
    groups.set(reason, [...(groups.get(reason) ?? []), `${scope}:${path}`]);
  return groups;
}

const LISTED = 10;

function listLines(io: Io, title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more =
    items.length > LISTED
      ? [io.colors.dim(`    and ${items.length - LISTED} more (all with --output json)`)]
      : [];
  return [`  ${title}: ${items.length}`, ...items.slice(0, LISTED).map((item) => `    ${item}`), ...more];
}

function dryRunText(io: Io, plan: Plan): string {
  const writes = plan.scopes.flatMap((scope) =>
    scope.writes.map((step) => ({ ...step, scope: scope.scope })),
  );
  const marks = { create: io.colors.green('+'), update: io.colors.yellow('~') };
  const lines = writes.map(
    (step) => `  ${marks[step.action]} ${step.scope}:${step.path} (${size(step.bytes.byteLength)})`,
  );
  return [
    ...lines,
    `${io.colors.bold('dry run')}: ${count(writes.length, 'record')} would be written, nothing was`,
  ].join('\n');
}

function copyJson(
  pair: Pair,
  plan: Plan,
  written: number | undefined,
  kinds: ReadonlySet<Kind> | undefined,
): unknown {
  return {
    command: 'copy',
    dryRun: written === undefined,
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
    kinds: kinds === undefined ? 'all' : [...kinds],
    cells: plan.cells.map(({ name, address }) => ({ name, address: formatAddress(address) })),
    scopes: plan.scopes.map((scope) => ({
      scope: scope.scope,
      from: scope.from,
      to: scope.to,
      read: scope.read,
      positions: { source: scope.source, destination: scope.destination },
      counts: scope.counts satisfies ReadonlyMap<Kind, KindCounts>,
      writes: scope.writes.map(({ action, path, kind, bytes }) => ({
        action,
        path,
        kind,
        bytes: bytes.byteLength,
      })),
      skipped: scope.skipped,
      extra: scope.extra,
      findings: scope.findings,
    })),
    written: written ?? 0,
  };
}
