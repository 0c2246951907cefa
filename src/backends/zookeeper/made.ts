import type { CallOptions } from '../../topo/connection.js';
import type { GlobalShards } from './global.js';
import type { LegacyStore } from './legacy-store.js';
import type { OtherReplications } from './other-cells.js';
import type { Own, RecordPlace } from './own.js';
import { type Made, readOwn } from './read.js';
import { joinedReplication } from './replication.js';
import { joinedVSchema, type SharedVSchemas } from './vschemas.js';

/** What records are made of beside their own znodes. */
export interface Around {
  /** Of the global store: the VSchemas in the one node of all keyspaces. */
  readonly shared?: SharedVSchemas | undefined;
  /** Of a cell: the shards of the global store. */
  readonly shards?: GlobalShards | undefined;
  /** Of a cell: the ShardReplications of the others. */
  readonly others?: OtherReplications | undefined;
}

/** What the ShardReplications of a cell are made of: of all shards, or those of a keyspace, or of the one. */
export async function aroundCell(
  { global, others }: LegacyStore,
  of: { readonly keyspace?: string | undefined; readonly shard?: string | undefined },
  options: CallOptions | undefined,
): Promise<Around> {
  const [shards, replications] = await Promise.all([
    global?.shards(of, options),
    others?.replications(of, options),
  ]);
  return { shards, others: replications };
}

/** The record of a place; undefined: there is none. `own`: what its own znode holds, undefined where there is no such. */
export async function readMade(
  legacy: LegacyStore,
  place: RecordPlace,
  own: Own | undefined,
  around: Around,
  options: CallOptions | undefined,
): Promise<Made | undefined> {
  if (place.kind === 'VSchema') return joinedVSchema(legacy, place, own, around.shared, options);
  if (place.kind === 'ShardReplication')
    return joinedReplication(
      legacy,
      place,
      own,
      { shard: around.shards?.get(`${place.keyspace}/${place.shard}`), others: around.others },
      options,
    );
  if (own === undefined) return undefined;
  return readOwn(legacy, place, own, namesOf(around.shards, place.keyspace), options);
}

function namesOf(shards: GlobalShards | undefined, keyspace: string | undefined): string[] | undefined {
  if (shards === undefined) return undefined;
  return [...shards.values()].flatMap((each) =>
    each.keyspace === keyspace && each.own !== undefined ? [each.shard] : [],
  );
}
