import type { CallOptions } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import { joinPath } from '../topo/paths.js';
import type { Acl, Stat } from '../zookeeper/client.js';
import { formerAcl, type KnownZnode, sameAcl, sealedAcl } from './seal-acl.js';
import { type Store, settle } from './store.js';
import { isOwned } from './znode.js';

/** A znode that is to be sealed. */
export interface Sealable {
  readonly path: string;
  /** What was learnt of a znode at this path. */
  readonly known: KnownZnode | undefined;
  /** Whether it is certain that this is still the same znode. */
  readonly isSame: boolean;
}

/** Seals a znode; gives those that are below it from then on. A session's is left alone: it goes with that. */
export async function sealZnode(
  store: Store,
  znode: Sealable,
  options: CallOptions | undefined,
): Promise<Iterable<Sealable>> {
  const { path } = znode;
  let { known } = znode;
  let stat = await sealKnown(store, znode, options);
  if (stat === undefined) {
    const changed = await changeAcl(store, path, options, (acl) =>
      formerAcl(acl) === undefined ? sealedAcl(acl) : undefined,
    );
    if (changed === undefined) return [];
    stat = changed;
    if (known?.czxid !== stat.czxid) known = undefined;
  }
  if (stat.numChildren === 0) return [];
  // Nobody came or went since: they are those that were there.
  if (known?.pzxid === stat.pzxid) return knownBelow(path, known);
  const names = await childrenOf(store, path, options);
  return names.map((name) => ({
    path: joinPath(path, name),
    known: known?.children.get(name),
    isSame: false,
  }));
}

function* knownBelow(path: string, { children }: KnownZnode): Generator<Sealable> {
  for (const [name, known] of children) yield { path: joinPath(path, name), known, isSame: true };
}

/** Seals a znode whose ACL is known, in one request. Undefined: not known, or not any more. */
async function sealKnown(
  store: Store,
  { path, known, isSame }: Sealable,
  options: CallOptions | undefined,
): Promise<Stat | undefined> {
  if (known === undefined || !isSame || formerAcl(known.acl) !== undefined) return undefined;
  return setAcl(store, path, sealedAcl(known.acl), known.aversion, options);
}

/** Gives a sealed znode back what it had, and tells whether its ACL was as the seal had made it; gives the names of those below it. */
export async function unsealZnode(
  store: Store,
  path: string,
  options: CallOptions | undefined,
  onRestored: (intact: boolean) => void,
): Promise<readonly string[]> {
  let intact: boolean | undefined;
  const stat = await changeAcl(store, path, options, (acl) => {
    const former = formerAcl(acl);
    intact = former && sameAcl(acl, sealedAcl(former));
    return intact === false ? acl.filter((entry) => formerAcl([entry]) === undefined) : former;
  });
  if (stat === undefined) return [];
  if (intact !== undefined) onRestored(intact);
  return stat.numChildren === 0 ? [] : childrenOf(store, path, options);
}

/**
 * Gives a znode the ACL that `change` makes of its own; undefined: it keeps it. Its Stat afterwards; undefined: it is gone, or a session's.
 */
async function changeAcl(
  store: Store,
  path: string,
  options: CallOptions | undefined,
  change: (acl: readonly Acl[]) => readonly Acl[] | undefined,
): Promise<Stat | undefined> {
  for (;;) {
    const read = store.read(path, options, (client, request) => client.getAcl(store.znode(path), request));
    const found = await settle(read, ErrorCode.NoNode);
    if (found === undefined || isOwned(found.stat)) return undefined;
    const acl = change(found.acl);
    if (acl === undefined) return found.stat;
    const stat = await setAcl(store, path, acl, found.stat.aversion, options);
    if (stat !== undefined) return stat;
  }
}

/** Undefined: the ACL was changed meanwhile, or the znode is gone. */
async function setAcl(
  store: Store,
  path: string,
  acl: readonly Acl[],
  aversion: number,
  options: CallOptions | undefined,
): Promise<Stat | undefined> {
  const set = store.read(path, options, (client, request) =>
    client.setAcl(store.znode(path), acl, aversion, request),
  );
  return (await settle(set, ErrorCode.NoNode, ErrorCode.BadVersion))?.stat;
}

async function childrenOf(
  store: Store,
  path: string,
  options: CallOptions | undefined,
): Promise<readonly string[]> {
  const listed = store.read(path, options, (client, request) =>
    client.getChildren(store.znode(path), request),
  );
  return (await settle(listed, ErrorCode.NoNode))?.children ?? [];
}
