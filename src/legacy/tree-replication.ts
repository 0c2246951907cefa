import { decode } from '../topo/codec.js';
import type { Transcoded } from '../topo/told.js';
import { aliasIn } from './alias-json.js';
import type { OldPlace, OldRecord } from './places.js';
import { linksIn, type ShardGraph, shardReplication } from './replication.js';

/** A record in JSON, and what it was read as. */
export interface ReadRecord {
  readonly record: OldRecord;
  readonly native: string;
  readonly value: Uint8Array;
  readonly read: Transcoded;
}

/** The replication graph of a shard, and the path that its records have in their cells. */
export interface PlacedGraph extends ShardGraph {
  readonly path: string;
}

/**
 * The replication graphs of all shards that generation 1 has left anything of: nested nodes, links with parents, or the Shard itself. Of the
 * others each cell's record stands for itself.
 */
export function graphsOf(
  read: readonly ReadRecord[],
  nested: readonly Extract<OldPlace, { is: 'replication-path' }>[],
): PlacedGraph[] {
  const names = new Map<string, { keyspace: string; shard: string }>();
  const first = read.filter(
    ({ record, read: { generation } }) =>
      generation === 1 && (record.kind === 'Shard' || record.kind === 'ShardReplication'),
  );
  for (const { keyspace = '', shard = '' } of [...first.map(({ record }) => record), ...nested])
    names.set(`${keyspace}/${shard}`, { keyspace, shard });
  return [...names.values()].map(({ keyspace, shard }) => {
    const here = ({ keyspace: of, shard: name }: { keyspace?: string; shard?: string }) =>
      of === keyspace && name === shard;
    const own = read.filter(({ record }) => here(record));
    const graph = shardReplication({
      keyspace,
      shard,
      primary: primaryOf(own.find(({ record }) => record.kind === 'Shard')),
      links: own.flatMap(({ record, value }) =>
        record.kind === 'ShardReplication' ? linksIn(record, value) : [],
      ),
      nested: nested.filter(here).map(({ aliases }) => aliases),
    });
    return { ...graph, path: `keyspaces/${keyspace}/shards/${shard}/ShardReplication` };
  });
}

function primaryOf(shard: ReadRecord | undefined) {
  const bytes = shard?.read.bytes;
  return bytes === undefined ? undefined : aliasIn(decode('topodata.Shard', bytes).json['primary_alias']);
}
