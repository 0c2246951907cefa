import type { NativeEntry } from './native.js';
import { compareBytewise } from './paths.js';

/** What all keys below a path begin with, where keys are flat: `''` is before all keys, one slash at the end is enough. */
export function keysBelow(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`;
}

/** What the keys that begin with `prefix` look like as one directory, in byte order. */
export function entriesOf(prefix: string, keys: Iterable<string>): NativeEntry[] {
  const nodes = new Map<string, boolean>();
  for (const key of keys) {
    // A mark that a directory exists (`a/`) is no name in it, and yet it is there.
    const slash = key.indexOf('/', prefix.length);
    const name = key.slice(prefix.length, slash < 0 ? undefined : slash);
    nodes.set(name, nodes.get(name) === true || slash < 0);
  }
  return [...nodes]
    .map(([name, node]) => ({ name, path: prefix + name, node }))
    .sort((a, b) => compareBytewise(a.name, b.name));
}
