import type { Acl } from '../zookeeper/client.js';

const READ = 1;
const ADMIN = 16;
/** Nobody's: no password gives a digest of this form. */
const TAG = 'topo2topo-seal';

/**
 * The ACL of a znode that is sealed: nobody may write to it, nor create or delete below it, and who may change its ACL still may. An
 * entry that allows nothing keeps the ACL that the znode had, so that it says by itself how it is undone.
 */
export function sealedAcl(acl: readonly Acl[]): Acl[] {
  const kept = acl.map((entry) => ({ ...entry, perms: entry.perms & (READ | ADMIN) }));
  const rest = kept.filter(
    ({ perms }, index) => perms !== 0 && !kept.slice(0, index).some(same(kept[index])),
  );
  const was = JSON.stringify(acl.map(({ perms, scheme, id }) => [perms, scheme, id]));
  return [...rest, { perms: 0, scheme: 'digest', id: `${TAG}:${Buffer.from(was).toString('base64url')}` }];
}

/** The ACL that a sealed znode had; undefined: it is not sealed. */
export function formerAcl(acl: readonly Acl[]): Acl[] | undefined {
  const tag = acl.find(({ scheme, id }) => scheme === 'digest' && id.startsWith(`${TAG}:`));
  if (tag === undefined) return undefined;
  const was: unknown = JSON.parse(Buffer.from(tag.id.slice(TAG.length + 1), 'base64url').toString());
  if (!Array.isArray(was)) return undefined;
  return was.map(([perms, scheme, id]) => ({ perms: Number(perms), scheme: String(scheme), id: String(id) }));
}

/** Whether two ACLs say the same, in the same order. */
export function sameAcl(a: readonly Acl[], b: readonly Acl[]): boolean {
  return a.length === b.length && a.every((entry, index) => same(entry)(b[index]));
}

function same(a: Acl | undefined): (b: Acl | undefined) => boolean {
  return (b) => a?.perms === b?.perms && a?.scheme === b?.scheme && a?.id === b?.id;
}

/** A znode that a seal is put on or taken off, and all below it. */
export interface KnownZnode {
  readonly czxid: bigint;
  /** What it has without the seal. */
  readonly acl: readonly Acl[];
  /** Changes of its ACL, that by the seal included where it is on. */
  aversion: number;
  /** The last coming or going of a child when `children` were listed; undefined: they were not. */
  readonly pzxid: bigint | undefined;
  /** Undefined: none, as most have. */
  children: Map<string, KnownZnode> | undefined;
}

/** A seal that this process has put on everywhere. Nobody can have come or gone since: what it takes to undo it is known. */
export interface KnownSeal {
  readonly id: string;
  readonly top: KnownZnode;
}
