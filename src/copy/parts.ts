import { ServingGraph } from '../graph/serving-graph.js';
import { formatAddress, overlaps } from '../topo/address.js';
import { checkApart, type Places } from '../topo/apart.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { needsCells } from '../topo/kinds.js';
import { type Cell, GLOBAL, type Topology } from '../topo/topology.js';
import { carryingOf, type ServingWish } from '../verify/carried.js';
import type { Narrowing } from '../verify/narrowing.js';
import { type CellRule, checkLayout, destinationCells, raise } from './cells.js';
import type { PlanContext } from './context.js';
import { checkSourceCells, type Overrules } from './guards.js';
import { Ledger } from './ledger.js';

/** What is checked before records are read. */
export type PlaceCheck =
  | 'no-cells'
  | 'unknown-cell'
  | 'cell-in-source'
  | 'cell-without-destination'
  | 'same-place'
  | 'layout';

/** Paths of records, by scope. */
export type RecordPaths = ReadonlyMap<string, ReadonlySet<string>>;

const NO_PATHS: ReadonlySet<string> = new Set();

/** What is copied, from where to where. */
export interface Selection extends CallOptions, Narrowing, ServingWish {
  readonly source: Topology;
  readonly destination: Topology;
  /** Where the destination's cells are. */
  readonly rule: CellRule;
  /** Records to copy, by part and path; undefined: all. */
  readonly paths?: RecordPaths | undefined;
  /** Whether records that only the destination has are deleted. */
  readonly deletes?: boolean | undefined;
  readonly overrules?: Overrules | undefined;
  /** Told of what is refused before records are read; what goes on if it does not throw is for looking, not for writing. Default: throws. */
  readonly refuse?: ((error: TopologyError, check: PlaceCheck) => void) | undefined;
  /** What earlier runs know to be theirs, by scope. */
  readonly ledgers?: ReadonlyMap<string, Ledger> | undefined;
}

/** The global store or one cell's: both sides, and what deciding on its records depends on. */
export interface Part {
  readonly scope: string;
  readonly from: () => Promise<Connection>;
  readonly to: () => Promise<Connection>;
  readonly ledger: Ledger;
  /** The context of deciding, once both sides are open. */
  readonly context: (from: Connection, to: Connection) => PlanContext;
}

/** The parts of a copy, and where the destination's cells are. */
export interface Parts {
  readonly parts: readonly Part[];
  /** The global part, whether it is copied or not. */
  readonly global: Part;
  readonly cells: readonly Cell[];
  /** Cells for which the destination has a CellInfo already: whoever starts there finds them, whether the copy is done or not. */
  readonly openCells: readonly string[];
  /** Every part, whether it is copied or not. */
  readonly beside: readonly Part[];
}

/**
 * Finds out what is to be copied from where to where. Everything that can be refused without reading records is refused
 * here: NoCell, Usage, Guard.
 */
