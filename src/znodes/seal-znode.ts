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
  readonly name: string;
  /** What is known of it and of those beside it; told there once it is sealed. */
  readonly siblings: Map<string, KnownZnode>;
  /** Whether it is certain that this is the znode that is known. */
  readonly isSame: boolean;
}

/** Seals a znode; gives those that are below it from then on. A session's is left alone: it goes with that. */
export async function sealZnode(
  store: Store,
  znode: Sealable,
  options: CallOptions | undefined,
): Promise<Iterable<Sealable>> {
  const { path, name, siblings } = znode;
  const before = siblings.get(name);
  const done = (await sealKnown(store, znode, options)) ?? (await sealUnknown(store, path, before, options));
  if (done === undefined) {
    siblings.delete(name);
    return [];
  }
  const { known, stat } = done;
  known.aversion = stat.aversion;
  siblings.set(name, known);
  if (stat.numChildren === 0) {
    known.children = undefined;
    return [];
  }
  const listed = known.children ?? new Map<string, KnownZnode>();
  // Nobody came or went since: they are those that were there.
  if (known.pzxid === stat.pzxid) return below(path, listed, [...listed.keys()], true);
  const names = await childrenOf(store, path, options);
  known.children = new Map();
  for (const child of names) {
    const was = listed.get(child);
    if (was !== undefined) known.children.set(child, was);
  }
  return below(path, known.children, names, false);
}

function below(
  path: string,
  siblings: Map<string, KnownZnode>,
  names: readonly string[],
  isSame: boolean,
): readonly Sealable[] {
  return names.map((name) => ({ path: joinPath(path, name), name, siblings, isSame }));
}

interface SealedZnode {
  readonly known: KnownZnode;
  readonly stat: Stat;
}

/** Seals a znode whose ACL is known, in one request. Undefined: not known, or not any more. */
async function sealKnown(
  store: Store,
  { path, name, siblings, isSame }: Sealable,
  options: CallOptions | undefined,
): Promise<SealedZnode | undefined> {
  const known = siblings.get(name);
  if (known === undefined || !isSame || formerAcl(known.acl) !== undefined) return undefined;
  const stat = await setAcl(store, path, sealedAcl(known.acl), known.aversion, options);
  return stat && { known, stat };
}

/** Reads the ACL of a znode, and seals it. Undefined: it is gone, or a session's. */
async function sealUnknown(
  store: Store,
  path: string,
  before: KnownZnode | undefined,
  options: CallOptions | undefined,
): Promise<SealedZnode | undefined> {
  const changed = await changeAcl(store, path, options, (acl) =>
    formerAcl(acl) === undefined ? sealedAcl(acl) : undefined,
  );
  if (changed === undefined) return undefined;
  const { acl, stat } = changed;
  const same = before?.czxid === stat.czxid ? before : undefined;
  const { czxid, aversion } = stat;
  const known = {
    czxid,
    acl: formerAcl(acl) ?? acl,
    aversion,
    pzxid: same?.pzxid,
    children: same?.children,
  };
  return { known, stat };
}

/** A znode whose seal is to be taken off. */
export interface Unsealable {
  readonly path: string;
  /** Undefined: what the seal made of it is not known. */
  readonly known: KnownZnode | undefined;
}

/** Gives a sealed znode back what it had, and tells whether its ACL was as the seal had made it; gives those below it. */
export async function unsealZnode(
  store: Store,
  { path, known }: Unsealable,
  options: CallOptions | undefined,
  onRestored: (intact: boolean) => void,
): Promise<Iterable<Unsealable>> {
  if (known !== undefined && (await unsealKnown(store, path, known, options))) {
    onRestored(true);
    return [...(known.children ?? [])].map(([name, child]) => ({ path: joinPath(path, name), known: child }));
  }
  let intact: boolean | undefined;
  const changed = await changeAcl(store, path, options, (acl) => {
    const former = formerAcl(acl);
    intact = former && sameAcl(acl, sealedAcl(former));
    return intact === false ? acl.filter((entry) => formerAcl([entry]) === undefined) : former;
  });
  if (changed === undefined) return [];
  if (intact !== undefined) onRestored(intact);
  if (changed.stat.numChildren === 0) return [];
  const names = await childrenOf(store, path, options);
  return names.map((name) => ({ path: joinPath(path, name), known: known?.children?.get(name) }));
}

/** Takes a seal off as it was put on, in one request. False: the ACL is another one, or the znode is gone. */
async function unsealKnown(
  store: Store,
  path: string,
  { acl, aversion }: KnownZnode,
  options: CallOptions | undefined,
): Promise<boolean> {
  const set = setAcl(store, path, acl, aversion, options);
  return (await settle(set, ErrorCode.Unauthorized)) !== undefined;
}

/**
 * Gives a znode the ACL that `change` makes of its own; undefined: it keeps it. What it had, and its Stat afterwards; undefined: it is
 * gone, or a session's.
 */
async function changeAcl(
  store: Store,
  path: string,
  options: CallOptions | undefined,
  change: (acl: readonly Acl[]) => readonly Acl[] | undefined,
): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat } | undefined> {
  for (;;) {
    const read = store.read(path, options, (client, request) => client.getAcl(store.znode(path), request));
    const found = await settle(read, ErrorCode.NoNode);
    if (found === undefined || isOwned(found.stat)) return undefined;
    const acl = change(found.acl);
    if (acl === undefined) return found;
    const stat = await setAcl(store, path, acl, found.stat.aversion, options);
    if (stat !== undefined) return { acl: found.acl, stat };
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
