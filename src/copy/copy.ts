import pLimit from 'p-limit';
import { checkApart, checkDistinct, SameStoreCheck } from '../topo/apart.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { joinScans } from '../topo/join.js';
import { type Kind, needsCells } from '../topo/kinds.js';
import { type Cell, GLOBAL, type Topology } from '../topo/topology.js';
import { applyPlan } from './apply.js';
import { type CellRule, checkLayout, destinationCells } from './cells.js';
import type { PlanContext } from './context.js';
import { checkPlan, checkSourceCells, type Overrules } from './guards.js';
import { addPairs, emptyScopePlan, type Plan, type ScopePlan } from './plan.js';

/** A copy from one topology to another. Both stay open; the caller closes them. */
export interface CopyOptions extends CallOptions {
  readonly source: Topology;
  readonly destination: Topology;
  /** Where the destination's cells are. */
  readonly rule: CellRule;
  /** Kinds to copy; undefined: all. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  readonly overrules?: Overrules | undefined;
  /** Cells read or written at the same time. */
  readonly concurrency: number;
  readonly onProgress?: ((event: CopyProgress) => void) | undefined;
}

/** Told while a copy runs. Counts are totals of the scope so far. */
export interface CopyProgress {
  readonly phase: 'read' | 'write';
  readonly scope: string;
  readonly records: number;
  readonly bytes: number;
  /** Records of the scope in all, where known. */
  readonly total: number | undefined;
}

/** What a copy did. */
export interface CopyResult {
  readonly plan: Plan;
  readonly written: number;
  readonly bytes: number;
}

/**
 * Reads both topologies and decides what to do; writes nothing. Everything that can be refused is refused here: NoCell,
 * Usage, Guard, and whatever the stores answer.
 */
export async function planCopy(options: CopyOptions): Promise<Plan> {
  const { source, destination } = options;
  const sourceCells = await source.cells(options);
  checkSourceCells(
    source.address,
    sourceCells,
    sourceCells.length > 0 || (await holdsAnything(source.global, options)),
  );
  const cells = needsCells(options.kinds) ? await placeCells(sourceCells, options) : [];
  const copied = sourceCells.filter(({ name }) => cells.some((cell) => cell.name === name));
  checkApart({ global: source.address, cells: copied }, { global: destination.address, cells });
  checkLayout('the source', source.address, copied);
  checkLayout('the destination', destination.address, cells);

  const byName = new Map(cells.map((cell) => [cell.name, cell]));
  const limit = pLimit(options.concurrency);
  const scopes = [
    { scope: GLOBAL, open: async () => [source.global, destination.global] as const },
    ...copied.map((cell) => ({
      scope: cell.name,
      open: () => Promise.all([source.cell(cell), destination.cell(byName.get(cell.name) ?? cell)]),
    })),
  ];
  const plans = await Promise.all(
    scopes.map(({ scope, open }) =>
      limit(async () => {
        const [from, to] = await open();
        checkDistinct(from, to);
        return planScope(scope, from, to, byName, options);
      }),
    ),
  );
  const plan = { scopes: plans, cells };
  checkPlan(plan, options.overrules ?? {});
  return plan;
}

/** Writes a plan made by {@link planCopy} with the same options. See {@link applyPlan} for order and failures. */
export async function applyCopy(plan: Plan, options: CopyOptions): Promise<CopyResult> {
  const cells = new Map(plan.cells.map((cell) => [cell.name, cell]));
  const done = new Map(
    plan.scopes.map(({ scope, writes }) => [scope, { records: 0, bytes: 0, total: writes.length }]),
  );
  const connection = async (scope: string) => {
    const cell = cells.get(scope);
    return cell === undefined ? options.destination.global : options.destination.cell(cell);
  };
  await applyPlan(plan, {
    signal: options.signal,
    deadline: options.deadline,
    connection,
    concurrency: options.concurrency,
    onWritten(scope, records, bytes) {
      const counts = done.get(scope);
      if (counts === undefined) return;
      counts.records += records;
      counts.bytes += bytes;
      options.onProgress?.({ phase: 'write', scope, ...counts });
    },
  });
  const totals = [...done.values()];
  return {
    plan,
    written: totals.reduce((sum, { records }) => sum + records, 0),
    bytes: totals.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Where each cell of the source goes. */
async function placeCells(sourceCells: readonly Cell[], options: CopyOptions): Promise<Cell[]> {
  const { destination, rule } = options;
  const existing = await destination.cells(options);
  const known = [...existing, ...(await ownCells(destination, sourceCells, existing))];
  return destinationCells(sourceCells, { global: destination.address, cells: known }, rule);
}

async function planScope(
  scope: string,
  from: Connection,
  to: Connection,
  cells: ReadonlyMap<string, Cell>,
  options: CopyOptions,
): Promise<ScopePlan> {
  const context: PlanContext = {
    scope,
    from: from.store,
    to: to.store,
    capabilities: to.capabilities,
    root: (cells.get(scope)?.address ?? options.destination.address).root,
    kinds: options.kinds,
    cells,
  };
  const plan = emptyScopePlan(context);
  const call = { signal: options.signal, deadline: options.deadline };
  const pairs = joinScans(from.scan('', call), to.scan('', call));
  const sameness = new SameStoreCheck(from, to);
  for (;;) {
    const page = await pairs.next();
    if (page.done === true) {
      sameness.finish(page.value);
      plan.source = page.value.a;
      plan.destination = page.value.b;
      return plan;
    }
    sameness.add(page.value);
    addPairs(plan, page.value, context);
    options.onProgress?.({ phase: 'read', scope, records: plan.read, bytes: 0, total: undefined });
  }
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

async function holdsAnything(connection: Connection, options: CopyOptions): Promise<boolean> {
  for await (const page of connection.scan('', { signal: options.signal, deadline: options.deadline })) {
    if (page.records.length > 0) return true;
  }
  return false;
}
