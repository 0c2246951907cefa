import {
  batchBytes,
  type Capabilities,
  operationBytes,
  operationBytesAtMost,
  type WriteOp,
} from '../topo/connection.js';
import { Version } from '../topo/version.js';
import type { WriteEntry } from './entries.js';

/** The operations that a copy consists of. */
export type CopyOp = Extract<WriteOp, { type: 'create' | 'update' | 'delete' }>;

/** Operations of one transaction, within the limits of a store. */
export interface Batch {
  readonly ops: readonly CopyOp[];
  /** What each operation was made of. */
  readonly entries: readonly WriteEntry[];
  /** Sum of the values' bytes. */
  readonly bytes: number;
}

/** Cuts entries into transactions, by operations and by bytes, in their order. What does not fit with others is alone. */
export function* cutBatches(
  entries: Iterable<WriteEntry>,
  store: string,
  limits: Capabilities['batch'],
): Generator<Batch> {
  let ops: CopyOp[] = [];
  let cut: WriteEntry[] = [];
  // Of the operations, at most.
  let size = 0;
  let bytes = 0;
  for (const entry of entries) {
    const op = operationOf(entry, store);
    let share = operationBytesAtMost(op);
    if (size + share > limits.maxBytes) {
      size = batchBytes(ops);
      share = operationBytes(op);
    }
    if (ops.length > 0 && (ops.length >= limits.maxOps || size + share > limits.maxBytes)) {
      yield { ops, entries: cut, bytes };
      ops = [];
      cut = [];
      size = 0;
      bytes = 0;
    }
    ops.push(op);
    cut.push(entry);
    size += share;
    bytes += entry.bytes.byteLength;
  }
  if (ops.length > 0) yield { ops, entries: cut, bytes };
}

/** The operation of an entry in a store, conditional on the state that the plan saw. */
export function operationOf({ action, path, bytes, destination }: WriteEntry, store: string): CopyOp {
  const version = destination === undefined ? undefined : Version.of(store, destination);
  if (action === 'delete') return { type: 'delete', path, version: version ?? null };
  return version === undefined ? { type: 'create', path, bytes } : { type: 'update', path, bytes, version };
}
