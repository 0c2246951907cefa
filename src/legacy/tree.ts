import { isTopologyError, type TopologyError } from '../topo/errors.js';
import { recordFileName } from '../topo/kinds.js';
import { compareBytewise } from '../topo/paths.js';
import { sharedNumbers } from '../topo/shared-numbers.js';
import type { Derived, Loss, Note, Told } from '../topo/told.js';
import { readAddresses } from './cell-addresses.js';
import { isFreeLock } from './etcd-paths.js';
import { describePlace, type OldKind, type OldPlace } from './places.js';
import { readOld } from './read.js';
import type { Numbering } from './reading.js';
import { graphsOf, type PlacedGraph, type ReadRecord } from './tree-replication.js';
import { type FoundVSchema, joinVSchemas } from './vschemas.js';

/** A node of an old store, of which `place` says what it is. */
export interface OldNode {
  /** Undefined: in the global store. */
  readonly cell: string | undefined;
  /** Path in the store's own words. */
  readonly native: string;
  readonly place: OldPlace;
  /** Null: it has no data. */
  readonly value: Uint8Array | null;
}

/** A record of the canonical tree. */
export interface TreeRecord {
  /** `global`, or the name of the cell. */
  readonly scope: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** `global`, or the name of the cell that something told is about. */
export interface Scoped {
  readonly scope: string;
}

/** A topology that was read from an old store. */
export interface OldTree {
  readonly losses: readonly (Loss & Scoped)[];
  readonly derived: readonly (Derived & Scoped)[];
  readonly notes: readonly (Note & Scoped)[];
  /** By scope, then path. */
  readonly records: readonly TreeRecord[];
  /** Nodes with data of which nothing was made, and why. */
  readonly left: readonly { readonly native: string; readonly why: string }[];
  /** Records that are in neither form. */
  readonly unreadable: readonly TopologyError[];
  /** VSchemas with their homes: see differenceOf. */
  readonly vschemas: readonly FoundVSchema[];
}

/**
 * The canonical tree of a whole topology, all stores of it, from the nodes of an old store. What only several records together tell is
 * made here: ShardReplication of generation 1, and VSchemas in either home. Never fails: what cannot be read is in `unreadable`.
 */
export function readTree(nodes: readonly OldNode[], numbering: Numbering): OldTree {
  const unreadable: TopologyError[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      unreadable.push(error);
      return undefined;
    }
  };
  const json = jsonNodes(nodes);
  const shards = shardsByKeyspace(json);
  const read = json.flatMap(({ record, native, value }): ReadRecord[] => {
    const options = { numbering, shards: shards.get(record.keyspace ?? '') ?? [] };
    const found = attempt(() => readOld(record, value, options));
    return found === undefined ? [] : [{ record, native, value, read: found }];
  });
  const own = new Map(ofKind(read, 'VSchema').map(({ record, read }) => [record.keyspace ?? '', read]));
  const shared = nodes.find(({ place }) => place.is === 'vschemas')?.value ?? undefined;
  const homes =
    attempt(() => joinVSchemas(shared, own, numbering)) ?? joinVSchemas(undefined, own, numbering);
  const graphs = graphsOf(
    read,
    nodes.flatMap(({ place }) => (place.is === 'replication-path' ? [place] : [])),
  );
  const plain = nodes.flatMap((node) => attempt(() => plainRecords(node)) ?? []);
  return {
    records: [
      ...plain,
      ...ownRecords(read, graphs),
      ...vschemaRecords(homes.vschemas),
      ...graphs.flatMap(graphRecords),
    ].sort((a, b) => compareBytewise(a.scope, b.scope) || compareBytewise(a.path, b.path)),
    ...told([
      ...read.flatMap((each) => ownTold(each, graphs)),
      ...[...homes.vschemas, homes.shared].map((each) => ({ scope: GLOBAL, ...each })),
      ...graphs.map(({ losses, notes }) => ({ scope: GLOBAL, losses, derived: [], notes })),
      ...nodes.map((node) => ({ scope: scopeOf(node), losses: [], derived: derivedNode(node), notes: [] })),
      ...sharedNumbers(read.flatMap(aliasOf)).map((note) => ({
        scope: GLOBAL,
        losses: [],
        derived: [],
        notes: [note],
      })),
    ]),
    left: [...nodes.flatMap(leftNode), ...read.flatMap(leftTablet)],
    unreadable,
    vschemas: homes.vschemas,
  };
}

type JsonNode = Omit<ReadRecord, 'read'>;

