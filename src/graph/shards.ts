import { readFields } from '../topo/codec.js';
import { checkShardName } from '../topo/names.js';

/** A shard and its Shard record. */
export interface ShardRecord {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Tablet types that a keyspace serves, by their numbers: PRIMARY, REPLICA, RDONLY. */
export const SERVING_TYPES = [1, 2, 3] as const;

/** Name of a serving type, as messages and rules have it. */
export function typeName(type: number): string {
  return { 1: 'PRIMARY', 2: 'REPLICA', 3: 'RDONLY' }[type] ?? String(type);
}

/** A key range as it is stored. */
export interface StoredRange {
  readonly start?: Iterable<number>;
  readonly end?: Iterable<number>;
}

/** What the serving graph needs to know of a Shard. */
export interface ShardInfo {
  readonly name: string;
  /** As stored: absent, or present and perhaps empty. */
  readonly keyRange: StoredRange | undefined;
  readonly isPrimaryServing: boolean;
  /** Until Vitess 12. */
  readonly servedTypes: readonly { readonly tablet_type: number; readonly cells: readonly string[] }[];
  /** Until Vitess 4: cells that have tablets of the shard. */
  readonly cells: readonly string[];
}

/** InvalidPath for a name that is no shard's, Corrupt for a record that does not decode. */
export function readShard({ name, bytes }: ShardRecord): ShardInfo {
  checkShardName(name);
  const fields = readFields('topodata.Shard', bytes);
  const servedTypes = list(fields['served_types']).map((entry) => ({
    tablet_type: Number(property(entry, 'tablet_type') ?? 0),
    cells: list(property(entry, 'cells')).map(String),
  }));
  const range = fields['key_range'];
  return {
    name,
    keyRange: typeof range === 'object' && range !== null ? range : undefined,
    isPrimaryServing: fields['is_primary_serving'] === true,
    servedTypes,
    cells: list(fields['cells']).map(String),
  };
}

/** Elements of a repeated field that may not be there. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A field of a message that may not be there. */
export function property(message: unknown, name: string): unknown {
  if (typeof message !== 'object' || message === null) return undefined;
  return Object.getOwnPropertyDescriptor(message, name)?.value;
}
