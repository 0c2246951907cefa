import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode } from '../../topo/errors.js';
import { classify, type Kind } from '../../topo/kinds.js';
import { joinPath } from '../../topo/paths.js';
import type { Acl } from '../../zookeeper/client.js';
import type { KnownZnode } from './seal-acl.js';
import { walkDown } from './seal-walk.js';
import { type Store, settle } from './store.js';
import { isOwned } from './znode.js';

/** What is left as it is: who holds a lock must be able to give it back, since a znode of a live session does not go by itself. */
const LEFT_ALONE: ReadonlySet<Kind> = new Set<Kind>(['Lock', 'Election', 'Control']);

export function isLeftAlone(scope: 'global' | 'cell', path: string): boolean {
  return LEFT_ALONE.has(classify(scope, path, false).kind);
}

/** Reads what sealing will need of the root and everything below it; undefined: there is no root. */
export async function learn(
  store: Store,
  scope: 'global' | 'cell',
  options: CallOptions | undefined,
): Promise<KnownZnode | undefined> {
  const top = new Map<string, KnownZnode>();
  const acls = new Map<string, readonly Acl[]>();
  await walkDown({ path: '', name: '', siblings: top }, async ({ path, name, siblings }) => {
    const znode = store.znode(path);
    const read = store.read(path, options, (client, request) => client.getAcl(znode, request));
    const found = await settle(read, ErrorCode.NoNode);
    if (found === undefined || isOwned(found.stat)) return [];
    const { stat } = found;
    const list = store.read(path, options, (client, request) => client.getChildren(znode, request));
    const listed = stat.numChildren === 0 ? undefined : await settle(list, ErrorCode.NoNode);
    const text = JSON.stringify(found.acl);
    const acl = acls.get(text) ?? found.acl;
    acls.set(text, acl);
    const children = new Map<string, KnownZnode>();
    const { czxid, aversion } = stat;
    siblings.set(name, { czxid, acl, aversion, pzxid: listed?.stat.pzxid ?? stat.pzxid, children });
    return (listed?.children ?? [])
      .map((child) => ({ path: joinPath(path, child), name: child, siblings: children }))
      .filter((child) => !isLeftAlone(scope, child.path));
  });
  return top.get('');
}
