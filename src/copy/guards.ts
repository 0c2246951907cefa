import { formatAddress, type StoreAddress } from '../topo/address.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { type Cell, GLOBAL } from '../topo/topology.js';
import type { Plan, ScopePlan } from './plan.js';

/** Guards a caller may overrule. */
export interface Overrules {
  /** Accept cells whose local store holds nothing. */
  readonly emptyCells?: boolean | undefined;
}

/** Refuses a source that cannot be a topology: Guard when it names no cell. `records`: whether its root holds anything. */
export function checkSourceCells(address: StoreAddress, cells: readonly Cell[], records: boolean): void {
  if (cells.length > 0) return;
  throw new TopologyError(
    ErrorCode.Guard,
    records ? 'the source has no cells' : 'the source holds nothing: its root does not exist, or is empty',
    {
      store: formatAddress(address),
      hint: 'check the source’s server and root: a global root holds cells/<cell>/CellInfo',
    },
  );
}

/** Refuses a plan that would lose something or fail half-way: Guard, naming the records. */
export function checkPlan(plan: Plan, overrules: Overrules): void {
  const empty = plan.scopes.filter((scope) => scope.read === 0);
  const emptyCells = empty.filter((scope) => scope.scope !== GLOBAL);
  if (emptyCells.length > 0 && overrules.emptyCells !== true) {
    throw new TopologyError(
      ErrorCode.Guard,
      `the source's local store of ${emptyCells.map((scope) => `cell ${scope.scope} (${scope.from})`).join(', ')} holds nothing`,
      {
        hint: 'check the cell’s address (--from-cell CELL=SERVER,ROOT); if the cell really is empty, add --allow-empty-cells',
      },
    );
  }
  const unfit = plan.scopes.flatMap((scope) => unfitIn(scope));
  if (unfit.length > 0) {
    const shown = unfit.slice(0, 20);
    const more = unfit.length > shown.length ? `, and ${unfit.length - shown.length} more` : '';
    throw new TopologyError(
      ErrorCode.Guard,
      `the destination cannot hold ${unfit.length} record${unfit.length === 1 ? '' : 's'}: ${shown.join('; ')}${more}`,
      { hint: 'choose another kind of store, raise its limits, or make these records smaller' },
    );
  }
}

function unfitIn(scope: ScopePlan): string[] {
  return scope.findings
    .filter(({ problem }) => problem === 'too large' || problem === 'path too long')
    .map(({ path, problem, detail }) => `${scope.scope}:${path} is ${problem} (${detail})`);
}
