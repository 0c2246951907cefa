import { list, property } from '../graph/shards.js';
import { overlaps, type StoreAddress } from '../topo/address.js';
import { cellStore, noCell } from '../topo/changes.js';
import { decode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { checkDecodes } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import type { Topology } from '../topo/topology.js';
import { recordedAddress } from './address.js';
import { type CellContents, readContents } from './contents.js';
import { type CellInfo, type CellsAlias, getCellInfos, getCellsAliases } from './read.js';

/** A shard, and the cell of its primary. */
export interface SplitShard {
  /** `keyspace/shard`. */
  readonly name: string;
  /** Undefined: it has no primary. */
  readonly primaryCell: string | undefined;
}

/** The cell that is split. */
export interface OldCell {
  readonly name: string;
  /** Undefined: it has been removed, and only its store is left. */
  readonly info: CellInfo | undefined;
  readonly address: StoreAddress;
  readonly contents: CellContents;
  /** The global data, or cells, whose place overlaps that of its store. */
  readonly shares: readonly string[];
}

/** A cell that is made. */
export interface NewCell {
  readonly name: string;
  /** Undefined: it is not there yet. */
  readonly info: CellInfo | undefined;
  /** Undefined: it is not there yet. */
  readonly contents: CellContents | undefined;
}

/** What the steps of a split are computed from: everything is read anew each time, nothing is kept in between. */
export interface SplitState {
  readonly old: OldCell;
  readonly added: readonly NewCell[];
  readonly aliases: readonly CellsAlias[];
  readonly shards: readonly SplitShard[];
  /** Keyspaces that have a Keyspace record. */
  readonly keyspaces: readonly string[];
  /** Records with rules for the old cell by its name, which would not hold in a new one: `keyspaces/ks/shards/0/Shard` … */
  readonly rules: readonly string[];
}

/** The name of the global data among what a store's place overlaps. */
export const GLOBAL_DATA = 'the global data';

/**
 * Reads the state of a split. Writes nothing. NoCell for an unknown old cell: one that was removed must have its address given. Usage
 * where the store holds its cells itself; Corrupt, Unavailable …
 */
export async function readSplit(
  topology: Topology,
  { old, added }: { readonly old: string; readonly added: readonly string[] },
  options: CallOptions,
): Promise<SplitState> {
  if ((await topology.addressWithoutCellInfo(old))?.source === 'store')
    throw new TopologyError(ErrorCode.Usage, 'a file keeps its cells itself', {
      store: topology.global.store,
      hint: 'split the cells of the store that the cluster runs on',
    });
  const infos = await getCellInfos(topology, options);
  const aliases = await getCellsAliases(topology, options);
  const global = await readKeyspaces(topology, old, options);
  const newCells: NewCell[] = [];
  for (const name of added) {
    const info = infos.find((each) => each.name === name);
    const contents = info && (await readContents(await cellStore(topology, name, options), options));
    newCells.push({ name, info, contents });
  }
  const oldCell = await readOld(topology, old, infos, options);
  return { old: oldCell, added: newCells, aliases, ...global };
}

async function readOld(
  topology: Topology,
  name: string,
  infos: readonly CellInfo[],
  options: CallOptions,
): Promise<OldCell> {
  const info = infos.find((each) => each.name === name);
  const given = await topology.addressWithoutCellInfo(name);
  if (info === undefined && given === undefined) throw unknownOld(topology, name, infos);
  const contents = await readContents(await cellStore(topology, name, options), options);
  const { implementation } = topology.address;
  const recorded = info && recordedAddress(implementation, info);
  const address = given?.address ?? recorded;
  if (address === undefined) throw unknownOld(topology, name, infos);
  // Where the recorded address means something else from here, what is shared is told by either.
  const places = [address, ...(recorded === undefined ? [] : [recorded])];
  const others: [string, StoreAddress | undefined][] = [[GLOBAL_DATA, topology.address]];
  for (const each of infos)
    if (each.name !== name) others.push([`cell ${each.name}`, recordedAddress(implementation, each)]);
  const shares = others
    .filter(([, other]) => other !== undefined && places.some((place) => overlaps(place, other)))
    .map(([whose]) => whose);
  return { name, info, address, contents, shares };
}

async function readKeyspaces(
  { global }: Topology,
  old: string,
  options: CallOptions,
): Promise<Pick<SplitState, 'shards' | 'keyspaces' | 'rules'>> {
  const shards: SplitShard[] = [];
  const keyspaces: string[] = [];
  const rules: string[] = [];
  for await (const { records } of global.scan('keyspaces', options)) {
    for (const { path, ...value } of records) {
      const { kind, message } = classify('global', path, value.ephemeral);
      if ((kind !== 'Keyspace' && kind !== 'Shard') || message === null) continue;
      checkDecodes(global, path, message, value);
      const { json } = decode(message, value.bytes);
      const [, keyspace = '', , shard = ''] = path.split('/');
      if (RULES.some((field) => list(json[field]).some((rule) => namesCell(rule, old)))) rules.push(path);
      if (kind === 'Keyspace') keyspaces.push(keyspace);
      else shards.push({ name: `${keyspace}/${shard}`, primaryCell: primaryCellOf(json) });
    }
  }
  return { shards, keyspaces, rules };
}

/** Fields whose entries hold in the cells that they name: of Shard the first two, of Keyspace the last. */
const RULES = ['tablet_controls', 'served_types', 'served_froms'] as const;

function namesCell(rule: unknown, cell: string): boolean {
  return list(property(rule, 'cells')).includes(cell);
}

function primaryCellOf(shard: JsonObject): string | undefined {
  const cell = property(shard['primary_alias'], 'cell');
  return typeof cell === 'string' ? cell : undefined;
}

function unknownOld(topology: Topology, name: string, infos: readonly CellInfo[]): TopologyError {
  const known = noCell(
    topology,
    name,
    infos.map((each) => each.name),
  );
  return new TopologyError(known.code, known.message, {
    hint: `${known.hint}; to go on with the store of a cell that was removed: --cell-address ${name}=SERVER,ROOT`,
  });
}
