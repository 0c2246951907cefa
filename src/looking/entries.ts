import type { CallOptions, Connection, DirEntry, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { joinPath } from '../topo/paths.js';
import { ahead } from './ahead.js';

/**
 * Names of a directory beyond which it is read as a whole. Asking for each name by itself costs a round trip each, and
 * reading as a whole costs all that is below.
 */
export const WIDE = 256;

/** A name in a directory, and the record that it is, if it is one. */
export interface Entry extends DirEntry {
  /** Bytes of the record. */
  readonly size?: number | undefined;
  /** See {@link Version.token}. */
  readonly version?: string | undefined;
}

/** What is at a path: a record, a directory, or both. */
export interface PathState {
  readonly path: string;
  readonly value: Value | undefined;
  /** Names in the directory; undefined: it is none. */
  readonly names: readonly string[] | undefined;
}

/** What is at a path; undefined: nothing. Two calls. */
export async function stateOf(
  store: Connection,
  path: string,
  options: CallOptions,
): Promise<PathState | undefined> {
  const [value, names] = await Promise.all([
    path === '' ? undefined : find(store, path, options),
    namesIn(store, path, options),
  ]);
  return value === undefined && names === undefined ? undefined : { path, value, names };
}

/** Names in a directory; undefined when there is none. */
export async function namesIn(
  store: Connection,
  path: string,
  options: CallOptions,
): Promise<string[] | undefined> {
  try {
    return await store.listDir(path, options);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
    throw error;
  }
}

/** The line of a path itself, as its directory would list it. */
export async function entryOf(
  store: Connection,
  { path, value, names }: PathState,
  options: CallOptions,
): Promise<Entry> {
  const ephemeral = value?.ephemeral ?? (await holdsOnlyEphemerals(store, path, names ?? [], options));
  const type = names === undefined ? 'file' : 'directory';
  return { name: path, type, ephemeral, ...recordOf(value) };
}

/** Whether all that is in a directory goes away by itself; the first record that does not settles it. */
async function holdsOnlyEphemerals(
  store: Connection,
  path: string,
  names: readonly string[],
  options: CallOptions,
): Promise<boolean> {
  let found = false;
  for (const name of names) {
    const state = await stateOf(store, joinPath(path, name), options);
    if (state === undefined) continue;
    found = true;
    if (!(await entryOf(store, state, options)).ephemeral) return false;
  }
  return found;
}

/** A directory with the size and the version of each record in it. NoNode. */
export async function entriesIn(store: Connection, path: string, options: CallOptions): Promise<Entry[]> {
  const names = await store.listDir(path, options);
  return names.length > WIDE ? wideEntries(store, path, names, options) : fewEntries(store, path, options);
}

async function fewEntries(store: Connection, path: string, options: CallOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  const listed = await store.listDirFull(path, options);
  const described = async (entry: DirEntry): Promise<Entry> => {
    if (entry.type === 'directory' && !store.capabilities.recordsWithChildren) return entry;
    return { ...entry, ...recordOf(await find(store, joinPath(path, entry.name), options)) };
  };
  for await (const entry of ahead(listed, described)) entries.push(entry);
  return entries;
}

/** By all records below; a name below which there are none is an empty directory. */
async function wideEntries(
  store: Connection,
  path: string,
  names: readonly string[],
  options: CallOptions,
): Promise<Entry[]> {
  const found = new Map<string, Entry>();
  const start = path === '' ? 0 : path.length + 1;
  for await (const { records } of store.scan(path, options)) {
    for (const record of records) {
      const slash = record.path.indexOf('/', start);
      const name = record.path.slice(start, slash < 0 ? undefined : slash);
      const before = found.get(name);
      const ephemeral = record.ephemeral && before?.ephemeral !== false;
      if (slash < 0) found.set(name, { name, type: 'file', ephemeral, ...recordOf(record) });
      else if (before?.type !== 'directory' || before.ephemeral !== ephemeral)
        found.set(name, { ...before, name, type: 'directory', ephemeral });
    }
  }
  return names.map((name) => found.get(name) ?? { name, type: 'directory', ephemeral: false });
}

/** What an entry says of its record; undefined: it is none. */
export function recordOf(value: Value | undefined): { size: number; version: string } | undefined {
  return value === undefined ? undefined : { size: value.bytes.byteLength, version: value.version.token };
}
