import type { CallOptions } from '../../topo/connection.js';
import type { EtcdClient } from './client.js';

/** A key that nobody writes: what etcd answers has its index, and nothing else. */
const NOBODY = '_';

/** The index of the last change of any key of the cluster. */
export async function position(
  client: EtcdClient,
  options: CallOptions | undefined,
  about = '',
): Promise<bigint> {
  const { index } = await client.get(NOBODY, about, options);
  return BigInt(index);
}
