import type { CallOptions } from '../../topo/connection.js';
import { manyReader } from '../../znodes/read-many.js';
import { READS_PER_REQUEST, REQUESTS_PER_SESSION } from '../../znodes/scan.js';
import type { Store } from '../../znodes/store.js';
import { type Found, type ReadMany, Walk } from '../../znodes/walk.js';
import type { ZooKeeperClient } from '../../zookeeper/client.js';

/** Where a walk begins, and over which sessions. */
export interface WalkStart {
  /** Native path. */
  readonly top: string;
  /** Of what is right below the top, only these. Default: all. */
  readonly names?: ReadonlySet<string> | undefined;
  /** Canonical path that errors name. */
  readonly about: string;
  /** Default: the one of single reads. */
  readonly readers?: readonly ZooKeeperClient[] | undefined;
}

/** The znode at a native path and all below it, in byte order of the native paths, in groups. Absent: nothing. */
export async function* walkFrom(
  store: Store,
  start: WalkStart,
  options: CallOptions | undefined,
): AsyncGenerator<readonly Found[], undefined> {
  const { top, about, readers = [store.sessions.primary] } = start;
  const readMany = manyReader(store, readers, about, options);
  const [own] = await readMany([{ type: 'getData', path: store.znode(top) }]);
  if (own?.type !== 'getData') return;
  if (start.names === undefined) yield [{ path: top, data: own.data, stat: own.stat }];
  if (own.stat.numChildren === 0) return;
  const limits = { requests: REQUESTS_PER_SESSION * readers.length, reads: READS_PER_REQUEST };
  const walk = new Walk(namesOnly(readMany, store.znode(top), start.names), store.znode(top), limits);
  for await (const group of walk.groups())
    yield group.map(({ path, data, stat }) => ({ path: store.path(path), data, stat }));
}

/** Reads, of the children of one znode only those of these names. */
function namesOnly(readMany: ReadMany, znode: string, names: ReadonlySet<string> | undefined): ReadMany {
  if (names === undefined) return readMany;
  return async (reads) => {
    const results = await readMany(reads);
    return results.map((result, index) =>
      result?.type === 'getChildren' && reads[index]?.path === znode
        ? { ...result, children: result.children.filter((name) => names.has(name)) }
        : result,
    );
  };
}
