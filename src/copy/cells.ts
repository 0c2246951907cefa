import { addressFromTriple, formatAddress, overlaps, type StoreAddress, serversOf } from '../topo/address.js';
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

/** Refuses a layout in which one part of a topology lies in another part: Usage, naming both. `which`: whose. */
export function checkLayout(which: string, global: StoreAddress, cells: readonly Cell[]): void {
  const parts = [
    { name: 'the global data', address: global },
    ...cells.map((cell) => ({ name: `cell ${cell.name}`, address: cell.address })),
  ];
  for (const [index, a] of parts.entries()) {
    for (const b of parts.slice(index + 1)) {
      if (!overlaps(a.address, b.address)) continue;
      throw new TopologyError(
        ErrorCode.Usage,
        `${a.name} and ${b.name} of ${which} overlap: ${formatAddress(a.address)} and ${formatAddress(b.address)}`,
        {
          hint: 'give each part a root of its own; a cell’s address can be given with --from-cell or --to-cell',
        },
      );
    }
  }
}

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
