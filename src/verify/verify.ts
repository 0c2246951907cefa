import pLimit from 'p-limit';
import { checkApart } from '../topo/apart.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { GLOBAL } from '../topo/topology.js';
import { worstOf } from './classes.js';
import { checkKeyspaces, checkScopes, isRead, selectionOf } from './narrowing.js';
import type { VerifyOptions } from './options.js';
import { inOrder } from './places.js';
import type { VerifyReport } from './report.js';
import { type VerifiedScope, verifyScope } from './scope.js';
import { Sides } from './sides.js';

/**
 * Compares everything in both topologies, both ways: the global parts and every cell that either has. Guard when they
 * are the same place, or when there was nothing to compare: neither is ever "equal".
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { source, destination, signal, deadline } = options;
  const sides = new Sides(source, destination, { signal, deadline });
  const limit = pLimit(options.concurrency);
  const scopes = new Map<string, VerifiedScope>();
  // A cell that came up while the others were read is compared, too.
  let cells: readonly string[] = [];
  for (let found = [GLOBAL]; found.length > 0; ) {
    cells = await sides.names(options.kinds);
    checkScopes(options, cells);
    checkApart(
      { global: source.address, cells: sides.cells.source },
      { global: destination.address, cells: sides.cells.destination },
    );
    found = [GLOBAL, ...cells].filter((scope) => isRead(scope, options) && !scopes.has(scope));
    if (scopes.size === 0) await checkKeyspaces(options, await sides.stores(found), { signal, deadline });
    const read = found.map((scope) => limit(() => verifyScope(scope, sides, options)));
    for (const scope of await Promise.all(read)) scopes.set(scope.report.scope, scope);
  }
  const all = [...scopes.values()];
  if (options.allowEmptyCells !== true) checkNotEmpty(all);
  const selection = selectionOf(options, cells);
  return { ...summarise(all), ...(selection === undefined ? {} : { selection }) };
}

/** Refuses cells in which neither side holds anything (Guard): their addresses may be wrong on both. */
export function checkNotEmpty(scopes: readonly VerifiedScope[]): void {
  const empty = scopes.filter(({ report, records }) => report.scope !== GLOBAL && records === 0);
  if (empty.length === 0) return;
  const named = empty.map(
    ({ report }) => `${report.scope} (${report.source.store}, ${report.destination.store})`,
  );
  throw new TopologyError(ErrorCode.Guard, `nothing is stored on either side for cell ${named.join(', ')}`, {
    hint: 'check the cells’ addresses; if the cells really are empty, add --allow-empty-cells',
  });
}

function summarise(scopes: readonly VerifiedScope[]): VerifyReport {
  const all = scopes.map(({ found }) => found);
  const differences = all.flatMap((found) => found.differences).sort(inOrder);
  const ignored = all.flatMap((found) => found.ignored).sort(inOrder);
  const notes = all.flatMap((found) => found.notes).sort(inOrder);
  const losses = all.flatMap((found) => found.losses);
  const compared = all
    .flatMap(({ counts }) => [...counts.values()])
    .reduce((sum, each) => sum + each.equal + each.noted + each.different, 0);
  checkCompared(compared + differences.length + ignored.length);
  return {
    scopes: scopes.map((scope) => scope.report),
    differences,
    ignored,
    notes,
    losses,
    notCompared: all.flatMap((found) => found.notCompared),
    compared,
    worst: worstOf([...differences, ...notes, ...losses].map((each) => each.class)),
    equal:
      compared > 0 &&
      differences.length === 0 &&
      ignored.length === 0 &&
      losses.every((each) => each.class !== 'loss'),
  };
}

/** Refuses to judge where there was nothing to compare: Guard. `records`: how many there were. */
export function checkCompared(records: number): void {
  if (records > 0) return;
  throw new TopologyError(
    ErrorCode.Guard,
    'nothing was compared: neither side holds a record of what was asked for',
    { hint: 'check servers and roots of both sides' },
  );
}
