import { readFields, writeFields } from '../topo/codec.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { formatTabletAlias, type TabletAlias } from '../topo/names.js';
import { compareBytewise } from '../topo/paths.js';
import { list, property, readShard, type ShardRecord } from './shards.js';

/** What RebuildShardGraph reads of one cell. */
export interface ShardCell {
  /** ShardReplication of the shard; undefined: the cell has none. */
  readonly replication: Uint8Array | undefined;
  /** Tablet records of the cell, by alias as text. Others than those of the shard may be among them. */
  readonly tablets: ReadonlyMap<string, Uint8Array>;
  /** Names below the shard's place in the serving graph: `master`, `replica`, and what else is there. */
  readonly present: readonly string[];
}

/** A shard, and where its tablets are. */
export interface ShardGraphInput {
  readonly keyspace: string;
  readonly shard: ShardRecord;
  /** Cells to rebuild; empty: all that the Shard names. */
  readonly cells: readonly string[];
  /** What each of these cells holds. */
  readonly current: ReadonlyMap<string, ShardCell>;
}

/** A record of the old serving graph. */
export interface LegacyRecord {
  /**
   * Below the cell's data (`/zk/<cell>/vt` in ZooKeeper, `/vt` in etcd): `ns/<keyspace>/<shard>`, and for EndPoints
   * `/<type>` behind it. A store that keeps data in files of its directories adds the file's name.
   */
  readonly path: string;
  readonly message: 'topodata.SrvShard' | 'topodata.EndPoints';
  /** In protobuf; the store writes it in its own form. */
  readonly bytes: Uint8Array;
}

/** The serving graph of a shard in one cell. */
export interface ShardGraph {
  /** SrvShard, and EndPoints of each type that serves. */
  readonly records: readonly LegacyRecord[];
  /** Paths of EndPoints of types that serve no longer. */
  readonly deletions: readonly string[];
  /** Tablets that clients will not find, though the shard counts them as its own or their type serves. */
  readonly leftOut: readonly { readonly alias: string; readonly reason: string }[];
}

/**
 * The serving graph of a shard as Vitess kept it until the betas of 2.0, by cell: RebuildShardGraph without its writing.
 *
 * Facts, read in go/vt/topotools/rebuild_shard.go and go/vt/topo of 2015: cells are those that the Shard names. SrvShard is the
 * shard's name, its key range as stored, and the cell of its primary. Tablets are those of the cell's ShardReplication and, in its
 * cell, the primary. EndPoints hold those of type master, replica and rdonly, with uid, hostname, ports and health. A tablet without
 * Tablet record, or without port `vt`, is passed over; where no other of its type is left the EndPoints are written empty. Names
 * that are no type of tablet stay.
 *
 * Judgement: types are numbered as from 2.0.0-alpha5 on (a store that holds older numbers translates them first). Entries are in
 * the order of their uids, where Vitess wrote a random one. A cell that could not be read is an error (NoCell), where Vitess
 * warned and wrote EndPoints without its tablets. A tablet of another cell is passed over.
 *
 * Guard when a serving tablet belongs to another shard; InvalidPath for an illegal shard name; Corrupt, naming the record.
 */
export function rebuildShardGraph(input: ShardGraphInput): Map<string, ShardGraph> {
  const { shard, keyspace, current } = input;
  const primary = aliasIn(readFields('topodata.Shard', shard.bytes)['primary_alias']);
  const { cells } = readShard(shard);
  const wanted = cells.filter((cell) => input.cells.length === 0 || input.cells.includes(cell));
  return new Map(
    [...new Set(wanted)].map((cell) => {
      const held = current.get(cell);
      if (held === undefined) throw notRead(keyspace, shard.name, cell);
      return [cell, graphOfCell(input, cell, held, primary)];
    }),
  );
}

function graphOfCell(
  { keyspace, shard }: ShardGraphInput,
  cell: string,
  held: ShardCell,
  primary: TabletAlias | undefined,
): ShardGraph {
  const dir = `ns/${keyspace}/${shard.name}`;
  const entries = new Map<string, EndPoint[]>();
  const leftOut: { alias: string; reason: string }[] = [];
  for (const alias of aliasesOf(cell, held, primary)) {
    const name = formatTabletAlias(alias);
    const bytes = held.tablets.get(name);
    if (bytes === undefined || alias.cell !== cell) {
      const reason = alias.cell === cell ? 'it has no Tablet record' : 'it is a tablet of another cell';
      leftOut.push({ alias: name, reason });
      continue;
    }
    const tablet = named(name, () => readFields('topodata.Tablet', bytes));
    const type = SERVING.get(Number(tablet['type'] ?? 0));
    if (type === undefined) continue;
    if (tablet['keyspace'] !== keyspace || tablet['shard'] !== shard.name)
      throw foreign(name, `${keyspace}/${shard.name}`, tablet);
    const endPoints = entries.get(type) ?? [];
    entries.set(type, endPoints);
    const ports = property(tablet, 'port_map');
    if (property(ports, 'vt') === undefined) leftOut.push({ alias: name, reason: 'it has no port vt' });
    else endPoints.push({ ...fieldsOf(tablet), uid: alias.uid });
  }
  const endPoints = [...entries].map(([type, found]) => endPointsRecord(`${dir}/${type}`, found));
  return {
    records: [srvShard(dir, shard, primary), ...endPoints],
    deletions: held.present
      .filter((name) => TYPES.has(name) && !entries.has(name))
      .map((name) => `${dir}/${name}`),
    leftOut,
  };
}

