import type { WriteOp, WriteOptions } from '../../topo/connection.js';
import type { Version } from '../../topo/version.js';
import type { ConsulClient } from './client.js';
import { fenceOf } from './hold.js';
import { transact } from './transaction.js';

export async function write(
  client: ConsulClient,
  ops: readonly WriteOp[],
  options?: WriteOptions,
): Promise<(Version | undefined)[]> {
  const condition = options?.fence === undefined ? undefined : fenceOf(client.context, options.fence);
  return transact(client, ops, options, { condition });
}
