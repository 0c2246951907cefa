import { recordedAddress } from '../cells/address.js';
import { text } from '../editing/ranges.js';
import { formatAddress, isInGlobalRoot, overlaps, type StoreAddress } from '../topo/address.js';
import type { JsonObject } from '../topo/codec-json.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { type Cell, GLOBAL, type Topology } from '../topo/topology.js';
import { found, type LintFinding } from './finding.js';
import type { LintOptions } from './options.js';
import type { World } from './world.js';

/** The cells whose stores can be read, and what is wrong with where the others are. */
export interface Places {
  readonly cells: readonly Cell[];
  readonly found: readonly LintFinding[];
}

/** Finds the stores of the cells that are asked for. NoCell for one that the topology has not. */
export async function placeCells(options: LintOptions, world: World): Promise<Places> {
  const { topology, cells: asked, signal } = options;
  const unknown = asked.find((name) => !world.cells.has(name));
  if (unknown !== undefined)
    throw new TopologyError(ErrorCode.NoCell, `the topology has no cell ${unknown}`, {
      store: topology.global.store,
      hint: `it has ${[...world.cells.keys()].join(', ') || 'no cells at all'}`,
    });
  if (world.cells.size === 0)
    return { cells: [], found: [found('no-cells', { path: 'cells' }, 'there is no CellInfo')] };
  const cells: Cell[] = [];
  const all: LintFinding[] = [];
  const taken: Taken[] = [['the global store', topology.address]];
  for (const [name, info] of world.cells) {
    const wrong = await judge(topology, name, info, taken);
    const isAsked = asked.length === 0 || asked.includes(name);
    if (wrong !== undefined) all.push(wrong);
    if (!isAsked || wrong?.id === 'cell-overlap') continue;
    try {
      const cell = await topology.locate(name, { signal });
      if (cell !== undefined) cells.push(cell);
    } catch (error) {
      if (!isTopologyError(error, ErrorCode.NoCell)) throw error;
      if (wrong === undefined && info !== undefined) all.push(unusable(name, error.message));
    }
  }
  return { cells, found: all };
}

type Taken = readonly [whose: string, where: StoreAddress];

/** What is wrong with where a cell's record says that it is. */
async function judge(
  topology: Topology,
  name: string,
  info: JsonObject | undefined,
  taken: Taken[],
): Promise<LintFinding | undefined> {
  // Where a store holds its cells itself, CellInfo is only kept.
  const isKept = (await topology.addressWithoutCellInfo(name))?.source === 'store';
  if (isKept || info === undefined || name === GLOBAL) return undefined;
  const recorded = { serverAddress: text(info['server_address']), root: text(info['root']) };
  const address = recordedAddress(topology.address.implementation, recorded);
  if (address === undefined) {
    const what = `no address: servers ${recorded.serverAddress || '(none)'}, root ${recorded.root || '(none)'}`;
    return unusable(name, what);
  }
  const other = taken.find(
    ([, where]) =>
      overlaps(address, where) && !(where === topology.address && isInGlobalRoot(address, where)),
  );
  taken.push([`cell ${name}`, address]);
  if (other === undefined) return undefined;
  const [whose, where] = other;
  return found(
    'cell-overlap',
    { path: infoPath(name), cell: name },
    `${formatAddress(address)} and ${whose}, ${formatAddress(where)}, overlap`,
  );
}

function unusable(cell: string, what: string): LintFinding {
  return found('cell-unusable', { path: infoPath(cell), cell }, what);
}

function infoPath(cell: string): string {
  return `cells/${cell}/CellInfo`;
}
