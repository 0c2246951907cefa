import type { CallOptions, Connection } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { joinPath } from '../topo/paths.js';
import { ahead } from './ahead.js';
import { namesIn, WIDE } from './entries.js';

/** A name in a tree, and what is below it. */
export interface TreeNode {
  readonly children: Map<string, TreeNode>;
  isRecord: boolean;
  /** There may be more below, which was not looked at. */
  isCut: boolean;
}

function newNode(): TreeNode {
  return { children: new Map(), isRecord: false, isCut: false };
}

/**
 * What is below a path, `depth` levels deep; undefined: nothing. A whole tree is read as a whole. One that is cut is listed
 * name by name, so that its cost does not grow with what it leaves out; directories too wide for that are read as a whole.
 */
export async function readTree(
  store: Connection,
  path: string,
  depth: number,
  options: CallOptions,
): Promise<TreeNode | undefined> {
  const root = newNode();
  if (Number.isFinite(depth)) {
    const names = await namesIn(store, path, options);
    if (names === undefined) return undefined;
    await addLevels(root, store, path, names, depth, options);
    return root;
  }
  await addAll(root, store, path, depth, options);
  return root.children.size === 0 ? undefined : root;
}

async function addLevels(
  node: TreeNode,
  store: Connection,
  path: string,
  names: readonly string[],
  depth: number,
  options: CallOptions,
): Promise<void> {
  if (names.length > WIDE && depth > 1) {
    await addAll(node, store, path, depth, options);
    return;
  }
  const look = async (name: string) => {
    const below = joinPath(path, name);
    if (names.length > WIDE) return { name, isRecord: false, names: undefined };
    if (depth === 1)
      return { name, isRecord: (await find(store, below, options)) !== undefined, names: undefined };
    const found = await namesIn(store, below, options);
    return { name, isRecord: found === undefined, names: found };
  };
  for await (const { name, isRecord, names: found } of ahead(names, look)) {
    const child = { ...newNode(), isRecord, isCut: depth === 1 && !isRecord };
    node.children.set(name, child);
    if (found !== undefined) await addLevels(child, store, joinPath(path, name), found, depth - 1, options);
  }
}

async function addAll(
  root: TreeNode,
  store: Connection,
  path: string,
  depth: number,
  options: CallOptions,
): Promise<void> {
  const start = path === '' ? 0 : path.length + 1;
  for await (const page of store.scan(path, options))
    for (const record of page.records) addPath(root, record.path.slice(start).split('/'), depth);
}

function addPath(root: TreeNode, segments: readonly string[], depth: number): void {
  let node = root;
  for (const segment of segments.slice(0, depth)) {
    let child = node.children.get(segment);
    if (child === undefined) {
      child = newNode();
      node.children.set(segment, child);
    }
    node = child;
  }
  if (segments.length <= depth) node.isRecord = true;
  else node.isCut = true;
}
