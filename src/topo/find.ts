import { decodeProblem } from './codec.js';
import type { CallOptions, Connection, Value } from './connection.js';
import { ErrorCode, isTopologyError, TopologyError } from './errors.js';

/** A record, undefined when there is none. */
export async function find(
  store: Connection,
  path: string,
  options: CallOptions,
): Promise<Value | undefined> {
  try {
    return await store.get(path, options);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
    throw error;
  }
}

/** The names in a directory; none where there is no such directory. */
export async function namesIn(store: Connection, dir: string, options: CallOptions): Promise<string[]> {
  try {
    return await store.listDir(dir, options);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  }
}

/** A root that holds nothing, for what cannot say anything of it: NoNode. */
export function nothingIn(store: Connection): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is nothing in the global store', {
    store: store.store,
    hint: 'check the server and the root',
  });
}

/** {@link find} of a record that has to be one of a message: Corrupt, naming it, when it does not decode. */
export async function findDecodable(
  store: Connection,
  path: string,
  message: string,
  options: CallOptions,
): Promise<Value | undefined> {
  const found = await find(store, path, options);
  if (found !== undefined) checkDecodes(store, path, message, found);
  return found;
}

/**
 * Why a record is none of a message; undefined where it is one. The bytes of what is in no form that its store knows are the store's own, and
 * may look like another record by chance.
 */
export function readProblem(
  message: string,
  { bytes, told }: Pick<Value, 'bytes' | 'told'>,
): string | undefined {
  return told?.unreadable?.sentence ?? decodeProblem(message, bytes);
}

/** Corrupt, naming the record, when {@link readProblem} says why. */
export function checkDecodes(
  store: Connection,
  path: string,
  message: string,
  value: Pick<Value, 'bytes' | 'told'>,
): void {
  const problem = readProblem(message, value);
  if (problem === undefined) return;
  throw new TopologyError(ErrorCode.Corrupt, problem, {
    path,
    store: store.store,
    hint: value.told?.unreadable?.hint ?? 'repair the record first: Vitess stumbles over it, too',
  });
}
