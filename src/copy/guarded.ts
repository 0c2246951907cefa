import { parentPath } from '../topo/paths.js';
import { GLOBAL } from '../topo/topology.js';
import { NORMAL_EXTRA } from './decide.js';
import { DELETES, type Entry } from './entries.js';
import type { Finding } from './findings.js';
import type { Plan, ScopePlan } from './plan.js';

/** Cells whose store of the source holds nothing. */
export function emptyCells(scopes: readonly ScopePlan[]): string[] {
  return scopes
    .filter((scope) => scope.scope !== GLOBAL && scope.read === 0)
    .map((scope) => `cell ${scope.scope} (${scope.from})`);
}

/** Locks that others hold in the source. `ownLocks`: directories whose locks the caller holds. */
export function heldLocks(scopes: readonly ScopePlan[], ownLocks: ReadonlySet<string> | undefined): string[] {
  const isOwn = (path: string) => ownLocks?.has(parentPath(path)) === true;
  return scopes.flatMap((scope) =>
    named(
      scope,
      scope.skipped(),
      ({ kind, source, path }) => kind === 'Lock' && source !== undefined && !isOwn(path),
    ),
  );
}

/** Records of the destination that the source lacks, and that are not there as in any destination that was prepared. */
export function extraRecords(scopes: readonly ScopePlan[]): string[] {
  return scopes.flatMap((scope) => named(scope, scope.extra(), ({ reason }) => reason !== NORMAL_EXTRA));
}

/** Tablets that Shards name as their primaries, and that the plan would delete. */
export function deletedPrimaries({ scopes, primaries: others = new Set() }: Plan): string[] {
  const primaries = new Set([...others, ...scopes.flatMap((scope) => [...scope.primaries])]);
  const isPrimary = ({ kind, path }: Entry) => kind === 'Tablet' && primaries.has(path.split('/')[1] ?? '');
  return scopes.flatMap((scope) => named(scope, scope.writes(DELETES), isPrimary));
}

/** Some entries of a part, as `scope:path`. */
export function named(
  scope: ScopePlan,
  entries: Iterable<Entry>,
  which: (entry: Entry) => boolean,
): string[] {
  const found: string[] = [];
  for (const entry of entries) if (which(entry)) found.push(`${scope.scope}:${entry.path}`);
  return found;
}

/** Records with which something of this kind is the matter, and what. */
export function found(
  scopes: readonly Pick<ScopePlan, 'scope' | 'findings'>[],
  which: (finding: Finding) => boolean,
): string[] {
  return scopes.flatMap(({ scope, findings }) =>
    findings.filter(which).map((finding) => findingText(scope, finding)),
  );
}

/** A finding as an objection tells it. */
export function findingText(scope: string, { path, problem, detail }: Finding): string {
  return SENTENCES.has(problem)
    ? `${scope}:${path} (${detail})`
    : `${scope}:${path} is ${problem} (${detail})`;
}

/** Problems of which the detail says all. */
const SENTENCES = new Set<Finding['problem']>(['serving', 'fixed', 'stays', 'not held']);
