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

/** The records of one scope. A path may be a record and a directory at once. */
export class Tree {
  readonly #entries = new Map<string, Entry>();
  /** All paths in byte order; undefined: to be put into order again, since some came or went. */
  #paths: readonly string[] | undefined;

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  get(path: string): Entry | undefined {
    return this.#entries.get(path);
  }

  /** Puts a record in, or takes it out (undefined). */
  set(path: string, entry: Entry | undefined): void {
    const before = this.#entries.size;
    if (entry === undefined) this.#entries.delete(path);
    else this.#entries.set(path, entry);
    if (this.#entries.size !== before) this.#paths = undefined;
  }

  /** Names in a directory, in byte order, and whether each has anything below it; undefined when nothing is below `path`. */
  list(path: string): { readonly name: string; readonly directory: boolean }[] | undefined {
    const paths = this.#inOrder();
    const [from, to] = this.#range(path);
    const start = path === '' ? 0 : path.length + 1;
    const names = new Map<string, boolean>();
    for (let at = from; at < to; ) {
      const rest = paths[at]?.slice(start) ?? '';
      const slash = rest.indexOf('/');
      const name = slash < 0 ? rest : rest.slice(0, slash);
      names.set(name, slash >= 0 || names.get(name) === true);
      // What else is in a directory tells nothing more of it.
      at = slash < 0 ? at + 1 : this.#range(joinPath(path, name))[1];
    }
    if (names.size === 0) return undefined;
    return [...names]
      .map(([name, directory]) => ({ name, directory }))
      .sort((a, b) => compareBytewise(a.name, b.name));
  }

  /** All records below a directory, in byte order of their paths. */
  below(prefix: string): Item[] {
    const found: Item[] = [];
    for (const path of this.#inOrder().slice(...this.#range(prefix))) {
      const entry = this.#entries.get(path);
      if (entry !== undefined) found.push({ path, entry });
    }
    return found;
  }

  #inOrder(): readonly string[] {
    this.#paths ??= inOrder([...this.#entries.keys()]);
    return this.#paths;
  }

  /** Places of the paths below a directory, in {@link #inOrder}. */
  #range(directory: string): [from: number, to: number] {
    const paths = this.#inOrder();
    if (directory === '') return [0, paths.length];
    return [placeOf(paths, `${directory}/`), placeOf(paths, `${directory}${AFTER_SLASH}`)];
  }
}

/** What follows `/`: no path below a directory sorts behind the directory's with this in place of the slash. */
const AFTER_SLASH = '0';

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

/** Paths are nearly always put in in their order: then looking at them once is enough. */
function inOrder(paths: string[]): string[] {
  for (let i = 1; i < paths.length; i++)
    if (compareBytewise(paths[i - 1] ?? '', paths[i] ?? '') > 0) return paths.sort(compareBytewise);
  return paths;
}

/** Of the first path that does not sort before another one. */
function placeOf(paths: readonly string[], path: string): number {
  let [from, to] = [0, paths.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareBytewise(paths[middle] ?? '', path) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
