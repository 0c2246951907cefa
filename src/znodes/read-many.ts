import type { CallOptions } from '../topo/connection.js';
import { ZkCode, type ZooKeeperClient, ZooKeeperError } from '../zookeeper/client.js';
import { toTopologyError } from './error.js';
import { inTurn } from './sessions.js';
import type { Store } from './store.js';
import type { ReadMany } from './walk.js';

/** Reads znodes in turn through the sessions. The error of a znode that may not be read names its path. */
export function manyReader(
  store: Store,
  readers: readonly ZooKeeperClient[],
  prefix: string,
  options: CallOptions | undefined,
): ReadMany {
  const [first = store.sessions.primary, ...others] = readers;
  const next = inTurn(first, others);
  return async (reads) => {
    const { results } = await store.attempt({ kind: 'read', path: prefix }, () =>
      next().multiRead(reads, store.request(options, prefix)),
    );
    const failed = results.findIndex((result) => result.type === 'error' && result.code !== ZkCode.NoNode);
    const failure = results[failed];
    if (failure?.type !== 'error') return results;
    const error = new ZooKeeperError(failure.code, 'a read of a scan failed');
    const path = store.path(reads[failed]?.path ?? '');
    throw toTopologyError(store.context, error, { kind: 'read', path });
  };
}
