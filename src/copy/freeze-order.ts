import pLimit from 'p-limit';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { parseLockContents } from '../topo/lock-contents.js';
import { NAMED_LOCKS } from '../topo/locks.js';
import { compareBytewise } from '../topo/paths.js';

const ROUTING_RULES = 'routing_rules';
/** Keyspaces listed at the same time. */
const AT_ONCE = 16;

/** The directories that a freeze locks, in its one order: keyspaces, then shards, then the routing rules. */
export function lockOrder(shards: ReadonlyMap<string, readonly string[]>): string[] {
  const keyspaces = [...shards.keys()].sort(compareBytewise);
  return [
    ...keyspaces.map((keyspace) => `keyspaces/${keyspace}`),
    ...keyspaces.flatMap((keyspace) =>
      [...(shards.get(keyspace) ?? [])]
        .sort(compareBytewise)
        .map((shard) => `keyspaces/${keyspace}/shards/${shard}`),
    ),
    ROUTING_RULES,
  ];
}

/** Every keyspace, and its shards. */
export async function shardsIn(
  store: Connection,
  call: CallOptions,
): Promise<Map<string, readonly string[]>> {
  const limit = pLimit(AT_ONCE);
  const keyspaces = await namesIn(store, 'keyspaces', call);
  const found = await Promise.all(
    keyspaces.map((keyspace) =>
      limit(async () => [keyspace, await namesIn(store, `keyspaces/${keyspace}/shards`, call)] as const),
    ),
  );
  return new Map(found);
}

async function namesIn(store: Connection, dir: string, call: CallOptions): Promise<string[]> {
  try {
    return await store.listDir(dir, call);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  }
}

/** Guard while a named lock is held: a workflow is switching traffic. */
export async function checkNamedLocks(store: Connection, call: CallOptions): Promise<void> {
  for await (const { records } of store.scan(NAMED_LOCKS, call))
    for (const { path, bytes } of records)
      throw new TopologyError(
        ErrorCode.Guard,
        `a named lock is held: ${said(Buffer.from(bytes).toString())}`,
        {
          path,
          store: store.store,
          hint: 'a workflow is switching traffic: wait until it has; topo2topo locks list shows who it is, and whether it is left over',
        },
      );
}

/** Who holds the lock of a directory, in a few words. Undefined: the store did not tell in time. */
export async function holderOf(
  store: Connection,
  dir: string,
  call: CallOptions,
): Promise<string | undefined> {
  const queue = await store.lockQueue(dir, call).catch(() => undefined);
  if (queue === undefined) return undefined;
  const [first] = queue;
  return first === undefined ? `${dir}, by somebody who has gone` : `${dir}, by ${said(first.contents)}`;
}

function said(contents: string): string {
  const found = parseLockContents(contents);
  if (found === undefined) return 'somebody who does not say';
  return found.host === undefined ? found.action : `${found.action} on ${found.host}`;
}
