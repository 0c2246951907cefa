/**
 * How Vitess lays a topology out in znodes: a file is a znode with data, a directory is one without (null, which the
 * protocol tells from empty data). Made by other tools, directories also occur with empty data, and made by Vitess,
 * znodes with data may have children.
 */

import { recordFileName } from '../topo/kinds.js';
import type { Acl, Stat } from '../zookeeper/client.js';

const world = (perms: number): readonly Acl[] => [{ perms, scheme: 'world', id: 'anyone' }];

/** Of files: admin, write and read. Without create, so that Vitess cannot make a file's children. */
export const FILE_ACL = world(16 + 2 + 1);
/** Of directories, and of files that have children: everything. */
export const DIRECTORY_ACL = world(31);

/** A znode as it was read. */
export interface Znode {
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/**
 * Whether a znode is a record. With bytes it always is. Without, a childless one is a record of zero bytes when its
 * data is empty, or when it has none where the canonical tree has a record: Go's older protobuf gave nil for a record
 * of defaults only.
 */
export function isRecord(path: string, { data, stat }: Znode): boolean {
  if (path === '') return false;
  if (data !== null && data.byteLength > 0) return true;
  return stat.numChildren === 0 && (data !== null || recordFileName(path));
}

/** Whether its children decide if a znode is a record. */
export function dependsOnChildren(path: string, { data }: Znode): boolean {
  return data === null ? path !== '' && recordFileName(path) : data.byteLength === 0;
}

/**
 * Whether a znode is what remains of a directory when its last child went: no bytes, no children, and its children
 * changed last. One that was made or written after that is a new directory of somebody's, or a record of zero bytes.
 */
export function isLeftEmpty({ data, stat }: Znode): boolean {
  const bytes = data?.byteLength ?? 0;
  return bytes === 0 && stat.numChildren === 0 && stat.pzxid > stat.mzxid;
}

/** Whether a session owns the znode. Containers and nodes with a time to live say 0 here, like all that just stay. */
export function isOwned({ ephemeralOwner }: Stat): boolean {
  return ephemeralOwner !== 0n;
}

/** UTF-16 units, from and to, that no path may hold (PathUtils.validatePath in ZooKeeper's source). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const REFUSED = /[\u0001-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Why ZooKeeper refuses a path that is legal elsewhere; undefined when it does not. */
export function refusedCharacter(path: string): string | undefined {
  const unit = REFUSED.exec(path)?.[0].charCodeAt(0);
  if (unit === undefined) return undefined;
  if (unit >= 0xd800 && unit <= 0xdfff) return 'character beyond U+FFFF';
  return `character U+${unit.toString(16).toUpperCase().padStart(4, '0')}`;
}
