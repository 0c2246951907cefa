import { encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { cli } from '../support/cli.js';
import { withStore } from '../support/topologies.js';

/** A tablet of shard ks/0 in zone1. */
export interface PlantedTablet {
  readonly uid: number;
  readonly type: string;
  readonly port: number;
  readonly more?: JsonObject;
}

const TERM = { seconds: '1780000000' };

/** The name of a tablet's directory. */
export function alias(uid: number): string {
  return `zone1-${String(uid).padStart(10, '0')}`;
}

/** Writes a record of a scope; `address` gives the address of a scope. */
export function put(
  address: (scope: string) => string,
  scope: string,
  path: string,
  message: string,
  json: JsonObject,
): Promise<unknown> {
  return withStore(address(scope), (store) => store.update(path, encode(message, json), null));
}

/** A Tablet record of ks/0 whose web port is on this host. */
export function tabletJson({ uid, type, port, more = {} }: PlantedTablet): JsonObject {
  return {
    alias: { cell: 'zone1', uid },
    hostname: '127.0.0.1',
    port_map: { vt: port, grpc: port },
    keyspace: 'ks',
    shard: '0',
    type,
    ...(type === 'PRIMARY' ? { primary_term_start_time: TERM } : {}),
    ...more,
  };
}

/** A sound cluster of one cell and one shard: its records agree, the first tablet is the primary, its serving graph is fresh. */
export async function plantCluster(
  address: (scope: string) => string,
  cell: { readonly server: string; readonly root: string },
  tablets: readonly PlantedTablet[],
): Promise<void> {
  const write = (scope: string, path: string, message: string, json: JsonObject) =>
    put(address, scope, path, `topodata.${message}`, json);
  await write('global', 'cells/zone1/CellInfo', 'CellInfo', { server_address: cell.server, root: cell.root });
  await write('global', 'keyspaces/ks/Keyspace', 'Keyspace', {});
  await write('global', 'keyspaces/ks/shards/0/Shard', 'Shard', {
    primary_alias: { cell: 'zone1', uid: tablets[0]?.uid ?? 0 },
    primary_term_start_time: TERM,
    is_primary_serving: true,
  });
  for (const tablet of tablets)
    await write('zone1', `tablets/${alias(tablet.uid)}/Tablet`, 'Tablet', tabletJson(tablet));
  await write('zone1', 'keyspaces/ks/shards/0/ShardReplication', 'ShardReplication', {
    nodes: tablets.map(({ uid }) => ({ tablet_alias: { cell: 'zone1', uid } })),
  });
  const { code, err } = await cli(['graph', 'rebuild', address('global')]);
  if (code !== 0) throw new Error(err);
}
