import { addressFromTriple, formatAddress, overlaps, sameRoot } from '../topo/address.js';
import { applyChanges, type Change } from '../topo/changes.js';
import type { CellAddress } from '../topo/codec.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Topology } from '../topo/topology.js';
import { planDeleteCellsAlias, planUpdateCellsAlias } from './aliases.js';
import { planAddCellInfo, planDeleteCellInfo } from './info.js';
import type { DataStep, SplitRequest } from './split.js';
import { checkNoTwin, clearOld, emptyOld } from './split-old.js';
import { applyServing, planServing, type ServingOptions, type WhileLocked } from './split-serving.js';
import { GLOBAL_DATA, type SplitState } from './split-state.js';

/** Where the new cells are to be. */
export interface NewPlaces {
  readonly serverAddress: string | undefined;
  /** `{cell}` stands for the cell's name. */
  readonly root: string | undefined;
}

/** Everything that a data step is made from. */
export interface SplitPlan {
  readonly topology: Topology;
  readonly state: SplitState;
  readonly request: SplitRequest;
  readonly places: NewPlaces;
}

/** What a data step writes. Fails as the commands for its parts do; Guard for a store that is not the old cell's alone. */
export async function changesOf(step: DataStep, plan: SplitPlan, options: ServingOptions): Promise<Change[]> {
  const { topology, state, request } = plan;
  switch (step) {
    case 'add':
      return addCells(plan, options);
    case 'join':
      return joinAlias(plan, options);
    case 'serve':
      return planServing(topology, state, options);
    case 'empty':
      if (!request.force) await checkNoTwin(topology, state.old, options);
      return emptyOld(state.old);
    case 'leave':
      return leaveAlias(plan, options);
    case 'remove': {
      // The global data would count as use of the cell.
      const force = request.force || state.old.shares.includes(GLOBAL_DATA);
      return planDeleteCellInfo(topology, state.old.name, { ...options, force });
    }
    case 'clear':
      if (!request.force) await checkNoTwin(topology, state.old, options);
      return clearOld(state.old);
  }
}

/** Makes the changes of a data step, each in the state that the plan saw. As {@link applyChanges}; Guard, LockLost as {@link applyServing}. */
export function applyStep(
  step: DataStep,
  { topology, state }: SplitPlan,
  changes: readonly Change[],
  whileLocked: WhileLocked,
  options: ServingOptions,
): Promise<void> {
  return step === 'serve'
    ? applyServing(topology, state, changes, whileLocked, options)
    : applyChanges(topology, changes, options);
}

/** Usage where addresses were given for a cell that is there already, and it is elsewhere. */
export function checkPlaces({ topology, state, places }: SplitPlan): void {
  const { implementation } = topology.address;
  for (const { name, info } of state.added) {
    const { serverAddress = info?.serverAddress ?? '', root = info?.root ?? '' } = placeOf(name, places);
    if (info === undefined) continue;
    const [is, given] = [info, { serverAddress, root }].map((each) =>
      addressFromTriple(implementation, each.serverAddress, each.root),
    );
    if (is === undefined || given === undefined) continue;
    if (is.server === given.server && sameRoot(is.root, given.root)) continue;
    throw new TopologyError(
      ErrorCode.Usage,
      `there is a cell ${name} already, at ${formatAddress(is)}, not ${formatAddress(given)}`,
      { hint: 'leave out --server-address and --root, or give the new cell another name' },
    );
  }
}

async function addCells({ topology, state, places }: SplitPlan, options: CallOptions): Promise<Change[]> {
  const missing = state.added.filter(({ info }) => info === undefined).map(({ name }) => name);
  const addresses = missing.map((cell): readonly [string, CellAddress] => {
    const { serverAddress, root } = placeOf(cell, places);
    if (serverAddress !== undefined && root !== undefined) return [cell, { serverAddress, root }];
    throw new TopologyError(ErrorCode.Usage, `where cell ${cell} is to be is not given`, {
      hint: 'give --server-address and --root, for example --root /vitess/{cell}',
    });
  });
  checkDistinct(topology, addresses);
  const changes: Change[] = [];
  for (const [cell, address] of addresses)
    changes.push(...(await planAddCellInfo(topology, cell, address, { ...options, force: false })));
  return changes;
}

function placeOf(cell: string, { serverAddress, root }: NewPlaces): Partial<CellAddress> {
  return {
    ...(serverAddress === undefined ? {} : { serverAddress }),
    ...(root === undefined ? {} : { root: root.replaceAll('{cell}', cell) }),
  };
}

/** The new cells among themselves; each alone is checked against those that are there. */
function checkDistinct(topology: Topology, addresses: readonly (readonly [string, CellAddress])[]): void {
  const { implementation } = topology.address;
  const places = addresses.map(
    ([cell, { serverAddress, root }]) =>
      [cell, addressFromTriple(implementation, serverAddress, root)] as const,
  );
  places.forEach(([cell, place], index) => {
    const other = places.slice(0, index).find(([, before]) => overlaps(place, before));
    if (other === undefined) return;
    throw new TopologyError(ErrorCode.Usage, `cells ${other[0]} and ${cell} would overlap`, {
      hint: 'give each cell a root of its own: --root /vitess/{cell}',
    });
  });
}

function joinAlias(
  { topology, state: { old, added, aliases }, request }: SplitPlan,
  options: CallOptions,
): Promise<Change[]> {
  const region = aliases.find(({ cells }) => cells.includes(old.name));
  if (region === undefined) return Promise.resolve([]);
  if (request.alias === undefined) {
    throw new TopologyError(ErrorCode.Usage, `cell ${old.name} is in alias ${region.name}`, {
      hint: 'say --alias join to have vtgates of that region send to the new cells, too, or --alias apart',
    });
  }
  const cells = new Set([...region.cells, ...added.map(({ name }) => name)]);
  return planUpdateCellsAlias(topology, region.name, [...cells], options);
}

async function leaveAlias(
  { topology, state: { old, aliases } }: SplitPlan,
  options: CallOptions,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const { name, cells } of aliases) {
    if (!cells.includes(old.name)) continue;
    const left = cells.filter((cell) => cell !== old.name);
    const plan =
      left.length === 0
        ? planDeleteCellsAlias(topology, name, options)
        : planUpdateCellsAlias(topology, name, left, options);
    changes.push(...(await plan));
  }
  return changes;
}
