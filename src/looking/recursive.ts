import type { CallOptions, Connection, StoredRecord } from '../topo/connection.js';
import { compareBytewise, joinPath } from '../topo/paths.js';
import { type Entry, recordOf } from './entries.js';

/** A directory and what is in it. */
export interface Listing {
  readonly path: string;
  readonly entries: readonly Entry[];
}

interface Node {
  record: StoredRecord | undefined;
  readonly children: Map<string, Node>;
}

/**
 * A directory and all directories below it that records are in, each before those in it, by one reading of all of it. Empty
 * when there is no record below.
 */
export async function listAll(store: Connection, path: string, options: CallOptions): Promise<Listing[]> {
  const root: Node = { record: undefined, children: new Map() };
  const start = path === '' ? 0 : path.length + 1;
  for await (const { records } of store.scan(path, options))
    for (const record of records) nodeAt(root, record.path.slice(start).split('/')).record = record;
  const found: Listing[] = [];
  collect(found, root, path);
  return found;
}

function nodeAt(root: Node, segments: readonly string[]): Node {
  let node = root;
  for (const segment of segments) {
    const child = node.children.get(segment) ?? { record: undefined, children: new Map() };
    node.children.set(segment, child);
    node = child;
  }
  return node;
}

/** Adds the listings of a directory; answers whether all in it goes away by itself. */
function collect(found: Listing[], node: Node, path: string): boolean {
  if (node.children.size === 0) return true;
  const entries: Entry[] = [];
  found.push({ path, entries });
  // Records come in byte order of whole paths, in which a-b/c is before a/c.
  const names = [...node.children].sort(([a], [b]) => compareBytewise(a, b));
  for (const [name, child] of names) {
    const below = collect(found, child, joinPath(path, name));
    const ephemeral = child.record?.ephemeral !== false && below;
    const type = child.children.size === 0 ? 'file' : 'directory';
    entries.push({ name, type, ephemeral, ...recordOf(child.record) });
  }
  return entries.every(({ ephemeral }) => ephemeral);
}
