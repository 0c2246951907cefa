import type { CallOptions, Value } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import { parentPath } from '../topo/paths.js';
import type { Version } from '../topo/version.js';
import type { Stat } from '../zookeeper/client.js';
import { changed, emptyWithChildren, noRecord, recordExists, recreated } from './error.js';
import { createRecord, removeLeftEmpty } from './parents.js';
import { type Store, settle } from './store.js';
import { makeVersion, readVersion, sameVersion, type ZnodeVersion } from './version.js';

const ANY_VERSION = -1;

export async function get(store: Store, path: string, options: CallOptions | undefined): Promise<Value> {
  const znode = await store.readZnode(path, options);
  if (znode === undefined || !store.layout.isRecord(path, znode)) throw noRecord(store.context, path);
  return store.value(znode);
}

export async function create(
  store: Store,
  path: string,
  bytes: Uint8Array,
  options: CallOptions | undefined,
): Promise<Version> {
  for (;;) {
    const created = await settle(createRecord(store, path, bytes, options), ErrorCode.NodeExists);
    if (created !== undefined) return makeVersion(store.context.store, created);
    const filled = await fillDirectory(store, path, bytes, options);
    if (filled !== undefined) return makeVersion(store.context.store, filled);
  }
}

/** Makes a record of a znode that is a directory only. Undefined when it vanished or was changed meanwhile. */
async function fillDirectory(
  store: Store,
  path: string,
  bytes: Uint8Array,
  options: CallOptions | undefined,
): Promise<ZnodeVersion | undefined> {
  const directory = await store.readZnode(path, options);
  if (directory === undefined) return undefined;
  if (store.layout.isRecord(path, directory)) throw recordExists(store.context, path);
  if (bytes.byteLength === 0 && directory.stat.numChildren > 0)
    throw emptyWithChildren(store.context, ErrorCode.NodeExists, path);
  return setRecord(store, path, bytes, directory.stat, options);
}

export async function update(
  store: Store,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options: CallOptions | undefined,
): Promise<Version> {
  if (version === null) return put(store, path, bytes, options);
  const expected = readVersion(store.context.store, version, path);
  for (;;) {
    const stat = await findRecord(store, path, expected, options);
    checkEmptyUpdate(store, path, bytes, stat);
    const written = await setRecord(store, path, bytes, expected, options);
    if (written !== undefined) return makeVersion(store.context.store, written);
  }
}

async function put(
  store: Store,
  path: string,
  bytes: Uint8Array,
  options: CallOptions | undefined,
): Promise<Version> {
  for (;;) {
    if (bytes.byteLength === 0) {
      const { stat } = await store.read(path, options, (client, request) =>
        client.exists(store.znode(path), request),
      );
      checkEmptyUpdate(store, path, bytes, stat);
    }
    const set = store.write(path, options, (client, request) =>
      client.setData(store.znode(path), bytes, ANY_VERSION, request),
    );
    const written =
      (await settle(set, ErrorCode.NoNode))?.stat ??
      (await settle(createRecord(store, path, bytes, options), ErrorCode.NodeExists));
    if (written !== undefined) return makeVersion(store.context.store, written);
  }
}

/** NotEmpty for zero bytes where records are below: what remained would be a directory. */
export function checkEmptyUpdate(
  store: Store,
  path: string,
  bytes: Uint8Array,
  stat: Pick<Stat, 'numChildren'> | undefined,
): void {
  if (bytes.byteLength === 0 && (stat?.numChildren ?? 0) > 0)
    throw emptyWithChildren(store.context, ErrorCode.NotEmpty, path);
}

