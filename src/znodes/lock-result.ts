import type { CallLimits } from '../topo/call-options.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { parentPath } from '../topo/paths.js';
import type { ZooKeeperClient } from '../zookeeper/client.js';
import type { Queue } from './lock-create.js';
import { ensureDirectory } from './parents.js';
import type { Store } from './store.js';

/** Leaves what the holder of a lock leaves behind. Never fails: nobody waits for it, and the lock is given back without. */
export async function leaveResult(
  store: Store,
  client: ZooKeeperClient,
  { path: entry, queue: { dir } }: { readonly path: string; readonly queue: Queue },
  contents: string,
  options: CallLimits,
): Promise<void> {
  const result = store.layout.result(entry, contents);
  if (result === undefined) return;
  const args = {
    path: store.znode(result.path),
    data: Buffer.from(result.contents),
    acl: store.layout.recordAcl,
  };
  const create = () =>
    store.attempt({ kind: 'read', path: dir }, () => client.create(args, store.request(options, dir)));
  try {
    await create().catch(async (error: unknown) => {
      if (!isTopologyError(error, ErrorCode.NoNode)) throw error;
      await ensureDirectory(store, parentPath(args.path), dir, options);
      await create();
    });
  } catch {
    // The lock itself is what matters.
  }
}
