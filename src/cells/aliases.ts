import { type Change, noCell } from '../topo/changes.js';
import { encode, reencode } from '../topo/codec.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { checkNewName } from './names.js';
import { type CellsAlias, cellsAliasPath, getCellInfoNames, getCellsAliases } from './read.js';

/**
 * What AddCellsAlias writes. InvalidPath for an illegal name; NodeExists; NoCell for a cell that the topology has not; Guard for
 * one that another alias has; Usage without cells.
 */
export async function planAddCellsAlias(
  topology: Topology,
  name: string,
  cells: readonly string[],
  options: CallOptions,
): Promise<Change[]> {
  checkNewName(name);
  const aliases = await getCellsAliases(topology, options);
  const path = cellsAliasPath(name);
  if (aliases.some((alias) => alias.name === name)) {
    throw new TopologyError(ErrorCode.NodeExists, `there is an alias ${name} already`, {
      path,
      store: topology.global.store,
      hint: 'to change its cells: cell alias update',
    });
  }
  await checkCells(topology, name, cells, aliases, options);
  const after = encode('topodata.CellsAlias', { cells: [...cells] });
  return [{ scope: GLOBAL, path, before: undefined, after }];
}

/**
 * What UpdateCellsAlias writes: these cells in place of the former ones. Nothing where nothing changes. NoNode for an unknown
 * alias, which Vitess would add; the rest as {@link planAddCellsAlias}.
 */
export async function planUpdateCellsAlias(
  topology: Topology,
  name: string,
  cells: readonly string[],
  options: CallOptions,
): Promise<Change[]> {
  const aliases = await getCellsAliases(topology, options);
  const { value, cells: former } = aliasNamed(topology, name, aliases);
  await checkCells(topology, name, cells, aliases, options);
  if (former.length === cells.length && former.every((cell) => cells.includes(cell))) return [];
  const after = reencode('topodata.CellsAlias', value.bytes, (json) => ({ ...json, cells: [...cells] }));
  return [{ scope: GLOBAL, path: cellsAliasPath(name), before: value, after }];
}

/** What DeleteCellsAlias deletes. NoNode for an unknown alias. */
export async function planDeleteCellsAlias(
  topology: Topology,
  name: string,
  options: CallOptions,
): Promise<Change[]> {
  const { value } = aliasNamed(topology, name, await getCellsAliases(topology, options));
  return [{ scope: GLOBAL, path: cellsAliasPath(name), before: value, after: undefined }];
}

function aliasNamed(topology: Topology, name: string, aliases: readonly CellsAlias[]): CellsAlias {
  const found = aliases.find((alias) => alias.name === name);
  if (found !== undefined) return found;
  throw new TopologyError(ErrorCode.NoNode, `there is no alias ${name}`, {
    path: cellsAliasPath(name),
    store: topology.global.store,
    hint:
      aliases.length === 0
        ? 'there are no aliases at all'
        : `there are ${aliases.map((a) => a.name).join(', ')}`,
  });
}

/** Vitess takes a cell to be in one alias at most: it is the region in which replicas are looked for. */
async function checkCells(
  topology: Topology,
  name: string,
  cells: readonly string[],
  aliases: readonly CellsAlias[],
  options: CallOptions,
): Promise<void> {
  if (cells.length === 0)
    throw new TopologyError(ErrorCode.Usage, `alias ${name} has no cells`, {
      hint: 'give --cells zone1,zone2',
    });
  const twice = cells.find((cell, index) => cells.indexOf(cell) !== index);
  if (twice !== undefined)
    throw new TopologyError(ErrorCode.Usage, `cell ${twice} is named twice`, { hint: 'name each cell once' });
  const known = await getCellInfoNames(topology, options);
  const unknown = cells.find((cell) => !known.includes(cell));
  if (unknown !== undefined) throw noCell(topology, unknown, known);
  for (const alias of aliases) {
    const shared = alias.name === name ? undefined : alias.cells.find((cell) => cells.includes(cell));
    if (shared === undefined) continue;
    throw new TopologyError(ErrorCode.Guard, `cell ${shared} is in alias ${alias.name} already`, {
      path: cellsAliasPath(alias.name),
      store: topology.global.store,
      hint: `a cell is in one alias at most: take it from ${alias.name} first`,
    });
  }
}
