import type { CallOptions } from '../../topo/connection.js';
import type { StoreIdentity } from '../../topo/identity.js';
import type { EtcdStore } from './store.js';

/** The cluster's id, and when the root directory came to be: it stays when it is emptied. */
export async function identity(store: EtcdStore, options: CallOptions): Promise<StoreIdentity> {
  const { node, cluster } = await store.get('', '', options);
  const isEmpty = node === undefined || node.nodes.length === 0;
  // Of two roots of which one is in the other, both may have come to be at once.
  const root = isEmpty ? undefined : `${node.createdIndex}:${encodeURI(store.layout.root)}`;
  return { servers: `etcd cluster ${cluster}`, root };
}
