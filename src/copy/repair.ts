import { atLeast } from '../verify/classes.js';
import type { Difference, VerifyReport } from '../verify/report.js';
import { WRITES } from './entries.js';
import type { RecordPaths } from './parts.js';
import type { Plan } from './plan.js';

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

const EXTRA = 'only the side that is not the authority has it: --delete deletes it';
const EXTRA_CELL =
  'only the side that is not the authority has this cell, and a copy deletes none: topo2topo cell remove does';
const SAME = 'it is as a copy would make it by now';
const NO_PART = 'the authority has no such cell';
