import type { GraphState } from '../graph/check.js';
import type { TopologyError } from '../topo/errors.js';

/** What a Shard record says. */
export interface ShardState {
  readonly keyspace: string;
  readonly shard: string;
  readonly path: string;
  /** Undefined: none. */
  readonly primary: { readonly cell: string; readonly alias: string } | undefined;
  /** Nanoseconds since the epoch; 0: none. */
  readonly term: bigint;
  readonly serving: boolean;
}

/** What a Tablet record says. */
export interface TabletState {
  readonly cell: string;
  /** Its directory's name: `zone1-0000000100`. */
  readonly alias: string;
  readonly path: string;
  readonly keyspace: string;
  readonly shard: string;
  /** `PRIMARY`, `REPLICA`, …; a number that the schema has no name for. */
  readonly type: string;
  /** Empty: none. */
  readonly hostname: string;
  /** `port_map["vt"]`; undefined: none that can be asked. */
  readonly webPort: number | undefined;
  /** Neither host nor ports, as a clean stop leaves it. */
  readonly blank: boolean;
  /** As of {@link ShardState.term}. */
  readonly term: bigint;
  /** The tag `version`, which Vitess 13 and newer write; undefined: not told. */
  readonly version: string | undefined;
}

/** What a ShardReplication record says. */
export interface ReplicationState {
  readonly cell: string;
  readonly keyspace: string;
  readonly shard: string;
  readonly path: string;
  /** Aliases, as directories of tablets are named. */
  readonly nodes: readonly string[];
}

/** The records that a running cluster is compared with. */
export interface ClusterRecords {
  readonly shards: readonly ShardState[];
  readonly tablets: readonly TabletState[];
  readonly replications: readonly ReplicationState[];
  /** Cells by their alias. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** Cells that were read. */
  readonly cells: readonly string[];
  readonly unreachable: readonly { readonly cell: string; readonly error: TopologyError }[];
  readonly undecodable: readonly {
    readonly scope: string;
    readonly path: string;
    readonly problem: string;
  }[];
  /** The serving graph of the cells that were read; undefined: none was. */
  readonly graph: GraphState | undefined;
}
