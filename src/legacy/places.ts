/** Kinds of records that the old stores keep as JSON. */
export type OldKind =
  | 'Keyspace'
  | 'VSchema'
  | 'Shard'
  | 'Tablet'
  | 'ShardReplication'
  | 'SrvKeyspace'
  | 'SrvVSchema'
  | 'SrvShard'
  | 'EndPoints';

/** The message of each kind. */
export const OLD_MESSAGES: Readonly<Record<OldKind, string>> = {
  Keyspace: 'topodata.Keyspace',
  VSchema: 'vschema.Keyspace',
  Shard: 'topodata.Shard',
  Tablet: 'topodata.Tablet',
  ShardReplication: 'topodata.ShardReplication',
  SrvKeyspace: 'topodata.SrvKeyspace',
  SrvVSchema: 'vschema.SrvVSchema',
  SrvShard: 'topodata.SrvShard',
  EndPoints: 'topodata.EndPoints',
};

/** A record in JSON: what it is, and what its place says of it. */
export interface OldRecord {
  readonly kind: OldKind;
  /** Canonical path. SrvShard and EndPoints, which have none: `ns/<keyspace>/<shard>`, and `/<type>` behind it. */
  readonly path: string;
  /** The cell whose store it is in; undefined: the global store. */
  readonly cell: string | undefined;
  /** Of the keyspace, where the place names one. */
  readonly keyspace?: string;
  /** Of the shard, where the place names one. */
  readonly shard?: string;
  /** Of a Tablet, as text. */
  readonly alias?: string;
}

/** What an old store has at one of its paths. All but `record`, `raw` and `addresses` are no records of the canonical tree. */
export type OldPlace =
  /** A record in JSON. */
  | ({ readonly is: 'record' } & OldRecord)
  /** A record stored as its bytes, as the canonical tree has it at `path`. */
  | { readonly is: 'raw'; readonly path: string }
  /** The addresses of a cell, from which its CellInfo at `path` is made. */
  | { readonly is: 'addresses'; readonly path: string; readonly cell: string }
  /** SrvShard or EndPoints: derived from other records, never copied. */
  | ({ readonly is: 'derived' } & OldRecord)
  /** The VSchemas of all keyspaces in one, as until 2016. */
  | { readonly is: 'vschemas' }
  /** Tablets below a shard, each replicating from the one above it. */
  | {
      readonly is: 'replication-path';
      readonly keyspace: string;
      readonly shard: string;
      readonly aliases: readonly string[];
    }
  /** Holds other nodes, and no data of its own. */
  | { readonly is: 'directory' }
  /**
   * An entry in the queue of a lock, or the lock itself. `of`: the canonical directory that it locks. `fixed`: it is always the same one, and its value
   * says whether anybody holds it (isFreeLock).
   */
  | { readonly is: 'lock'; readonly of: string; readonly fixed?: true }
  /** What the holder of a lock left as its result. */
  | { readonly is: 'lock-result' }
  /** An entry of the election at this canonical path. */
  | { readonly is: 'election'; readonly path: string }
  /** The process of a running tablet. */
  | { readonly is: 'pid' }
  /**
   * Something that has no place in the canonical tree; `why` says it in a few words. `hidden`: no listing tells of it, and it has one of the names that
   * such a store looks for.
   */
  | { readonly is: 'stray'; readonly why: string; readonly hidden?: true };

/** What is at a place, in a few words. */
export function describePlace(place: OldPlace): string {
  switch (place.is) {
    case 'record':
    case 'derived':
      return `the place of a ${place.kind}`;
    case 'raw':
      return `the place of ${place.path}`;
    case 'stray':
      return place.why;
    default:
      return DESCRIPTIONS[place.is];
  }
}

const DESCRIPTIONS = {
  addresses: 'the addresses of a cell',
  vschemas: 'the VSchemas of all keyspaces in one',
  'replication-path': 'a path of the replication graph',
  directory: 'a directory',
  lock: 'a lock',
  'lock-result': 'the result of a lock’s holder',
  election: 'an entry of an election',
  pid: 'the process of a tablet',
} as const;
