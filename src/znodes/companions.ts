import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { compareBytewise } from '../topo/paths.js';
import { type Store, settle } from './store.js';

/**
 * The znodes that go with a record when it is deleted, each before the one above it: the directories that came with it, and what holders of
 * locks left as results. NotEmpty: somebody has the lock.
 */
export async function findCompanions(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<string[]> {
  const found = await Promise.all(
    store.layout.companions(path).map((companion) => withBelow(store, path, companion, options)),
  );
  return found.flat();
}

/** A companion and what goes with it; nothing where it does not exist, or stays since records are in it. */
async function withBelow(
  store: Store,
  path: string,
  companion: string,
  options: CallOptions | undefined,
): Promise<string[]> {
  const znode = store.znode(companion);
  const listed = store.read(path, options, (client, request) => client.getChildren(znode, request));
  const names = (await settle(listed, ErrorCode.NoNode))?.children;
  if (names === undefined) return [];
  if (names.length === 0) return [znode];
  switch (store.layout.inside(companion)) {
    case 'results':
      return [...names.sort(compareBytewise).map((name) => `${znode}/${name}`), znode];
    case 'entries':
      throw new TopologyError(
        ErrorCode.NotEmpty,
        `an operation is running: ${znode} has ${names.join(', ')}`,
        {
          path,
          store: store.context.store,
          hint: 'wait until it is over, or break its lock if its process is gone',
        },
      );
    default:
      return [];
  }
}
