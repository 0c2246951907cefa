import type { CallOptions } from '../../topo/connection.js';
import { REFUSALS } from './answers.js';
import type { EtcdClient } from './client.js';

/** Removes the empty directories above a native path, but for the root. */
export async function removeDirectories(
  client: EtcdClient,
  native: string,
  about: string,
  options: CallOptions,
): Promise<void> {
  for (let slash = native.lastIndexOf('/'); slash > 0; slash = native.lastIndexOf('/', slash - 1))
    if (!(await removeEmpty(client, native.slice(0, slash), about, options))) return;
}

/**
 * Removes a directory if nothing is in it, hidden things included. False: it is there still, or no directory. Looked at first, since etcd
 * takes a file for an empty directory when it deletes.
 */
export async function removeEmpty(
  client: EtcdClient,
  native: string,
  about: string,
  options: CallOptions,
): Promise<boolean> {
  const { node } = await client.get(native, about, options);
  if (node === undefined) return true;
  if (node.value !== undefined || node.nodes.length > 0) return false;
  const { refused } = await client.remove(native, { dir: true }, about, options);
  return refused === undefined || refused === REFUSALS.keyNotFound;
}