/** In the serving graph of the time, by number. BATCH is another name of rdonly's. */
const SERVING: ReadonlyMap<number, string> = new Map([
  [1, 'master'],
  [2, 'replica'],
  [3, 'rdonly'],
]);
/** What a name in the serving graph can be. Anything else, `action` and `actionlog` among it, is not EndPoints. */
const TYPES: ReadonlySet<string> = new Set([
  ...['unknown', 'idle', 'master', 'replica', 'rdonly', 'batch', 'spare', 'experimental'],
  ...['schema_upgrade', 'backup', 'restore', 'worker', 'scrap'],
]);

/** Fields of topodata.EndPoint. */
interface EndPoint {
  readonly uid: number;
  readonly host: unknown;
  readonly port_map: unknown;
  readonly health_map: unknown;
}

function fieldsOf(tablet: Readonly<Record<string, unknown>>): Omit<EndPoint, 'uid'> {
  return { host: tablet['hostname'], port_map: tablet['port_map'], health_map: tablet['health_map'] };
}

function endPointsRecord(path: string, entries: readonly EndPoint[]): LegacyRecord {
  const message = 'topodata.EndPoints';
  return { path, message, bytes: writeFields(message, { entries }) };
}

function srvShard(path: string, shard: ShardRecord, primary: TabletAlias | undefined): LegacyRecord {
  const message = 'topodata.SrvShard';
  const fields = { name: shard.name, key_range: readShard(shard).keyRange, master_cell: primary?.cell };
  return { path, message, bytes: writeFields(message, fields) };
}

/** Tablets of the shard that the cell knows, each once, in the order of cells and uids. */
function aliasesOf(
  cell: string,
  { replication }: Pick<ShardCell, 'replication'>,
  primary: TabletAlias | undefined,
): TabletAlias[] {
  const of = replication ?? new Uint8Array();
  const { nodes } = named(`ShardReplication of cell ${cell}`, () =>
    readFields('topodata.ShardReplication', of),
  );
  const found = list(nodes).map((node) => aliasIn(property(node, 'tablet_alias')));
  if (primary?.cell === cell) found.push(primary);
  const known = new Map(
    found.flatMap((alias) => (alias === undefined ? [] : [[formatTabletAlias(alias), alias] as const])),
  );
  return [...known.values()].sort((a, b) => compareBytewise(a.cell, b.cell) || a.uid - b.uid);
}

/** Aliases, as text, of the tablets that a rebuild reads in a cell. Corrupt. */
export function tabletsOf(cell: string, replication: Uint8Array | undefined, shard: ShardRecord): string[] {
  const primary = aliasIn(readFields('topodata.Shard', shard.bytes)['primary_alias']);
  const aliases = aliasesOf(cell, { replication }, primary);
  return aliases.filter((alias) => alias.cell === cell).map(formatTabletAlias);
}

/** An alias in a record. One without cell and number means none. */
function aliasIn(message: unknown): TabletAlias | undefined {
  const [cell, uid] = [String(property(message, 'cell') ?? ''), Number(property(message, 'uid') ?? 0)];
  return cell === '' && uid === 0 ? undefined : { cell, uid };
}

function named<T>(record: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    throw new TopologyError(error.code, `${record}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

function foreign(alias: string, shard: string, tablet: Readonly<Record<string, unknown>>): TopologyError {
  const own = `${String(tablet['keyspace'] ?? '')}/${String(tablet['shard'] ?? '')}`;
  return new TopologyError(
    ErrorCode.Guard,
    `tablet ${alias} is in replication graph for shard ${shard} but belongs to shard ${own}`,
    { hint: 'take it from the ShardReplication of the shard that it does not belong to' },
  );
}

function notRead(keyspace: string, shard: string, cell: string): TopologyError {
  return new TopologyError(
    ErrorCode.NoCell,
    `shard ${keyspace}/${shard} has tablets in cell ${cell}, which was not read`,
    { hint: 'rebuild the other cells alone, or make that cell answer: it would lose its tablets' },
  );
}
