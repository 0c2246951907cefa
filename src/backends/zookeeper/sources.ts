import { baseName, compareBytewise, joinPath, parentPath } from '../../topo/paths.js';
import type { LegacyStore } from './legacy-store.js';
import { LOCKS } from './places.js';
import { SHARED } from './vschemas.js';

/** First segments of canonical paths whose records lie elsewhere, or in another order, than the canonical tree has them. */
const GLOBAL_MOVED: ReadonlySet<string> = new Set(['keyspaces', SHARED]);
const CELL_MOVED: ReadonlySet<string> = new Set([
  'keyspaces',
  'ns',
  'replication',
  'tablets',
  'vschema',
  'SrvVSchema',
]);

/** Whether what is below a canonical path lies as the canonical tree has it, znode for record. */
export function isPlain({ places }: LegacyStore, path: string): boolean {
  const [first = ''] = path.split('/');
  return !(places.cell === undefined ? GLOBAL_MOVED : CELL_MOVED).has(first);
}

/** Native path of what lies as the canonical tree has it. */
export function plainNative({ places }: LegacyStore, path: string): string {
  return places.cell === undefined ? path.replace(/^elections(?=\/|$)/, 'election') : path;
}

/** Canonical first segments, in byte order, of what may be below a root that has znodes of these names. */
export function firstSegments({ places }: LegacyStore, names: readonly string[]): string[] {
  const isGlobal = places.cell === undefined;
  const moved = names.flatMap((name): string[] => {
    if (isGlobal) return name === 'election' ? ['elections'] : [name];
    // Records below the directories of the old names, whatever they are, and locks of shards of the serving graph.
    return name === 'vschema' ? [name, 'SrvVSchema'] : [name];
  });
  return [...new Set([...moved, 'keyspaces'])].sort(compareBytewise);
}

/** Native tops below and at which all is that is below a canonical path, which does not lie as the canonical tree has it. */
export function sourcesOf({ places }: LegacyStore, path: string): string[] {
  const [first = '', second, third, ...below] = path.split('/');
  if (baseName(path) === LOCKS) {
    const queue = places.queue(parentPath(path));
    if (queue !== undefined) return [queue, path];
  }
  if (places.cell === undefined || first === 'replication' || first === 'ns' || first === 'vschema')
    return [path];
  if (first === 'SrvVSchema') return ['vschema', path];
  if (first === 'tablets') {
    if (second === undefined) return [first];
    const native = places.found(`tablets/${second}/Tablet`);
    return native === undefined ? [] : [native];
  }
  if (second === undefined) return ['ns', 'replication', path];
  if (third === undefined) return [`ns/${second}`, `replication/${second}`, path];
  return third === 'shards' && below.length < 2 ? [joinPath('replication', second, ...below), path] : [path];
}
