import type { Finding } from '../copy/findings.js';
import type { KindCounts, Plan } from '../copy/plan.js';
import { formatAddress } from '../topo/address.js';
import type { Kind } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import { count, type Io, size, table } from './io.js';
import { listLines, printable, reasonLines } from './lists.js';
import { kindsTitle, type Pair, pairTitle } from './topologies.js';

/** What a copy will do, for people. */
export function planText(io: Io, pair: Pair, plan: Plan, kinds: ReadonlySet<Kind> | undefined): string {
  const { bold, dim } = io.colors;
  const lines = [bold(`copy ${pairTitle(pair)}`)];
  if (kinds !== undefined) lines.push(...narrowedLines(plan, kinds));
  for (const cell of plan.cells) lines.push(dim(`  cell ${cell.name} → ${formatAddress(cell.address)}`));
  const head = ['store', 'kind', 'create', 'update', 'same', 'left out', 'only there', 'bytes'];
  lines.push(table(io, head, planRows(plan)));
  lines.push(...noticeLines(io, plan));
  return lines.join('\n');
}

function narrowedLines(plan: Plan, kinds: ReadonlySet<Kind>): string[] {
  const left = new Map<Kind, number>();
  for (const { kind, reason } of plan.scopes.flatMap(({ skipped }) => skipped))
    if (reason === 'kind not asked for') left.set(kind, (left.get(kind) ?? 0) + 1);
  const named = [...left].map(([kind, number]) => `${kind} (${number})`).join(', ');
  const lines = [`only ${kindsTitle(kinds)}; left out: ${named === '' ? 'nothing else was read' : named}`];
  if (plan.scopes.every(({ scope }) => scope === GLOBAL))
    lines.push('the cells’ stores, which hold none of these kinds, are left out unread');
  return lines;
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
    if (others.length === 0 && busy.length > 0) return rows;
    const sum = (field: 'same' | 'skip') => others.reduce((total, c) => total + c[field], 0);
    const name = busy.length === 0 ? 'all' : 'all others';
    return [...rows, [scope, name, 0, 0, sum('same'), sum('skip'), 0, '']];
  });
}

function noticeLines(io: Io, plan: Plan): string[] {
  const { yellow } = io.colors;
  const findings = plan.scopes.flatMap((scope) =>
    scope.findings.map((finding) => ({ ...finding, scope: scope.scope })),
  );
  const found = (problem: Finding['problem']) =>
    findings
      .filter((finding) => finding.problem === problem)
      .map((finding) => `${finding.scope}:${finding.path}`);
  const skipped = plan.scopes.flatMap((scope) =>
    scope.skipped.map((step) => ({ ...step, scope: scope.scope })),
  );
  const extra = plan.scopes.flatMap((scope) => scope.extra.map((step) => `${scope.scope}:${step.path}`));
  return [
    ...listLines(io, 'unknown files, copied byte for byte', found('unknown')),
    ...listLines(io, yellow('records that do not decode, copied byte for byte'), found('undecodable')),
    ...listLines(
      io,
      yellow('older than the destination’s, written all the same (--allow-older)'),
      found('older primary'),
    ),
    ...reasonLines(io, 'left out', skipped),
    ...listLines(io, yellow('only in the destination, left alone'), extra),
  ];
}

/** Every record that a copy would write, for people. */
export function dryRunText(io: Io, plan: Plan): string {
  const writes = plan.scopes.flatMap((scope) =>
    scope.writes.map((step) => ({ ...step, scope: scope.scope })),
  );
  const marks = { create: io.colors.green('+'), update: io.colors.yellow('~') };
  const lines = writes.map(
    (step) =>
      `  ${marks[step.action]} ${step.scope}:${printable(step.path)} (${size(step.bytes.byteLength)})`,
  );
  return [
    ...lines,
    `${io.colors.bold('dry run')}: ${count(writes.length, 'record')} would be written, nothing was`,
  ].join('\n');
}

/** A copy, or with `written` undefined a dry run, for programs. */
export function copyJson(
  pair: Pair,
  plan: Plan,
  written: number | undefined,
  kinds: ReadonlySet<Kind> | undefined,
): object {
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
      counts: scope.counts,
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
