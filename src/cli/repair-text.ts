import { toRepair } from '../copy/repair.js';
import { formatAddress } from '../topo/address.js';
import type { Kind } from '../topo/kinds.js';
import type { VerifyReport } from '../verify/report.js';
import type { Authority } from '../verify/settle.js';
import { planText, writeLines } from './copy-text.js';
import { count, type Io } from './io.js';
import { listLines, reasonLines } from './lists.js';
import type { PlannedRepair, Repaired } from './repairing.js';

/** Kinds that `graph rebuild` makes anew. */
const REBUILT: ReadonlySet<Kind> = new Set<Kind>(['SrvKeyspace', 'SrvVSchema']);

/** What a repair will do, for people. */
export function repairText(
  io: Io,
  planned: PlannedRepair,
  report: VerifyReport,
  authority: Authority,
): string {
  const { bold, yellow } = io.colors;
  const wanted = toRepair(report);
  return [
    `${bold('repair')}: ${count(wanted.length, 'differing record')}, from the authority, the ${authority}; nothing else is touched`,
    planText(io, planned.pair, planned.prepared, undefined),
    ...writeLines(io, planned.prepared.plan),
    ...reasonLines(io, yellow('stays different'), planned.left),
    ...listLines(io, yellow('with them goes what was to be ignored in these records'), alsoIgnored(report)),
    ...rebuiltLines(io, planned, report),
  ].join('\n');
}

function rebuiltLines(io: Io, planned: PlannedRepair, report: VerifyReport): string[] {
  const lines = listLines(io, 'derived, and copied as the authority has them', derived(report));
  return lines.length === 0 ? [] : [...lines, `    ${rebuildHint(planned)}`];
}

/** A repair, for programs: `repair` in schema/verify.schema.json. */
export function repairJson(
  repaired: Repaired,
  report: VerifyReport,
  authority: Authority,
  dryRun: boolean,
): object {
  const { pair, prepared, left, toWrite, result } = repaired;
  return {
    authority,
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
    dryRun,
    found: toRepair(report).map(({ scope, path, kind, type, class: found }) => ({
      scope,
      path,
      kind,
      type,
      class: found,
    })),
    writes: prepared.plan.scopes.flatMap((plan) =>
      [...plan.writes()].map(({ action, path, kind, bytes }) => ({
        scope: plan.scope,
        action,
        path,
        kind,
        bytes: bytes.byteLength,
      })),
    ),
    left,
    toWrite,
    written: result?.written ?? 0,
    next: derived(report).length === 0 ? [] : [rebuildHint(repaired)],
  };
}

function derived(report: VerifyReport): string[] {
  return toRepair(report)
    .filter(({ kind }) => REBUILT.has(kind))
    .map(({ scope, path }) => `${scope}:${path}`);
}

function rebuildHint({ pair }: PlannedRepair): string {
  return `where the authority’s are out of date, a rebuild is the cure: topo2topo graph rebuild ${pair.destination.spelled}`;
}

/** Records of which some fields were to be ignored, and others differ: a copy is of whole records. */
function alsoIgnored(report: VerifyReport): string[] {
  const wanted = new Set(toRepair(report).map(({ scope, path }) => `${scope}:${path}`));
  return report.ignored.map(({ scope, path }) => `${scope}:${path}`).filter((place) => wanted.has(place));
}