/** Sets the data of a znode in the state `expected`. Undefined when it is not in that state. */
async function setRecord(
  store: Store,
  path: string,
  data: Uint8Array | null,
  expected: ZnodeVersion,
  options: CallOptions | undefined,
): Promise<Stat | undefined> {
  const set = store.write(path, options, (client, request) =>
    client.setData(store.znode(path), data, expected.version, request),
  );
  const stat = (await settle(set, ErrorCode.NoNode, ErrorCode.BadVersion))?.stat;
  if (stat !== undefined && stat.czxid !== expected.czxid) throw recreated(store.context, path);
  return stat;
}

/** The Stat of a record, in the state `expected` unless that is null. NoNode, BadVersion. */
export async function findRecord(
  store: Store,
  path: string,
  expected: ZnodeVersion | null,
  options: CallOptions | undefined,
): Promise<Stat> {
  const { stat } = await store.read(path, options, (client, request) =>
    client.exists(store.znode(path), request),
  );
  if (stat === undefined) throw noRecord(store.context, path);
  if (expected !== null && sameVersion(stat, expected)) return stat;
  if (stat.dataLength === 0) {
    // Only its data tells whether it is a record at all, and a directory has no version to be wrong about.
    const znode = await store.readZnode(path, options);
    if (znode === undefined || !store.layout.isRecord(path, znode)) throw noRecord(store.context, path);
  }
  if (expected !== null) throw changed(store.context, path);
  return stat;
}

export async function remove(
  store: Store,
  path: string,
  version: Version | null,
  options: CallOptions | undefined,
): Promise<void> {
  const expected = version === null ? null : readVersion(store.context.store, version, path);
  for (;;) {
    const stat = await findRecord(store, path, expected, options);
    const removed =
      stat.numChildren > 0
        ? await leaveDirectory(store, path, expected, options)
        : await removeZnode(store, path, expected, options);
    if (!removed) continue;
    await removeLeftEmpty(store, parentPath(path), options);
    return;
  }
}

/** Takes the data of a record that is also a directory. False when it was not in the state `expected`. */
async function leaveDirectory(
  store: Store,
  path: string,
  expected: ZnodeVersion | null,
  options: CallOptions | undefined,
): Promise<boolean> {
  const stat =
    expected === null
      ? (
          await store.write(path, options, (client, request) =>
            client.setData(store.znode(path), null, ANY_VERSION, request),
          )
        ).stat
      : await setRecord(store, path, null, expected, options);
  if (stat === undefined) return false;
  if (stat.numChildren === 0) await dropEmptied(store, path, stat, options);
  return true;
}

/** Removes what is left of a record that lost its last child just before its data. It may remain: it is empty. */
export async function dropEmptied(
  store: Store,
  path: string,
  stat: Stat,
  options: CallOptions | undefined,
): Promise<void> {
  await store
    .read(path, options, (client, request) => client.delete(store.znode(path), stat.version, request))
    .catch(() => {});
}

/**
 * Removes a znode in the state `expected`. False when it is not in that state, or has children now. An answer to a
 * deletion has no czxid to compare; writing and deleting in one transaction has.
 */
async function removeZnode(
  store: Store,
  path: string,
  expected: ZnodeVersion | null,
  options: CallOptions | undefined,
): Promise<boolean> {
  const znode = store.znode(path);
  const { multi } = store.sessions.primary.features;
  const removal = store.write(path, options, async (client, request) => {
    if (expected === null || !multi) {
      await client.delete(znode, expected?.version ?? ANY_VERSION, request);
      return undefined;
    }
    const { results } = await client.multi(
      [
        { type: 'setData', path: znode, data: null, version: expected.version },
        { type: 'delete', path: znode, version: expected.version + 1 },
      ],
      request,
    );
    const [set] = results;
    return set?.type === 'setData' ? set.stat.czxid : undefined;
  });
  const done = removal.then((czxid) => ({ czxid }));
  const outcome = await settle(done, ErrorCode.NoNode, ErrorCode.BadVersion, ErrorCode.NotEmpty);
  if (outcome?.czxid !== undefined && outcome.czxid !== expected?.czxid) throw recreated(store.context, path);
  return outcome !== undefined;
}
