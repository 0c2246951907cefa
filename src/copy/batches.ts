import { type Capabilities, operationBytes, type WriteOp } from '../topo/connection.js';
import type { WriteStep } from './plan.js';

/** The operations that a copy consists of. */
export type CopyOp = Extract<WriteOp, { type: 'create' | 'update' }>;

/** Operations of one transaction, within the limits of a store. */
export interface Batch {
  readonly ops: readonly CopyOp[];
  /** Sum of the values' bytes. */
  readonly bytes: number;
}

/** Cuts steps into transactions, by operations and by bytes, in their order. What does not fit with others is alone. */
export function* cutBatches(steps: Iterable<WriteStep>, limits: Capabilities['batch']): Generator<Batch> {
  let ops: CopyOp[] = [];
  let size = 0;
  let bytes = 0;
  for (const step of steps) {
    const op = operationOf(step);
    const share = operationBytes(op);
    if (ops.length > 0 && (ops.length >= limits.maxOps || size + share > limits.maxBytes)) {
      yield { ops, bytes };
      ops = [];
      size = 0;
      bytes = 0;
    }
    ops.push(op);
    size += share;
    bytes += step.bytes.byteLength;
  }
  if (ops.length > 0) yield { ops, bytes };
}

function operationOf(step: WriteStep): CopyOp {
  const { path, bytes, version } = step;
  return version === undefined ? { type: 'create', path, bytes } : { type: 'update', path, bytes, version };
}
