import { addressFromTriple, formatAddress, type StoreAddress } from './address.js';
import type { Stores } from './backend.js';
import { readCellInfo } from './codec.js';
import type { CallOptions, Connection } from './connection.js';
import { ErrorCode, isTopologyError, TopologyError } from './errors.js';
import type { StoreHealth } from './health.js';
import type { NativeStore } from './native.js';
import { withConfiguredCells } from './wrappers/configured.js';

/** Scope of the global store; every other scope is a cell's name (no cell may be called `global`). */
export const GLOBAL = 'global';

/** A cell of a topology, and where its local store is. */
export interface Cell {
  readonly name: string;
  readonly address: StoreAddress;
  /**
   * Who said so: the cell's CellInfo record, the caller, the store that holds all parts itself, or the configuration that the
   * topology was opened by, without any CellInfo.
   */
  readonly source: 'CellInfo' | 'given' | 'store' | 'config';
}

/** Which topology, and how to reach cells whose recorded address means something else from this host. */
export interface TopologySpec {
  readonly global: StoreAddress;
  /** Addresses that replace what CellInfo says, by cell. */
  readonly cells?: ReadonlyMap<string, StoreAddress> | undefined;
  /**
   * Cells of a topology that keeps no CellInfo, by name: those of the client configuration of a legacy `zookeeper`. The global store shows a CellInfo
   * for each. Undefined: there are those of which the store has a CellInfo.
   */
  readonly configured?: ReadonlyMap<string, StoreAddress> | undefined;
  readonly stores: Stores;
  /** How a person names this topology again, where its global address does not say everything: `zookeeper:FILE`. */
  readonly spelled?: string | undefined;
  /** The flag that gives a cell's address, for hints. */
  readonly cellFlag?: string | undefined;
}

const CELL_FLAGS = '--from-cell or --to-cell';

/**
 * A topology: the global store, and one local store for each cell, found through the cell's CellInfo record. It never
 * needs to know another topology's addresses.
 */
export class Topology {
  readonly address: StoreAddress;
  /** What names this topology on a command line. */
  readonly spelled: string;
  /** The global store, with a CellInfo for each configured cell. */
  readonly global: Connection;
  readonly #spec: TopologySpec;
  readonly #open = new Map<string, Promise<Connection>>();

  private constructor(spec: TopologySpec, global: Connection) {
    this.address = spec.global;
    this.spelled = spec.spelled ?? formatAddress(spec.global);
    this.global = global;
    this.#spec = spec;
  }

  /** Connects to the global store; cells are connected to when they are asked for. */
  static async open(spec: TopologySpec): Promise<Topology> {
    const global = await spec.stores.open(spec.global, GLOBAL, undefined, placesOf(spec));
    return new Topology(spec, withConfiguredCells(global, spec.configured ?? new Map()));
  }

  /**
   * All cells that have a CellInfo record, by name. A directory in `cells` without that record is no cell. NoCell when
   * a cell's record names no usable address and none was given.
   */
  async cells(options?: CallOptions): Promise<Cell[]> {
    let names: string[];
    try {
      names = await this.global.listDir('cells', options);
    } catch (error) {
      if (isTopologyError(error, ErrorCode.NoNode)) return [];
      throw error;
    }
    const cells = await Promise.all(names.map((name) => this.locate(name, options)));
    return cells.filter((cell) => cell !== undefined);
  }

