import { compareBytewise } from '../../topo/paths.js';

/** One place in a {@link Tree}. It exists as long as it holds an item or has children. */
export class TreeNode<I> {
  item: I | undefined;
  children: Map<string, TreeNode<I>> | undefined;
  #names: readonly string[] | undefined;

  /** Names of the children, in byte order. */
  get names(): readonly string[] {
    this.#names ??= [...(this.children?.keys() ?? [])].sort(compareBytewise);
    return this.#names;
  }

  add(name: string): TreeNode<I> {
    const child = new TreeNode<I>();
    this.children ??= new Map();
    this.children.set(name, child);
    this.#names = undefined;
    return child;
  }

  remove(name: string): void {
    this.children?.delete(name);
    if (this.children?.size === 0) this.children = undefined;
    this.#names = undefined;
  }
}

/** Items by key, segments joined by `/`; `''` is the top. Cheap to list by directory and to walk in byte order of the keys. */
export class Tree<I> {
  readonly #top = new TreeNode<I>();

  find(key: string): TreeNode<I> | undefined {
    let node: TreeNode<I> | undefined = this.#top;
    for (const name of segments(key)) {
      node = node.children?.get(name);
      if (node === undefined) return undefined;
    }
    return node;
  }

  get(key: string): I | undefined {
    return this.find(key)?.item;
  }

  /** Puts an item, or with undefined takes it away; gives what was there before. */
  set(key: string, item: I | undefined): I | undefined {
    if (item === undefined) return this.#unset(key);
    let node = this.#top;
    for (const name of segments(key)) node = node.children?.get(name) ?? node.add(name);
    const before = node.item;
    node.item = item;
    return before;
  }

  /** Calls `visit` for each item below a key (not at it), in byte order of the keys. */
  walk(key: string, visit: (key: string, item: I) => void): void {
    const node = this.find(key);
    if (node !== undefined) walk(node, key === '' ? '' : `${key}/`, visit);
  }

  #unset(key: string): I | undefined {
    const names = segments(key);
    const way = [this.#top];
    for (const name of names) {
      const next = way.at(-1)?.children?.get(name);
      if (next === undefined) return undefined;
      way.push(next);
    }
    const last = way.at(-1);
    const before = last?.item;
    if (last !== undefined) last.item = undefined;
    for (let depth = names.length; depth > 0; depth--) {
      const node = way[depth];
      if (node?.item !== undefined || node?.children !== undefined) break;
      way[depth - 1]?.remove(names[depth - 1] ?? '');
    }
    return before;
  }
}

function segments(key: string): string[] {
  return key === '' ? [] : key.split('/');
}

function walk<I>(node: TreeNode<I>, prefix: string, visit: (key: string, item: I) => void): void {
  // What lies below a child sorts by the child's name and the slash after it: `a`, `a-b`, `a/c`.
  const stops: { at: string; node: TreeNode<I> }[] = [];
  for (const name of node.names) {
    const child = node.children?.get(name);
    if (child?.item !== undefined) stops.push({ at: name, node: child });
    if (child?.children !== undefined) stops.push({ at: `${name}/`, node: child });
  }
  stops.sort((a, b) => compareBytewise(a.at, b.at));
  for (const stop of stops) {
    const key = prefix + stop.at;
    if (stop.at.endsWith('/')) walk(stop.node, key, visit);
    else if (stop.node.item !== undefined) visit(key, stop.node.item);
  }
}
