import type { LockRequest } from '../topo/locks.js';
import type { Acl } from '../zookeeper/client.js';
import type { Znode } from './znode.js';

/**
 * How records lie in the znodes below a root: what is alike in all of them is this folder's. Paths are those of the znodes, relative to the
 * root.
 */
export interface Layout {
  /** Of records without children. */
  readonly recordAcl: readonly Acl[];
  /** Whether a znode is a record. One that has children may be a directory, too. */
  isRecord(path: string, znode: Znode): boolean;
  /** Whether its children decide if a znode is a record. */
  dependsOnChildren(path: string, znode: Znode): boolean;
  /** Directories that come into being with the record at a path, and go with it. */
  companions(path: string): readonly string[];
  /** What a companion holds: entries of a lock, results of its holders, or records. */
  inside(companion: string): 'entries' | 'results' | 'records';
  /** Whether a directory stays when it is left empty. */
  stays(path: string): boolean;
  /** The directory of the entries of a directory's lock, or of an election. */
  queue(dir: string, purpose: LockRequest['purpose']): string;
  /** The path by which callers know the entry of a lock, or of an election. */
  shown(entry: string): string;
  /** What the holder of a lock leaves behind when it gives the lock back, and where; undefined: nothing. */
  result(entry: string, contents: string): { readonly path: string; readonly contents: string } | undefined;
  /** Whether sealing leaves what is at a path alone: who holds a lock must be able to give it back, since a znode of a live session does not go by itself. */
  isLeftAlone(scope: 'global' | 'cell', path: string): boolean;
}
