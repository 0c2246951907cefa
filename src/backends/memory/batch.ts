import type { CallOptions, WriteOp } from '../../topo/connection.js';
import type { Version } from '../../topo/version.js';
import type { StoreOp } from './operation.js';
import type { Requests } from './requests.js';
import { makeVersion, readVersion } from './version.js';

export async function write(
  requests: Requests,
  ops: readonly WriteOp[],
  options?: CallOptions,
): Promise<(Version | undefined)[]> {
  const storeOps = ops.map((op) => toStoreOp(requests, op));
  const tokens = await requests.change(undefined, options, () =>
    requests.store.write(storeOps, requests.root),
  );
  return tokens.map((token) =>
    token === undefined ? undefined : makeVersion(requests.context.store, token),
  );
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
