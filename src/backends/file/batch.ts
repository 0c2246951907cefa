import type { CallOptions, WriteOp } from '../../topo/connection.js';
import { TopologyError } from '../../topo/errors.js';
import type { Version } from '../../topo/version.js';
import { requireAbsent, requireState } from './file.js';
import type { ChangeItem } from './format.js';
import type { Part } from './part.js';
import type { Tree } from './tree.js';
import { makeVersion } from './version.js';

/** One line of the file, so that it is there as a whole or not at all. */
export async function write(
  part: Part,
  ops: readonly WriteOp[],
  options?: CallOptions,
): Promise<(Version | undefined)[]> {
  const own = copied(ops);
  const entries = await part.write(undefined, options, (tree) =>
    own.flatMap((op, index) => {
      check(part.store, tree, op, index);
      return itemsOf(op);
    }),
  );
  return ops.map(({ path }) => {
    const entry = entries.get(path);
    return entry === undefined ? undefined : makeVersion(part.store, entry);
  });
}

/** The caller may use its buffers again before the write has its turn. One copy for all: a buffer has its own cost. */
function copied(ops: readonly WriteOp[]): readonly WriteOp[] {
  const total = ops.reduce((sum, op) => sum + ('bytes' in op ? op.bytes.byteLength : 0), 0);
  const all = Buffer.allocUnsafeSlow(total);
  let at = 0;
  return ops.map((op) => {
    if (!('bytes' in op)) return op;
    all.set(op.bytes, at);
    const bytes = all.subarray(at, at + op.bytes.byteLength);
    at += op.bytes.byteLength;
    return op.type === 'create'
      ? { type: op.type, path: op.path, bytes }
      : { type: op.type, path: op.path, bytes, version: op.version };
  });
}

function check(store: string, tree: Tree, op: WriteOp, index: number): void {
  try {
    if (op.type === 'create' || (op.type === 'check' && op.version === null))
      requireAbsent(store, tree, op.path);
    else requireState(store, tree, op.path, op.version);
  } catch (error) {
    throw error instanceof TopologyError ? error.at(index) : error;
  }
}

function itemsOf(op: WriteOp): ChangeItem[] {
  switch (op.type) {
    case 'create':
    case 'update':
      return [{ path: op.path, bytes: op.bytes }];
    case 'delete':
      return [{ path: op.path, bytes: undefined }];
    case 'check':
      return [];
  }
}
