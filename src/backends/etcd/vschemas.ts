import { readSharedVSchemas, type SharedVSchemas } from '../../legacy/shared-vschemas.js';
import type { CallOptions } from '../../topo/connection.js';
import type { Node } from './answers.js';
import { SHARED_VSCHEMAS } from './layout.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';

/** The file with the VSchemas of all keyspaces. */
export interface SharedFile extends SharedVSchemas {
  readonly node: Node;
}

/** Why a VSchema that has a part in the shared file is neither changed nor deleted. */
export function sharedIsRead({ layout }: EtcdStore): string {
  return `this VSchema is in ${layout.key(SHARED_VSCHEMAS)} with those of all keyspaces, which is only read`;
}

/** The shared file of a global store, if it has one. */
export async function findShared(
  store: EtcdStore,
  about: string,
  options: CallOptions | undefined,
): Promise<SharedFile | undefined> {
  if (store.layout.cell !== undefined) return undefined;
  const node = await readFile(store, SHARED_VSCHEMAS, about, options);
  if (node === undefined) return undefined;
  return { node, ...readSharedVSchemas(Buffer.from(node.value ?? ''), store.context.store) };
}
