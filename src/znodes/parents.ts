/** The directories above records: made when they are missing, removed when they are left empty, as Vitess does. */

import type { CallLimits } from '../topo/call-options.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { parentPath } from '../topo/paths.js';
import type { ZooKeeperClient } from '../zookeeper/client.js';
import { emptyWithChildren } from './error.js';
import { sameAcl } from './seal-acl.js';
import { type Store, settle, type Work } from './store.js';
import type { ZnodeVersion } from './version.js';
import { DIRECTORY_ACL, FILE_ACL, isLeftEmpty } from './znode.js';

/** Creates the record `path`, making its parents as often as somebody removes them. NodeExists. */
export async function createRecord(
  store: Store,
  path: string,
  bytes: Uint8Array,
  options: CallLimits | undefined,
): Promise<ZnodeVersion> {
  const znode = store.znode(path);
  const created = await withParents(store, znode, path, options, () =>
    store.write(path, options, (client, request) =>
      client.create({ path: znode, data: bytes, acl: store.layout.recordAcl }, request),
    ),
  );
  return store.created(path, created, options);
}

/** Makes the directory `znode` and all above it, unless they exist. `path` is the record that needs it. */
export async function ensureDirectory(
  store: Store,
  znode: string,
  path: string,
  options: CallLimits | undefined,
): Promise<void> {
  const make = () =>
    store.read(path, options, (client, request) =>
      client.create({ path: znode, data: null, acl: DIRECTORY_ACL }, request),
    );
  await settle(withParents(store, znode, path, options, make), ErrorCode.NodeExists);
}

async function withParents<T>(
  store: Store,
  znode: string,
  path: string,
  options: CallLimits | undefined,
  create: () => Promise<T>,
): Promise<T> {
  const parent = parentPath(znode);
  for (;;) {
    try {
      return await create();
    } catch (error) {
      if (isTopologyError(error, ErrorCode.NoNode) && parent !== '')
        await ensureDirectory(store, parent, path, options);
      else if (
        !(isTopologyError(error, ErrorCode.Unauthorized) && (await allowChildren(store, znode, options)))
      )
        throw error;
    }
  }
}

/**
 * Vitess gives a file no permission to create below it, and everybody the permission to change that. When `znode` was
 * refused for this reason, gives the record above it the ACL of a directory. False when that is not the reason.
 */
export async function allowChildren(
  store: Store,
  znode: string,
  options: CallLimits | undefined,
): Promise<boolean> {
  const parent = parentPath(znode);
  if (!parent.startsWith(`${store.root}/`)) return false;
  const path = parent.slice(store.root.length + 1);
  const read = store.read(path, options, (client, request) => client.getAcl(parent, request));
  const { acl, stat } = (await settle(read, ErrorCode.NoNode, ErrorCode.Unauthorized)) ?? {};
  if (acl === undefined || stat === undefined || !sameAcl(acl, FILE_ACL)) return false;
  const record = await store.readZnode(path, options);
  if (record === undefined) return true;
  if (!store.layout.isRecord(path, record)) return false;
  if (record.stat.dataLength === 0) throw emptyWithChildren(store.context, ErrorCode.Unsupported, path);
  const widen = store.read(path, options, (client, request) =>
    client.setAcl(parent, DIRECTORY_ACL, stat.aversion, request),
  );
  await settle(widen, ErrorCode.NoNode, ErrorCode.BadVersion);
  return true;
}

/**
 * Removes `directory` if it was left empty, then those above it, up to `keep`, which stays, by default the root. Asks
 * `client`, by default the primary session. Nothing that fails here changes what was done before: an empty directory may
 * remain.
 */
export async function removeLeftEmpty(
  store: Store,
  directory: string,
  options: CallLimits | undefined,
  how: { readonly client?: ZooKeeperClient; readonly keep?: string } = {},
): Promise<void> {
  const { client, keep = '' } = how;
  const ask = <T>(path: string, work: Work<T>): Promise<T> =>
    client === undefined
      ? store.read(path, options, work)
      : store.attempt({ kind: 'read', path }, () => work(client, store.request(options, path)));
  try {
    for (let path = directory; path !== keep && path !== ''; path = parentPath(path)) {
      if (store.layout.stays(path)) return;
      const read = ask(path, (reader, request) => reader.getData(store.znode(path), request));
      const znode = await settle(read, ErrorCode.NoNode);
      if (znode === undefined) continue;
      if (!isLeftEmpty(znode)) return;
      store.directories.delete(store.znode(path));
      const removed = ask(path, (writer, request) =>
        writer.delete(store.znode(path), znode.stat.version, request),
      );
      await settle(removed, ErrorCode.NoNode);
    }
  } catch {
    // NotEmpty and BadVersion: somebody uses it again. Anything else: it stays, and harms nobody.
  }
}
