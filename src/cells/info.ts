import { type Change, cellStore } from '../topo/changes.js';
import { type CellAddress, encode, rewriteCellInfo } from '../topo/codec.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { checkPlace, dial } from './address.js';
import { checkNewName } from './names.js';
import { cellInfoPath, getCellInfo, getCellInfos, getCellsAliases, namesIn } from './read.js';

/** Options of the plans about one cell. */
export interface CellOptions extends CallOptions {
  /** Go on without the checks that look into the cell's store, or in spite of what they find. */
  readonly force: boolean;
}

/**
 * What AddCellInfo writes. InvalidPath for a name that no cell can have; NodeExists; as {@link checkPlace}; unless forced,
 * as {@link dial}.
 */
export async function planAddCellInfo(
  topology: Topology,
  cell: string,
  address: CellAddress,
  options: CellOptions,
): Promise<Change[]> {
  checkNewName(cell);
  const path = cellInfoPath(cell);
  checkRoot(cell, address);
  if ((await find(topology.global, path, options)) !== undefined) {
    throw new TopologyError(ErrorCode.NodeExists, `there is a cell ${cell} already`, {
      path,
      store: topology.global.store,
      hint: 'to change its address: cell update',
    });
  }
  await checkAddress(topology, cell, address, options);
  const after = encode('topodata.CellInfo', { server_address: address.serverAddress, root: address.root });
  return [{ scope: GLOBAL, path, before: undefined, after }];
}

/**
 * What UpdateCellInfo writes: what is not given stays, and so do fields that this version does not know. Nothing where nothing
 * changes. NoCell for an unknown cell, which Vitess would add ({@link planSetCellInfo}); the rest as {@link planAddCellInfo}. Unless forced, Guard when the
 * new place holds nothing and the old one does not.
 */
export async function planUpdateCellInfo(
  topology: Topology,
  cell: string,
  given: Partial<CellAddress>,
  options: CellOptions,
): Promise<Change[]> {
  const { value, ...info } = await getCellInfo(topology, cell, options);
  const address = {
    serverAddress: given.serverAddress ?? info.serverAddress,
    root: given.root ?? info.root,
  };
  if (address.serverAddress === info.serverAddress && address.root === info.root) return [];
  checkRoot(cell, address);
  const place = await checkPlace(topology, cell, address, await getCellInfos(topology, options));
  if (place !== undefined && !options.force) {
    const store = await dial(topology, cell, place, options);
    if ((await namesIn(store, '', options)).length === 0)
      await checkNothingLeft(topology, cell, store, options);
  }
  const after = rewriteCellInfo(value.bytes, address);
  return [{ scope: GLOBAL, path: cellInfoPath(cell), before: value, after }];
}

/**
 * What UpdateCellInfo of Vitess writes: as {@link planUpdateCellInfo}, and a cell that is not there is added with what is given, or not
 * at all where nothing is. What has no servers or no root yet leads nowhere: it is written unchecked, until the other half is given.
 */
export async function planSetCellInfo(
  topology: Topology,
  cell: string,
  given: Partial<CellAddress>,
  options: CellOptions,
): Promise<Change[]> {
  const path = cellInfoPath(cell);
  const isThere = (await find(topology.global, path, options)) !== undefined;
  const info = isThere ? await getCellInfo(topology, cell, options) : undefined;
  const before = { serverAddress: info?.serverAddress ?? '', root: info?.root ?? '' };
  if (isWhole(before)) return planUpdateCellInfo(topology, cell, given, options);
  const address = { ...before, ...given };
  if (address.serverAddress === before.serverAddress && address.root === before.root) return [];
  if (!isThere) checkNewName(cell);
  if (isWhole(address)) await checkAddress(topology, cell, address, options);
  const after = rewriteCellInfo(info?.value.bytes ?? new Uint8Array(), address);
  return [{ scope: GLOBAL, path, before: info?.value, after }];
}

