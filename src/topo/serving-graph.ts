import type { CallOptions } from './call-options.js';
import type { RecordTold } from './told.js';
import type { Version } from './version.js';

/**
 * What a cell's store of the retired formats keeps for the clients of its time beside the records: SrvShard at `ns/<keyspace>/<shard>`, EndPoints at
 * `ns/<keyspace>/<shard>/<type>`. It is computed from records and is none itself: no other method of a Connection sees it.
 *
 * Bytes are protobuf (topodata.SrvShard, topodata.EndPoints). Calls are limited, and fail, as those of a Connection.
 */
export interface ServingGraph {
  /** Keyspaces below `ns`, shards of a keyspace, types of a shard, in byte order; empty: there are none. */
  list(path: string, options?: CallOptions): Promise<string[]>;

  /** Undefined: there is none. What is in no form that is known has its raw bytes, and `told.unreadable` says why. */
  read(path: string, options?: CallOptions): Promise<ServingRecord | undefined>;

  /** Writes what has this version (BadVersion, NoNode), or with null what is not there (NodeExists). */
  put(path: string, bytes: Uint8Array, version: Version | null, options?: CallOptions): Promise<Version>;

  /** Removes what has this version. BadVersion, NoNode. */
  remove(path: string, version: Version, options?: CallOptions): Promise<void>;
}

/** A Value, of what is no record. */
export interface ServingRecord {
  readonly bytes: Uint8Array;
  readonly version: Version;
  readonly ephemeral: false;
  readonly told?: RecordTold | undefined;
}
