import { noCell } from '../topo/changes.js';
import { decode, readCellInfo } from '../topo/codec.js';
import type { CallOptions, Connection, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { find, findDecodable } from '../topo/find.js';
import type { Topology } from '../topo/topology.js';

/** What the global store says of a cell. */
export interface CellInfo {
  readonly name: string;
  /** In the implementation's own syntax; empty where the record has none. */
  readonly serverAddress: string;
  readonly root: string;
  /** The record as it is stored. */
  readonly value: Value;
}

/** A name for several cells. */
export interface CellsAlias {
  readonly name: string;
  readonly cells: readonly string[];
  /** The record as it is stored. */
  readonly value: Value;
}

/** Path of a cell's record in the global store. */
export function cellInfoPath(cell: string): string {
  return `cells/${cell}/CellInfo`;
}

/** Path of an alias's record in the global store. */
export function cellsAliasPath(alias: string): string {
  return `cells_aliases/${alias}/CellsAlias`;
}

/** Names of all cells, in byte order: those that have a CellInfo record. */
export async function getCellInfoNames(topology: Topology, options: CallOptions): Promise<string[]> {
  return (await readAll(topology.global, 'cells', cellInfoPath, find, options)).map(({ name }) => name);
}

/** CellInfo of every cell, in byte order of the names. Corrupt. */
export async function getCellInfos(topology: Topology, options: CallOptions): Promise<CellInfo[]> {
  const found = await readAll(topology.global, 'cells', cellInfoPath, findInfo, options);
  return found.map(({ name, value }) => ({ name, value, ...readCellInfo(value.bytes) }));
}

/** CellInfo of one cell. NoCell, with the cells that there are; Corrupt. */
export async function getCellInfo(topology: Topology, name: string, options: CallOptions): Promise<CellInfo> {
  const value = await findInfo(topology.global, cellInfoPath(name), options);
  if (value !== undefined) return { name, value, ...readCellInfo(value.bytes) };
  throw noCell(topology, name, await getCellInfoNames(topology, options));
}

/** All aliases, in byte order of their names. Corrupt. */
export async function getCellsAliases(topology: Topology, options: CallOptions): Promise<CellsAlias[]> {
  const found = await readAll(topology.global, 'cells_aliases', cellsAliasPath, findAlias, options);
  return found.map(({ name, value }) => {
    const { cells } = decode(ALIAS, value.bytes).json;
    return { name, value, cells: Array.isArray(cells) ? cells.map(String) : [] };
  });
}

/** Names in a directory; none when it is not there. */
export async function namesIn(store: Connection, dir: string, options: CallOptions): Promise<string[]> {
  try {
    return await store.listDir(dir, options);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  }
}

const INFO = 'topodata.CellInfo';
const ALIAS = 'topodata.CellsAlias';

const findInfo: Find = (store, path, options) => findDecodable(store, path, INFO, options);
const findAlias: Find = (store, path, options) => findDecodable(store, path, ALIAS, options);

type Find = typeof find;

async function readAll(
  store: Connection,
  dir: string,
  pathOf: (name: string) => string,
  read: Find,
  options: CallOptions,
): Promise<{ readonly name: string; readonly value: Value }[]> {
  const names = await namesIn(store, dir, options);
  const found = await Promise.all(
    names.map(async (name) => ({ name, value: await read(store, pathOf(name), options) })),
  );
  return found.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }]));
}
