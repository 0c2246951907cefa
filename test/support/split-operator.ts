import { decode, encode, reencode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { contents, withStore } from './topologies.js';

/** Address of a scope of the topology that is split. */
type At = (scope: string) => string;

/** What an operator does between the steps of `cell split`, as far as records show it. */
export interface SplitOperator {
  /** Starts a tablet in the new cell for every one of the old cell. */
  start(): Promise<void>;
  /** Makes tablets of the new cell the primaries in place of those of the old one. */
  reparent(): Promise<void>;
  /** Stops the tablets of the old cell, cleanly. */
  stop(): Promise<void>;
}

/** Uids of the new tablets are those of the old ones and this. */
const NEW_UID = 10_000;

export function splitOperator(at: At, old: string, added: string): SplitOperator {
  return {
    async start() {
      const tablets = await tabletsOf(at(old));
      const nodes = new Map<string, JsonObject[]>();
      await withStore(at(added), async (store) => {
        for (const { json } of tablets) {
          const alias = { cell: added, uid: uidOf(json) + NEW_UID };
          const path = `tablets/${added}-${String(alias.uid).padStart(10, '0')}/Tablet`;
          await store.create(path, encode('topodata.Tablet', { ...json, alias, type: 'REPLICA' }));
          const shard = `keyspaces/${String(json['keyspace'])}/shards/${String(json['shard'])}/ShardReplication`;
          nodes.set(shard, [...(nodes.get(shard) ?? []), { tablet_alias: alias }]);
        }
        for (const [path, listed] of nodes)
          await store.create(path, encode('topodata.ShardReplication', { nodes: listed }));
      });
    },
    reparent: () =>
      withStore(at('global'), async (store) => {
        for (const [path, bytes] of await contents(at('global'))) {
          if (!path.endsWith('/Shard')) continue;
          const { primary_alias: primary } = decode('topodata.Shard', bytes).json as {
            primary_alias?: { cell: string; uid: number };
          };
          if (primary?.cell !== old) continue;
          const primary_alias = { cell: added, uid: primary.uid + NEW_UID };
          const moved = reencode('topodata.Shard', bytes, (json) => ({ ...json, primary_alias }));
          await store.update(path, moved, null);
        }
      }),
    stop: () =>
      withStore(at(old), async (store) => {
        for (const { path, bytes } of await tabletsOf(at(old)))
          await store.update(path, reencode('topodata.Tablet', bytes, blank), null);
      }),
  };
}

/** What a clean stop leaves of a Tablet. */
function blank({ hostname: _, mysql_hostname: __, port_map: ___, ...rest }: JsonObject): JsonObject {
  return rest;
}

async function tabletsOf(address: string): Promise<{ path: string; bytes: Buffer; json: JsonObject }[]> {
  const records = [...(await contents(address))].filter(([path]) => path.startsWith('tablets/'));
  return records.map(([path, bytes]) => ({ path, bytes, json: decode('topodata.Tablet', bytes).json }));
}

function uidOf({ alias }: JsonObject): number {
  return Number((alias as { uid?: number } | undefined)?.uid ?? 0);
}
