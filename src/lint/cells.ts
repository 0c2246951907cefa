import { listed } from '../topo/finding.js';
import { found, type LintFinding } from './finding.js';
import type { World } from './world.js';

/** What is wrong with the aliases of cells. */
export function* aliases({ cells, aliases: all }: World): Generator<LintFinding> {
  const holders = new Map<string, string>();
  for (const [alias, named] of all) {
    const where = { path: `cells_aliases/${alias}/CellsAlias`, alias };
    if (cells.has(alias)) yield found('alias-hidden', where, `there is a cell ${alias}, too`);
    const unknown = named.filter((cell) => !cells.has(cell));
    if (unknown.length > 0) yield found('alias-unknown-cell', where, `there is no cell ${listed(unknown)}`);
    const shared = named.filter((cell) => holders.has(cell));
    if (shared.length > 0) {
      const other = [...new Set(shared.map((cell) => holders.get(cell) ?? ''))];
      yield found('alias-overlap', where, `${listed(shared)} is in ${listed(other)}, too`);
    }
    for (const cell of named) if (!holders.has(cell)) holders.set(cell, alias);
  }
}
