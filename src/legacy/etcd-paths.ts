import { ErrorCode, TopologyError } from '../topo/errors.js';
import { parentPath } from '../topo/paths.js';
import { describePlace, type OldPlace, type OldRecord } from './places.js';
import { isTypeName } from './tablet-types.js';
import type { Located } from './zookeeper-paths.js';

/** Where all of it is, in the global store and in each cell's. */
const ROOT = '/vt';
/** The value of a directory, which has none of its own in etcd. */
const DATA = '_Data';
const VSCHEMA = '_VSchema';
const LOCK = '_Lock';

/**
 * What the key of a legacy `etcd` store is, such as `/vt/keyspaces/ks/_Data`, in the global store (`cell` undefined) or in a cell's. Never fails;
 * undefined for what is outside of `/vt`. A directory is one for its place alone, since a key says nothing of what is below it.
 */
export function fromKey(cell: string | undefined, key: string): OldPlace | undefined {
  if (key === ROOT) return { is: 'directory' };
  if (!key.startsWith(`${ROOT}/`)) return undefined;
  const path = key.slice(ROOT.length + 1);
  const segments = path.split('/');
  if (segments.includes('')) return undefined;
  const known = cell === undefined ? globalPlace(segments) : cellPlace(cell, segments);
  if (known !== undefined) return known;
  if (segments.at(-1) === LOCK)
    return { is: 'lock', of: canonicalDirectory(cell, parentPath(path)), fixed: true };
  if (segments.some(isHidden)) return { is: 'stray', why: 'a hidden key that nothing is known of' };
  const native = nativeOf(cell, path);
  return native === undefined
    ? { is: 'raw', path }
    : { is: 'stray', why: `the record of this path is kept in ${ROOT}/${native}` };
}

/**
 * The key of a record of the canonical tree. InvalidPath, saying why, where the store has something else at that key, or where a part of the path begins
 * with `_`: etcd hides such keys from listings.
 */
export function toKey({ cell, path }: Located): string {
  const key = `${ROOT}/${nativeOf(cell, path) ?? path}`;
  const back = path.split('/').some(isHidden) ? HIDDEN : fromKey(cell, key);
  if (back !== undefined && 'path' in back && back.path === path && back.is !== 'derived') return key;
  const why =
    back === undefined
      ? `${key} is no path`
      : back.is === 'stray'
        ? back.why
        : `${key} is ${describePlace(back)}`;
  throw new TopologyError(ErrorCode.InvalidPath, `an etcd store of the old form cannot hold this: ${why}`, {
    path,
    hint: 'leave this record out',
  });
}

/** The key of the lock of a directory of the canonical tree. On keyspaces and shards it is there always, and empty or `open` when it is free. */
export function lockKey(cell: string | undefined, directory: string): string {
  return directory === '' ? `${ROOT}/${LOCK}` : `${ROOT}/${nativeDirectory(cell, directory)}/${LOCK}`;
}

/** What the lock of a keyspace or shard holds when it is made. Given back, it is empty. */
export const OPEN_LOCK = 'open';

/** Whether the value of a lock says that nobody holds it. */
export function isFreeLock(value: string): boolean {
  return value === '' || value === OPEN_LOCK;
}

/** The keys, with what they hold, that come with the one of a record: whoever creates it creates them too. */
export function companionKeys(record: Located): ReadonlyMap<string, string> {
  const place = fromKey(record.cell, toKey(record));
  if (place?.is !== 'record' || (place.kind !== 'Keyspace' && place.kind !== 'Shard')) return new Map();
  return new Map([[lockKey(record.cell, parentPath(record.path)), OPEN_LOCK]]);
}

const HIDDEN: OldPlace = { is: 'stray', why: 'etcd hides names that begin with _' };

function isHidden(segment: string): boolean {
  return segment.startsWith('_');
}

function globalPlace(segments: readonly string[]): OldPlace | undefined {
  const [first, second, third, fourth] = segments;
  const last = segments.at(-1);
  if (segments.length === 1) {
    if (first === 'vschema') return { is: 'vschemas' };
    return first === 'keyspaces' || first === 'cells' || first === 'election'
      ? { is: 'directory' }
      : undefined;
  }
  if (first === 'election') return { is: 'election', path: ['elections', ...segments.slice(1)].join('/') };
  if (second === undefined || isHidden(second)) return undefined;
  if (first === 'cells')
    return segments.length === 2
      ? { is: 'addresses', path: `cells/${second}/CellInfo`, cell: second }
      : undefined;
  if (first !== 'keyspaces') return undefined;
  if (segments.length === 2) return { is: 'directory' };
  const [keyspace, cell] = [second, undefined];
  if (segments.length === 3) {
    if (last === DATA)
      return json({ kind: 'Keyspace', path: `keyspaces/${keyspace}/Keyspace`, cell, keyspace });
    if (last === VSCHEMA)
      return json({ kind: 'VSchema', path: `keyspaces/${keyspace}/VSchema`, cell, keyspace });
    // Whatever is there counts as a shard.
    return third === undefined || isHidden(third) ? undefined : { is: 'directory' };
  }
  if (segments.length !== 4 || fourth !== DATA || third === undefined || isHidden(third)) return undefined;
  return json({
    kind: 'Shard',
    path: `keyspaces/${keyspace}/shards/${third}/Shard`,
    cell,
    keyspace,
    shard: third,
  });
}

