import type { Argv } from 'yargs';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { GLOBAL } from '../../topo/topology.js';
import { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { type Io, json } from '../io.js';
import { printable } from '../lists.js';
import { lookAt, lookFlags, storeOf } from '../looking.js';

export const treeCommand = {
  command: 'tree [address] [path]',
  describe: 'show the global store and every cell as a tree',
  builder: (yargs: Argv) =>
    lookFlags(yargs).option('depth', {
      type: 'number',
      requiresArg: true,
      describe: 'how many levels to show (default: all)',
    }),
  run: (flags: Flags, io: Io, signal: AbortSignal) =>
    lookAt(flags, io, signal, async ({ topology, scope, path }) => {
      const depth = flags['depth'] === undefined ? Number.POSITIVE_INFINITY : Number(flags['depth']);
      const cells = scope === undefined ? await topology.cells({ signal }) : [];
      const scopes = scope === undefined ? [GLOBAL, ...cells.map((cell) => cell.name)] : [scope];
      const trees = [];
      for (const each of scopes) {
        const store = await storeOf(topology, each, signal);
        trees.push({ scope: each, store: store.store, root: await readTree(store, path, depth, signal) });
      }
      if (trees.every(({ root }) => root.records === 0)) throw nothingAt(trees[0]?.store, path);
      if (flags['output'] === 'json') {
        io.out(json(trees.map(({ root, ...of }) => ({ ...of, tree: plainTree(root) }))));
        return Exit.Ok;
      }
      for (const { scope: name, store, root } of trees) {
        io.out([`${io.colors.bold(name)} ${io.colors.dim(store)}`, ...treeLines(io, root, '')].join('\n'));
      }
      return Exit.Ok;
    }),
};

function nothingAt(store: string | undefined, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is nothing below this path', {
    path,
    store,
    hint: path === '' ? 'check the server and the root' : 'ls lists a directory, cat shows a record',
  });
}

interface TreeNode {
  readonly children: Map<string, TreeNode>;
  /** Records at and below this node. */
  records: number;
  isRecord: boolean;
}

async function readTree(
  store: Connection,
  path: string,
  depth: number,
  signal: AbortSignal,
): Promise<TreeNode> {
  const root: TreeNode = { children: new Map(), records: 0, isRecord: false };
  for await (const page of store.scan(path, { signal })) {
    for (const record of page.records)
      addToTree(root, path === '' ? record.path : record.path.slice(path.length + 1), depth);
  }
  return root;
}

function addToTree(root: TreeNode, path: string, depth: number): void {
  const segments = path.split('/');
  let node = root;
  node.records += 1;
  for (const segment of segments.slice(0, depth)) {
    let child = node.children.get(segment);
    if (child === undefined) {
      child = { children: new Map(), records: 0, isRecord: false };
      node.children.set(segment, child);
    }
    child.records += 1;
    node = child;
  }
  if (segments.length <= depth) node.isRecord = true;
}

function treeLines(io: Io, node: TreeNode, indent: string): string[] {
  const children = [...node.children];
  return children.flatMap(([name, child], index) => {
    const last = index === children.length - 1;
    const below = child.records - (child.isRecord ? 1 : 0);
    const hidden = below > 0 && child.children.size === 0 ? io.colors.dim(` (${below})`) : '';
    const line = `${indent}${last ? '└── ' : '├── '}${child.isRecord ? printable(name) : io.colors.blue(printable(name))}${hidden}`;
    return [line, ...treeLines(io, child, `${indent}${last ? '    ' : '│   '}`)];
  });
}

function plainTree(node: TreeNode): unknown {
  return {
    records: node.records,
    ...(node.isRecord ? { record: true } : {}),
    children: Object.fromEntries([...node.children].map(([name, child]) => [name, plainTree(child)])),
  };
}
