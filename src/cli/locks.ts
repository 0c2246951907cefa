import { type LockPlace, placeOf } from '../topo/found-locks.js';
import { KINDS } from '../topo/kinds.js';
import { usage } from './flags.js';

const TOP_DIRECTORIES: ReadonlySet<string> = new Set(KINDS.map(({ pattern }) => pattern.split('/')[0] ?? ''));

/**
 * What a person calls a lock: KEYSPACE, KEYSPACE/SHARD, or a path. A word that begins with `/` or with a directory at the top
 * of the tree is a path.
 */
export function placeNamed(word: string): LockPlace {
  const path = word.replace(/^\/+|\/+$/g, '');
  const parts = path.split('/');
  const [first = '', second] = parts;
  if (path === '') throw usage('no directory is given', 'give KEYSPACE, KEYSPACE/SHARD, or a path');
  if (word.startsWith('/') || TOP_DIRECTORIES.has(first)) return placeOf(path);
  if (parts.length > 2)
    throw usage(
      'this is neither KEYSPACE nor KEYSPACE/SHARD nor a path of the topology',
      'begin another path with /',
    );
  return placeOf(second === undefined ? `keyspaces/${first}` : `keyspaces/${first}/shards/${second}`);
}
