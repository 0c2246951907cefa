import { isBelow } from '../../topo/paths.js';
import type { Layout } from './layout.js';

/** Native directories that hold what is below a directory of the canonical tree, and other things perhaps. */
export function homesBelow({ cell }: Layout, path: string): string[] {
  if (path === '') return [''];
  const [first, keyspace, third, shard, ...rest] = path.split('/');
  if (cell === undefined) {
    if (first === 'elections') return [path.replace(/^elections/, 'election')];
    if (first !== 'keyspaces' || keyspace === undefined || third !== 'shards') return [path];
    if (shard === undefined) return [`keyspaces/${keyspace}`];
    return rest.length > 0 ? [path] : [`keyspaces/${keyspace}/${shard}`, path];
  }
  if (first !== 'keyspaces') return [path];
  if (keyspace === undefined) return ['keyspaces', 'ns', 'replication'];
  if (third === undefined) return [path, `ns/${keyspace}`, `replication/${keyspace}`];
  if (third !== 'shards' || rest.length > 0) return [path];
  return shard === undefined ? [path, `replication/${keyspace}`] : [path, `replication/${keyspace}/${shard}`];
}

/** Whether the VSchemas of all keyspaces in one may have a part in what is below a directory. */
export function mayShareVSchemas({ cell }: Layout, path: string): boolean {
  return cell === undefined && (path === '' || /^keyspaces(\/[^/]+)?$/.test(path));
}

/**
 * The directories of the canonical tree that a native one stands for. What is in a keyspace is a shard unless it has visible files in it and
 * no others: then it is a directory like any.
 *
 * @param visible whether anything in it can be seen; `hidden`: whether it has a record or lock of a shard
 */
export function canonicalDirectories(
  layout: Layout,
  native: string,
  has: { readonly visible: boolean; readonly hidden: boolean },
): string[] {
  const { cell } = layout;
  if (layout.isOthers(native)) return [];
  const segments = native.split('/');
  const [first, keyspace, third] = segments;
  if (cell === undefined) {
    if (first === 'election') return [native.replace(/^election/, 'elections')];
    if (first !== 'keyspaces' || third === undefined || segments.length > 3) return [native];
    const shard = `keyspaces/${keyspace}/shards/${third}`;
    return [...(has.visible ? [native] : []), ...(has.hidden || !has.visible ? [shard] : [])];
  }
  if (first === 'ns')
    return segments.length > 2 ? [] : [segments.length === 1 ? 'keyspaces' : `keyspaces/${keyspace}`];
  if (first !== 'replication') return [native];
  if (segments.length > 3) return [];
  return [segments.length === 1 ? 'keyspaces' : `keyspaces/${keyspace}${third ? `/shards/${third}` : ''}`];
}

/** Whether a directory of the canonical tree holds the records of Vitess's own kinds, which go away with nobody. */
export function isLasting({ cell }: Layout, path: string): boolean {
  const homes = cell === undefined ? ['keyspaces', 'cells'] : ['keyspaces', 'tablets'];
  return homes.some((home) => path === home || isBelow(path, home));
}
