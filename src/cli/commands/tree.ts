import { noDirectoryAt } from '../../looking/nearby.js';
import { readTree, type TreeNode } from '../../looking/tree.js';
import type { Command } from '../command.js';
import { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { type Io, json, outLines } from '../io.js';
import { printable } from '../lists.js';
import { LOOK_FLAGS, LOOK_WORDS, lookAt, scopesOf } from '../looking.js';

export const treeCommand: Command = {
  command: 'tree [address] [path]',
  describe: 'show the global store and every cell as a tree',
  words: LOOK_WORDS,
  flags: [
    ...LOOK_FLAGS,
    { name: 'depth', kind: 'number', describe: 'how many levels to show (default: all)' },
  ],
  examples: [
    ['$0 tree zk2://zk1:2181/vitess/global --depth 2', 'reads no more than it shows'],
    ['$0 tree zk2://zk1:2181/vitess/global global:keyspaces/commerce', 'one keyspace'],
  ],
  run: (flags: Flags, io: Io, signal: AbortSignal) =>
    lookAt(flags, io, signal, async ({ topology, scope, path }) => {
      const depth = flags['depth'] === undefined ? Number.POSITIVE_INFINITY : Number(flags['depth']);
      const scopes = await scopesOf(topology, scope, signal);
      const trees = [];
      for (const each of scopes) {
        const root = await readTree(each.store, path, depth, { signal });
        trees.push({ scope: each.scope, store: each.store.store, root });
      }
      const [first] = scopes;
      if (first !== undefined && trees.every(({ root }) => root === undefined))
        throw await noDirectoryAt(first.store, path, { signal });
      if (flags['output'] === 'json') {
        io.out(json(trees.map(({ root, ...of }) => ({ ...of, tree: plainTree(root) }))));
        return Exit.Ok;
      }
      for (const { scope: name, store, root } of trees) {
        io.out(`${io.colors.bold(name)} ${io.colors.dim(store)}`);
        if (root !== undefined) outLines(io, treeLines(io, root, ''));
      }
      return Exit.Ok;
    }),
};

function* treeLines(io: Io, node: TreeNode, indent: string): Generator<string> {
  let left = node.children.size;
  for (const [name, child] of node.children) {
    left -= 1;
    const shown = child.isRecord ? printable(name) : io.colors.blue(printable(name));
    yield `${indent}${left === 0 ? '└── ' : '├── '}${shown}${child.isCut ? io.colors.dim(' …') : ''}`;
    yield* treeLines(io, child, `${indent}${left === 0 ? '    ' : '│   '}`);
  }
}

function plainTree(node: TreeNode | undefined): unknown {
  if (node === undefined) return { children: {} };
  return {
    ...(node.isRecord ? { record: true } : {}),
    ...(node.isCut ? { cut: true } : {}),
    children: Object.fromEntries([...node.children].map(([name, child]) => [name, plainTree(child)])),
  };
}
