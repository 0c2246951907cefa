import { type StoreAddress, storeName } from '../topo/address.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { usage } from './error.js';

/** Which servers have a znode. */
export interface Route {
  /** A name of all of them, for messages. */
  readonly store: string;
  /** The servers that have the znode at a path. NoCell, Usage. */
  addressOf(path: string): StoreAddress;
  /** What is below a path of which no servers have all; undefined for every other path. */
  namesBelow(path: string): readonly string[] | undefined;
}

/** All znodes on the same servers. */
export function onOneEnsemble(address: StoreAddress): Route {
  return { store: storeName(address), addressOf: () => address, namesBelow: () => undefined };
}

/** Where each cell of a client configuration has its servers. */
export interface CellServers {
  /** Of the configuration, for messages. */
  readonly file: string;
  readonly global: StoreAddress;
  readonly cells: ReadonlyMap<string, StoreAddress>;
}

/** The directory of all cells. */
const CELLS = '/zk';
const GLOBAL = 'global';

/**
 * As the old tool found them by its client configuration: `/zk/<cell>` and what is below it on the servers of the cell. `/zk` has all cells
 * in it, whatever the servers of any of them have there.
 */
export function byCell({ file, global, cells }: CellServers): Route {
  const names = [GLOBAL, ...cells.keys()].sort();
  return {
    store: `zookeeper:${file}`,
    namesBelow: (path) => (path === CELLS ? names : undefined),
    addressOf(path) {
      const [, zk, cell] = path.split('/');
      if (`/${zk}` !== CELLS)
        throw usage(
          `${path} is below no cell, and ${file} says which servers each cell has`,
          'write /zk/CELL/…, or name the servers with -server',
        );
      if (cell === undefined || cell === GLOBAL) return global;
      const found = cells.get(cell);
      if (found !== undefined) return found;
      throw new TopologyError(ErrorCode.NoCell, `${file} has no cell ${cell}`, {
        path,
        hint: `it has ${names.join(', ')}`,
      });
    },
  };
}
