import type { CallOptions } from '../../topo/connection.js';
import type { Node } from './answers.js';
import type { EtcdClient } from './client.js';

/** Requests that are under way at once. */
const AT_ONCE = 48;

/** The files at native paths, in their order; undefined: there is none. Hidden ones are read one by one, which etcd leaves no other way for. */
export async function readMany(
  client: EtcdClient,
  natives: readonly string[],
  about: string,
  options: CallOptions | undefined,
): Promise<(Node | undefined)[]> {
  const found: (Node | undefined)[] = new Array(natives.length);
  const left = natives.entries();
  const worker = async () => {
    for (const [i, native] of left) found[i] = await readFile(client, native, about, options);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, natives.length) }, worker));
  return found;
}

/** The file at a native path; undefined: there is none. */
export async function readFile(
  client: EtcdClient,
  native: string,
  about: string,
  options: CallOptions | undefined,
): Promise<Node | undefined> {
  const { node } = await client.get(native, about, options);
  return node?.value === undefined ? undefined : node;
}

/** What is directly in a native directory, but for what is hidden. Undefined: there is no such directory. */
export async function listNative(
  client: EtcdClient,
  native: string,
  about: string,
  options: CallOptions | undefined,
): Promise<readonly Node[] | undefined> {
  const { node } = await client.get(native, about, options);
  return node === undefined || node.value !== undefined ? undefined : node.nodes;
}
