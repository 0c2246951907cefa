import { derivedChanges } from '../graph/derived.js';
import { planVSchemaGraph } from '../graph/rebuild.js';
import { usualTarget } from '../graph/target.js';
import type { Change } from '../topo/changes.js';
import type { CallOptions } from '../topo/connection.js';
import type { Topology } from '../topo/topology.js';

/** Which cells' SrvVSchema follows a change of what it is made of. */
export interface Rebuild {
  readonly skip: boolean;
  /** Empty: all. */
  readonly cells: readonly string[];
}

/** Changes to VSchemas or rules, and those to the SrvVSchema of the cells that follow from them. NoCell; Corrupt. */
export async function withGraph(
  topology: Topology,
  changes: readonly Change[],
  { skip, cells }: Rebuild,
  options: CallOptions,
): Promise<Change[]> {
  if (skip) return [...changes];
  const { signal, deadline } = options;
  const graph = await planVSchemaGraph(
    topology,
    { target: usualTarget(topology.global), cells, signal, deadline },
    changes,
  );
  return [...changes, ...derivedChanges(graph)];
}