function cellPlace(cell: string, segments: readonly string[]): OldPlace | undefined {
  const [first, ...rest] = segments;
  if (segments.length === 1)
    return first === 'tablets' || first === 'replication' || first === 'ns' ? { is: 'directory' } : undefined;
  if (first === 'ns' && segments.length === 2 && rest[0] === VSCHEMA)
    return json({ kind: 'SrvVSchema', path: 'SrvVSchema', cell });
  const data = segments.at(-1) === DATA;
  const names = data ? rest.slice(0, -1) : rest;
  const [second = '', third, fourth] = names;
  // A directory of directories has no data of its own.
  if (names.length === 0 || names.some(isHidden)) return undefined;
  switch (first) {
    case 'tablets':
      if (names.length !== 1 || !ALIAS.test(second)) return stray('not the name of a tablet', data);
      return data
        ? json({ kind: 'Tablet', path: `tablets/${second}/Tablet`, cell, alias: second })
        : { is: 'directory' };
    case 'replication':
      return data && third !== undefined && names.length === 2
        ? replication(cell, second, third)
        : directory(data, names, 2);
    case 'ns':
      if (data && third === undefined)
        return json({ kind: 'SrvKeyspace', path: `keyspaces/${second}/SrvKeyspace`, cell, keyspace: second });
      if (data && third !== undefined && names.length <= 3) return serving(cell, second, third, fourth);
      return directory(data, names, 3);
    default:
      return undefined;
  }
}

function directory(data: boolean, names: readonly string[], most: number): OldPlace | undefined {
  return !data && names.length <= most ? { is: 'directory' } : undefined;
}

function replication(cell: string, keyspace: string, shard: string): OldPlace {
  return json({
    kind: 'ShardReplication',
    path: `keyspaces/${keyspace}/shards/${shard}/ShardReplication`,
    cell,
    keyspace,
    shard,
  });
}

function stray(why: string, hidden: boolean): OldPlace {
  return { is: 'stray', why, ...(hidden ? { hidden } : {}) };
}

function serving(cell: string, keyspace: string, shard: string, type: string | undefined): OldPlace {
  if (type !== undefined && !isTypeName(type)) return stray('not a type of tablet', true);
  const of = { is: 'derived' as const, cell, keyspace, shard };
  return type === undefined
    ? { ...of, kind: 'SrvShard', path: `ns/${keyspace}/${shard}` }
    : { ...of, kind: 'EndPoints', path: `ns/${keyspace}/${shard}/${type}` };
}

/** Name of a tablet's directory. */
const ALIAS = /^[A-Za-z0-9._-]+-\d+$/;

/** The key, below the root, of a record that does not stand where the canonical tree has it; undefined: it does. */
function nativeOf(cell: string | undefined, path: string): string | undefined {
  const segments = path.split('/');
  const [first, second = '', third = '', shard = '', last] = segments;
  if (cell === undefined) {
    if (first === 'elections') return ['election', ...segments.slice(1)].join('/');
    if (segments.length === 3 && first === 'cells' && third === 'CellInfo') return `cells/${second}`;
    if (segments.length === 3 && first === 'keyspaces' && third === 'Keyspace')
      return `keyspaces/${second}/${DATA}`;
    if (segments.length === 3 && first === 'keyspaces' && third === 'VSchema')
      return `keyspaces/${second}/${VSCHEMA}`;
    const isShard = segments.length === 5 && first === 'keyspaces' && third === 'shards' && last === 'Shard';
    return isShard ? `keyspaces/${second}/${shard}/${DATA}` : undefined;
  }
  if (path === 'SrvVSchema') return `ns/${VSCHEMA}`;
  if (segments.length === 3 && first === 'tablets' && third === 'Tablet') return `tablets/${second}/${DATA}`;
  if (segments.length === 3 && first === 'keyspaces' && third === 'SrvKeyspace')
    return `ns/${second}/${DATA}`;
  const isReplication =
    segments.length === 5 && first === 'keyspaces' && third === 'shards' && last === 'ShardReplication';
  return isReplication ? `replication/${second}/${shard}/${DATA}` : undefined;
}

/** Directories that locks are taken of, as the store has them. */
function nativeDirectory(cell: string | undefined, directory: string): string {
  const [, keyspace, shard] = /^keyspaces\/([^/]+)\/shards\/([^/]+)$/.exec(directory) ?? [];
  return cell === undefined && keyspace !== undefined ? `keyspaces/${keyspace}/${shard}` : directory;
}

function canonicalDirectory(cell: string | undefined, native: string): string {
  const [, keyspace, shard] = /^keyspaces\/([^/]+)\/([^/]+)$/.exec(native) ?? [];
  return cell === undefined && keyspace !== undefined ? `keyspaces/${keyspace}/shards/${shard}` : native;
}

function json(record: OldRecord): OldPlace {
  return { is: 'record', ...record };
}
