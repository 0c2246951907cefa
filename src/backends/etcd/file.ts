import type { CallOptions, Value } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import type { Version } from '../../topo/version.js';
import { type Answer, REFUSALS } from './answers.js';
import { addCompanions, clear } from './companions.js';
import { removeEmpty } from './empty.js';
import { changed, noRecord, recordExists } from './error.js';
import { isRecordPlace, type RecordPlace } from './layout.js';
import { breakLock, type LockPlace, lockPlace } from './lock-file.js';
import type { Condition } from './member.js';
import { find, isVSchema } from './record.js';
import type { EtcdStore } from './store.js';
import { writeText } from './transcode.js';
import { makeVersion, readVersion, type State } from './version.js';
import { findShared, sharedIsRead } from './vschemas.js';

export async function get(store: EtcdStore, path: string, options: CallOptions): Promise<Value> {
  const value = await find(store, path, options);
  if (value === undefined) throw noRecord(store.context, path);
  return value;
}

export async function create(
  store: EtcdStore,
  path: string,
  bytes: Uint8Array,
  options: CallOptions,
): Promise<Version> {
  const target = targetOf(store, path);
  const text = await writeText(store, target.place, bytes, options);
  await checkHome(store, target, options, () => recordExists(store.context, path));
  const undo = await addCompanions(store, path, options);
  try {
    const put = () => write(store, target, text, { prevExist: false }, options);
    let answer = await put();
    // A directory that somebody left empty is none.
    if (answer.refused === REFUSALS.nodeExists && (await removeEmpty(store, target.native, path, options)))
      answer = await put();
    return versionOf(store, path, answer);
  } catch (error) {
    if (isTopologyError(error) && error.code !== ErrorCode.OutcomeUnknown) await undo();
    throw error;
  }
}

export async function update(
  store: EtcdStore,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options: CallOptions,
): Promise<Version> {
  const state = version && readVersion(store.context.store, version, path);
  const target = version === null ? targetOf(store, path) : existing(store, path);
  const text = await writeText(store, target.place, bytes, options);
  await checkHome(store, target, options, () => sharedHome(store, path));
  if (state !== null) {
    const answer = await write(store, target, text, { prevIndex: ownOf(store, state, path) }, options);
    return versionOf(store, path, answer);
  }
  await addCompanions(store, path, options);
  return versionOf(store, path, await write(store, target, text, {}, options));
}

export async function remove(
  store: EtcdStore,
  path: string,
  version: Version | null,
  options: CallOptions,
): Promise<void> {
  const state = version && readVersion(store.context.store, version, path);
  const condition = () => (state === null ? {} : { prevIndex: ownOf(store, state, path) });
  const lock = lockAt(store, path);
  if (lock !== undefined) {
    await breakLock(store, path, lock, condition(), options);
    return;
  }
  const target = existing(store, path);
  await checkHome(store, target, options, () => sharedHome(store, path));
  const answer = await store.remove(target.native, condition(), path, options);
  checkDone(store, path, answer);
  await clear(store, target, options);
}

/** The lock or election whose entry is at a path; undefined: that is a record. */
function lockAt({ layout }: EtcdStore, path: string): LockPlace | undefined {
  const locked = layout.lockedBy(path);
  if (locked !== undefined) return lockPlace(layout, locked, 'directory');
  const native = layout.find(path);
  const isElection = native !== undefined && layout.place(native).is === 'election';
  return isElection ? lockPlace(layout, path, 'election') : undefined;
}

/** Where a record is written. */
interface Target {
  readonly path: string;
  readonly native: string;
  readonly place: RecordPlace;
}

/** InvalidPath where the store has no place for such a record. */
function targetOf({ layout }: EtcdStore, path: string): Target {
  const native = layout.record(path);
  const place = layout.place(native);
  if (isRecordPlace(place)) return { path, native, place };
  const message = 'an etcd store of the old form keeps no record there';
  throw new TopologyError(ErrorCode.InvalidPath, message, { path, store: layout.store });
}

/** NoNode where the store cannot have such a record. */
function existing(store: EtcdStore, path: string): Target {
  if (store.layout.find(path) === undefined) throw noRecord(store.context, path);
  return targetOf(store, path);
}

function write(
  store: EtcdStore,
  { native, path }: Target,
  text: string,
  condition: Condition,
  options: CallOptions,
): Promise<Answer> {
  return store.put(native, text, condition, path, options);
}

/** Refuses what is kept in the file of all keyspaces: it is in a form that is only read. */
async function checkHome(
  store: EtcdStore,
  { path, place }: Target,
  options: CallOptions,
  refuse: () => TopologyError,
): Promise<void> {
  if (!isVSchema(place)) return;
  const shared = await findShared(store, path, options);
  if (shared?.vschemas.has(place.keyspace ?? '')) throw refuse();
}

function sharedHome(store: EtcdStore, path: string): TopologyError {
  return new TopologyError(ErrorCode.Unsupported, sharedIsRead(store), {
    path,
    store: store.layout.store,
    hint: 'change it there with the tools of its time, or copy the topology into one of today',
  });
}

/** The index that a write depends on. BadVersion where the record had a part in the file of all keyspaces, and has not any more. */
export function ownOf(store: EtcdStore, { own, shared }: State, path: string): number {
  if (own === undefined || shared !== undefined) throw changed(store.context, path);
  return own;
}

/** The version of what was written; throws why nothing was. */
export function versionOf(store: EtcdStore, path: string, answer: Answer): Version {
  checkDone(store, path, answer);
  return makeVersion(store.context.store, { own: answer.node?.modifiedIndex });
}

/** Throws why nothing was written. */
export function checkDone({ context }: EtcdStore, path: string, { refused }: Answer): void {
  const { store } = context;
  switch (refused) {
    case undefined:
      return;
    case REFUSALS.keyNotFound:
      throw noRecord(context, path);
    case REFUSALS.compareFailed:
      throw changed(context, path);
    case REFUSALS.nodeExists:
      throw recordExists(context, path);
    case REFUSALS.notAFile:
      throw new TopologyError(ErrorCode.NoNode, 'there is a directory, and no record', { path, store });
    case REFUSALS.notADirectory:
      throw new TopologyError(ErrorCode.NodeExists, 'a directory above it is a record', { path, store });
    default:
      throw new TopologyError(ErrorCode.Unsupported, `etcd refused it with error ${refused}`, {
        path,
        store,
      });
  }
}
