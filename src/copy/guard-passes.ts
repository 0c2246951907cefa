import { NORMAL_EXTRA, OWN_KEPT } from './decide.js';
import type { Entry } from './entries.js';
import { deletedPrimaries, named } from './guarded.js';
import { type Overrules, object, PRIMARY_DELETED, PRIMARY_HINT, SHRUNK_HINT } from './guards.js';
import type { Ledger } from './ledger.js';
import type { Objection } from './objection.js';
import type { Plan } from './plan.js';
import { MAY_GO, SHRINK, shrunk } from './shrunk.js';
import { stop, stopFor } from './stop.js';
import type { Tally } from './tally.js';

/** Refuses a source that lost much from one reading to the next (Guard). */
export function checkLost(plan: Plan, before: Plan, overrules: Overrules): void {
  stopFor(losses(plan, before, overrules));
}

function losses(plan: Plan, before: Plan, overrules: Overrules): Objection[] {
  const lastRun = new Map(before.scopes.map(({ scope, tally }) => [scope, tally]));
  return object(
    'shrunk',
    'the source lost more than a tenth while it was copied',
    shrunk(plan.scopes, lastRun, MAY_GO),
    SHRUNK_HINT,
    overrules.shrunk,
  );
}

/**
 * Refuses what a later pass of the same copy finds (Guard): what {@link checkLost} does, and records of the destination that
 * somebody else wrote or deleted since they were ours.
 */
export function checkPass(
  plan: Plan,
  before: Plan,
  parts: readonly { readonly scope: string; readonly ledger: Ledger }[],
  overrules: Overrules,
): void {
  const foreign = plan.scopes.flatMap((scope) => {
    const ledger = parts.find((part) => part.scope === scope.scope)?.ledger;
    return ledger === undefined
      ? []
      : named(scope, scope.entries, (entry) => isForeign(entry, ledger, overrules));
  });
  stopFor([
    ...losses(plan, before, overrules),
    ...object(
      'foreign',
      'somebody else changed records of the destination meanwhile',
      foreign,
      FOREIGN_HINT,
      false,
    ),
    ...object('primary-deleted', PRIMARY_DELETED, deletedPrimaries(plan), PRIMARY_HINT, false),
  ]);
}

/** Refuses a source that somebody wrote to while it was frozen (Guard): `moved`, `SCOPE:PATH` of each record. */
export function checkMoved(moved: readonly string[]): void {
  stop(
    'somebody wrote to the source while it was locked, so nothing is certified',
    moved,
    'not everything that writes minds locks: stop it (vtctld, VTOrc, tools, jobs), copy again, then freeze again',
  );
}

/** Guard when somebody wrote to a source that was only kept. */
export function checkHeld(moved: readonly string[]): void {
  stop(
    'somebody wrote to the source after it was certified, while it was kept',
    moved,
    'the destination lacks these writes: find out who writes to the old store, and freeze again before anything relies on the new one',
  );
}

/** Refuses to delete much at once (Guard): `going`, of what there is by `held`. */
export function checkGoing(scope: string, going: Tally, held: Tally): void {
  const much = [...going.entries()]
    .filter(([part, number]) => number > Math.max(MAY_GO, held.of(part) * SHRINK))
    .map(([part, number]) => `${scope}: ${part}, ${number} of ${held.of(part)}`);
  stop('more than a tenth of the source’s records went at once', much, SHRUNK_HINT);
}

const FOREIGN_HINT =
  'find out who writes to the destination, then run the copy again: what is written already is not written twice';

/** Whether an entry would change what is not ours. */
function isForeign(
  { action, path, destination, reason }: Entry,
  ledger: Ledger,
  overrules: Overrules,
): boolean {
  switch (action) {
    case 'create':
      return ledger.has(path);
    case 'update':
    case 'rewrite':
    case 'transcode':
      return destination === undefined ? ledger.has(path) : !ledger.owns(path, destination);
    case 'extra':
      return overrules.extra !== true && reason !== NORMAL_EXTRA && reason !== OWN_KEPT;
    default:
      return false;
  }
}
