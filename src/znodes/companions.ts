import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { compareBytewise } from '../topo/paths.js';
import { type Store, settle } from './store.js';
import type { Znode } from './znode.js';

/**
 * The znodes that go with a record when it is deleted, each before the one above it: the directories that came with it, and what holders of
 * locks left as results. NotEmpty: somebody has the lock. `gone`: znodes that the same transaction deletes.
 */
export async function findCompanions(
  store: Store,
  path: string,
  gone: ReadonlySet<string>,
  options: CallOptions | undefined,
): Promise<string[]> {
  const found = await Promise.all(
    store.layout.companions(path).map((companion) => withBelow(store, path, companion, gone, options)),
  );
  return found.flat();
}

/** A companion and what goes with it; nothing where it does not exist, or stays since records are in it. */
async function withBelow(
  store: Store,
  path: string,
  companion: string,
  gone: ReadonlySet<string>,
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
      return names.every((name) => gone.has(`${znode}/${name}`)) ? [znode] : [];
  }
}

/**
 * Whether a znode that counts as a record was made for what is below it, and is not there for itself: it has no data, and none of what comes with
 * such a record. It may be created: other parts of a copy may have come before it.
 */
export async function isImplied(
  store: Store,
  path: string,
  { data }: Znode,
  options: CallOptions | undefined,
): Promise<boolean> {
  const companions = store.layout.companions(path).filter((each) => store.layout.inside(each) !== 'records');
  if (data !== null || companions.length === 0) return false;
  const znodes = await Promise.all(companions.map((each) => store.readZnode(each, options, path)));
  return znodes.every((znode) => znode === undefined);
}
