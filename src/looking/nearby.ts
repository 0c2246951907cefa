import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { baseName, parentPath } from '../topo/paths.js';
import { stateOf } from './entries.js';

/** Names that an error lists. */
const LISTED = 20;

/** NoNode for a path at which there is nothing, with what is where it was looked for. */
export async function nothingAt(
  store: Connection,
  path: string,
  options: CallOptions,
): Promise<TopologyError> {
  const hint = path === '' ? 'check the server and the root' : await nearest(store, path, options);
  return new TopologyError(ErrorCode.NoNode, 'there is nothing at this path', {
    path,
    store: store.store,
    hint,
  });
}

/** NoNode for a pattern that means nothing. `directory`: the one above its first wildcard. */
export async function nothingMatches(
  store: Connection,
  pattern: string,
  directory: string,
  options: CallOptions,
): Promise<TopologyError> {
  const state = await stateOf(store, directory, options);
  return new TopologyError(ErrorCode.NoNode, 'nothing matches this pattern', {
    path: pattern,
    store: store.store,
    hint:
      state === undefined ? await nearest(store, directory, options) : holding(directory, state.names ?? []),
  });
}

/** NoNode, or what else it is, for a path that was to be a record. */
export async function noRecordAt(
  store: Connection,
  path: string,
  options: CallOptions,
): Promise<TopologyError> {
  const state = path === '' ? undefined : await stateOf(store, path, options);
  if (state?.names === undefined) return nothingAt(store, path, options);
  return new TopologyError(ErrorCode.NoNode, 'this is a directory and no record', {
    path,
    store: store.store,
    hint: holding(path, state.names),
  });
}

/** NoNode, or what else it is, for a path that was to be a directory. */
export async function noDirectoryAt(
  store: Connection,
  path: string,
  options: CallOptions,
): Promise<TopologyError> {
  const state = await stateOf(store, path, options);
  if (state === undefined) return nothingAt(store, path, options);
  const found = state.names === undefined ? 'this is a record' : 'this directory holds no record';
  return new TopologyError(ErrorCode.NoNode, `${found}: there is nothing below it`, {
    path,
    store: store.store,
    hint: state.names === undefined ? 'topo2topo cat shows it' : undefined,
  });
}

/** What is in the nearest directory above a path, and what was looked for there in vain. */
async function nearest(store: Connection, path: string, options: CallOptions): Promise<string> {
  for (let missing = path; missing !== ''; missing = parentPath(missing)) {
    const above = parentPath(missing);
    const state = await stateOf(store, above, options);
    if (state === undefined) continue;
    if (state.names === undefined) return `${above} is a record, and has nothing below it`;
    return `there is no ${baseName(missing)} in ${above === '' ? 'the root' : above}: ${holding(above, state.names)}`;
  }
  return 'there is nothing below this root at all: check the server and the root';
}

function holding(path: string, names: readonly string[]): string {
  const where = path === '' ? 'the root' : path;
  if (names.length === 0) return `${where} is empty`;
  if (names.length > LISTED) return `${where} has ${names.length} names; topo2topo ls lists them`;
  return `${where} has ${names.join(', ')}`;
}
