import { decode } from '../topo/codec.js';

/**
 * Fields that the old forms do not have, or may have empty, and that nobody invents: who fills them in once the cluster runs, by `message.field`.
 * What is not listed keeps its default until somebody sets it. The serving flag of shards is not here: nobody fills it in.
 */
export const FILLED_IN: Readonly<Record<string, string>> = {
  'topodata.Tablet.hostname': 'vttablet writes it at its start',
  'topodata.Tablet.port_map': 'vttablet writes it at its start',
  'topodata.Tablet.mysql_hostname': 'vttablet writes it at its start',
  'topodata.Tablet.mysql_port': 'vttablet writes it at its start',
  'topodata.Tablet.tags': 'vttablet adds its build at its start (13 and newer)',
  'topodata.Tablet.default_conn_collation': 'vttablet writes it at its start (13 and newer)',
  'topodata.Tablet.tablet_start_time': 'vttablet writes it at its start (24 and newer)',
  'topodata.Tablet.primary_term_start_time': 'the tablet writes it when it becomes primary',
  'topodata.Shard.primary_term_start_time': 'the primary writes it when its next term begins',
  'topodata.Keyspace.sidecar_db_name': 'the first tablet to start writes _vt (17 and newer)',
  'topodata.SrvKeyspace.throttler_config': 'a rebuild copies it from the Keyspace (16.0.1 and newer)',
  'vschema.SrvVSchema.routing_rules': 'a rebuild writes it, empty where there are no rules (4 and newer)',
  'vschema.SrvVSchema.shard_routing_rules':
    'a rebuild writes it, empty where there are no rules (15 and newer)',
  'vschema.SrvVSchema.mirror_rules': 'a rebuild writes it, empty where there are no rules (21 and newer)',
};

/** A field that is empty in a record, and who fills it in. */
export interface FilledIn {
  readonly field: string;
  readonly by: string;
}

/** The fields of a record that are empty and will be filled in. Corrupt when it does not decode. */
export function filledIn(message: string, bytes: Uint8Array): FilledIn[] {
  const { json } = decode(message, bytes);
  return Object.entries(FILLED_IN).flatMap(([rule, by]) => {
    const dot = rule.lastIndexOf('.');
    const field = rule.slice(dot + 1);
    return rule.slice(0, dot) === message && json[field] === undefined ? [{ field, by }] : [];
  });
}
