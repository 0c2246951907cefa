import { ErrorCode, TopologyError } from './errors.js';

/** Cell and number of a tablet. */
export interface TabletAlias {
  readonly cell: string;
  /** 0 to 2^32-1. */
  readonly uid: number;
}

/** Keyspace ids from `start`, inclusive, to `end`, exclusive. Empty: from the minimum, to the maximum. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** The text of an alias, which is also the name of the tablet's directory: `zone1-0000000100`. */
export function formatTabletAlias(alias: TabletAlias): string {
  return `${alias.cell}-${String(alias.uid).padStart(10, '0')}`;
}

/** Reads an alias; the number need not be padded. InvalidPath otherwise. */
export function parseTabletAlias(text: string): TabletAlias {
  const [, cell, digits] = /^([A-Za-z0-9._-]+)-(\d+)$/.exec(text) ?? [];
  const uid = Number(digits);
  if (cell === undefined || uid > MAX_UID)
    throw illegal(
      `${JSON.stringify(text)} is not a tablet alias`,
      'write CELL-NUMBER, for example zone1-100',
    );
  return { cell, uid };
}

const MAX_UID = 0xffff_ffff;

/** The text of a key range: `40-80`, and `-` for all keyspace ids. */
export function formatKeyRange(range: KeyRange): string {
  return `${Buffer.from(range.start).toString('hex')}-${Buffer.from(range.end).toString('hex')}`;
}

/**
 * The key range in a shard's name; undefined for a name without `-`, which stands for an unsharded or custom-sharded
 * keyspace. InvalidPath for a name that no version of Vitess takes.
 */
export function keyRangeOfShard(shard: string): KeyRange | undefined {
  if (!shard.includes('-')) return undefined;
  const [, first, last] = /^((?:[0-9a-f]{2})*)-((?:[0-9a-f]{2})*)$/i.exec(shard) ?? [];
  if (first === undefined || last === undefined)
    throw illegal(`${JSON.stringify(shard)} is not a shard name`, 'write a key range as 40-80, -80 or 80-');
  const range = { start: Buffer.from(first, 'hex'), end: Buffer.from(last, 'hex') };
  if (range.end.length > 0 && Buffer.compare(range.start, range.end) >= 0)
    throw illegal(
      `the key range of shard ${JSON.stringify(shard)} holds nothing`,
      'its start must lie below its end',
    );
  return range;
}

/** Checks a keyspace's name by the rules of Vitess 17 and newer; older versions took nearly any. InvalidPath. */
export function checkKeyspaceName(name: string): void {
  if (name === '') throw illegal('empty name');
  if (Buffer.byteLength(name) > 64) throw illegal(`name ${JSON.stringify(name)} is too long`);
  const bad = /[^A-Za-z0-9_-]/u.exec(name)?.[0];
  if (bad !== undefined) throw illegal(`invalid character ${bad} in name ${JSON.stringify(name)}`);
}

/** Checks a shard's name by the rules of Vitess 17 and newer: those of keyspaces, then {@link keyRangeOfShard}. InvalidPath. */
export function checkShardName(name: string): void {
  checkKeyspaceName(name);
  keyRangeOfShard(name);
}

/** Checks a cell's name, which must be able to stand in a tablet alias and is no name of the global store. InvalidPath. */
export function checkCellName(name: string): void {
  if (name === '') throw illegal('empty name');
  const bad = /[^A-Za-z0-9._-]/u.exec(name)?.[0];
  if (bad !== undefined) throw illegal(`invalid character ${bad} in name ${JSON.stringify(name)}`);
  if (name === '.' || name === '..') throw illegal(`a cell cannot be called ${name}`);
  if (name === 'global' || name === 'global-read-only')
    throw illegal(`a cell cannot be called ${name}, which is the global store`);
}

function illegal(message: string, hint?: string): TopologyError {
  return new TopologyError(ErrorCode.InvalidPath, message, { hint });
}
