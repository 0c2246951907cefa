import type { WriteOp, WriteOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { lockLost } from '../../topo/held-lock.js';
import type { Lock } from '../../topo/locks.js';
import type { Version } from '../../topo/version.js';
import type { StoreOp } from './operation.js';
import type { Requests } from './requests.js';
import { makeVersion, readVersion } from './version.js';

export async function write(
  requests: Requests,
  ops: readonly WriteOp[],
  options: WriteOptions,
): Promise<(Version | undefined)[]> {
  const { context, store, root } = requests;
  const { fence } = options;
  const storeOps = ops.map((op) => toStoreOp(requests, op));
  // Last, so that the others keep their places.
  if (fence !== undefined) storeOps.push(fenceOp(requests, fence));
  try {
    const tokens = await requests.change(undefined, options, () => store.write(storeOps, root));
    return ops.map((_, i) => (tokens[i] === undefined ? undefined : makeVersion(context.store, tokens[i])));
  } catch (error) {
    if (fence === undefined || !isTopologyError(error, ErrorCode.LockLost)) throw error;
    requests.held.get(fence)?.gone('the store refused a write that depends on it');
    throw lockLost(context, fence.dir, 'the store says that it is not held');
  }
}

function fenceOp(requests: Requests, fence: Lock): StoreOp {
  const place = requests.held.get(fence)?.entry;
  if (place === undefined) throw lockLost(requests.context, fence.dir, 'this connection does not hold it');
  return { type: 'held', ...place };
}

function toStoreOp(requests: Requests, op: WriteOp): StoreOp {
  const { store } = requests.context;
  const key = requests.keyOf(op.path);
  switch (op.type) {
    case 'create':
      return { type: op.type, key, bytes: Buffer.from(op.bytes) };
    case 'update': {
      const token = readVersion(store, op.version, op.path) ?? '';
      return { type: op.type, key, bytes: Buffer.from(op.bytes), token };
    }
    default:
      return { type: op.type, key, token: readVersion(store, op.version, op.path) };
  }
}
