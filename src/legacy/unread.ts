import { recordParts } from '../topo/parts.js';
import type { Loss } from './losses.js';

/** Fields of old records that newer versions of Vitess pass over though they meant something, by `message.field`: the first version that does. */
const UNREAD_SINCE: Readonly<Record<string, number>> = {
  'topodata.Shard.TabletControl.disable_query_service': 4,
  'topodata.CellInfo.region': 4,
  'topodata.Keyspace.served_froms': 19,
  'topodata.SrvKeyspace.served_from': 19,
};

/**
 * Values of a record that a major version of Vitess will not read, and that have nothing in their place. served_types is not among them: what it
 * means becomes the serving flag. Corrupt when the record does not decode.
 */
export function unreadFields(path: string, message: string, bytes: Uint8Array, major: number): Loss[] {
  return recordParts(message, bytes).flatMap((part) =>
    Object.entries(part.json).flatMap(([name, value]): Loss[] => {
      const since = UNREAD_SINCE[`${part.message}.${name}`];
      const field = part.path === '' ? name : `${part.path}.${name}`;
      return since === undefined || major < since ? [] : [{ kind: 'unread-field', path, field, value }];
    }),
  );
}