  /** A cell by its name; undefined when it has no CellInfo record. NoCell as by {@link cells}. */
  async locate(name: string, options?: CallOptions): Promise<Cell | undefined> {
    const path = `cells/${name}/CellInfo`;
    if (name === GLOBAL) {
      throw new TopologyError(
        ErrorCode.NoCell,
        'no cell may be called global: that name is the global store’s',
        {
          path,
          store: this.global.store,
          hint: 'remove this directory, or rename the cell',
        },
      );
    }
    let bytes: Uint8Array;
    try {
      bytes = (await this.global.get(path, options)).bytes;
    } catch (error) {
      if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
      throw error;
    }
    const known = await this.addressWithoutCellInfo(name);
    if (known !== undefined) return known;
    try {
      const { serverAddress, root } = readCellInfo(bytes);
      return {
        name,
        address: addressFromTriple(this.address.implementation, serverAddress, root),
        source: 'CellInfo',
      };
    } catch (error) {
      throw new TopologyError(
        ErrorCode.NoCell,
        `the address in the CellInfo of ${name} cannot be used: ${messageOf(error)}`,
        {
          path,
          store: this.global.store,
          hint: `give the cell's address with ${this.#cellFlag} ${name}=SERVER,ROOT`,
          cause: error,
        },
      );
    }
  }

  /** The local store of a cell at an address, connected to once. */
  cell(cell: Pick<Cell, 'name' | 'address'>): Promise<Connection> {
    const key = `${cell.name}\0${formatAddress(cell.address)}\0${cell.address.root}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const opening = this.#openCell(cell).catch((error: unknown) => {
      this.#open.delete(key);
      throw this.#inCell(cell.name, error);
    });
    this.#open.set(key, opening);
    return opening;
  }

  /** The store of a cell, or the global one, as it is: whoever asks closes it. Unsupported where there is no native view. */
  async openNative(cell?: Pick<Cell, 'name' | 'address'>): Promise<NativeStore> {
    const { stores } = this.#spec;
    if (cell === undefined) return stores.openNative(this.address, GLOBAL);
    return stores.openNative(cell.address, cell.name).catch((error: unknown) => {
      throw this.#inCell(cell.name, error);
    });
  }

  /** How the servers of a cell's store, or of the global one, are. See {@link Backend.health}. */
  health(cell?: Pick<Cell, 'name' | 'address'>): Promise<StoreHealth | undefined> {
    return this.#spec.stores.health(cell?.address ?? this.address, cell?.name ?? GLOBAL);
  }

  /** Where a cell of this topology is when no CellInfo is asked: given by the caller, configured, or known to the store itself. */
  async addressWithoutCellInfo(name: string): Promise<Cell | undefined> {
    const given = this.#spec.cells?.get(name);
    if (given !== undefined) return { name, address: given, source: 'given' };
    const configured = this.#spec.configured?.get(name);
    if (configured !== undefined) return { name, address: configured, source: 'config' };
    const own = await this.#spec.stores.cellAddress(this.address, name);
    return own === undefined ? undefined : { name, address: own, source: 'store' };
  }

  /** Ends all connections. Never throws. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.values());
    const connections = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    await Promise.all([this.global, ...connections].map((connection) => connection.close()));
  }

  #openCell({ name, address }: Pick<Cell, 'name' | 'address'>): Promise<Connection> {
    return this.#spec.stores.open(address, name, this.address, placesOf(this.#spec));
  }

  #inCell(name: string, error: unknown): unknown {
    if (!(error instanceof TopologyError) || name === GLOBAL) return error;
    const where = this.#spec.cells?.has(name)
      ? `its address is the one that ${this.#cellFlag} gives`
      : `if the recorded address means something else from this host, give it with ${this.#cellFlag} ${name}=SERVER,ROOT`;
    return new TopologyError(error.code, `cell ${name}: ${error.message}`, {
      hint: error.hint === undefined ? where : `${error.hint}; ${where}`,
      retryable: error.retryable,
      cause: error,
    });
  }

  get #cellFlag(): string {
    return this.#spec.cellFlag ?? CELL_FLAGS;
  }
}

/** Where cells are, as far as anybody says it: all of them where a configuration does. */
function placesOf({ configured, cells }: TopologySpec): ReadonlyMap<string, StoreAddress> | undefined {
  if (configured === undefined) return cells;
  return new Map([...configured].map(([each, at]) => [each, cells?.get(each) ?? at]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
