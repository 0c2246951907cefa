import { ServingGraph } from '../graph/serving-graph.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { namesIn } from '../topo/find.js';
import { type Kind, needsCells } from '../topo/kinds.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import type { Cells } from './addresses.js';
import { ToldByCells } from './hidden.js';
import type { Authority } from './settle.js';

/** Both topologies, part by part. */
export class Sides {
  /** As they were when they were last looked for. */
  cells: Cells = { source: [], destination: [] };
  /** What the parts told of one another when they were last read. */
  readonly told = new ToldByCells();
  readonly #source: Topology;
  readonly #destination: Topology;
  readonly #call: CallOptions;
  readonly #graphs = new Map<Authority, ServingGraph>();

  constructor(source: Topology, destination: Topology, call: CallOptions) {
    this.#source = source;
    this.#destination = destination;
    this.#call = call;
  }

  /** Looks for the cells of both sides, with servers that were brought up to date: a stale one would leave a new cell out. */
  async findCells(): Promise<void> {
    await Promise.all([this.#source, this.#destination].map(({ global }) => global.position(this.#call)));
    const [source, destination] = await Promise.all([
      this.#source.cells(this.#call),
      this.#destination.cells(this.#call),
    ]);
    const known = new Set(destination.map(({ name }) => name));
    const lacking = source.filter(({ name }) => !known.has(name));
    // A cell's store may be full before the global part, with its CellInfo, is copied: whoever says where it is knows.
    const given = await Promise.all(
      lacking.map(({ name }) => this.#destination.addressWithoutCellInfo(name)),
    );
    const placed = given.flatMap((cell) => (cell?.source === 'given' ? [cell] : []));
    this.cells = { source, destination: [...destination, ...placed] };
  }

  /** What one side tells of the serving flags of its shards, and what somebody said: the same each time that it is asked for. */
  graphOf(side: Authority, said: ReadonlyMap<string, boolean> | undefined): ServingGraph {
    const known = this.#graphs.get(side);
    if (known !== undefined) return known;
    const graph = new ServingGraph(side === 'source' ? this.#source : this.#destination, said);
    this.#graphs.set(side, graph);
    return graph;
  }

  /**
   * Names of all cells. Their addresses may be such that cannot be used, where no kind that is asked for is kept there, and CellInfo is
   * none of them.
   */
  async names(kinds: ReadonlySet<Kind> | undefined): Promise<string[]> {
    if (!needsCells(kinds) && kinds?.has('CellInfo') !== true) {
      const listed = await Promise.all(
        [this.#source, this.#destination].map(({ global }) => namesIn(global, 'cells', this.#call)),
      );
      return [...new Set(listed.flat())].sort();
    }
    await this.findCells();
    return this.cellNames();
  }

  /** The stores of some parts, on both sides. */
  async stores(scopes: readonly string[]): Promise<Connection[]> {
    const found = await Promise.all(scopes.flatMap((scope) => [this.from(scope), this.to(scope)]));
    return found.filter((store) => store !== undefined);
  }

  /** Cells that either side has. */
  cellNames(): string[] {
    return [...new Set([...this.cells.source, ...this.cells.destination].map(({ name }) => name))].sort();
  }

  /** The store of a part in the source; undefined: it has no such cell. */
  from(scope: string): Promise<Connection | undefined> {
    return part(this.#source, this.cells.source, scope);
  }

  /** The store of a part in the destination; undefined: it has no such cell. */
  to(scope: string): Promise<Connection | undefined> {
    return part(this.#destination, this.cells.destination, scope);
  }
}

async function part(
  topology: Topology,
  cells: Cells['source'],
  scope: string,
): Promise<Connection | undefined> {
  if (scope === GLOBAL) return topology.global;
  const cell = cells.find(({ name }) => name === scope);
  return cell === undefined ? undefined : topology.cell(cell);
}
