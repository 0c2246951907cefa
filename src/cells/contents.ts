import { decode } from '../topo/codec.js';
import type { CallOptions, Connection, StoredRecord } from '../topo/connection.js';
import { checkDecodes } from '../topo/find.js';
import { classify } from '../topo/kinds.js';

/** A Tablet record of a cell. */
export interface CellTablet {
  /** Its directory's name: `zone1-0000000100`. */
  readonly alias: string;
  /** `keyspace/shard`. */
  readonly shard: string;
  /** False for what a clean stop leaves behind: a record without hosts and ports. */
  readonly running: boolean;
  readonly record: StoredRecord;
}

/** What a cell's store holds, by what it is. */
export interface CellContents {
  readonly tablets: readonly CellTablet[];
  readonly replications: readonly StoredRecord[];
  readonly srvKeyspaces: readonly StoredRecord[];
  readonly srvVSchema: StoredRecord | undefined;
  /** Paths of everything else: locks, records of this tool, files that Vitess does not know. */
  readonly others: readonly string[];
}

/** Reads everything in a cell's store. Corrupt for a Tablet that does not decode. */
export async function readContents(store: Connection, options: CallOptions): Promise<CellContents> {
  const tablets: CellTablet[] = [];
  const replications: StoredRecord[] = [];
  const srvKeyspaces: StoredRecord[] = [];
  let srvVSchema: StoredRecord | undefined;
  const others: string[] = [];
  for await (const { records } of store.scan('', options)) {
    for (const record of records) {
      const { kind } = classify('cell', record.path, record.ephemeral);
      if (kind === 'Tablet') tablets.push(tabletOf(store, record));
      else if (kind === 'ShardReplication') replications.push(record);
      else if (kind === 'SrvKeyspace') srvKeyspaces.push(record);
      else if (kind === 'SrvVSchema') srvVSchema = record;
      else others.push(record.path);
    }
  }
  return { tablets, replications, srvKeyspaces, srvVSchema, others };
}

/** What makes a cell one in use: tablets, then ShardReplication, then SrvKeyspace. */
export function recordsInUse({ tablets, replications, srvKeyspaces }: CellContents): StoredRecord[] {
  return [...tablets.map(({ record }) => record), ...replications, ...srvKeyspaces];
}

function tabletOf(store: Connection, record: StoredRecord): CellTablet {
  checkDecodes(store, record.path, 'topodata.Tablet', record);
  const { json } = decode('topodata.Tablet', record.bytes);
  const set = (name: string) => json[name] !== undefined;
  return {
    alias: record.path.split('/')[1] ?? '',
    shard: `${String(json['keyspace'] ?? '')}/${String(json['shard'] ?? '')}`,
    running: set('hostname') || set('mysql_hostname') || set('port_map'),
    record,
  };
}
