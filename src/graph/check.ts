import { ErrorCode, isTopologyError, type TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import type { Topology } from '../topo/topology.js';
import { type DerivedRecord, isStale } from './derived.js';
import {
  cellStores,
  type KeyspaceGraphOptions,
  keyspacesOf,
  planKeyspaceGraph,
  planVSchemaGraph,
  shardsOf,
} from './rebuild.js';
import { type Resolution, resolveNames } from './resolve.js';
import { lostServing, withoutPrimary } from './serving.js';
import { planShardGraphs } from './shard-records.js';

/** Which part of the serving graph to look at. */
export interface GraphPart extends KeyspaceGraphOptions {
  /** Keyspaces whose SrvKeyspace is meant; undefined: all that have a Keyspace record. */
  readonly keyspaces: readonly string[] | undefined;
  /** Whether SrvVSchema is meant. */
  readonly vschema: boolean;
  /** Whether SrvShard and EndPoints are meant; `where they are`: of stores that have such things. */
  readonly shards?: boolean | 'where they are' | undefined;
  /** Whether every name is followed as clients do. */
  readonly resolve?: boolean | 'where they are' | undefined;
  /** Keyspaces of which both are meant; undefined: all that have a Keyspace record. */
  readonly shardKeyspaces?: readonly string[] | undefined;
}

/** A derived record, and whether it is what a rebuild would make. */
export interface CheckedRecord extends DerivedRecord {
  /** `unneeded`: there is none, and no tablet of the keyspace in the cell: the first one will have it made. */
  readonly state: 'current' | 'stale' | 'missing' | 'unneeded';
}

/** The serving graph as it is. */
export interface GraphState {
  readonly records: readonly CheckedRecord[];
  /** Keyspaces, or `SrvVSchema`, whose rebuild Vitess would refuse: whether they are stale cannot be told. */
  readonly refused: readonly { readonly of: string; readonly error: TopologyError }[];
  /** See {@link lostServing}. */
  readonly lostServing: readonly InKeyspace[];
  /** See {@link withoutPrimary}. Worth knowing, and no fault of the graph. */
  readonly withoutPrimary: readonly InKeyspace[];
  /** See {@link resolveNames}. Undefined: not asked for. */
  readonly names: readonly Resolution[] | undefined;
}

/** A shard by its names. */
interface InKeyspace {
  readonly keyspace: string;
  readonly shard: string;
}

/**
 * Compares the serving graph with what a rebuild would make of it. Writes nothing. NoCell for an unknown cell, NoNode for an
 * unknown keyspace, and whatever keeps a store from answering; what a rebuild refuses is part of the answer.
 */
export async function checkGraph(topology: Topology, part: GraphPart): Promise<GraphState> {
  const records: CheckedRecord[] = [];
  const refused: { of: string; error: TopologyError }[] = [];
  const lost: InKeyspace[] = [];
  const headless: InKeyspace[] = [];
  for (const keyspace of part.keyspaces ?? (await keyspacesWithRecord(topology, part))) {
    try {
      const shards = await shardsOf(topology.global, keyspace, part);
      lost.push(...lostServing(shards, part.target).map((shard) => ({ keyspace, shard })));
      headless.push(...withoutPrimary(shards).map((shard) => ({ keyspace, shard })));
      for (const record of await planKeyspaceGraph(topology, keyspace, part))
        records.push({ ...record, state: await stateOf(topology, keyspace, record, part) });
    } catch (error) {
      if (!isTopologyError(error, ...REFUSALS)) throw error;
      refused.push({ of: keyspace, error });
    }
  }
  if (part.vschema) {
    try {
      for (const record of await planVSchemaGraph(topology, part))
        records.push({ ...record, state: plainState(record) });
    } catch (error) {
      if (!isTopologyError(error, ...REFUSALS)) throw error;
      refused.push({ of: 'SrvVSchema', error });
    }
  }
  for (const keyspace of await shardKeyspaces(topology, part)) {
    try {
      for (const record of await planShardGraphs(topology, keyspace, part))
        records.push({ ...record, state: plainState(record) });
    } catch (error) {
      if (!isTopologyError(error, ...REFUSALS)) throw error;
      refused.push({ of: `${keyspace}, its shards`, error });
    }
  }
  return {
    records,
    refused,
    lostServing: lost,
    withoutPrimary: headless,
    names: await namesOf(topology, part),
  };
}

/** Keyspaces whose SrvShard and EndPoints are meant. */
export async function shardKeyspaces(topology: Topology, part: GraphPart): Promise<readonly string[]> {
  return (await isMeant(topology, part, part.shards)) ? keyspacesMeant(topology, part) : [];
}

async function namesOf(topology: Topology, part: GraphPart): Promise<Resolution[] | undefined> {
  if (!(await isMeant(topology, part, part.resolve))) return undefined;
  const found: Resolution[] = [];
  for (const keyspace of await keyspacesMeant(topology, part))
    found.push(...(await resolveNames(topology, keyspace, part)));
  return found;
}

async function isMeant(topology: Topology, part: GraphPart, wish: GraphPart['shards']): Promise<boolean> {
  if (wish !== 'where they are') return wish === true;
  const stores = topology.global.capabilities.form === undefined ? [] : await cellStores(topology, part);
  return stores.some(({ store }) => store.serving !== undefined);
}

async function keyspacesMeant(topology: Topology, part: GraphPart): Promise<readonly string[]> {
  return part.shardKeyspaces ?? (await keyspacesWithRecord(topology, part));
}

/** What is wrong with the records themselves. */
const REFUSALS = [ErrorCode.Guard, ErrorCode.Corrupt, ErrorCode.InvalidPath] as const;

/** Keyspaces that a rebuild of everything is about. A directory without Keyspace record is none. */
export async function keyspacesWithRecord(
  topology: Topology,
  options: KeyspaceGraphOptions,
): Promise<string[]> {
  const names = await keyspacesOf(topology, options);
  const found = await Promise.all(
    names.map((name) => find(topology.global, `keyspaces/${name}/Keyspace`, options)),
  );
  return names.filter((_, index) => found[index] !== undefined);
}

async function stateOf(
  topology: Topology,
  keyspace: string,
  record: DerivedRecord,
  options: KeyspaceGraphOptions,
): Promise<CheckedRecord['state']> {
  const state = plainState(record);
  if (state !== 'missing') return state;
  const [cell] = await cellStores(topology, { ...options, cells: [record.cell] });
  try {
    await cell?.store.listDir(`keyspaces/${keyspace}/shards`, options);
    return 'missing';
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return 'unneeded';
    throw error;
  }
}

function plainState(record: DerivedRecord): 'current' | 'stale' | 'missing' {
  if (!isStale(record)) return 'current';
  return record.before === undefined ? 'missing' : 'stale';
}