const NOTHING = new Uint8Array();

function jsonNodes(nodes: readonly OldNode[]): JsonNode[] {
  return nodes.flatMap(({ place, native, value }): JsonNode[] => {
    // A node of the serving graph without data is the directory of its shards.
    if (place.is !== 'record' || (value === null && place.kind === 'SrvKeyspace')) return [];
    return [{ record: place, native, value: value ?? NOTHING }];
  });
}

function shardsByKeyspace(nodes: readonly JsonNode[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { record } of nodes) {
    if (record.kind !== 'Shard') continue;
    const { keyspace = '', shard = '' } = record;
    found.set(keyspace, [...(found.get(keyspace) ?? []), shard]);
  }
  return found;
}

function ofKind(read: readonly ReadRecord[], kind: OldKind): ReadRecord[] {
  return read.filter(({ record }) => record.kind === kind);
}

/** The alias of a tablet that is not left out. */
function aliasOf({ record: { alias }, read }: ReadRecord): string[] {
  return alias === undefined || read.bytes === undefined ? [] : [alias];
}

/** Records that stand as they are, or almost. */
function plainRecords({ cell, place, value }: OldNode): TreeRecord[] {
  const scope = scopeOf({ cell });
  if (place.is === 'addresses') {
    const bytes = readAddresses(place.path, value ?? NOTHING);
    return [{ scope, path: place.path, bytes }];
  }
  if (place.is !== 'raw' || (value === null && !recordFileName(place.path))) return [];
  return [{ scope, path: place.path, bytes: value ?? NOTHING }];
}

function ownRecords(read: readonly ReadRecord[], graphs: readonly PlacedGraph[]): TreeRecord[] {
  const made = new Set(graphs.map(({ path }) => path));
  return read.flatMap(({ record, read: { bytes } }): TreeRecord[] => {
    if (bytes === undefined || record.kind === 'VSchema' || made.has(record.path)) return [];
    return [{ scope: scopeOf(record), path: record.path, bytes }];
  });
}

/** What is told of a record itself. VSchemas are told with their homes. Links into other cells are where they belong in a graph that was made. */
function ownTold({ record, read }: ReadRecord, graphs: readonly PlacedGraph[]): (Told & Scoped)[] {
  if (record.kind === 'VSchema') return [];
  const placed = graphs.some(({ path }) => path === record.path);
  return [{ scope: scopeOf(record), ...read, ...(placed ? { notes: [] } : {}) }];
}

function vschemaRecords(vschemas: readonly FoundVSchema[]): TreeRecord[] {
  return vschemas.map(({ keyspace, bytes }) => ({
    scope: GLOBAL,
    path: `keyspaces/${keyspace}/VSchema`,
    bytes,
  }));
}

function graphRecords({ path, records }: PlacedGraph): TreeRecord[] {
  return [...records].map(([scope, bytes]) => ({ scope, path, bytes }));
}

function told(all: readonly (Told & Scoped)[]): Pick<OldTree, 'losses' | 'derived' | 'notes'> {
  return {
    losses: all.flatMap(({ scope, losses }) => losses.map((each) => ({ scope, ...each }))),
    derived: all.flatMap(({ scope, derived }) => derived.map((each) => ({ scope, ...each }))),
    notes: all.flatMap(({ scope, notes }) => notes.map((each) => ({ scope, ...each }))),
  };
}

const GLOBAL = 'global';

function scopeOf({ cell }: Pick<OldNode, 'cell'>): string {
  return cell ?? GLOBAL;
}

function derivedNode({ native, place, value }: OldNode): Derived[] {
  return place.is === 'derived' && value !== null ? [{ path: native, field: '', what: place.kind }] : [];
}

function leftNode({ native, place, value }: OldNode): OldTree['left'][number][] {
  const hasData = value !== null && value.byteLength > 0;
  switch (place.is) {
    case 'directory':
      return hasData ? [{ native, why: 'data in a directory' }] : [];
    case 'lock': {
      const free = place.fixed === true && isFreeLock(Buffer.from(value ?? NOTHING).toString());
      return free ? [] : [{ native, why: describePlace(place) }];
    }
    case 'lock-result':
    case 'election':
    case 'pid':
    case 'stray':
      return [{ native, why: describePlace(place) }];
    default:
      return [];
  }
}

function leftTablet({ native, read }: ReadRecord): OldTree['left'][number][] {
  if (read.bytes !== undefined) return [];
  return [{ native, why: `a tablet of type ${String(read.losses[0]?.value)}` }];
}
