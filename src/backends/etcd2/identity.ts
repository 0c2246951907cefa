import type { IdentityOptions } from '../../topo/connection.js';
import { type StoreIdentity, witnessed } from '../../topo/identity.js';
import type { EtcdClient } from './client.js';

/** Clusters that were set up alike share their id; revisions at which their records came to be tell them apart. */
export async function identity(
  client: EtcdClient,
  { witness, ...options }: IdentityOptions,
): Promise<StoreIdentity> {
  const keys = witness === undefined ? client.keys.below('') : { key: client.keys.key(witness) };
  const request = { ...keys, keys_only: true, limit: 1 };
  const { header, kvs } = await client.read('range', request, witness ?? '', options);
  const [found] = kvs;
  return {
    servers: `etcd cluster ${header.cluster_id}`,
    root: found && witnessed(client.keys.path(found.key), found.create_revision),
  };
}
