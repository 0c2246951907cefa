import { formatAddress, type StoreAddress } from '../topo/address.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { type Cell, GLOBAL } from '../topo/topology.js';
import type { Problem } from './findings.js';
import type { Plan, ScopePlan } from './plan.js';

/** Guards a caller may overrule. */
export interface Overrules {
  /** Accept cells whose local store holds nothing. */
  readonly emptyCells?: boolean | undefined;
  /** Accept records that only the destination has; they are left alone. */
  readonly extra?: boolean | undefined;
  /** Write a Shard over one whose primary is of a later term. */
  readonly newer?: boolean | undefined;
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
  const { scopes } = plan;
  if (overrules.emptyCells !== true)
    stop('the source’s local store holds nothing for', emptyCells(scopes), EMPTY_HINT);
  stop('a cell’s store holds tablets of another cell', found(scopes, 'other cell'), OTHER_CELL_HINT);
  stop(
    'the destination cannot hold',
    found(scopes, 'too large', 'path too long', 'path refused'),
    UNFIT_HINT,
  );
  stop('records of the destination will go away by themselves', found(scopes, 'leased'), LEASED_HINT);
  if (overrules.extra !== true)
    stop('the destination holds records that the source does not', extra(scopes), EXTRA_HINT);
  if (overrules.newer !== true)
    stop('the destination is newer than the source', found(scopes, 'older primary'), NEWER_HINT);
}

const EMPTY_HINT =
  'check the cell’s address (--from-cell CELL=SERVER,ROOT); if the cell really is empty, add --allow-empty-cells';
const OTHER_CELL_HINT =
  'check the cells’ addresses: an address such as localhost means another store on every host (--from-cell)';
const UNFIT_HINT =
  'choose another kind of store, raise its limits, or make these records smaller or name them otherwise';
const LEASED_HINT = 'remove these records from the destination, then copy again';
const EXTRA_HINT =
  'look at them: another topology may live there, or they were deleted in the source; --allow-extra copies and leaves them alone';
const NEWER_HINT =
  'the cluster may have moved on already: copying would take it back; --allow-older writes the source’s records all the same';

const SHOWN = 20;

function stop(what: string, records: readonly string[], hint: string): void {
  if (records.length === 0) return;
  const more = records.length > SHOWN ? `, and ${records.length - SHOWN} more` : '';
  throw new TopologyError(ErrorCode.Guard, `${what}: ${records.slice(0, SHOWN).join('; ')}${more}`, { hint });
}

function emptyCells(scopes: readonly ScopePlan[]): string[] {
  return scopes
    .filter((scope) => scope.scope !== GLOBAL && scope.read === 0)
    .map((scope) => `cell ${scope.scope} (${scope.from})`);
}

function extra(scopes: readonly ScopePlan[]): string[] {
  return scopes.flatMap((scope) =>
    scope.extra.filter(({ normal }) => !normal).map(({ path }) => `${scope.scope}:${path}`),
  );
}

function found(scopes: readonly ScopePlan[], ...problems: Problem[]): string[] {
  return scopes.flatMap((scope) =>
    scope.findings
      .filter(({ problem }) => problems.includes(problem))
      .map(({ path, problem, detail }) => `${scope.scope}:${path} is ${problem} (${detail})`),
  );
}
