import { batchBytes, type Capabilities, operationBytesAtMost, type WriteOp } from './connection.js';
import { ErrorCode, TopologyError } from './errors.js';
import { checkPath } from './paths.js';
import { tokenFor } from './version.js';

/** What a check must know of a connection. A connection passes itself. */
export interface CheckedStore {
  readonly store: string;
  readonly capabilities: Capabilities;
  /** Root of the connection, which counts towards `capabilities.maxPathBytes`. Default: none. */
  readonly root?: string | undefined;
}

/**
 * {@link checkPath}, TooLarge for a path that is longer, with its root, than the store takes, and InvalidPath for one that
 * the store itself refuses.
 */
export function checkStoredPath(
  connection: CheckedStore,
  path: string,
  kind: 'record' | 'directory',
): string {
  checkPath(path, kind, connection.store);
  const { root = '', capabilities, store } = connection;
  // No UTF-16 unit takes more than three bytes: what is short by that need not be counted.
  const bytes = 3 * (path.length + root.length + 1) <= capabilities.maxPathBytes ? 0 : bytesOf(root, path);
  if (bytes > capabilities.maxPathBytes) {
    throw new TopologyError(
      ErrorCode.TooLarge,
      `the path has ${bytes} bytes with its root, ${capabilities.maxPathBytes} are allowed`,
      { path, store },
    );
  }
  const problem = capabilities.pathProblem?.(path);
  if (problem !== undefined)
    throw new TopologyError(ErrorCode.InvalidPath, `invalid path: the store takes no ${problem}`, {
      path,
      store,
    });
  return path;
}

/** Bytes of a path with its root. */
function bytesOf(root: string, path: string): number {
  return Buffer.byteLength(path) + (root === '' ? 0 : Buffer.byteLength(root) + (root.endsWith('/') ? 0 : 1));
}

/** TooLarge for a value that the store does not take at `path`. */
export function checkValue(connection: CheckedStore, path: string, bytes: Uint8Array): void {
  const { capabilities, store } = connection;
  if (bytes.byteLength > capabilities.maxValueBytes) {
    throw new TopologyError(
      ErrorCode.TooLarge,
      `the value has ${bytes.byteLength} bytes, ${capabilities.maxValueBytes} are allowed`,
      { path, store },
    );
  }
}

/** ReadOnly when the connection takes no writes. */
export function checkWritable(connection: CheckedStore, path?: string): void {
  if (connection.capabilities.readOnly)
    throw new TopologyError(ErrorCode.ReadOnly, 'the connection is read-only', {
      path,
      store: connection.store,
    });
}

/**
 * The rules of {@link Connection.write} that need no server: InvalidBatch (empty, a path twice), InvalidPath, TooLarge
 * (path, value, operations, bytes), ReadOnly, BadVersion for a version of another store. The error of one operation names
 * its path and index. `more`: operations that the backend adds.
 */
export function checkBatch(connection: CheckedStore, ops: readonly WriteOp[], more = 0): void {
  const { store, capabilities } = connection;
  checkWritable(connection);
  if (ops.length === 0) throw new TopologyError(ErrorCode.InvalidBatch, 'the batch is empty', { store });
  checkRoom(connection, 'operations', ops.length + more, capabilities.batch.maxOps);
  const seen = new Set<string>();
  let total = 0;
  for (const [index, op] of ops.entries()) {
    try {
      checkStoredPath(connection, op.path, 'record');
      if ('bytes' in op) checkValue(connection, op.path, op.bytes);
      if ('version' in op && op.version !== null) tokenFor(store, op.version, op.path);
    } catch (error) {
      throw error instanceof TopologyError ? error.at(index) : error;
    }
    seen.add(op.path);
    if (seen.size === index) {
      const first = ops.findIndex(({ path }) => path === op.path);
      throw new TopologyError(ErrorCode.InvalidBatch, `operations ${first} and ${index} have the same path`, {
        path: op.path,
        store,
        index,
      });
    }
    total += operationBytesAtMost(op);
  }
  const { maxBytes } = capabilities.batch;
  if (total > maxBytes) checkRoom(connection, 'bytes', batchBytes(ops), maxBytes);
}

function checkRoom(connection: CheckedStore, unit: string, count: number, allowed: number): void {
  if (count <= allowed) return;
  throw new TopologyError(ErrorCode.TooLarge, `the batch has ${count} ${unit}, ${allowed} are allowed`, {
    store: connection.store,
    hint: 'divide it into several',
  });
}
