import { property } from '../../../graph/shards.js';
import { cellStore } from '../../../topo/changes.js';
import { decode } from '../../../topo/codec.js';
import type { JsonObject } from '../../../topo/codec-json.js';
import type { CallOptions, Connection } from '../../../topo/connection.js';
import { isTopologyError, type TopologyError } from '../../../topo/errors.js';
import { checkDecodes } from '../../../topo/find.js';
import { termOf } from '../../../topo/term.js';
import type { Topology } from '../../../topo/topology.js';
import { tabletLine } from './print.js';

/** Tablets of several cells, and what kept others from being read. */
export interface FoundTablets {
  /** Tablet records in JSON, by cell and alias. */
  readonly tablets: readonly JsonObject[];
  /** Cells that do not answer, and records that do not decode. */
  readonly problems: readonly TopologyError[];
}

/** Every tablet of some cells. NoCell for an unknown one. What cannot be read is part of the answer. */
export async function readTablets(
  topology: Topology,
  cells: readonly string[],
  options: CallOptions,
): Promise<FoundTablets> {
  const tablets: JsonObject[] = [];
  const problems: TopologyError[] = [];
  for (const cell of cells) {
    try {
      for await (const found of tabletsIn(await cellStore(topology, cell, options), options))
        if ('problem' in found) problems.push(found.problem);
        else tablets.push(found.json);
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      problems.push(error);
    }
  }
  return { tablets, problems };
}

type Found = { readonly json: JsonObject } | { readonly problem: TopologyError };

async function* tabletsIn(store: Connection, options: CallOptions): AsyncGenerator<Found> {
  for await (const { records } of store.scan('tablets', options)) {
    for (const { path, ...value } of records) {
      if (!/^tablets\/[^/]+\/Tablet$/.test(path)) continue;
      try {
        checkDecodes(store, path, 'topodata.Tablet', value);
        yield { json: decode('topodata.Tablet', value.bytes).json };
      } catch (error) {
        if (!isTopologyError(error)) throw error;
        yield { problem: error };
      }
    }
  }
}

/** Tablets for awk. A primary whose term is not its shard's latest is of type unknown, as Vitess has it. */
export function tabletLines(
  tablets: readonly JsonObject[],
  isWanted: (tablet: JsonObject) => boolean,
): string[] {
  const latest = new Map<string, bigint>();
  const primaries = tablets.filter((tablet) => tablet['type'] === 'PRIMARY');
  for (const tablet of primaries) {
    const [shard, term] = [shardName(tablet), termOf(tablet['primary_term_start_time'])];
    if (term > (latest.get(shard) ?? -1n)) latest.set(shard, term);
  }
  return tablets.filter(isWanted).map((tablet) => {
    const type = typeof tablet['type'] === 'string' ? tablet['type'] : String(tablet['type'] ?? 'UNKNOWN');
    const isStale =
      type === 'PRIMARY' && termOf(tablet['primary_term_start_time']) < (latest.get(shardName(tablet)) ?? 0n);
    return tabletLine(tablet, isStale ? 'UNKNOWN' : type);
  });
}

/** `keyspace/shard` of a tablet. */
export function shardName(tablet: JsonObject): string {
  return `${property(tablet, 'keyspace') ?? ''}/${property(tablet, 'shard') ?? ''}`;
}
