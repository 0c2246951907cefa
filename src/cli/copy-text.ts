import type { CopyResult, PreparedCopy } from '../copy/copy.js';
import type { Entry, WriteEntry } from '../copy/entries.js';
import type { Finding } from '../copy/findings.js';
import type { KindCounts, Plan, ScopePlan } from '../copy/plan.js';
import { formatAddress } from '../topo/address.js';
import type { Kind } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import { count, type Io, size, table } from './io.js';
import { listLines, printable, reasonLines } from './lists.js';
import { kindsTitle, type Pair, pairTitle } from './topologies.js';
import { transcodedJson, transcodedLines } from './transcoded-text.js';

/** What a copy will do, for people. */
export function planText(
  io: Io,
  pair: Pair,
  prepared: PreparedCopy,
  kinds: ReadonlySet<Kind> | undefined,
): string {
  const { bold, dim, yellow } = io.colors;
  const { plan } = prepared;
  const lines = [bold(`copy ${pairTitle(pair)}`)];
  if (kinds !== undefined) lines.push(...narrowedLines(plan, kinds));
  for (const cell of plan.cells) lines.push(dim(`  cell ${cell.name} → ${formatAddress(cell.address)}`));
  const head = ['store', 'kind', 'create', 'update', 'delete', 'same', 'left out', 'only there', 'bytes'];
  lines.push(table(io, head, planRows(plan)));
  lines.push(...transcodedLines(io, plan), ...noticeLines(io, plan));
  const open = openText(prepared);
  if (open !== undefined) lines.push(`  ${yellow(open)}`);
  return lines.join('\n');
}

function narrowedLines(plan: Plan, kinds: ReadonlySet<Kind>): string[] {
  const left = new Map<Kind, number>();
  for (const { kind, reason } of plan.scopes.flatMap((scope) => [...scope.skipped()]))
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
    const isBusy = (c: KindCounts) => c.create + c.update + c.delete + c.extra > 0;
    const busy = [...counts].filter(([, c]) => isBusy(c));
    const others = [...counts.values()].filter((c) => !isBusy(c));
    const rows = busy.map(([kind, c]) => [
      scope,
      kind,
      c.create,
      c.update,
      c.delete,
      c.same,
      c.skip,
      c.extra,
      size(c.bytes),
    ]);
    if (others.length === 0 && busy.length > 0) return rows;
    const sum = (field: 'same' | 'skip') => others.reduce((total, c) => total + c[field], 0);
    const name = busy.length === 0 ? 'all' : 'all others';
    return [...rows, [scope, name, 0, 0, 0, sum('same'), sum('skip'), 0, '']];
  });
}

/**
 * What a person must know before anything is written: cells that Vitess can start in while records are still missing. Undefined: there
 * are none.
 */
export function openText({ plan, openCells }: PreparedCopy): string | undefined {
  const missing = plan.scopes.flatMap(({ counts }) => [...counts.values()]);
  if (openCells.length === 0 || missing.every(({ create }) => create === 0)) return undefined;
  return `the destination has CellInfo already (${openCells.join(', ')}): a Vitess process that starts there before the copy is done invents what is missing; keep them away until then`;
}

/** What a person should know of the records of a plan: what is unknown, does not decode, is left out … */
export function noticeLines(io: Io, plan: Plan): string[] {
  const { yellow } = io.colors;
  const findings = plan.scopes.flatMap((scope) =>
    scope.findings.map((finding) => ({ ...finding, scope: scope.scope })),
  );
  const found = (problem: Finding['problem']) =>
    findings
      .filter((finding) => finding.problem === problem)
      .map((finding) => `${finding.scope}:${finding.path}`);
  const skipped = plan.scopes.flatMap((scope) =>
    [...scope.skipped()].map(({ path, reason }) => ({ path, reason, scope: scope.scope })),
  );
  const extra = plan.scopes.flatMap((scope) =>
    [...scope.extra()].map(({ path }) => `${scope.scope}:${path}`),
  );
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

/** A line for every record that a copy would write. */
export function writeLines(io: Io, plan: Plan): string[] {
  const { green, yellow, red } = io.colors;
  const marks = {
    create: green('+'),
    update: yellow('~'),
    rewrite: yellow('~'),
    transcode: yellow('*'),
    delete: red('-'),
  };
  return plan.scopes.flatMap((scope) =>
    [...scope.writes()].map(
      ({ action, path, bytes }) =>
        `  ${marks[action]} ${scope.scope}:${printable(path)}${action === 'delete' ? '' : ` (${size(bytes.byteLength)})`}`,
    ),
  );
}

/** Every record that a copy would write, for people. */
export function dryRunText(io: Io, plan: Plan): string {
  const lines = writeLines(io, plan);
  return [
    ...lines,
    `${io.colors.bold('dry run')}: ${count(lines.length, 'record')} would be written, nothing was`,
  ].join('\n');
}

/** What a copy did, for people. */
export function doneText(io: Io, { written, bytes, passes, settled }: CopyResult, ms: number): string {
  const { green, yellow } = io.colors;
  const lines = [
    `${green('done')} wrote ${count(written, 'record')}, ${size(bytes)}, in ${(ms / 1000).toFixed(1)} s`,
  ];
  if (!settled)
    lines.push(
      yellow(
        `the source was still changing when it had been read ${passes} times: copy again before anybody uses the destination`,
      ),
    );
  return lines.join('\n');
}

/** A copy, or with `result` undefined a dry run, for programs. */
export function copyJson(
  pair: Pair,
  plan: Plan,
  result: CopyResult | undefined,
  kinds: ReadonlySet<Kind> | undefined,
): object {
  return {
    command: 'copy',
    dryRun: result === undefined,
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
    kinds: kinds === undefined ? 'all' : [...kinds],
    cells: plan.cells.map(({ name, address }) => ({ name, address: formatAddress(address) })),
    scopes: plan.scopes.map(scopeJson),
    written: result?.written ?? 0,
    ...(result === undefined ? {} : { passes: result.passes, settled: result.settled }),
  };
}

function scopeJson(plan: ScopePlan): object {
  const { scope, from, to, read, source, destination, counts, findings } = plan;
  const named = ({ path, kind, reason }: Entry) => ({ path, kind, reason });
  const write = ({ action, path, kind, bytes }: WriteEntry) => ({
    action,
    path,
    kind,
    bytes: bytes.byteLength,
  });
  return {
    scope,
    from,
    to,
    read,
    positions: { source, destination },
    counts,
    writes: [...plan.writes()].map(write),
    skipped: [...plan.skipped()].map(named),
    extra: [...plan.extra()].map(named),
    findings,
    ...transcodedJson(plan),
  };
}
