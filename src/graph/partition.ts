import { ErrorCode, TopologyError } from '../topo/errors.js';
import { compareBytewise } from '../topo/paths.js';
import { endOf, isComplete, startOf, stripped } from './key-range.js';
import { type StoredRange, typeName } from './shards.js';
import { isAtLeast, type Target } from './target.js';

/** A shard in a partition of a SrvKeyspace. */
export interface Reference {
  readonly name: string;
  readonly key_range: StoredRange | undefined;
}

/** What an error about a partition names. */
export interface Place {
  readonly type: number;
  readonly cell: string;
}

/**
 * The shards of a partition in the order of their key ranges, checked to cover all keyspace ids once
 * (OrderAndCheckPartitions in go/vt/topo/srv_keyspace.go). Guard, in Vitess's own words, where they do not.
 */
export function orderAndCheck(references: readonly Reference[], place: Place, target: Target): Reference[] {
  const ordered = [...references].sort((a, b) => compareRanges(a.key_range, b.key_range, target));
  const [first, last] = [ordered.at(0), ordered.at(-1)];
  const where = `${typeName(place.type)} in cell ${place.cell}`;
  if (first === undefined) throw refusal(`keyspace partition for ${where} has no shards`);
  if (startOf(first.key_range).length > 0)
    throw refusal(`keyspace partition for ${where} does not start with min key`);
  if (endOf(last?.key_range).length > 0)
    throw refusal(`keyspace partition for ${where} does not end with max key`);
  ordered.slice(1).forEach((next, i) => {
    const current = ordered[i] ?? next;
    const [a, b] = [current.key_range, next.key_range];
    if ((a === undefined) !== (b === undefined))
      throw refusal(`shards with inconsistent KeyRanges for ${where}. shards: ${current.name}, ${next.name}`);
    if (a === undefined || b === undefined || isContiguous(a, b, target)) return;
    throw refusal(
      `non-contiguous KeyRange values for ${where} at shard ${i} to ${i + 1}: ${hex(endOf(a))} != ${hex(startOf(b))}`,
    );
  });
  return ordered;
}

function refusal(message: string): TopologyError {
  return new TopologyError(ErrorCode.Guard, message, {
    hint: 'look at the Shard records and at what is being resharded; a partial snapshot keyspace needs --allow-partial',
  });
}

/** By start, then by end; versions before 17 look at the stored start alone. */
function compareRanges(a: StoredRange | undefined, b: StoredRange | undefined, target: Target): number {
  if (!isAtLeast(target, 17)) return Buffer.compare(startOf(a), startOf(b));
  const byStart = Buffer.compare(stripped(startOf(a)), stripped(startOf(b)));
  if (byStart !== 0) return byStart;
  const [x, y] = [stripped(endOf(a)), stripped(endOf(b))];
  if (x.length === 0 || y.length === 0) return Number(x.length === 0) - Number(y.length === 0);
  return Buffer.compare(x, y);
}

function isContiguous(a: StoredRange, b: StoredRange, target: Target): boolean {
  if (!isAtLeast(target, 12)) return Buffer.compare(endOf(a), startOf(b)) === 0;
  if (!isAtLeast(target, 17)) return padded(endOf(a)) === padded(startOf(b));
  if (isComplete(a) || isComplete(b)) return false;
  return Buffer.compare(stripped(endOf(a)), stripped(startOf(b))) === 0;
}

/** Filled up to eight bytes, as Vitess 12 to 16 compare. */
function padded(bytes: Uint8Array): string {
  return hex(bytes).padEnd(16, '0');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Names in byte order. */
export function byName<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => compareBytewise(a.name, b.name));
}
