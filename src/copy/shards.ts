import type { Decoded } from './decoded.js';

/** The keyspace that a record is about: by its path, or for a Tablet by what it says. Undefined: none, or none that can be read. */
export function keyspaceOf(decoded: Decoded): string | undefined {
  if (decoded.row.kind === 'Tablet') return decoded.text('keyspace');
  const [first, keyspace] = decoded.record.path.split('/');
  return first === 'keyspaces' ? keyspace : undefined;
}

/** Which shard a record belongs to. */
export interface ShardName {
  readonly keyspace: string;
  readonly shard: string;
}

/** The shard of a record of one; undefined for all others. */
export function shardOf(decoded: Decoded): ShardName | undefined {
  if (decoded.row.kind === 'Tablet') {
    const keyspace = decoded.text('keyspace');
    const shard = decoded.text('shard');
    return keyspace === undefined || shard === undefined ? undefined : { keyspace, shard };
  }
  const [first, keyspace, shards, shard] = decoded.record.path.split('/');
  return first === 'keyspaces' && keyspace !== undefined && shards === 'shards' && shard !== undefined
    ? { keyspace, shard }
    : undefined;
}
