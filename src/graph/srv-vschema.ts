import { readFields, writeFields } from '../topo/codec.js';
import type { MessageFields } from '../topo/codec-schema.js';
import { isAtLeast, type Target } from './target.js';

/** What RebuildVSchemaGraph reads. Undefined: there is no such record. */
export interface VSchemaGraphInput {
  /** Each name in the directory `keyspaces`, a directory without a Keyspace record too, and its VSchema. */
  readonly vschemas: ReadonlyMap<string, Uint8Array | undefined>;
  readonly routingRules: Uint8Array | undefined;
  readonly shardRoutingRules: Uint8Array | undefined;
  readonly keyspaceRoutingRules: Uint8Array | undefined;
  readonly mirrorRules: Uint8Array | undefined;
}

/**
 * The SrvVSchema that every cell must hold: RebuildVSchemaGraph of a version of Vitess (go/vt/topo/srv_vschema.go), without
 * its writing. Corrupt.
 */
export function rebuildSrvVSchema(input: VSchemaGraphInput, target: Target): Uint8Array {
  const made: MessageFields = {
    keyspaces: Object.fromEntries(
      [...input.vschemas].map(([name, bytes]) => [name, fields('vschema.Keyspace', bytes)]),
    ),
  };
  // Absent rules become a message without rules, but for those of keyspaces, which stay absent.
  if (isAtLeast(target, 4)) made['routing_rules'] = fields('vschema.RoutingRules', input.routingRules);
  if (isAtLeast(target, 15))
    made['shard_routing_rules'] = fields('vschema.ShardRoutingRules', input.shardRoutingRules);
  if (isAtLeast(target, 20) && input.keyspaceRoutingRules !== undefined)
    made['keyspace_routing_rules'] = fields('vschema.KeyspaceRoutingRules', input.keyspaceRoutingRules);
  if (isAtLeast(target, 21)) made['mirror_rules'] = fields('vschema.MirrorRules', input.mirrorRules);
  return writeFields('vschema.SrvVSchema', made);
}

function fields(message: string, bytes: Uint8Array | undefined): MessageFields {
  return readFields(message, bytes ?? new Uint8Array());
}
