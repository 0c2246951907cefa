import { hash } from 'node:crypto';
import { compareBytewise, joinPath } from '../../topo/paths.js';

/** One state of one record. Never changed: a new state is a new entry. */
export class Entry {
  readonly bytes: Uint8Array;
  /** Number of the change that made this state. */
  readonly change: number;
  #digest: string | undefined;

  constructor(bytes: Uint8Array, change: number) {
    this.bytes = bytes;
    this.change = change;
  }

  /** Of the bytes: the first half of their SHA-256, in hexadecimal. */
  get digest(): string {
    this.#digest ??= hash('sha256', this.bytes, 'hex').slice(0, 32);
    return this.#digest;
  }

  /** Nothing tells the two states apart. */
  sameAs(other: Entry): boolean {
    return this.change === other.change && Buffer.compare(this.bytes, other.bytes) === 0;
  }
}

/** An {@link Entry} and where it is. */
export interface Item {
  readonly path: string;
  readonly entry: Entry;
}

/** An {@link Item} of a file. */
export interface Placed extends Item {
  readonly scope: string;
}

interface Node {
  entry: Entry | undefined;
  /** Made with the first child: most nodes are records, and have none. */
  children: Map<string, Node> | undefined;
}

/** The records of one scope. A path may be a record and a directory at once. */
export class Tree {
  readonly #root: Node = newNode();

  get isEmpty(): boolean {
    return !hasChildren(this.#root);
  }

  get(path: string): Entry | undefined {
    return this.#find(path)?.entry;
  }

  /** Puts a record in, or takes it out (undefined) with the directories that it leaves empty. */
  set(path: string, entry: Entry | undefined): void {
    if (entry === undefined) {
      this.#remove(path);
      return;
    }
    let node = this.#root;
    for (const segment of path.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) {
        child = newNode();
        node.children.set(segment, child);
      }
      node = child;
    }
    node.entry = entry;
  }

  /** Names in a directory, in byte order, and whether each has anything below it; undefined when nothing is below `path`. */
  list(path: string): { readonly name: string; readonly directory: boolean }[] | undefined {
    const node = this.#find(path);
    if (node?.children === undefined || node.children.size === 0) return undefined;
    return [...node.children]
      .map(([name, child]) => ({ name, directory: hasChildren(child) }))
      .sort((a, b) => compareBytewise(a.name, b.name));
  }

  /** All records below a directory, in byte order of their paths. */
  below(prefix: string): Item[] {
    const found: Item[] = [];
    const node = this.#find(prefix);
    if (node !== undefined) collect(node, prefix, found);
    return found;
  }

  #find(path: string): Node | undefined {
    if (path === '') return this.#root;
    let node: Node | undefined = this.#root;
    for (const segment of path.split('/')) node = node?.children?.get(segment);
    return node;
  }

  #remove(path: string): void {
    const steps: { readonly parent: Node; readonly name: string; readonly node: Node }[] = [];
    let parent = this.#root;
    for (const name of path.split('/')) {
      const node = parent.children?.get(name);
      if (node === undefined) return;
      steps.push({ parent, name, node });
      parent = node;
    }
    parent.entry = undefined;
    for (const step of steps.reverse()) {
      if (step.node.entry !== undefined || hasChildren(step.node)) return;
      step.parent.children?.delete(step.name);
    }
  }
}

/** All scopes of a file. */
export class Contents {
  readonly #trees = new Map<string, Tree>();

  tree(scope: string): Tree {
    let tree = this.#trees.get(scope);
    if (tree === undefined) {
      tree = new Tree();
      this.#trees.set(scope, tree);
    }
    return tree;
  }

  /** Every record, in the order of the file: scope by scope, then by path. */
  all(): Placed[] {
    const scopes = [...this.#trees.keys()].sort(compareScopes);
    return scopes.flatMap((scope) =>
      this.tree(scope)
        .below('')
        .map(({ path, entry }) => ({ scope, path, entry })),
    );
  }

  get isEmpty(): boolean {
    return [...this.#trees.values()].every((tree) => tree.isEmpty);
  }
}

/** `global` first, then cells in byte order. */
export function compareScopes(a: string, b: string): number {
  if (a === b) return 0;
  if (a === 'global') return -1;
  return b === 'global' ? 1 : compareBytewise(a, b);
}

function newNode(): Node {
  return { entry: undefined, children: undefined };
}

function hasChildren({ children }: Node): boolean {
  return children !== undefined && children.size > 0;
}

function collect(node: Node, path: string, found: Item[]): void {
  if (node.children === undefined) return;
  const names = inOrder([...node.children.keys()]);
  if (names.some((name, i) => names[i + 1]?.startsWith(name))) {
    collectMixed(node, path, found);
    return;
  }
  for (const name of names) {
    const child = node.children.get(name);
    if (child === undefined) continue;
    const below = path === '' ? name : `${path}/${name}`;
    if (child.entry !== undefined) found.push({ path: below, entry: child.entry });
    collect(child, below, found);
  }
}

/** Names are nearly always put in in their order: then looking at them once is enough. */
function inOrder(names: string[]): string[] {
  for (let i = 1; i < names.length; i++)
    if (compareBytewise(names[i - 1] ?? '', names[i] ?? '') > 0) return names.sort(compareBytewise);
  return names;
}

/**
 * Where names begin with others: a directory sorts by its name and the slash that follows it, which falls among the names that begin
 * with its own.
 */
function collectMixed(node: Node, path: string, found: Item[]): void {
  const keys = [...(node.children ?? [])].flatMap(([name, child]) => [
    ...(child.entry === undefined ? [] : [{ key: name, name, entry: child.entry, child: undefined }]),
    ...(!hasChildren(child) ? [] : [{ key: `${name}/`, name, entry: undefined, child }]),
  ]);
  for (const { name, entry, child } of keys.sort((a, b) => compareBytewise(a.key, b.key))) {
    const below = joinPath(path, name);
    if (entry !== undefined) found.push({ path: below, entry });
    if (child !== undefined) collect(child, below, found);
  }
}