/** Whether an address leads anywhere. */
function isWhole({ serverAddress, root }: CellAddress): boolean {
  return serverAddress !== '' && root !== '';
}

/**
 * What DeleteCellInfo deletes. NoCell. Unless forced: Guard while anything still needs the cell, which is its SrvKeyspace
 * records, tablets, whatever else its store holds but for SrvVSchema, and aliases; and Unavailable … when its store does not answer.
 */
export async function planDeleteCellInfo(
  topology: Topology,
  cell: string,
  options: CellOptions,
): Promise<Change[]> {
  const path = cellInfoPath(cell);
  const before = await find(topology.global, path, options);
  // The record need not decode to be deleted.
  if (before === undefined) await getCellInfo(topology, cell, options);
  if (!options.force) await checkUnused(topology, cell, options);
  return [{ scope: GLOBAL, path, before, after: undefined }];
}

async function checkAddress(
  topology: Topology,
  cell: string,
  address: CellAddress,
  options: CellOptions,
): Promise<void> {
  const place = await checkPlace(topology, cell, address, await getCellInfos(topology, options));
  if (place !== undefined && !options.force) await dial(topology, cell, place, options);
}

function checkRoot(cell: string, { root }: CellAddress): void {
  if (root !== '') return;
  throw new TopologyError(ErrorCode.InvalidAddress, `cell ${cell} has no root`, {
    hint: 'give it with --root, for example --root /vitess/CELL',
  });
}

async function checkNothingLeft(
  topology: Topology,
  cell: string,
  next: Connection,
  options: CallOptions,
): Promise<void> {
  const old = await cellStore(topology, cell, options).catch((error: unknown) => {
    // A store that is gone, which may be why the address changes, has nothing to lose.
    if (isTopologyError(error)) return undefined;
    throw error;
  });
  if (old === undefined || (await namesIn(old, '', options)).length === 0) return;
  throw new TopologyError(
    ErrorCode.Guard,
    `the new place of cell ${cell} holds nothing, and the old one does not`,
    {
      store: next.store,
      hint: 'copy the cell there first; to have its tablets fill it, add --force',
    },
  );
}

async function checkUnused(topology: Topology, cell: string, options: CallOptions): Promise<void> {
  const aliases = await getCellsAliases(topology, options);
  const named = aliases.filter(({ cells }) => cells.includes(cell)).map(({ name }) => `alias ${name}`);
  const held = await heldBy(topology, cell, options);
  const users = [...named, ...held];
  if (users.length === 0) return;
  const more = users.length > SHOWN ? ` and ${users.length - SHOWN} more` : '';
  throw new TopologyError(
    ErrorCode.Guard,
    `cell ${cell} is still in use: ${users.slice(0, SHOWN).join(', ')}${more}`,
    {
      hint: `remove its tablets, then take it from every keyspace with cell remove-keyspace, and from its alias; --force leaves all that behind`,
    },
  );
}

const SHOWN = 8;

/** Records of a cell's store without which the cell is in use, by path. */
async function heldBy(topology: Topology, cell: string, options: CallOptions): Promise<string[]> {
  const held: string[] = [];
  try {
    const store = await cellStore(topology, cell, options);
    for await (const { records } of store.scan('', options)) {
      for (const { path, ephemeral } of records)
        if (!HARMLESS.has(classify('cell', path, ephemeral).kind)) held.push(path);
    }
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    throw new TopologyError(error.code, `whether the cell is still in use cannot be seen: ${error.message}`, {
      hint: `${error.hint === undefined ? '' : `${error.hint}; `}to remove a cell whose store is gone, add --force`,
      retryable: error.retryable,
      cause: error,
    });
  }
  return held;
}

/** Left behind by every cell that was in use, and needed by nobody. */
const HARMLESS: ReadonlySet<string> = new Set(['SrvVSchema', 'Control']);
