import type { CallOptions } from '../../topo/connection.js';
import type { Node } from './answers.js';
import type { EtcdClient } from './client.js';

/** Requests that are under way at once. */
const AT_ONCE = 48;

/**
 * The files at native paths, in their order; undefined: there is none. Hidden ones are read one by one, which etcd leaves no other way for.
 *
 * @param since index at which the store is known to be: then a server that has come so far may answer by itself, which spares the
 * others a vote on each file. Default: nothing is known.
 */
export async function readMany(
  client: EtcdClient,
  natives: readonly string[],
  about: string,
  options: CallOptions | undefined,
  since = Number.POSITIVE_INFINITY,
): Promise<(Node | undefined)[]> {
  const found: (Node | undefined)[] = new Array(natives.length);
  const left = natives.entries();
  const read = async (native: string) => {
    if (since === Number.POSITIVE_INFINITY) return readFile(client, native, about, options);
    const { node, index } = await client.get(native, about, options, { local: true });
    if (index < since) return readFile(client, native, about, options);
    return node?.value === undefined ? undefined : node;
  };
  const worker = async () => {
    for (const [i, native] of left) found[i] = await read(native);
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
