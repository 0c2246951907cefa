import { atLeast } from '../verify/classes.js';
import type { Difference, VerifyReport } from '../verify/report.js';
import type { Authority } from '../verify/settle.js';
import { WRITES } from './entries.js';
import type { RecordPaths } from './parts.js';
import type { Plan } from './plan.js';
import { stop } from './stop.js';

/** A record that differs and that a copy does not make equal, and why. */
export interface Unmended {
  readonly scope: string;
  readonly path: string;
  readonly reason: string;
}

/** The differences that a repair is about: those that nothing excuses. */
export function toRepair({ differences }: Pick<VerifyReport, 'differences'>): readonly Difference[] {
  return differences.filter((each) => atLeast(each.class, 'stale'));
}

/** The paths of some records, by scope. */
export function pathsOf(records: readonly Pick<Difference, 'scope' | 'path'>[]): RecordPaths {
  const paths = new Map<string, Set<string>>();
  for (const { scope, path } of records) paths.set(scope, (paths.get(scope) ?? new Set()).add(path));
  return paths;
}

/** What of the records that were asked for a plan does not write, and why. Pure. */
export function unmended(wanted: RecordPaths, { scopes }: Plan): Unmended[] {
  const plans = new Map(scopes.map((scope) => [scope.scope, scope]));
  return [...wanted].flatMap(([scope, paths]) => {
    const entries = new Map([...(plans.get(scope)?.entries ?? [])].map((entry) => [entry.path, entry]));
    const otherwise = plans.has(scope) ? SAME : NO_PART;
    return [...paths].flatMap((path): Unmended[] => {
      const entry = entries.get(path);
      if (entry !== undefined && WRITES.has(entry.action)) return [];
      if (entry?.action !== 'extra') return [{ scope, path, reason: entry?.reason ?? otherwise }];
      return [{ scope, path, reason: entry.kind === 'CellInfo' ? EXTRA_CELL : EXTRA }];
    });
  });
}

/**
 * Refuses to write over what is not as it was compared, and to delete what the authority had then (Guard): the comparison says nothing
 * of either. What the authority wrote since goes with the repair.
 */
export function checkAsCompared(wanted: readonly Difference[], { scopes }: Plan, authority: Authority): void {
  const compared = new Map(wanted.map((each) => [`${each.scope}:${each.path}`, each.versions]));
  const moved = scopes.flatMap((plan) =>
    [...plan.writes()].flatMap(({ path, action, destination }) => {
      const place = `${plan.scope}:${path}`;
      const versions = compared.get(place);
      const isSame = versions?.[otherThan(authority)] === destination;
      const isGone = action === 'delete' && versions?.[authority] !== undefined;
      return isSame && !isGone ? [] : [place];
    }),
  );
  stop(
    'records are not as they were compared any more',
    moved,
    'somebody wrote meanwhile: run the same command again, it compares first',
  );
}

/**
 * Refuses to take back what moved since the baseline in the side that is not the authority, where the authority stood still (Guard):
 * after a cutover that side is right.
 */
export function checkDirection(wanted: readonly Difference[], authority: Authority): void {
  const other = otherThan(authority);
  const taken = wanted.filter(({ since }) => since?.[other] === true && since[authority] === false);
  stop(
    `the ${other} moved on since the baseline where the ${authority} did not`,
    taken.map(({ scope, path }) => `${scope}:${path}`),
    turnRound(authority),
  );
}

/** What to do where the sides may be confused. */
export function turnRound(authority: Authority): string {
  const flag = authority === 'source' ? 'to' : 'from';
  return `the side in use is the one that is right: if it is the ${otherThan(authority)}, add --authority ${flag}; to write the ${authority}’s records over it all the same, add --allow-older`;
}

function otherThan(authority: Authority): Authority {
  return authority === 'source' ? 'destination' : 'source';
}

const EXTRA = 'only the side that is not the authority has it: --delete deletes it';
const EXTRA_CELL =
  'only the side that is not the authority has this cell, and a copy deletes none: topo2topo cell remove does';
const SAME = 'it is as a copy would make it by now';
const NO_PART = 'the authority has no such cell';
