import { ErrorCode } from '../topo/errors.js';
import { joinPath } from '../topo/paths.js';
import type { Acl, Stat } from '../zookeeper/client.js';
import { formerAcl, type KnownZnode, sameAcl, sealedAcl } from './seal-acl.js';
import type { SealSession } from './seal-session.js';
import { settle } from './store.js';
import { isOwned } from './znode.js';

/**
 * A znode that is to be sealed, or unsealed. Where its ACL is known any session changes that, on the condition that it is as it was known, which
 * the server decides. Where it has to be read first the session does it that has seen the znode above: another one may be behind.
 */
interface Below {
  readonly path: string;
  readonly via: SealSession;
}

export interface Sealable extends Below {
  readonly name: string;
  /** What is known of it and of those beside it; told there once it is sealed. */
  readonly siblings: Map<string, KnownZnode>;
  /** Whether it is certain that this is the znode that is known. */
  readonly isSame: boolean;
}

/** Seals a znode; gives those that are below it from then on. A session's is left alone: it goes with that. */
export async function sealZnode(
  { path, name, siblings, isSame, via }: Sealable,
  anyone: () => SealSession,
): Promise<Iterable<Sealable>> {
  const before = siblings.get(name);
  const isKnown = isSame && before !== undefined && formerAcl(before.acl) === undefined;
  const session = isKnown ? anyone() : via;
  const done =
    (isKnown ? await sealKnown(session, path, before) : undefined) ??
    (await sealUnknown(session, path, before));
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
  const place = { path, via: session };
  // Nobody came or went since: they are those that were there.
  if (known.pzxid === stat.pzxid) return below(place, listed, listed.keys(), true);
  const names = await session.getChildren(path);
  known.children = new Map();
  for (const child of names) {
    const was = listed.get(child);
    if (was !== undefined) known.children.set(child, was);
  }
  return below(place, known.children, names, false);
}

function* below(
  { path, via }: Below,
  siblings: Map<string, KnownZnode>,
  names: Iterable<string>,
  isSame: boolean,
): Generator<Sealable> {
  for (const name of names) yield { path: joinPath(path, name), name, siblings, isSame, via };
}

interface SealedZnode {
  readonly known: KnownZnode;
  readonly stat: Stat;
}

/** Seals a znode whose ACL is known, in one request. Undefined: it is not that any more. */
async function sealKnown(
  session: SealSession,
  path: string,
  known: KnownZnode,
): Promise<SealedZnode | undefined> {
  const stat = await session.setAcl(path, sealedAcl(known.acl), known.aversion);
  return stat && { known, stat };
}

/** Reads the ACL of a znode, and seals it. Undefined: it is gone, or a session's. */
async function sealUnknown(
  session: SealSession,
  path: string,
  before: KnownZnode | undefined,
): Promise<SealedZnode | undefined> {
  const changed = await changeAcl(session, path, (acl) =>
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

export interface Unsealable extends Below {
  /** Undefined: what the seal made of it is not known. */
  readonly known: KnownZnode | undefined;
}

/** Gives a sealed znode back what it had, and tells whether its ACL was as the seal had made it; gives those below it. */
export async function unsealZnode(
  { path, known, via }: Unsealable,
  anyone: () => SealSession,
  onRestored: (intact: boolean) => void,
): Promise<Iterable<Unsealable>> {
  const session = known === undefined ? via : anyone();
  if (known !== undefined && (await unsealKnown(session, path, known))) {
    onRestored(true);
    return unsealables({ path, via: session }, known.children ?? []);
  }
  let intact: boolean | undefined;
  const changed = await changeAcl(session, path, (acl) => {
    const former = formerAcl(acl);
    intact = former && sameAcl(acl, sealedAcl(former));
    return intact === false ? acl.filter((entry) => formerAcl([entry]) === undefined) : former;
  });
  if (changed === undefined) return [];
  if (intact !== undefined) onRestored(intact);
  if (changed.stat.numChildren === 0) return [];
  const names = await session.getChildren(path);
  return unsealables(
    { path, via: session },
    names.map((name) => [name, known?.children?.get(name)]),
  );
}

function* unsealables(
  { path, via }: Below,
  children: Iterable<readonly [name: string, known: KnownZnode | undefined]>,
): Generator<Unsealable> {
  for (const [name, known] of children) yield { path: joinPath(path, name), known, via };
}

/** Takes a seal off as it was put on, in one request. False: the ACL is another one, or the znode is gone. */
async function unsealKnown(
  session: SealSession,
  path: string,
  { acl, aversion }: KnownZnode,
): Promise<boolean> {
  const set = session.setAcl(path, acl, aversion);
  return (await settle(set, ErrorCode.Unauthorized)) !== undefined;
}

/**
 * Gives a znode the ACL that `change` makes of its own; undefined: it keeps it. What it had, and its Stat afterwards; undefined: it is
 * gone, or a session's.
 */
async function changeAcl(
  session: SealSession,
  path: string,
  change: (acl: readonly Acl[]) => readonly Acl[] | undefined,
): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat } | undefined> {
  for (;;) {
    const found = await session.getAcl(path);
    if (found === undefined || isOwned(found.stat)) return undefined;
    const acl = change(found.acl);
    if (acl === undefined) return found;
    const stat = await session.setAcl(path, acl, found.stat.aversion);
    if (stat !== undefined) return { acl: found.acl, stat };
  }
}
