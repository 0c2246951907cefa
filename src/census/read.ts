import { checkGraph } from '../graph/check.js';
import { list, property } from '../graph/shards.js';
import type { Target } from '../graph/target.js';
import { noCell } from '../topo/changes.js';
import { decode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { Connection } from '../topo/connection.js';
import { isTopologyError, type TopologyError } from '../topo/errors.js';
import { readProblem } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import { formatTabletAlias } from '../topo/names.js';
import { termOf } from '../topo/term.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import type { ClusterRecords, ReplicationState, ShardState, TabletState } from './records.js';

/** Which records to read. */
export interface ReadOptions {
  /** Empty: all. */
  readonly cells: readonly string[];
  /** The version of Vitess whose rebuild the serving graph is compared with. */
  readonly target: Target;
  readonly signal: AbortSignal;
}

/** A record that could be decoded. */
interface Read {
  readonly path: string;
  readonly json: JsonObject;
}

type Undecodable = ClusterRecords['undecodable'][number];

/**
 * Reads what a running cluster is compared with. NoCell for an unknown cell; fails as the global store does. A cell whose store
 * fails, and a record that does not decode, is part of the answer.
 */
export async function readCluster(topology: Topology, options: ReadOptions): Promise<ClusterRecords> {
  const { signal, target } = options;
  const known = await topology.cells({ signal });
  const missing = options.cells.find((name) => !known.some((cell) => cell.name === name));
  if (missing !== undefined)
    throw noCell(
      topology,
      missing,
      known.map(({ name }) => name),
    );
  const chosen = known.filter(({ name }) => options.cells.length === 0 || options.cells.includes(name));
  const undecodable: Undecodable[] = [];
  const shards: ShardState[] = [];
  for await (const { path, json } of decoded(topology.global, GLOBAL, 'keyspaces', undecodable, signal))
    shards.push(shardOf(path, json));
  const aliases = new Map<string, string[]>();
  for await (const { path, json } of decoded(topology.global, GLOBAL, 'cells_aliases', undecodable, signal))
    aliases.set(path.split('/')[1] ?? '', list(json['cells']).map(String));
  const tablets: TabletState[] = [];
  const replications: ReplicationState[] = [];
  const unreachable: { cell: string; error: TopologyError }[] = [];
  for (const cell of chosen) {
    const { name } = cell;
    try {
      const store = await topology.cell(cell);
      for await (const { path, json } of decoded(store, name, 'tablets', undecodable, signal))
        tablets.push(tabletOf(name, path, json));
      for await (const { path, json } of decoded(store, name, 'keyspaces', undecodable, signal))
        replications.push(replicationOf(name, path, json));
    } catch (error) {
      if (!isTopologyError(error) || signal.aborted) throw error;
      unreachable.push({ cell: name, error });
    }
  }
  const cells = chosen
    .map(({ name }) => name)
    .filter((name) => !unreachable.some(({ cell }) => cell === name));
  const part = { target, cells, allowPartial: true, keyspaces: undefined, vschema: true, signal };
  const graph = cells.length === 0 ? undefined : await checkGraph(topology, part);
  return { shards, aliases, tablets, replications, cells, unreachable, undecodable, graph };
}

const READ: ReadonlySet<string> = new Set(['Shard', 'CellsAlias', 'Tablet', 'ShardReplication']);

async function* decoded(
  store: Connection,
  scope: string,
  below: string,
  undecodable: Undecodable[],
  signal: AbortSignal,
): AsyncGenerator<Read> {
  for await (const { records } of store.scan(below, { signal }))
    for (const { path, ...value } of records) {
      const { kind, message } = classify(scope === GLOBAL ? 'global' : 'cell', path, value.ephemeral);
      if (!READ.has(kind) || message === null) continue;
      const problem = readProblem(message, value);
      if (problem === undefined) yield { path, json: decode(message, value.bytes).json };
      else undecodable.push({ scope, path, problem });
    }
}

function shardOf(path: string, json: JsonObject): ShardState {
  const [, keyspace = '', , shard = ''] = path.split('/');
  const named = json['primary_alias'];
  const cell = String(property(named, 'cell') ?? '');
  return {
    keyspace,
    shard,
    path,
    primary: cell === '' ? undefined : { cell, alias: aliasOf(named) },
    term: termOf(json['primary_term_start_time']),
    serving: json['is_primary_serving'] === true,
  };
}

function tabletOf(cell: string, path: string, json: JsonObject): TabletState {
  const hostname = String(json['hostname'] ?? '');
  const port = Number(property(json['port_map'], 'vt') ?? 0);
  const version = property(json['tags'], 'version');
  return {
    cell,
    alias: path.split('/')[1] ?? '',
    path,
    keyspace: String(json['keyspace'] ?? ''),
    shard: String(json['shard'] ?? ''),
    type: String(json['type'] ?? 'UNKNOWN'),
    hostname,
    webPort: port >= 1 && port <= 65_535 ? port : undefined,
    blank: hostname === '' && json['mysql_hostname'] === undefined && json['port_map'] === undefined,
    term: termOf(json['primary_term_start_time']),
    version: version === undefined ? undefined : String(version),
  };
}

function replicationOf(cell: string, path: string, json: JsonObject): ReplicationState {
  const [, keyspace = '', , shard = ''] = path.split('/');
  const nodes = list(json['nodes']).map((node) => aliasOf(property(node, 'tablet_alias')));
  return { cell, keyspace, shard, path, nodes };
}

function aliasOf(json: unknown): string {
  return formatTabletAlias({
    cell: String(property(json, 'cell') ?? ''),
    uid: Number(property(json, 'uid') ?? 0),
  });
}
