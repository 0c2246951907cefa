import type { CallOptions } from '../../topo/connection.js';
import { manyReader } from '../../znodes/read-many.js';
import { READS_PER_REQUEST, REQUESTS_PER_SESSION } from '../../znodes/scan.js';
import type { Store } from '../../znodes/store.js';
import { type Found, Walk } from '../../znodes/walk.js';
import type { ZooKeeperClient } from '../../zookeeper/client.js';

/** The znode at a native path and all below it, in byte order of the native paths, in groups. Absent: nothing. */
export async function* walkFrom(
  store: Store,
  top: string,
  options: CallOptions | undefined,
  readers: readonly ZooKeeperClient[] = [store.sessions.primary],
): AsyncGenerator<readonly Found[], undefined> {
  const readMany = manyReader(store, readers, top, options);
  const [own] = await readMany([{ type: 'getData', path: store.znode(top) }]);
  if (own?.type !== 'getData') return;
  if (top !== '') yield [{ path: top, data: own.data, stat: own.stat }];
  if (own.stat.numChildren === 0) return;
  const limits = { requests: REQUESTS_PER_SESSION * readers.length, reads: READS_PER_REQUEST };
  for await (const group of new Walk(readMany, store.znode(top), limits).groups())
    yield group.map(({ path, data, stat }) => ({ path: store.path(path), data, stat }));
}
