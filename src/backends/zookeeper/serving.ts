import type { OldPlace } from '../../legacy/places.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { compareBytewise, joinPath } from '../../topo/paths.js';
import type { ServingGraph, ServingRecord } from '../../topo/serving-graph.js';
import { create, remove, update } from '../../znodes/file.js';
import { settle } from '../../znodes/store.js';
import { makeVersion } from '../../znodes/version.js';
import { checkGeneration } from './generation.js';
import type { LegacyStore } from './legacy-store.js';

/** SrvShard and EndPoints of a cell's store: their paths are those of their znodes. */
export function servingOf(legacy: LegacyStore): ServingGraph | undefined {
  const { store, transcoder } = legacy;
  if (legacy.places.cell === undefined) return undefined;
  return {
    list: (path, options) => list(legacy, path, options),
    read: (path, options) => read(legacy, path, options),
    async put(path, bytes, version, options) {
      const place = placeOf(legacy, path);
      const value = await transcoder.write(place, bytes, options);
      if (version === null) return create(store, path, value, options);
      await checkGeneration(legacy, place, path, options);
      return update(store, path, value, version, options);
    },
    async remove(path, version, options) {
      placeOf(legacy, path);
      await remove(store, path, version, options);
    },
  };
}

async function list(
  { store, places }: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<string[]> {
  const listed = store.read(path, options, (client, request) =>
    client.getChildren(store.znode(path), request),
  );
  const names = (await settle(listed, ErrorCode.NoNode))?.children ?? [];
  const isListed = (name: string) => path === 'ns' || places.place(joinPath(path, name)).is === 'derived';
  return names.filter(isListed).sort(compareBytewise);
}

async function read(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<ServingRecord | undefined> {
  const { store, transcoder } = legacy;
  const place = placeOf(legacy, path);
  const znode = await store.readZnode(path, options);
  if (znode === undefined || !store.layout.isRecord(path, znode)) return undefined;
  const raw = znode.data ?? new Uint8Array();
  const { bytes = raw, told } = await transcoder.attempt(raw, () => transcoder.readOld(place, raw, options));
  const version = makeVersion(store.context.store, znode.stat);
  return { bytes, version, ephemeral: false, ...(told === undefined ? {} : { told }) };
}

/** InvalidPath for what is neither SrvShard nor EndPoints. */
function placeOf({ store, places }: LegacyStore, path: string): Extract<OldPlace, { is: 'derived' }> {
  const place = places.place(path);
  if (place.is === 'derived') return place;
  throw new TopologyError(ErrorCode.InvalidPath, 'neither SrvShard nor EndPoints are at this path', {
    path,
    store: store.context.store,
    hint: 'they are at ns/KEYSPACE/SHARD and ns/KEYSPACE/SHARD/TYPE',
  });
}
