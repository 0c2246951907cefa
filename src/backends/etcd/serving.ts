import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { baseName, compareBytewise } from '../../topo/paths.js';
import type { ServingGraph, ServingRecord } from '../../topo/serving-graph.js';
import type { Version } from '../../topo/version.js';
import { removeDirectories } from './empty.js';
import { checkDone, ownOf, versionOf } from './file.js';
import type { JsonPlace } from './layout.js';
import { listNative, readFile } from './read-many.js';
import type { EtcdStore } from './store.js';
import { readText, writeText } from './transcode.js';
import { makeVersion, readVersion } from './version.js';

/** SrvShard and EndPoints of a cell; undefined: a global store has none. */
export function servingOf(store: EtcdStore): ServingGraph | undefined {
  if (store.layout.cell === undefined) return undefined;
  return {
    list: (path, options) => list(store, path, options),
    read: (path, options) => read(store, path, options),
    put: (path, bytes, version, options) => put(store, path, bytes, version, options),
    remove: (path, version, options) => remove(store, path, version, options),
  };
}

async function list(store: EtcdStore, path: string, options?: CallOptions): Promise<string[]> {
  const nodes = (await listNative(store, path, path, options)) ?? [];
  const isMeant = (name: string) =>
    path === 'ns' || store.layout.place(`${path}/${name}/_Data`).is === 'derived';
  const names = nodes.flatMap(({ key, value }) => (value === undefined ? [baseName(key)] : []));
  return names.filter(isMeant).sort(compareBytewise);
}

async function read(
  store: EtcdStore,
  path: string,
  options?: CallOptions,
): Promise<ServingRecord | undefined> {
  const { native, place } = targetOf(store, path);
  const node = await readFile(store, native, path, options);
  if (node === undefined) return undefined;
  const { bytes, told } = await readText(store, place, node.value ?? '', options);
  if (bytes === undefined) return undefined;
  const version = makeVersion(store.context.store, { own: node.modifiedIndex });
  return { bytes, version, ephemeral: false, told };
}

async function put(
  store: EtcdStore,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options: CallOptions | undefined,
): Promise<Version> {
  const { native, place } = targetOf(store, path);
  const condition = version === null ? { prevExist: false } : { prevIndex: indexOf(store, version, path) };
  const text = await writeText(store, place, bytes, options);
  return versionOf(store, path, await store.put(native, text, condition, path, options));
}

async function remove(
  store: EtcdStore,
  path: string,
  version: Version,
  options: CallOptions = {},
): Promise<void> {
  const { native } = targetOf(store, path);
  const prevIndex = indexOf(store, version, path);
  checkDone(store, path, await store.remove(native, { prevIndex }, path, options));
  // What it was asked for is done, whatever becomes of the directories.
  await removeDirectories(store, native, path, options).catch(() => {});
}

function indexOf(store: EtcdStore, version: Version, path: string): number {
  return ownOf(store, readVersion(store.context.store, version, path), path);
}

/** InvalidPath for what is no place of the serving graph. */
function targetOf(
  { layout, context }: EtcdStore,
  path: string,
): { readonly native: string; readonly place: JsonPlace } {
  const native = `${path}/_Data`;
  const place = layout.place(native);
  if (place.is === 'derived' && place.path === path) return { native, place };
  const message = 'no place of the serving graph: that is ns/KEYSPACE/SHARD, and a type below it';
  throw new TopologyError(ErrorCode.InvalidPath, message, { path, store: context.store });
}
