import { ELECTIONS } from '../../topo/locks.js';
import { baseName, joinPath, parentPath } from '../../topo/paths.js';
import type { LegacyStore } from './legacy-store.js';
import { ELECTION, LOCKS } from './places.js';
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
  return places.cell === undefined ? path.replace(/^elections(?=\/|$)/, ELECTION) : path;
}

/**
 * Canonical first segments of what lies elsewhere, or in another order, below a root that has znodes of these names. None of them has a character
 * that sorts before a slash.
 */
export function movedSegments({ places }: LegacyStore, names: readonly string[]): string[] {
  const isGlobal = places.cell === undefined;
  const moved = isGlobal ? GLOBAL_MOVED : CELL_MOVED;
  const found = names.filter((name) => moved.has(name));
  if (isGlobal && names.includes(ELECTION)) found.push(ELECTIONS);
  // ShardReplication and VSchemas may be made of znodes elsewhere.
  found.push('keyspaces', ...(found.includes('vschema') && !isGlobal ? ['SrvVSchema'] : []));
  return [...new Set(found)];
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
