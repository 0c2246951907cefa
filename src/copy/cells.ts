import {
  addressFromTriple,
  formatAddress,
  isInGlobalRoot,
  overlaps,
  type StoreAddress,
  serversOf,
} from '../topo/address.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Cell } from '../topo/topology.js';

/** How the caller says where the destination's cells are. */
export interface CellRule {
  /** Address of each cell that is named. */
  readonly given: ReadonlyMap<string, StoreAddress>;
  /** One root for all others, on the destination's servers: `{cell}` stands for the cell's name. */
  readonly root?: string | undefined;
}

/**
 * Where each cell of the source goes: as given, else by the rule, else where the destination's own CellInfo (or the
 * destination store itself) has it. `refuse` is told of all cells for which none of these says anything, and whose place `isNeeded`
 * (NoCell): if it does not throw, they are left out, as are those that need none.
 */
export function destinationCells(
  source: readonly Cell[],
  destination: { readonly global: StoreAddress; readonly cells: readonly Cell[] },
  rule: CellRule,
  refuse: (error: TopologyError) => void = raise,
  isNeeded: (name: string) => boolean = () => true,
): Cell[] {
  const existing = new Map(destination.cells.map((cell) => [cell.name, cell]));
  const unknown = [...rule.given.keys()].filter((name) => !source.some((cell) => cell.name === name));
  if (unknown.length > 0) {
    throw new TopologyError(
      ErrorCode.Usage,
      `an address is given for ${list(unknown)}, which the source does not have`,
      {
        hint: `cells of the source: ${list(source.map((cell) => cell.name))}`,
      },
    );
  }
  const missing: string[] = [];
  const cells = source.flatMap(({ name }) => {
    const cell = locate(name, destination.global, rule, existing.get(name));
    if (cell === undefined && isNeeded(name)) missing.push(name);
    return cell === undefined ? [] : [cell];
  });
  if (missing.length > 0) {
    refuse(
      new TopologyError(ErrorCode.NoCell, `the destination has no address for ${list(missing)}`, {
        hint: `give --to-cell ${missing[0]}=SERVER,ROOT for each, or --to-cell-root '/vitess/{cell}' for all on the destination's servers`,
      }),
    );
  }
  return cells;
}

/**
 * Refuses a layout in which one part of a topology lies in another part, and nothing tells them apart: Usage, naming both. `which`: whose. A cell
 * may be {@link isInGlobalRoot}, but a second one in that root may not.
 */
export function checkLayout(which: string, global: StoreAddress, cells: readonly Cell[]): void {
  const parts = [
    { name: 'the global data', address: global },
    ...cells.map((cell) => ({ name: `cell ${cell.name}`, address: cell.address })),
  ];
  for (const [index, a] of parts.entries()) {
    for (const b of parts.slice(index + 1)) {
      if (!overlaps(a.address, b.address)) continue;
      if (a.address === global && isInGlobalRoot(b.address, global)) continue;
      const places = `${formatAddress(a.address)} and ${formatAddress(b.address)}`;
      const areCells = a.address !== global && isInGlobalRoot(b.address, a.address);
      throw new TopologyError(
        ErrorCode.Usage,
        `${a.name} and ${b.name} of ${which} overlap: ${places}${areCells ? `, and ${ONE_GRAPH}` : ''}`,
        { hint: areCells ? ONE_GRAPH_HINT : APART_HINT },
      );
    }
  }
}

const APART_HINT =
  'give each part a root of its own; a cell’s address can be given with --from-cell or --to-cell';
/** Of two cells in one root of the retired `etcd`. */
const ONE_GRAPH = 'nothing tells of which of them the serving graph (ns) and the replication graph are';
const ONE_GRAPH_HINT =
  'two cells that were set up in one root have overwritten each other’s: write the keys of one of them below a root of its own, ' +
  'and say where with --from-cell or --to-cell';

/** Throws what is refused. */
export function raise(error: TopologyError): never {
  throw error;
}

function locate(
  name: string,
  global: StoreAddress,
  rule: CellRule,
  existing: Cell | undefined,
): Cell | undefined {
  const given = rule.given.get(name);
  if (given !== undefined) return { name, address: given, source: 'given' };
  if (rule.root === undefined || existing?.source === 'store') return existing;
  const server = serversOf(global).servers.join(',');
  const address = addressFromTriple(global.implementation, server, rule.root.replaceAll('{cell}', name));
  if (existing === undefined) return { name, address, source: 'given' };
  if (existing.address.root === address.root && overlaps(existing.address, address)) return existing;
  throw new TopologyError(
    ErrorCode.Usage,
    `cell ${name} is at ${formatAddress(existing.address)} by the destination's CellInfo, and --to-cell-root says ${formatAddress(address)}`,
    {
      hint: `to move it, name it: --to-cell ${name}=SERVER,ROOT; to leave it where it is, leave out --to-cell-root`,
    },
  );
}

function list(names: readonly string[]): string {
  return `${names.length === 1 ? 'cell' : 'cells'} ${names.join(', ')}`;
}
