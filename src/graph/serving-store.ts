import { writeRecord } from '../topo/changes.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { ServingGraph } from '../topo/serving-graph.js';
import { type DerivedRecord, isRecord } from './derived.js';

/** SrvShard and EndPoints of a cell. Unsupported where its store has no such things. */
export function servingOf(store: Connection): ServingGraph {
  if (store.serving !== undefined) return store.serving;
  throw new TopologyError(
    ErrorCode.Unsupported,
    'only the retired formats, zookeeper and etcd, have SrvShard and EndPoints',
    { store: store.store, hint: 'Vitess of today finds tablets by their records: leave this out' },
  );
}

/** Writes what a plan says of one derived record, in the state that the plan saw. BadVersion, NodeExists, NoNode. */
export async function writeDerived(
  store: Connection,
  record: DerivedRecord,
  options: CallOptions,
): Promise<void> {
  const { path, before, after } = record;
  if (isRecord(record)) {
    await writeRecord(store, record, options);
    return;
  }
  const serving = servingOf(store);
  if (after !== undefined) await serving.put(path, after, before?.version ?? null, options);
  else if (before !== undefined) await serving.remove(path, before.version, options);
}