export async function partsOf(selection: Selection): Promise<Parts> {
  const { source, destination, overrules = {}, refuse = raise } = selection;
  const attempt = (name: PlaceCheck, check: () => void) => attemptTo((error) => refuse(error, name), check);
  const sourceCells = await source.cells(selection);
  const holds = sourceCells.length > 0 || (await holdsAnything(source.global, selection));
  attempt('no-cells', () => checkSourceCells(source.address, sourceCells, holds));
  attempt('unknown-cell', () => checkNamed(selection.scopes, sourceCells));
  const existing = await destination.cells(selection);
  // A topology that is copied onto itself has cells of its own: they are not what is wrong with it.
  const isItself = overrules.samePlace !== true && overlaps(source.address, destination.address);
  if (isItself)
    attempt('same-place', () =>
      checkApart({ global: source.address, cells: [] }, { global: destination.address, cells: [] }),
    );
  if (overrules.cellInSource !== true && !isItself)
    attempt('cell-in-source', () =>
      checkCellsElsewhere({ global: source.address, cells: sourceCells }, existing),
    );
  const needed = needsCells(selection.kinds) || selection.kinds?.has('CellInfo') === true;
  const cells = needed ? await placeCells(sourceCells, existing, selection) : [];
  const copied = sourceCells.filter(({ name }) => cells.some((cell) => cell.name === name));
  const places = { global: source.address, cells: copied };
  if (overrules.samePlace !== true && !isItself)
    attempt('same-place', () => checkApart(places, { global: destination.address, cells }));
  attempt('layout', () => checkLayout('the source', source.address, copied));
  attempt('layout', () => checkLayout('the destination', destination.address, cells));
  const byName = new Map(cells.map((cell) => [cell.name, cell]));
  const all = [
    {
      scope: GLOBAL,
      from: async () => source.global,
      to: async () => destination.global,
    },
    ...copied.map((cell) => ({
      scope: cell.name,
      from: () => source.cell(cell),
      to: () => destination.cell(byName.get(cell.name) ?? cell),
    })),
  ];
  const graph = new ServingGraph(source, selection.serving);
  const configuredCells = sourceCells.some((cell) => cell.source === 'config')
    ? new Set(sourceCells.map(({ name }) => name))
    : undefined;
  const isAsked = (scope: string) => selection.scopes === undefined || selection.scopes.has(scope);
  const parts = all.map((part): Part => {
    const ledger = selection.ledgers?.get(part.scope) ?? new Ledger();
    return {
      ...part,
      ledger,
      context: (from, to) => ({
        scope: part.scope,
        from: from.store,
        to: to.store,
        capabilities: to.capabilities,
        root: (byName.get(part.scope)?.address ?? destination.address).root,
        kinds: selection.kinds,
        keyspaces: selection.keyspaces,
        paths: selection.paths && (selection.paths.get(part.scope) ?? NO_PATHS),
        cells: byName,
        configuredCells,
        carrying: carryingOf(from, to, graph, selection.target),
        deletes: selection.deletes,
        ledger,
      }),
    };
  });
  return {
    parts: parts.filter(({ scope }) => isAsked(scope)),
    global: parts.find(({ scope }) => scope === GLOBAL) as Part,
    cells,
    openCells: existing
      .filter((cell) => cell.source !== 'store' && cell.source !== 'config')
      .map(({ name }) => name),
    beside: parts,
  };
}

/** Runs a check; `refuse` is told what it throws. */
function attemptTo(refuse: (error: TopologyError) => void, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    refuse(error);
  }
}

/** Refuses a CellInfo of the destination that leads into the source (Guard): who follows it uses the old store. */
function checkCellsElsewhere(source: Places, cells: readonly Cell[]): void {
  const addresses = [source.global, ...source.cells.map(({ address }) => address)];
  const lost = cells.find(
    (cell) => cell.source === 'CellInfo' && addresses.some((address) => overlaps(address, cell.address)),
  );
  if (lost === undefined) return;
  throw new TopologyError(
    ErrorCode.Guard,
    `the destination's CellInfo of ${lost.name} leads into the source, to ${formatAddress(lost.address)}`,
    {
      path: `cells/${lost.name}/CellInfo`,
      hint: `give the cell its place with --to-cell ${lost.name}=SERVER,ROOT, or remove this record; if it is meant, add --allow-cell-in-source`,
    },
  );
}

function checkNamed(scopes: ReadonlySet<string> | undefined, cells: readonly Cell[]): void {
  const known = [GLOBAL, ...cells.map(({ name }) => name)];
  const unknown = [...(scopes ?? [])].filter((scope) => !known.includes(scope));
  if (unknown.length === 0) return;
  throw new TopologyError(ErrorCode.NoCell, `the source has no cell ${unknown.join(', ')}`, {
    hint: `there are ${known.join(', ')}`,
  });
}

/** Where each cell of the source goes. */
async function placeCells(
  sourceCells: readonly Cell[],
  existing: readonly Cell[],
  selection: Selection,
): Promise<Cell[]> {
  const { destination, rule, scopes, refuse = raise } = selection;
  const known = [...existing, ...(await ownCells(destination, sourceCells, existing))];
  // CellInfo names them all; the copy of one cell's store need not know where the others go.
  const isNeeded = (name: string) => scopes === undefined || scopes.has(GLOBAL) || scopes.has(name);
  return destinationCells(
    sourceCells,
    { global: destination.address, cells: known },
    rule,
    (error) => refuse(error, 'cell-without-destination'),
    isNeeded,
  );
}

async function ownCells(
  destination: Topology,
  wanted: readonly Cell[],
  existing: readonly Cell[],
): Promise<Cell[]> {
  const missing = wanted.filter(({ name }) => !existing.some((cell) => cell.name === name));
  const found = await Promise.all(missing.map(({ name }) => destination.addressWithoutCellInfo(name)));
  return found.filter((cell) => cell !== undefined);
}

async function holdsAnything(connection: Connection, { signal, deadline }: CallOptions): Promise<boolean> {
  for await (const page of connection.scan('', { signal, deadline })) {
    if (page.records.length > 0) return true;
  }
  return false;
}
