import type { Change } from '../topo/changes.js';
import { encode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { CallOptions } from '../topo/connection.js';
import type { Topology } from '../topo/topology.js';
import { findGlobal, globalChange, keyspaceOf, vschemaPath } from './records.js';
import { type Rebuild, withGraph } from './serving.js';

/**
 * What ApplyVSchema writes: the VSchema in place of the former one, and SrvVSchema of the cells. NoNode for an unknown
 * keyspace; Usage, naming the field, for JSON that is no VSchema.
 */
export async function planApplyVSchema(
  topology: Topology,
  keyspace: string,
  json: JsonObject,
  { rebuild, ...options }: CallOptions & { readonly rebuild: Rebuild },
): Promise<Change[]> {
  const after = encode('vschema.Keyspace', json);
  await keyspaceOf(topology, keyspace, options);
  const path = vschemaPath(keyspace);
  const before = await findGlobal(topology, path, 'vschema.Keyspace', options);
  return withGraph(topology, changed(path, before, after), rebuild, options);
}

/** Rules that are one record of the global store, and that record's message. */
export const RULES = {
  RoutingRules: 'vschema.RoutingRules',
  ShardRoutingRules: 'vschema.ShardRoutingRules',
} as const;

/**
 * What ApplyRoutingRules and ApplyShardRoutingRules write: the rules in place of the former ones, no record where there are
 * none; and SrvVSchema of the cells. Usage, naming the field, for JSON that is no such rules.
 */
export async function planApplyRules(
  topology: Topology,
  kind: keyof typeof RULES,
  json: JsonObject,
  { rebuild, ...options }: CallOptions & { readonly rebuild: Rebuild },
): Promise<Change[]> {
  const made = encode(RULES[kind], json);
  const before = await findGlobal(topology, kind, RULES[kind], options);
  const after = made.byteLength === 0 ? undefined : made;
  return withGraph(topology, changed(kind, before, after), rebuild, options);
}

function changed(
  path: string,
  before: Awaited<ReturnType<typeof findGlobal>>,
  after: Uint8Array | undefined,
): Change[] {
  const isSame =
    before === undefined || after === undefined
      ? before === after
      : Buffer.compare(before.bytes, after) === 0;
  return isSame ? [] : [globalChange(path, before, after)];
}
