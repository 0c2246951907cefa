import type { CallOptions, DirEntry } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import { compareBytewise, joinPath } from '../topo/paths.js';
import { noDirectory } from './error.js';
import { type Store, settle } from './store.js';
import { isOwned } from './znode.js';

/** Names of a directory whose znodes are looked at together. */
const NAMES_AT_A_TIME = 64;

export async function listDir(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<string[]> {
  const children = await childrenOf(store, path, options);
  if (children === undefined) throw noDirectory(store.context, path);
  if (children.length === 0) {
    const znode = await store.readZnode(path, options);
    if (znode === undefined || !store.isDirectory(path, znode)) throw noDirectory(store.context, path);
  }
  return children.sort(compareBytewise);
}

/** Children of a znode in no order; undefined when it does not exist. */
async function childrenOf(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<string[] | undefined> {
  const listed = store.read(path, options, (client, request) =>
    client.getChildren(store.znode(path), request),
  );
  return (await settle(listed, ErrorCode.NoNode))?.children;
}

export async function listDirFull(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<DirEntry[]> {
  const names = await listDir(store, path, options);
  const entries: (DirEntry | undefined)[] = [];
  for (let at = 0; at < names.length; at += NAMES_AT_A_TIME) {
    const some = names.slice(at, at + NAMES_AT_A_TIME);
    entries.push(...(await Promise.all(some.map((name) => describe(store, path, name, options)))));
  }
  return entries.filter((entry) => entry !== undefined);
}

/** Undefined when the entry is gone. */
async function describe(
  store: Store,
  directory: string,
  name: string,
  options: CallOptions | undefined,
): Promise<DirEntry | undefined> {
  const path = joinPath(directory, name);
  const znode = await store.readZnode(path, options);
  if (znode === undefined) return undefined;
  if (!store.isDirectory(path, znode)) return { name, type: 'file', ephemeral: isOwned(znode.stat) };
  const ephemeral = !store.layout.isRecord(path, znode) && (await holdsOnlyEphemerals(store, path, options));
  return { name, type: 'directory', ephemeral };
}

/** Whether everything in a directory goes away by itself. Not so for an empty one: it stays. */
async function holdsOnlyEphemerals(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<boolean> {
  const children = (await childrenOf(store, path, options)) ?? [];
  let found = false;
  for (const name of children) {
    const entry = await describe(store, path, name, options);
    if (entry?.ephemeral === false) return false;
    found ||= entry !== undefined;
  }
  return found;
}
