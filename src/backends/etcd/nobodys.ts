import type { CallOptions } from '../../topo/connection.js';
import type { Beside } from '../../topo/told.js';
import type { Node } from './answers.js';
import type { EtcdClient } from './client.js';
import { CELL_DIRECTORIES } from './layout.js';
import { readMany } from './read-many.js';

/** Directories whose files are asked for at once, until one has any. */
const AT_A_TIME = 200;

/**
 * What a global root holds of a cell's store though no cell is said to be there, so that nobody reads it: records in files that no listing tells of.
 *
 * @param root the root, with all that can be seen below it
 */
export async function nobodysIn(
  client: EtcdClient,
  root: Node | undefined,
  options: CallOptions | undefined,
): Promise<Beside[]> {
  const { layout } = client;
  if (layout.cell !== undefined || layout.shared) return [];
  const found: Beside[] = [];
  for (const node of root?.nodes ?? []) {
    const isOfCell = CELL_DIRECTORIES.has(layout.native(node.key));
    if (isOfCell && (await holdsHidden(client, node, options)))
      found.push({ is: 'left', native: node.key, why: 'of a cell that no address leads to', losses: [] });
  }
  return found;
}

/** Whether a directory, or one below it, has a file of the kind that listings leave out. */
async function holdsHidden(
  client: EtcdClient,
  top: Node,
  options: CallOptions | undefined,
): Promise<boolean> {
  const natives = directoriesFrom(top).flatMap(({ key }) => {
    const native = client.layout.native(key);
    return [`${native}/_Data`, `${native}/_VSchema`];
  });
  for (let i = 0; i < natives.length; i += AT_A_TIME) {
    const files = await readMany(client, natives.slice(i, i + AT_A_TIME), '', options);
    if (files.some((file) => file !== undefined)) return true;
  }
  return false;
}

function directoriesFrom(node: Node): Node[] {
  return node.value === undefined ? [node, ...node.nodes.flatMap(directoriesFrom)] : [];
}
